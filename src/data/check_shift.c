/* check_shift.c - see check_shift.h. */
#include "data/check_shift.h"

#include "base/status.h"
#include "data/check_signal.h"

#include <stdlib.h>
#include <string.h>

void rv_check_parts_add(rv_check_parts *p, uint64_t start, double stem, double mix)
{
    const double a = stem - p->stem, b = mix - p->mix;
    const rv_check_part part = { start, b > 0 ? a * a / b : 0 };
    size_t least = 0;
    p->stem = stem;
    p->mix = mix;
    if (!(part.score > 0))
        return;
    if (p->n < RV_PARTS) {
        p->at[p->n++] = part;
        return;
    }
    for (size_t i = 1; i < RV_PARTS; i++)
        least = p->at[i].score < p->at[least].score ? i : least;
    if (part.score > p->at[least].score)
        p->at[least] = part;
}

static int by_start(const void *a, const void *b)
{
    const rv_check_part *x = a, *y = b;
    return x->start < y->start ? -1 : x->start > y->start;
}

typedef struct shift {
    float *mono[2]; /* [RV_ALIGN_WINDOW] stem, mixture */
    float *memory;
    float *planes[RV_AUDIO_CHANNELS_MAX]; /* [RV_CHECK_BLOCK] */
} shift;

/* The mean of the channels -> x[got] */
static rv_status read_mono(shift *s, rv_check_input *in, uint64_t start, float *x, size_t *got,
                           rv_error *err)
{
    rv_findings ignored = { 0 };
    size_t n = 1;
    RV_TRY(rv_check_input_seek(in, (int64_t)start, err));
    for (*got = 0; *got < RV_ALIGN_WINDOW && n > 0; *got += n) {
        const rv_status status = rv_check_input_read(in, s->planes, &n, &ignored, err);
        rv_findings_free(&ignored);
        RV_TRY(status);
        for (size_t t = 0; t < n; t++) {
            double sum = 0;
            for (int c = 0; c < in->channels; c++)
                sum += (double)s->planes[c][t];
            x[*got + t] = (float)(sum / in->channels);
        }
    }
    return RV_OK;
}

static rv_status add_parts(shift *s, rv_align *align, rv_check_input *stem, rv_check_input *mix,
                           const rv_check_parts *parts, rv_error *err)
{
    rv_align_begin(align);
    for (size_t i = 0; i < parts->n; i++) {
        size_t a = 0, b = 0;
        RV_TRY(read_mono(s, stem, parts->at[i].start, s->mono[0], &a, err));
        RV_TRY(read_mono(s, mix, parts->at[i].start, s->mono[1], &b, err));
        rv_align_add(align, s->mono[0], s->mono[1], a < b ? a : b);
    }
    return RV_OK;
}

static rv_status take_memory(shift *s, int channels, rv_error *err)
{
    const size_t planes = (size_t)channels * RV_CHECK_BLOCK;
    s->memory = calloc(2 * (size_t)RV_ALIGN_WINDOW + planes, sizeof *s->memory);
    if (!s->memory)
        return RV_FAIL(err, RV_ERR_NOMEM, "correlation of %d samples", RV_ALIGN_WINDOW);
    s->mono[0] = s->memory;
    s->mono[1] = s->memory + RV_ALIGN_WINDOW;
    for (int c = 0; c < channels; c++)
        s->planes[c] = s->memory + 2 * (size_t)RV_ALIGN_WINDOW + (size_t)c * RV_CHECK_BLOCK;
    return RV_OK;
}

rv_status rv_check_shift(rv_alignment *out, rv_align *align, rv_check_input *stem,
                         rv_check_input *mix, rv_check_parts *parts, rv_error *err)
{
    shift s = { 0 };
    rv_error why = { 0 };
    *out = (rv_alignment){ 0 };
    RV_TRY(take_memory(&s, stem->channels > mix->channels ? stem->channels : mix->channels, err));
    qsort(parts->at, parts->n, sizeof *parts->at, by_start);
    const rv_status status = add_parts(&s, align, stem, mix, parts, &why);
    free(s.memory);
    if (status == RV_ERR_NOMEM)
        return RV_FAIL(err, status, "%s", why.text);
    if (status == RV_OK)
        *out = rv_align_result(align);
    return RV_OK;
}
