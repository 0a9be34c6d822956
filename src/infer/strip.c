/* strip.c - frames are moved to the front of the planes only when the room behind them is used up,
 * so that each frame is moved a bounded number of times. */
#include "infer/strip.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

void rv_strip_init(rv_strip *s, size_t planes)
{
    *s = (rv_strip){ .planes = planes };
}

void rv_strip_fini(rv_strip *s)
{
    free(s->data);
    s->data = NULL;
}

void rv_strip_reset(rv_strip *s)
{
    s->from = s->end = s->start = 0;
}

float *rv_strip_at(const rv_strip *s, size_t plane, size_t t)
{
    return s->data + plane * s->capacity + s->start + (t - s->from);
}

/* Memory for so many frames, and for more, unless most of them come at once: then these are more
 * than are moved to the front. */
static rv_status grow(rv_strip *s, size_t frames, rv_error *err)
{
    const size_t held = s->end - s->from, more = held > frames / 2 ? frames / 2 : 0;
    const size_t capacity = frames + more + 256;
    float *data = NULL;
    if (capacity > frames && capacity < SIZE_MAX / sizeof *data / (s->planes + 1))
        data = malloc((capacity * s->planes + 1) * sizeof *data);
    if (!data)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu planes of %zu frames", s->planes, frames);
    for (size_t p = 0; p < s->planes && held; p++)
        memcpy(data + p * capacity, rv_strip_at(s, p, s->from), held * sizeof *data);
    free(s->data);
    s->data = data;
    s->capacity = capacity;
    s->start = 0;
    return RV_OK;
}

static void move_to_front(rv_strip *s)
{
    const size_t held = s->end - s->from;
    for (size_t p = 0; p < s->planes; p++)
        memmove(s->data + p * s->capacity, rv_strip_at(s, p, s->from), held * sizeof *s->data);
    s->start = 0;
}

rv_status rv_strip_extend(rv_strip *s, size_t end, rv_error *err)
{
    if (end <= s->end)
        return RV_OK;
    if (end - s->from > s->capacity)
        RV_TRY(grow(s, end - s->from, err));
    if (end - s->from > s->capacity - s->start)
        move_to_front(s);
    for (size_t p = 0; p < s->planes; p++)
        memset(rv_strip_at(s, p, s->end), 0, (end - s->end) * sizeof *s->data);
    s->end = end;
    return RV_OK;
}

rv_status rv_strip_append(rv_strip *s, const float *const *x, size_t frames, rv_error *err)
{
    const size_t at = s->end;
    RV_TRY(rv_strip_extend(s, at + frames, err));
    for (size_t p = 0; p < s->planes && frames; p++)
        memcpy(rv_strip_at(s, p, at), x[p], frames * sizeof **x);
    return RV_OK;
}

void rv_strip_drop(rv_strip *s, size_t from)
{
    if (from > s->from) {
        s->start += from - s->from;
        s->from = from;
    }
}

void rv_strip_copy(const rv_strip *s, size_t plane, ptrdiff_t first, size_t n, float *dst,
                   size_t step)
{
    const ptrdiff_t last = first + (ptrdiff_t)n;
    const ptrdiff_t low = first > (ptrdiff_t)s->from ? first : (ptrdiff_t)s->from;
    const ptrdiff_t high = last < (ptrdiff_t)s->end ? last : (ptrdiff_t)s->end;
    for (size_t t = 0; t < n; t++)
        dst[t * step] = 0;
    if (low >= high)
        return;
    const float *x = rv_strip_at(s, plane, (size_t)low);
    dst += (size_t)(low - first) * step;
    for (size_t t = 0; t < (size_t)(high - low); t++)
        dst[t * step] = x[t];
}
