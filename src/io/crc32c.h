/* crc32c.h - Castagnoli's checksum, which TFRecord files carry. */
#ifndef IO_CRC32C_H
#define IO_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t rv_crc32c(const void *bytes, size_t n);

#endif
