/* decoder_set.h - a network that hears features of sources, and a decoder to play each of them, as
 * one model: a YAML file
 *
 *     features: mctn.safetensors
 *     decoders: {bass: bass.safetensors, drums: drums.safetensors, vocals: vocals.safetensors}
 *
 * with names of files beside it, or whole paths. */
#ifndef INFER_DECODER_SET_H
#define INFER_DECODER_SET_H

#include "infer/autoencoder_network.h"
#include "models/mctn.h"

#include <jansson.h>

/* *out: NULL where the file is no such set but something else, or no YAML. json_decref() it. */
RV_NODISCARD rv_status rv_decoder_set_read(json_t **out, const char *path, rv_error *err);

/* The file of the features network; free() it. */
RV_NODISCARD rv_status rv_decoder_set_features(char **out, const json_t *set, const char *path,
                                               rv_error *err);

/* decoders [c->n_sources], in the order of the sources; each must fit what c says. Those that were
 * opened before a failure stay in it, for the caller to free. */
RV_NODISCARD rv_status rv_decoder_set_open(rv_autoencoder_network **decoders, const json_t *set,
                                           const char *path, const rv_mctn_config *c,
                                           rv_error *err);

#endif
