/* report_page.c - see report_page.h; base64 is RFC 4648, section 4. */
#include "report/report_page.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GROUPS = 4096 }; /* of three bytes, encoded at a time */

void rv_page_bytes(rv_page *p, const void *bytes, size_t n)
{
    if (rv_sink_write(&p->sink, bytes, n))
        p->bytes += n;
}

void rv_page_print(rv_page *p, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    const int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        p->sink.failure = p->sink.failure ? p->sink.failure : ENOMEM;
        return;
    }
    rv_page_bytes(p, text, (size_t)n);
    free(text);
}

/* from[0 .. n) -> to [4 ceil(n / 3)] */
static size_t encode(char *to, const unsigned char *from, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t made = 0;
    for (size_t i = 0; i < n; i += 3) {
        const unsigned b = i + 1 < n ? from[i + 1] : 0, c = i + 2 < n ? from[i + 2] : 0;
        const unsigned bits = (unsigned)from[i] << 16 | b << 8 | c;
        to[made++] = digits[bits >> 18];
        to[made++] = digits[bits >> 12 & 63];
        to[made++] = i + 1 < n ? digits[bits >> 6 & 63] : '=';
        to[made++] = i + 2 < n ? digits[bits & 63] : '=';
    }
    return made;
}

/* Fills from[0 .. n) unless the file ends; -1: errno. */
static ssize_t read_full(int fd, unsigned char *from, size_t n, off_t at)
{
    size_t done = 0;
    while (done < n) {
        const ssize_t got = pread(fd, from + done, n - done, at + (off_t)done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

void rv_page_base64(rv_page *p, int fd)
{
    unsigned char from[3 * GROUPS];
    char to[4 * GROUPS];
    ssize_t got = sizeof from;
    for (off_t at = 0; got == sizeof from && !p->sink.failure; at += got) {
        got = read_full(fd, from, sizeof from, at);
        if (got < 0)
            p->sink.failure = errno;
        else
            rv_page_bytes(p, to, encode(to, from, (size_t)got));
    }
}

static int write_piece(const char *text, size_t n, void *page)
{
    for (size_t from = 0; from < n;) {
        const char *mark = memchr(text + from, '<', n - from);
        const size_t plain = mark ? (size_t)(mark - text) - from : n - from;
        rv_page_bytes(page, text + from, plain);
        if (mark)
            rv_page_bytes(page, "\\u003c", 6);
        from += plain + (mark != NULL);
    }
    return 0;
}

bool rv_page_json(rv_page *p, const json_t *value)
{
    return json_dump_callback(value, write_piece, p, JSON_COMPACT | JSON_REAL_PRECISION(7)) == 0;
}
