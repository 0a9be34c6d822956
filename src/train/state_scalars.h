/* state_scalars.h - exact numbers in the JSON object of a state: finite ones as JSON writes them
 * (17 digits give back every bit), others as "inf", "-inf", "nan". */
#ifndef TRAIN_STATE_SCALARS_H
#define TRAIN_STATE_SCALARS_H

#include "train/schedule.h"

#include <jansson.h>

/* False: out of memory. */
RV_NODISCARD bool rv_state_set_real(json_t *object, const char *key, double value);
RV_NODISCARD bool rv_state_set_count(json_t *object, const char *key, uint64_t value);
RV_NODISCARD bool rv_state_set_plateau(json_t *object, const char *key, const rv_plateau *p);
RV_NODISCARD bool rv_state_set_stopping(json_t *object, const char *key, const rv_stopping *s);

/* Missing or of another kind: RV_ERR_FORMAT, and the value is untouched. */
RV_NODISCARD rv_status rv_state_get_real(const json_t *object, const char *key, double *value,
                                         rv_error *err);
RV_NODISCARD rv_status rv_state_get_count(const json_t *object, const char *key, uint64_t *value,
                                          rv_error *err);
RV_NODISCARD rv_status rv_state_get_plateau(const json_t *object, const char *key, rv_plateau *p,
                                            rv_error *err);
RV_NODISCARD rv_status rv_state_get_stopping(const json_t *object, const char *key, rv_stopping *s,
                                             rv_error *err);

#endif
