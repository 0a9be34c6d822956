/* status.c - error values and their text. */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>

const char *rv_status_text(rv_status status)
{
    static const char *const text[] = {
        [RV_OK] = "success",
        [RV_ERR_NOMEM] = "out of memory",
        [RV_ERR_ARG] = "argument out of range",
        [RV_ERR_SHAPE] = "shapes do not fit",
        [RV_ERR_IO] = "input/output failed",
        [RV_ERR_FORMAT] = "damaged or unknown format",
        [RV_ERR_UNSUPPORTED] = "not supported here",
        [RV_ERR_CANCELLED] = "cancelled",
        [RV_ERR_EXISTS] = "already exists",
        [RV_ERR_DIVERGED] = "training diverged",
    };
    const size_t i = (size_t)status;
    return i < sizeof text / sizeof *text ? text[i] : "unknown status";
}

uint32_t rv_version(void)
{
    return (uint32_t)RV_VERSION_MAJOR << 16 | (uint32_t)RV_VERSION_MINOR << 8 | RV_VERSION_PATCH;
}

rv_status rv_fail(rv_error *err, rv_status status, const char *where, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        err->status = status;
        err->where = where;
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
    }
    return status;
}
