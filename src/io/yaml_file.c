/* yaml_file.c - see yaml_file.h. */
#include "io/yaml_file.h"

#include "io/mapping.h"
#include "io/yaml_text.h"

rv_status rv_yaml_read_file(json_t **out, const char *path, rv_error *err)
{
    rv_mapping file = { 0 };
    size_t values = 0;
    RV_TRY(rv_mapping_open(&file, path, err));
    json_t *origins = json_object();
    const rv_yaml_input input = { .name = path,
                                  .is_foreign = true,
                                  .text = file.data ? (const char *)file.data : "",
                                  .size = file.size,
                                  .at = "",
                                  .origins = origins,
                                  .values = &values };
    const rv_status status = origins ? rv_yaml_read(out, &input, err)
                                     : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    json_decref(origins);
    rv_mapping_close(&file);
    return status;
}
