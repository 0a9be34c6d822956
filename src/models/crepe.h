/* crepe.h - see crepe.c */
#ifndef MODELS_CREPE_H
#define MODELS_CREPE_H

#include "nn/nn.h"

enum {
    RV_CREPE_WINDOW = 1024, /* samples of a frame */
    RV_CREPE_RATE = 16000,  /* Hz */
    RV_CREPE_BINS = 360,
    RV_CREPE_MOST_WIDTH = 64,
    RV_CREPE_LAYERS = 13
};

/* The width of the network: tiny 4, small 8, medium 16, large 24, full 32. Its first layer has 32
 * times as many filters. */
typedef struct rv_crepe_config {
    size_t width; /* 1 to RV_CREPE_MOST_WIDTH */
} rv_crepe_config;

/* "tiny" to "full", or "custom". */
const char *rv_crepe_capacity(const rv_crepe_config *c);

/* Layers in their order: "conv1-BN", "conv1-maxpool", ..., "conv6-maxpool", "classifier"; NULL
 * beyond. */
const char *rv_crepe_layer_name(size_t layer);

/* As rv_crepe() up to a layer: its values [B,...] */
rv_node *rv_crepe_layer(nn_builder *b, const rv_crepe_config *c, rv_node *frames, size_t layer);

/* frames [B,1024], each of mean 0 and deviation 1 -> [B,360], from 0 to 1: is bin i the pitch? */
rv_node *rv_crepe(nn_builder *b, const rv_crepe_config *c, rv_node *frames);

#endif
