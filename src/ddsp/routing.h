/* routing.h - see routing.c */
#ifndef DDSP_ROUTING_H
#define DDSP_ROUTING_H

#include "core/ops.h"

/* a, b [B,N], level [B,F,1] from 0 to 1 -> [B,N]: sqrt(level) a + (1 - sqrt(1 - level)) b, with the
 * level brought to samples on straight lines. scale: the level comes from a network: a sigmoid. */
rv_node *rv_mix(rv_node *a, rv_node *b, rv_node *level, bool scale);
rv_node *rv_mix_level(rv_node *level, bool scale);

typedef enum rv_crop_place { RV_CROP_FRONT, RV_CROP_CENTRE, RV_CROP_BACK } rv_crop_place;

/* audio [B,N] less 2 (size / 2) samples at the front, at the back, or half of them at both */
rv_node *rv_crop(rv_node *audio, size_t size, rv_crop_place place);
size_t rv_crop_front(size_t size, rv_crop_place place); /* samples that go at the front */

#endif
