/* network.c - what all networks share. */
#include "infer/network.h"

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
