/* ogg_serial.h - Ogg files that are the same in every run.
 *
 * An encoder draws the serial number of a stream at random (RFC 3533, section 6), from the time of
 * day. Here it becomes 1 in all pages, and their checksums follow. */
#ifndef IO_OGG_SERIAL_H
#define IO_OGG_SERIAL_H

#include "base/status.h"

/* The file has one stream; `path` stands in messages. */
RV_NODISCARD rv_status rv_ogg_fix_serial(int fd, const char *path, rv_error *err);

#endif
