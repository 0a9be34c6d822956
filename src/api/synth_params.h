/* synth_params.h - see synth_params.c */
#ifndef API_SYNTH_PARAMS_H
#define API_SYNTH_PARAMS_H

#include "infer/autoencoder_play.h"
#include "ravel/synth.h"

typedef struct rv_synth_params rv_synth_params;

RV_NODISCARD rv_status rv_synth_params_open(rv_synth_params **out, const char *path,
                                            const rv_synth_options *o, rv_error *err);
void rv_synth_params_close(rv_synth_params *p); /* NULL is allowed */

/* Sample rate, frames and voiced ones. */
void rv_synth_params_report(const rv_synth_params *p, rv_synth_report *report);

/* All of it, to sink->audio; sink->watch may be NULL. */
RV_NODISCARD rv_status rv_synth_params_play(rv_synth_params *p, const rv_play_sink *sink,
                                            rv_error *err);

#endif
