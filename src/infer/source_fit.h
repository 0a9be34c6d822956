/* source_fit.h - stems of a mix as harmonic sounds and noise: what each source sounds like is
 * fitted to the mix, the stems move there, and come with their parameters. See source_fit.c. */
#ifndef INFER_SOURCE_FIT_H
#define INFER_SOURCE_FIT_H

#include "base/pool.h"
#include "infer/autoencoder_play.h"
#include "infer/wiener_window.h"

typedef struct rv_source_fit rv_source_fit;

typedef struct rv_source_fit_options {
    const char *const *names; /* [stems] borrowed */
    size_t stems, sample_rate;
    size_t size, hop; /* samples of a frame, and from one to the next */
    rv_pool *pool;    /* borrowed, may be NULL */
    /* May be NULL: parameters of a stem, with a frame every hop from the first sample on. */
    rv_status (*controls)(void *ctx, size_t stem, const rv_play_controls *c, rv_error *err);
    void *ctx;
} rv_source_fit_options;

RV_NODISCARD rv_status rv_source_fit_new(rv_source_fit **out, const rv_source_fit_options *o,
                                         rv_error *err);
void rv_source_fit_free(rv_source_fit *f); /* NULL is allowed */

/* Replace the spectra of the stems, which add up to the mix after that. `first`: frame of the track
 * that the window begins with; samples: of the track, as far as it is known. Frame t is centred at
 * sample (t - 1) hop. The same bits for any pool. */
RV_NODISCARD rv_status rv_source_fit_window(rv_source_fit *f, const rv_wiener_window *w,
                                            size_t first, size_t samples, rv_error *err);

#endif
