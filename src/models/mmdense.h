/* mmdense.h - the published sizes of multi-scale multi-band dense networks: see dense_tables.c */
#ifndef MODELS_MMDENSE_H
#define MODELS_MMDENSE_H

#include <stddef.h>

enum { DENSE_MOST_BLOCKS = 9, DENSE_MOST_LAYERS = 5, DENSE_MOST_BANDS = 3 };

/* Of a block: channels of each layer (k), layers (L), units of the LSTM behind it (m), 0: none */
typedef struct dense_size {
    size_t growth, layers, units;
} dense_size;

typedef struct dense_branch {
    size_t kernel;   /* of the first convolution, in frequencies; it is 3 frames wide */
    size_t features; /* its channels */
    size_t blocks;   /* down, bottom, up: an odd number */
    dense_size block[DENSE_MOST_BLOCKS];
} dense_branch;

typedef struct dense_table {
    size_t n_fft, hop;
    size_t bins; /* that the edges are for */
    size_t bands, edge[DENSE_MOST_BANDS];
    dense_branch band[DENSE_MOST_BANDS], full;
    dense_size last;
} dense_table;

extern const dense_table dense_mmdensenet, dense_mmdenselstm;

/* Where band i ends, of `bins` bins: in proportion. */
size_t dense_edge(const dense_table *t, size_t i, size_t bins);

#endif
