/* autoencoder_network_impl.h - what autoencoder_open.c and autoencoder_pieces.c share. */
#ifndef INFER_AUTOENCODER_NETWORK_IMPL_H
#define INFER_AUTOENCODER_NETWORK_IMPL_H

#include "infer/autoencoder_network.h"
#include "infer/weights.h"

struct rv_autoencoder_network {
    rv_autoencoder_config config;
    rv_checkpoint *checkpoint;
    rv_graph *graph; /* of the whole model, for the names and shapes of its parameters */
    nn_builder all;
    rv_weights weights; /* of each parameter in `all` */
};

/* Fill graph and all. */
rv_status rv_autoencoder_list(rv_autoencoder_network *n, rv_error *err);

#endif
