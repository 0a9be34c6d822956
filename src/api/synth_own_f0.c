/* synth_own_f0.c - the pitch of an audio file by the encoder of the model that will play it. Every
 * frame has one, and no confidence. */
#include "api/synth_own_f0.h"

#include "base/status.h"
#include "data/mono_source.h"
#include "infer/autoencoder_f0.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct reading {
    rv_mono *mono;
    const float *block; /* [left] of it are to be read */
    size_t left;
    const rv_feature_watch *watch;
} reading;

static rv_status next_block(reading *r, rv_error *err)
{
    RV_TRY(rv_mono_next(r->mono, &r->block, &r->left, err));
    if (r->watch->tell && r->watch->tell(r->watch->ctx, rv_mono_progress(r->mono)))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped on request");
    return RV_OK;
}

static rv_status read(void *ctx, float *samples, size_t n, rv_error *err)
{
    reading *r = ctx;
    for (size_t done = 0; done < n;) {
        if (r->left == 0)
            RV_TRY(next_block(r, err));
        if (r->left == 0) { /* the end */
            memset(samples + done, 0, (n - done) * sizeof *samples);
            return RV_OK;
        }
        const size_t some = r->left < n - done ? r->left : n - done;
        memcpy(samples + done, r->block, some * sizeof *samples);
        r->block += some;
        r->left -= some;
        done += some;
    }
    return RV_OK;
}

static rv_status check(const rv_synth_features *f, rv_error *err)
{
    for (size_t i = 0; i < f->frames; i++)
        if (!isfinite(f->f0[i]))
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: the model hears no number at %.3f s", f->path,
                           (double)i / f->rate);
    return RV_OK;
}

rv_status rv_synth_own_f0(rv_synth_features *f, const rv_autoencoder_network *n,
                          const rv_feature_watch *watch, int threads, rv_error *err)
{
    rv_track_source file = { (char *)f->path, 0, RV_ALL_CHANNELS };
    const rv_track_sources sources = { &file, 1 };
    const int rate = (int)rv_autoencoder_network_config(n)->sample_rate;
    reading r = { .watch = watch };
    const rv_f0_source source = { read, &r };
    rv_pool *pool = NULL;
    f->f0 = calloc(f->frames + 1, sizeof *f->f0);
    if (!f->f0)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: pitch of %zu frames", f->path, f->frames);
    rv_status st = rv_pool_new(&pool, threads, NULL, err);
    if (st == RV_OK)
        st = rv_mono_open(&r.mono, &sources, rate, err);
    if (st == RV_OK)
        st = rv_autoencoder_find_f0(n, &source, f->frames, f->f0, pool, err);
    if (st == RV_OK)
        st = check(f, err);
    rv_mono_free(r.mono);
    rv_pool_free(pool);
    return st;
}
