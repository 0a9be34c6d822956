/* synth_features.c - features from an .npz, and rows of features from wherever they are. */
#include "api/synth_features.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 64 };

void rv_synth_features_close(rv_synth_features *f)
{
    rv_feature_rows_free(f->f0_rows);
    rv_feature_rows_free(f->loudness_rows);
    rv_feature_rows_free(f->mfcc_rows_of);
    rv_feature_cache_free(f->cache);
    rv_npz_free(f->npz);
    free(f->f0);
    free(f->confidence);
}

/* Given ------------------------------------------------------------------------------------ */

/* An array of one axis, or NULL; of as many rows as f0. */
static rv_status find_column(const rv_npy **out, rv_synth_features *f, const char *name,
                             rv_error *err)
{
    RV_TRY(rv_npz_find(out, f->npz, name, err));
    const rv_npy *a = *out;
    if (a && !(a->rank == 1 || (a->rank == 2 && a->shape[1] == 1)))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: array %s has %d axes, one is expected", f->path,
                       name, a->rank);
    if (a && f->f0_given && a->count != f->f0_given->count)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: array %s has %zu rows, f0_hz has %zu", f->path,
                       name, a->count, f->f0_given->count);
    return RV_OK;
}

static rv_status find_needed(const rv_npy **out, rv_synth_features *f, const char *name,
                             rv_error *err)
{
    RV_TRY(find_column(out, f, name, err));
    if (!*out || (*out)->count == 0)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: has no array %s; f0_hz, loudness_db and frame_rate are expected, as "
                       "`ravel features` writes them",
                       f->path, name);
    return RV_OK;
}

static rv_status find_rate(rv_synth_features *f, rv_error *err)
{
    const rv_npy *rate = NULL;
    RV_TRY(rv_npz_find(&rate, f->npz, "frame_rate", err));
    f->rate = rate && rate->count == 1 ? rv_npy_value(rate, 0) : 0;
    if (!(f->rate > 0 && f->rate <= 1e6))
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: has no frame_rate, one number above 0 is expected: frames a second",
                       f->path);
    return RV_OK;
}

static rv_status find_confidence(rv_synth_features *f, double threshold, rv_error *err)
{
    RV_TRY(find_column(&f->confidence_given, f, "f0_confidence", err));
    if (!f->confidence_given)
        RV_TRY(find_column(&f->confidence_given, f, "voiced", err));
    if (!f->confidence_given && threshold > 0)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: has no f0_confidence, which a threshold is compared with", f->path);
    return RV_OK;
}

static rv_status find_mfcc(rv_synth_features *f, const rv_autoencoder_config *c, rv_error *err)
{
    if (c->decoder.z == 0)
        return RV_OK;
    RV_TRY(rv_npz_find(&f->mfcc_given, f->npz, "mfcc", err));
    const rv_npy *a = f->mfcc_given;
    if (!a || a->rank != 2 || a->shape[0] == 0 || a->shape[1] != RV_AUTOENCODER_MFCC)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: the model hears timbre from mfcc [frames, %d], which is not there",
                       f->path, RV_AUTOENCODER_MFCC);
    f->mfcc_rows = a->shape[0];
    f->mfcc_rate = f->rate;
    return RV_OK;
}

rv_status rv_synth_features_open(rv_synth_features *f, const char *path,
                                 const rv_autoencoder_config *c, const rv_synth_options *o,
                                 rv_error *err)
{
    f->path = path;
    RV_TRY(rv_npz_open(&f->npz, path, err));
    RV_TRY(find_needed(&f->f0_given, f, "f0_hz", err));
    RV_TRY(find_needed(&f->loudness_given, f, "loudness_db", err));
    RV_TRY(find_rate(f, err));
    RV_TRY(find_confidence(f, o->threshold, err));
    f->frames = f->f0_given->count;
    f->seconds = (double)f->frames / f->rate;
    return find_mfcc(f, c, err);
}

/* Rows ------------------------------------------------------------------------------------- */

static void given_rows(const rv_synth_features *f, size_t first, size_t n, rv_raw_frame *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (rv_raw_frame){
            .f0 = (float)rv_npy_value(f->f0_given, first + i),
            .confidence =
                f->confidence_given ? (float)rv_npy_value(f->confidence_given, first + i) : 1,
            .loudness = (float)rv_npy_value(f->loudness_given, first + i),
        };
}

static rv_status measured_rows(const rv_synth_features *f, size_t first, size_t n,
                               rv_raw_frame *out, rv_error *err)
{
    float f0[3 * CHUNK], loudness[CHUNK];
    RV_TRY(rv_feature_rows_read(f->loudness_rows, first, n, loudness, err));
    if (f->f0_rows)
        RV_TRY(rv_feature_rows_read(f->f0_rows, first, n, f0, err));
    for (size_t i = 0; i < n; i++)
        out[i] = (rv_raw_frame){
            .f0 = f->f0_rows ? f0[3 * i] : f->f0[first + i],
            .confidence = f->f0_rows      ? f0[3 * i + 1]
                          : f->confidence ? f->confidence[first + i]
                                          : 1,
            .loudness = loudness[i],
        };
    return RV_OK;
}

rv_status rv_synth_features_read(rv_synth_features *f, size_t first, size_t n, rv_raw_frame *out,
                                 rv_error *err)
{
    for (size_t done = 0; done < n; done += CHUNK) {
        const size_t some = n - done < CHUNK ? n - done : CHUNK;
        if (f->npz)
            given_rows(f, first + done, some, out + done);
        else
            RV_TRY(measured_rows(f, first + done, some, out + done, err));
    }
    for (size_t i = 0; i < n; i++) {
        rv_raw_frame *r = &out[i];
        r->f0 = isfinite(r->f0) && r->f0 > 0 ? r->f0 : 0;
        r->confidence = isfinite(r->confidence) ? r->confidence : 0;
        if (!isfinite(r->loudness))
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: loudness_db of frame %zu is %g", f->path,
                           first + i, (double)r->loudness);
    }
    return RV_OK;
}

rv_status rv_synth_features_mfcc(rv_synth_features *f, size_t row, float *out, rv_error *err)
{
    if (f->mfcc_given)
        rv_npy_read(f->mfcc_given, row * RV_AUTOENCODER_MFCC, RV_AUTOENCODER_MFCC, out);
    else
        RV_TRY(rv_feature_rows_read(f->mfcc_rows_of, row, 1, out, err));
    for (int i = 0; i < RV_AUTOENCODER_MFCC; i++)
        if (!isfinite(out[i]))
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: mfcc of frame %zu is %g", f->path, row,
                           (double)out[i]);
    return RV_OK;
}
