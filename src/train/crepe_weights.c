/* crepe_weights.c - see crepe_weights.h. */
#include "train/crepe_weights.h"

#include "base/status.h"
#include "infer/crepe_network.h"
#include "infer/weights.h"

#include <stdlib.h>

struct rv_crepe_weights {
    rv_crepe_config config;
    rv_checkpoint *checkpoint;
    rv_weights weights;
    rv_crepe_weights *next;
};

static rv_status take(rv_crepe_weights *w, const char *path, rv_error *err)
{
    rv_graph *g = NULL;
    nn_builder b;
    RV_TRY(rv_graph_new(&g, NULL, err));
    nn_begin(&b, g);
    rv_crepe(&b, &w->config, rv_input(g, RV_SHAPE(1, RV_CREPE_WINDOW)));
    rv_status st = rv_graph_status(g, err);
    if (st == RV_OK)
        st = rv_weights_take(&w->weights, w->checkpoint, &b, path, err);
    rv_graph_free(g);
    return st;
}

static rv_status open_weights(rv_crepe_weights *w, const char *path, rv_error *err)
{
    RV_TRY(rv_checkpoint_open(&w->checkpoint, path, err));
    RV_TRY(rv_crepe_find_width(&w->config, w->checkpoint, path, err));
    return take(w, path, err);
}

rv_status rv_crepe_weights_add(rv_crepe_weights **list, const char *path, rv_error *err)
{
    rv_crepe_weights *w = calloc(1, sizeof *w);
    if (!w)
        return RV_FAIL(err, RV_ERR_NOMEM, "weights of CREPE");
    const rv_status st = open_weights(w, path, err);
    if (st != RV_OK) {
        rv_crepe_weights_free(w);
        return st;
    }
    w->next = *list;
    *list = w;
    return RV_OK;
}

void rv_crepe_weights_free(rv_crepe_weights *list)
{
    while (list) {
        rv_crepe_weights *w = list;
        list = w->next;
        rv_weights_free(&w->weights);
        rv_checkpoint_free(w->checkpoint);
        free(w);
    }
}

void rv_crepe_weights_give(const rv_crepe_weights *list, rv_crepe_loss_options *o)
{
    o->width = list->config.width;
    o->weights = list->weights.value;
}
