/* model_path.h - from the name of a model to its file, or to advice where to get it. */
#ifndef INFER_MODEL_PATH_H
#define INFER_MODEL_PATH_H

#include "ravel/separate.h"

/* The file for a name, freed by the caller with free(). The text of a failure says what to do. */
RV_NODISCARD rv_status rv_model_path(char **out, const char *name, rv_error *err);

/* The file that a bag at `bag` means by `signature`: SIGNATURE.th, SIGNATURE-CHECKSUM.th or
 * .safetensors in the same folder, or in those where models are looked for. */
RV_NODISCARD rv_status rv_model_path_of_part(char **out, const char *bag, const char *signature,
                                             rv_error *err);

/* What a bag at `bag` means by `name`, as rv_model_path() takes it: such a part; "classic"; a file
 * beside the bag; or a model of this name. */
RV_NODISCARD rv_status rv_model_path_in_bag(char **out, const char *bag, const char *name,
                                            rv_error *err);

/* "a/b/htdemucs.safetensors" -> "htdemucs"; freed by the caller; NULL if memory is short. */
char *rv_model_name(const char *path);

#endif
