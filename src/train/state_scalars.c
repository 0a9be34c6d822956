/* state_scalars.c - numbers and the states of schedules as JSON. */
#include "train/state_scalars.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *text;
    double value;
} special[] = { { "inf", (double)INFINITY },
                { "-inf", -(double)INFINITY },
                { "nan", (double)NAN } };

bool rv_state_set_real(json_t *object, const char *key, double value)
{
    const int i = isnan(value) ? 2 : value < 0;
    json_t *number = isfinite(value) ? json_real(value) : json_string(special[i].text);
    return !json_object_set_new(object, key, number);
}

/* Counts above 2^63 are written as the negative number with the same bits. */
bool rv_state_set_count(json_t *object, const char *key, uint64_t value)
{
    return !json_object_set_new(object, key, json_integer((json_int_t)value));
}

rv_status rv_state_get_real(const json_t *object, const char *key, double *value, rv_error *err)
{
    const json_t *number = json_object_get(object, key);
    const char *text = json_string_value(number);
    if (json_is_real(number)) {
        *value = json_real_value(number);
        return RV_OK;
    }
    for (int i = 0; text && i < 3; i++)
        if (!strcmp(text, special[i].text)) {
            *value = special[i].value;
            return RV_OK;
        }
    return RV_FAIL(err, RV_ERR_FORMAT, "the state of the run has no number \"%s\"", key);
}

rv_status rv_state_get_count(const json_t *object, const char *key, uint64_t *value, rv_error *err)
{
    const json_t *number = json_object_get(object, key);
    if (!json_is_integer(number))
        return RV_FAIL(err, RV_ERR_FORMAT, "the state of the run has no whole number \"%s\"", key);
    *value = (uint64_t)json_integer_value(number);
    return RV_OK;
}

/* A new object under `key`, or NULL; owned by its parent. */
static json_t *add_object(json_t *object, const char *key)
{
    json_t *o = json_object();
    return json_object_set_new(object, key, o) ? NULL : o;
}

bool rv_state_set_plateau(json_t *object, const char *key, const rv_plateau *p)
{
    json_t *o = add_object(object, key);
    return o && rv_state_set_real(o, "lr", p->lr) && rv_state_set_real(o, "best", p->best) &&
           rv_state_set_count(o, "bad", p->bad) && rv_state_set_count(o, "cooldown", p->cooldown);
}

bool rv_state_set_stopping(json_t *object, const char *key, const rv_stopping *s)
{
    json_t *o = add_object(object, key);
    return o && rv_state_set_real(o, "best", s->best) && rv_state_set_count(o, "bad", s->bad);
}

rv_status rv_state_get_plateau(const json_t *object, const char *key, rv_plateau *p, rv_error *err)
{
    const json_t *o = json_object_get(object, key);
    rv_plateau got = { 0 };
    RV_TRY(rv_state_get_real(o, "lr", &got.lr, err));
    RV_TRY(rv_state_get_real(o, "best", &got.best, err));
    RV_TRY(rv_state_get_count(o, "bad", &got.bad, err));
    RV_TRY(rv_state_get_count(o, "cooldown", &got.cooldown, err));
    *p = got;
    return RV_OK;
}

rv_status rv_state_get_stopping(const json_t *object, const char *key, rv_stopping *s,
                                rv_error *err)
{
    const json_t *o = json_object_get(object, key);
    rv_stopping got = { 0 };
    RV_TRY(rv_state_get_real(o, "best", &got.best, err));
    RV_TRY(rv_state_get_count(o, "bad", &got.bad, err));
    *s = got;
    return RV_OK;
}
