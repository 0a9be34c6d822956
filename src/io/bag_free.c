/* bag_free.c - the part of bags that needs no YAML. */
#include "io/bag.h"

#include <stdlib.h>

void rv_bag_free(rv_bag *bag)
{
    if (!bag)
        return;
    for (size_t i = 0; bag->models && i < bag->n_models; i++)
        free(bag->models[i]);
    free(bag->models);
    free(bag->weights);
    free(bag);
}
