/* hash64.h - a checksum of 64 bits: XXH64 (Y. Collet, github.com/Cyan4973/xxHash, specification
 * 0.2.0). It finds damage, not malice. A longer content is hashed by giving the hash of one
 * part as the seed of the next. */
#ifndef IO_HASH64_H
#define IO_HASH64_H

#include <stddef.h>
#include <stdint.h>

uint64_t rv_hash64(const void *data, size_t size, uint64_t seed);

#endif
