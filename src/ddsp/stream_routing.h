/* stream_routing.h - what joins and cuts signals, in real time (ddsp/stream.h): sums and products
 * of inputs, rv_mix(), rv_crop().
 *
 * mix: a frame is the level, scaled; two inputs. Latency 0, as of sums and products.
 * crop: the audio as it is, with a latency of what is cut at the front. */
#ifndef DDSP_STREAM_ROUTING_H
#define DDSP_STREAM_ROUTING_H

#include "ddsp/routing.h"
#include "ddsp/stream.h"

/* Of 1 to RV_STREAM_INPUTS inputs. */
RV_NODISCARD rv_status rv_stream_add_new(rv_stream **out, size_t inputs, const rv_alloc *mem,
                                         rv_error *err);
RV_NODISCARD rv_status rv_stream_multiply_new(rv_stream **out, size_t inputs, const rv_alloc *mem,
                                              rv_error *err);
RV_NODISCARD rv_status rv_stream_mix_new(rv_stream **out, size_t hop, const rv_alloc *mem,
                                         rv_error *err);
RV_NODISCARD rv_status rv_stream_crop_new(rv_stream **out, size_t size, rv_crop_place place,
                                          const rv_alloc *mem, rv_error *err);

#endif
