/* ogg_serial.c - see ogg_serial.h. A page: "OggS", version, flags, 8 bytes of position, serial
 * number (at 14), number of the page, checksum (at 22), number of segments (at 26), their lengths,
 * and their bytes. The checksum is a CRC-32 of polynomial 0x04c11db7, from 0, most significant bit
 * first, of the page with a checksum of 0. */
#include "io/ogg_serial.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 27, SERIAL = 14, CHECKSUM = 22, PAGE_MAX = HEAD + 255 + 255 * 255 };

static uint32_t checksum(const unsigned char *page, size_t n)
{
    uint32_t crc = 0;
    for (size_t i = 0; i < n; i++) {
        crc ^= (uint32_t)page[i] << 24;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 0x80000000U ? crc << 1 ^ 0x04c11db7U : crc << 1;
    }
    return crc;
}

static void put_number(unsigned char *to, uint32_t x)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(x >> 8 * i);
}

/* Bytes of the page in page[0 .. got); 0: it is none, or not whole. */
static size_t page_size(const unsigned char *page, size_t got)
{
    if (got < HEAD || memcmp(page, "OggS", 4) != 0 || got < HEAD + (size_t)page[26])
        return 0;
    size_t size = HEAD + (size_t)page[26];
    for (size_t i = 0; i < page[26]; i++)
        size += page[HEAD + i];
    return size <= got ? size : 0;
}

rv_status rv_ogg_fix_serial(int fd, const char *path, rv_error *err)
{
    unsigned char page[PAGE_MAX];
    for (off_t at = 0;;) {
        const ssize_t got = pread(fd, page, sizeof page, at);
        if (got < 0)
            return RV_FAIL(err, RV_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
        if (got == 0)
            return RV_OK;
        const size_t size = page_size(page, (size_t)got);
        if (size == 0)
            return RV_FAIL(err, RV_ERR_FORMAT, "%s: no page of Ogg at byte %lld", path,
                           (long long)at);
        put_number(page + SERIAL, 1);
        put_number(page + CHECKSUM, 0);
        put_number(page + CHECKSUM, checksum(page, size));
        if (pwrite(fd, page, HEAD, at) != HEAD)
            return RV_FAIL(err, RV_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
        at += (off_t)size;
    }
}
