/* fuzz_config.c - any bytes as YAML, then as an argument: read or refused with one line of text;
 * what is read can be written, and is read again as the same. */
#include "io/config_schema.h"
#include "io/yaml_text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *read_text(const char *text, size_t size, bool is_argument)
{
    rv_error err = { .text = "" };
    json_t *value = NULL, *origins = json_object();
    size_t values = 0;
    const rv_yaml_input input = { .name = "fuzz",
                                  .is_argument = is_argument,
                                  .text = text,
                                  .size = size,
                                  .at = is_argument ? "a.b" : "",
                                  .origins = origins,
                                  .values = &values };
    const rv_status status = rv_yaml_read(&value, &input, &err);
    if (status != RV_OK && (value || !strstr(err.text, "fuzz") || strchr(err.text, '\n')))
        abort();
    json_decref(origins);
    return value;
}

static void write_and_read(const json_t *value)
{
    rv_error err;
    char *text;
    if (rv_yaml_write(&text, value, &err) != RV_OK)
        abort();
    json_t *again = read_text(text, strlen(text), false);
    if (!json_equal(value, again) && strlen(text) < RV_YAML_SIZE)
        abort();
    json_decref(again);
    free(text);
}

static void check(json_t *value)
{
    static const rv_config_key rows[] = {
        { "a", RV_CONFIG_INTEGER, -5, 5, .standard = "1", .about = "one" },
        { "b.c", RV_CONFIG_NUMBERS, 0, 1, .standard = "[]", .about = "two" },
        { "b.d", RV_CONFIG_CHOICE, .choices = "x|y", .standard = "", .about = "three" },
        { "e", RV_CONFIG_ANY, .standard = "", .about = "four" },
    };
    rv_error err = { .text = "" };
    if (json_is_object(value) && rv_config_check(value, NULL, rows, 4, &err) != RV_OK &&
        !err.text[0])
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value = read_text((const char *)data, size, false);
    if (value)
        write_and_read(value);
    check(value);
    json_decref(value);
    json_decref(read_text((const char *)data, size, true));
    return 0;
}
