/* network.c - what all networks share. */
#include "infer/network.h"

#include <stdlib.h>

void rv_network_free(rv_network *n)
{
    if (n)
        n->class->free(n);
}

void rv_runner_free(rv_runner *r)
{
    if (r)
        r->free(r);
}

float *rv_runner_planes(rv_runner *r, const rv_network *n)
{
    const size_t channels = n->channels, planes = channels * (1 + n->n_stems);
    float *at = NULL;
    if (r->frames < SIZE_MAX / sizeof *at / planes)
        at = calloc(planes * r->frames + 1, sizeof *at);
    r->mix = (rv_planes_view){ at, r->frames, 1 };
    r->stems = (rv_planes_view){ at ? at + channels * r->frames : NULL, r->frames, 1 };
    return at;
}
