/* folder.h - make a name last: a file is safe after a power failure only when the folder that
 * names it is on the disk, too. */
#ifndef IO_FOLDER_H
#define IO_FOLDER_H

#include "base/status.h"

/* Write the folder of the file `path` to the disk: after creating, renaming or removing it. File
 * systems that cannot are taken as they are. */
RV_NODISCARD rv_status rv_folder_sync(const char *path, rv_error *err);

#endif
