/* yaml_scalar.h - what a plain scalar means: YAML 1.2's core schema. */
#ifndef IO_YAML_SCALAR_H
#define IO_YAML_SCALAR_H

#include <jansson.h>

/* null, true, false, an integer (10, -3, 0x1f, 0o17), a number (0.5, .5, 1e-3), or else text.
 * NULL for a number that JSON or 64 bits cannot hold, with *problem set, or for lack of memory. */
json_t *rv_yaml_scalar(const char *text, const char **problem);

#endif
