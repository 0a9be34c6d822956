/* json_text.c - see json_text.h; RFC 8259, section 7, and RFC 3629 for UTF-8. */
#include "json_text.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the UTF-8 sequence at s, 0 if it is none. */
static size_t sequence(const unsigned char *s)
{
    static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const size_t n = *s < 0x80   ? 1
                     : *s < 0xc0 ? 0
                     : *s < 0xe0 ? 2
                     : *s < 0xf0 ? 3
                     : *s < 0xf8 ? 4
                                 : 0;
    unsigned code = n < 2 ? *s : *s & (0xffU >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (s[i] & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    return n && code >= least[n] && code <= 0x10ffff && !surrogate ? n : 0;
}

void json_text(FILE *f, const char *text)
{
    fputc('"', f);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        const size_t n = sequence(s);
        if (n == 0)
            fputs("\xef\xbf\xbd", f);
        else if (*s == '"' || *s == '\\')
            fprintf(f, "\\%c", *s);
        else if (*s < 0x20)
            fprintf(f, "\\u%04x", *s);
        else
            fwrite(s, 1, n, f);
        s += n ? n : 1;
    }
    fputc('"', f);
}
