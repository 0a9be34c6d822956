/* yaml_file.h - a YAML file of another program as JSON values. Without libyaml it fails. */
#ifndef IO_YAML_FILE_H
#define IO_YAML_FILE_H

#include "base/status.h"

#include <jansson.h>

/* Unlike in recipes (io/config.h), tags are passed over, and a number that is not finite or fits no
 * 64 bits stays the text that it is. Errors name file, line and column. */
RV_NODISCARD rv_status rv_yaml_read_file(json_t **out, const char *path, rv_error *err);

#endif
