/* submix_read.h - submixes as recipes write them:
 *
 *     submix:
 *       keys: {classes: [Piano, Organ], programs: [0-7, 16]}
 *       drums: drums                                            one class
 *       melody: [reed, pipe]                                    several */
#ifndef DATA_SUBMIX_READ_H
#define DATA_SUBMIX_READ_H

#include "base/arena.h"
#include "data/submix.h"

#include <jansson.h>

/* out[*n] and what it points to lie in the arena, texts in `value`. Errors name the key. */
RV_NODISCARD rv_status rv_submix_read(const rv_submix **out, size_t *n, const json_t *value,
                                      const char *key, rv_arena *arena, rv_error *err);

/* out[*n]: the texts of a list, or the one text that stands for a list of one. */
RV_NODISCARD rv_status rv_texts_read(const char *const **out, size_t *n, const json_t *value,
                                     const char *key, rv_arena *arena, rv_error *err);

#endif
