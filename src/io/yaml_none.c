/* yaml_none.c - a build without libyaml reads and writes no YAML. */
#include "io/yaml_text.h"

rv_status rv_yaml_read(json_t **out, const rv_yaml_input *input, rv_error *err)
{
    (void)out;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: this build has no libyaml to read YAML",
                   input->name);
}

rv_status rv_yaml_write(char **out, const json_t *value, rv_error *err)
{
    (void)out;
    (void)value;
    return RV_FAIL(err, RV_ERR_UNSUPPORTED, "this build has no libyaml to write YAML");
}
