/* pytorch.h - files of torch.save: zip archives, and the single stream of PyTorch before 1.6. */
#ifndef IO_PYTORCH_H
#define IO_PYTORCH_H

#include "io/checkpoint_impl.h"

/* Does the content look like the old stream: a pickle of the magic number? */
bool rv_pytorch_is_legacy(const unsigned char *data, size_t size);

/* Does it look like the tar archive that PyTorch wrote before 0.2? */
bool rv_pytorch_is_tar(const unsigned char *data, size_t size);

/* Fill a checkpoint whose file is open. */
RV_NODISCARD rv_status rv_pytorch_read_zip(rv_checkpoint *c, rv_error *err);
RV_NODISCARD rv_status rv_pytorch_read_legacy(rv_checkpoint *c, rv_error *err);

#endif
