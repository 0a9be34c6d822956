/* ensemble.h - a model as users know it: one network, a bag of networks that are alike, `classic`,
 * or an ensemble of such models. */
#ifndef INFER_ENSEMBLE_H
#define INFER_ENSEMBLE_H

#include "infer/autoencoder_network.h"
#include "infer/engine.h"
#include "ravel/separate.h"

struct rv_model {
    rv_model_card card;
    const char *stems[RV_MAX_STEMS];
    char *name;
    rv_network **networks; /* NULL for classic, which is made for each format */
    rv_network_card *cards;
    size_t n_networks;
    double *weights;  /* [network or part][stem], or NULL: all 1 */
    rv_model **parts; /* of an ensemble, which has no networks of its own */
    size_t n_parts;
    size_t *routes; /* [part][stem] which of the part's stems that is; 0 where its weight is 0 */
    /* [card.n_stems] of a network that hears features, which they play; NULL: it gives sound */
    rv_autoencoder_network **decoders;
    struct rv_shelf *shelf;
};

/* rv_model_open() and rv_model_free() are here; see ravel/separate.h. */

/* An engine of these options: one that was given back, or a new one. */
RV_NODISCARD rv_status rv_model_take_engine(rv_engine **out, rv_model *m,
                                            const rv_engine_options *options, rv_error *err);

/* Keep the engine for the next who takes one. */
void rv_model_give_engine(rv_model *m, rv_engine *e);

#endif
