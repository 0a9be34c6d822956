/* lane.c - see lane.h. A segment is [at, at + segment), cut at the end of the track; the network
 * sees `seen` frames, centred on it with the odd one behind. */
#include "infer/lane.h"

#include "base/status.h"

static size_t seen_frames(const rv_lane *l, size_t length)
{
    if (l->context)
        return l->context;
    return l->network->fixed ? l->network->fixed
                             : l->network->class->valid_length(l->network, length);
}

bool rv_lane_next(const rv_lane *l, size_t known, bool complete, rv_chunk *chunk)
{
    const size_t end = l->lead + known, rest = l->next < end ? end - l->next : 0;
    if (rest == 0 || known == 0)
        return false;
    const size_t length = rest < l->segment ? rest : l->segment;
    *chunk = (rv_chunk){ .at = l->next, .length = length, .seen = seen_frames(l, length) };
    chunk->frames = l->network->fixed ? l->network->fixed : chunk->seen;
    const ptrdiff_t seen_end = rv_lane_seen_from(l, chunk) + (ptrdiff_t)chunk->seen;
    return complete || (length == l->segment && seen_end <= (ptrdiff_t)known);
}

ptrdiff_t rv_lane_seen_from(const rv_lane *l, const rv_chunk *chunk)
{
    return (ptrdiff_t)chunk->at - (ptrdiff_t)((chunk->seen - chunk->length) / 2) -
           (ptrdiff_t)l->lead;
}

rv_status rv_lane_add(rv_lane *l, const rv_chunk *chunk, const rv_planes_view *stems, rv_error *err)
{
    RV_TRY(rv_strip_extend(&l->sum, chunk->at + chunk->length, err));
    const size_t trim = (chunk->seen - chunk->length) / 2;
    for (size_t p = 0; p + 1 < l->sum.planes; p++) {
        float *sum = rv_strip_at(&l->sum, p, chunk->at);
        const float *out = rv_planes_at(stems, p, trim);
        for (size_t t = 0; t < chunk->length; t++)
            sum[t] += l->weight[t] * out[t * stems->frame];
    }
    float *weights = rv_strip_at(&l->sum, l->sum.planes - 1, chunk->at);
    for (size_t t = 0; t < chunk->length; t++)
        weights[t] += l->weight[t];
    l->next = chunk->at + l->stride;
    return RV_OK;
}

size_t rv_lane_final(const rv_lane *l, size_t known)
{
    const size_t final = l->next > l->lead ? l->next - l->lead : 0;
    return final < known ? final : known;
}

size_t rv_lane_needs(const rv_lane *l)
{
    const rv_chunk chunk = { .at = l->next,
                             .length = l->segment,
                             .seen = seen_frames(l, l->segment) };
    /* The last segments are shorter and may see more in front: at most all but one frame. */
    const ptrdiff_t from = rv_lane_seen_from(l, &chunk) - (ptrdiff_t)(l->segment / 2 + 1);
    return from > 0 ? (size_t)from : 0;
}

void rv_lane_read(const rv_lane *l, size_t plane, size_t first, size_t n, float *dst)
{
    const float *sum = rv_strip_at(&l->sum, plane, first + l->lead);
    const float *weights = rv_strip_at(&l->sum, l->sum.planes - 1, first + l->lead);
    for (size_t t = 0; t < n; t++)
        dst[t] += sum[t] / weights[t];
}

void rv_lane_drop(rv_lane *l, size_t first)
{
    const size_t place = first + l->lead;
    rv_strip_drop(&l->sum, place < l->next ? place : l->next);
}
