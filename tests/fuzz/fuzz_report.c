/* fuzz_report.c - any bytes as an evaluation, and as the log of a training: read or refused with
 * one line of text; what is read can be written. */
#include "report/report_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(rv_status status, json_t *value, const rv_error *err)
{
    if (status == RV_OK) {
        char *text = json_dumps(value, JSON_COMPACT);
        if (!text)
            abort();
        free(text);
    } else if (value || strncmp(err->text, "fuzz", 4) != 0 || strchr(err->text, '\n')) {
        abort();
    }
    json_decref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_error err = { .text = "" };
    json_t *value = NULL;
    rv_status status = rv_report_read_eval(&value, (const char *)data, size, "fuzz", &err);
    check(status, value, &err);
    FILE *f = size ? fmemopen((void *)data, size, "rb") : NULL;
    if (!f)
        return 0;
    value = NULL;
    status = rv_report_read_log(&value, f, "fuzz", &err);
    check(status, value, &err);
    fclose(f);
    return 0;
}
