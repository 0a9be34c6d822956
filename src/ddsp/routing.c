/* routing.c - what joins and cuts signals (ddsp's Mix and Crop). Where the level of a mix is 0, b
 * is not heard either: that is how ddsp has it. */
#include "ddsp/routing.h"

/* Square roots have no slope at 0. */
static const double least_level = 1e-12;

rv_node *rv_mix_level(rv_node *level, bool scale)
{
    return scale ? rv_sigmoid(level) : level;
}

static rv_node *root(rv_node *level)
{
    return rv_sqrt(rv_maximum(level, least_level));
}

rv_node *rv_mix(rv_node *a, rv_node *b, rv_node *level, bool scale)
{
    const size_t batch = rv_extent(level, 0), samples = rv_extent(a, 1);
    rv_node *m = rv_upsample(rv_mix_level(level, scale), samples, RV_UPSAMPLE_LINEAR);
    m = rv_reshape(m, RV_SHAPE(batch, samples));
    rv_node *of_b = rv_scale(root(rv_scale(m, -1, 1)), -1, 1);
    return rv_add(rv_mul(root(m), a), rv_mul(of_b, b));
}

size_t rv_crop_front(size_t size, rv_crop_place place)
{
    const size_t half = size / 2;
    return place == RV_CROP_FRONT ? 2 * half : place == RV_CROP_CENTRE ? half : 0;
}

rv_node *rv_crop(rv_node *audio, size_t size, rv_crop_place place)
{
    const size_t samples = rv_extent(audio, 1), gone = 2 * (size / 2);
    if (gone >= samples)
        return rv_poison(audio->graph, RV_ERR_SHAPE, __func__,
                         "crop: %zu samples of the %zu that there are", gone, samples);
    return rv_slice(audio, 1, rv_crop_front(size, place), samples - gone);
}
