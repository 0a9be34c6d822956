/* yaml_scalar.c - the core schema of YAML 1.2 (section 10.3.2): yes, no, on, off, 010 and 1:30 are
 * not what they were in YAML 1.1. Unlike there, 1e-3 is a number. */
#include "io/yaml_scalar.h"

#include "io/text.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (!strcmp(text, *words))
            return true;
    return false;
}

static const char *after_sign(const char *p)
{
    return *p == '-' || *p == '+' ? p + 1 : p;
}

static const char *after_digits(const char *p)
{
    return p + strspn(p, "0123456789");
}

/* The base of an integer, 0 for other text; *digits is where strtoll begins. */
static int integer_base(const char *text, const char **digits)
{
    *digits = text;
    const char *p = after_sign(text);
    if (*p && !*after_digits(p))
        return 10;
    *digits = text + 2;
    if (!strncmp(text, "0x", 2) && text[2] && !text[2 + strspn(text + 2, "0123456789abcdefABCDEF")])
        return 16;
    if (!strncmp(text, "0o", 2) && text[2] && !text[2 + strspn(text + 2, "01234567")])
        return 8;
    return 0;
}

/* [-+]? ( . [0-9]+ | [0-9]+ ( . [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_decimal(const char *text)
{
    const char *start = after_sign(text), *p = after_digits(start);
    size_t digits = (size_t)(p - start);
    if (*p == '.') {
        start = p + 1;
        p = after_digits(start);
        digits += (size_t)(p - start);
    }
    if (!digits)
        return false;
    if (*p == 'e' || *p == 'E') {
        start = after_sign(p + 1);
        p = after_digits(start);
        if (p == start)
            return false;
    }
    return !*p;
}

static json_t *integer(const char *digits, int base, const char **problem)
{
    errno = 0;
    const long long value = strtoll(digits, NULL, base);
    if (!errno)
        return json_integer(value);
    *problem = "the integer does not fit 64 bits";
    return NULL;
}

static json_t *decimal(const char *text, const char **problem)
{
    double value;
    if (rv_number(text, strlen(text), &value) && isfinite(value))
        return json_real(value);
    *problem = "the number is too large, or too long";
    return NULL;
}

json_t *rv_yaml_scalar(const char *text, const char **problem)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
    static const char *const yes[] = { "true", "True", "TRUE", NULL };
    static const char *const no[] = { "false", "False", "FALSE", NULL };
    static const char *const infinities[] = { ".inf", ".Inf", ".INF", NULL };
    static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };
    const char *digits;
    const int base = integer_base(text, &digits);
    *problem = NULL;
    if (is_one_of(text, nulls))
        return json_null();
    if (is_one_of(text, yes))
        return json_true();
    if (is_one_of(text, no))
        return json_false();
    if (base)
        return integer(digits, base, problem);
    if (is_decimal(text))
        return decimal(text, problem);
    if (!is_one_of(after_sign(text), infinities) && !is_one_of(text, nans))
        return json_string(text);
    *problem = "a number must be finite";
    return NULL;
}
