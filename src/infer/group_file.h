/* group_file.h - a group of processors (ddsp/group.h) from a file:
 *
 *     sample_rate: 16000                       Hz, the default
 *     processors:
 *       voice: {kind: harmonic, inputs: [amplitude, distribution, f0]}
 *       breath: {kind: filtered_noise, inputs: [magnitudes], window: 257}
 *       both: {kind: add, inputs: [voice, breath]}
 *       room: {kind: reverb, inputs: [both, ir]}
 *     output: room
 *
 * In any order. An input that is no processor is a control; `controls` may list which there are. A
 * recipe may inherit and be changed by arguments, see io/config.h. Kinds, their inputs and
 * settings: docs/ddsp.md. */
#ifndef INFER_GROUP_FILE_H
#define INFER_GROUP_FILE_H

#include "ddsp/group.h"

#include <jansson.h>

/* known [n]: the controls that there are; NULL: those of the file's list, or any. Errors name file,
 * line, and what was expected, with the nearest name. Free with rv_group_free(). */
RV_NODISCARD rv_status rv_group_load(rv_group **out, const char *path, const char *const *known,
                                     size_t n, rv_error *err);

/* The same from values, which are completed, and their places (NULL: none). */
RV_NODISCARD rv_status rv_group_read(rv_group **out, json_t *values, const json_t *origins,
                                     const char *const *known, size_t n, rv_error *err);

#endif
