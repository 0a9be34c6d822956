/* text.c - text that comes from files. */
#include "io/text.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

rv_shown rv_show(const char *text, size_t n)
{
    rv_shown shown = { "" };
    const size_t kept = n < RV_SHOWN ? n : RV_SHOWN - 4;
    for (size_t i = 0; i < kept; i++) {
        const unsigned char byte = (unsigned char)text[i];
        shown.text[i] = byte < ' ' || byte == 0x7f ? '?' : (char)byte;
    }
    if (kept < n)
        memcpy(shown.text + kept, "...", 4);
    return shown;
}

bool rv_number(const char *text, size_t n, double *out)
{
    char copy[64];
    if (!n || n >= sizeof copy)
        return false;
    memcpy(copy, text, n);
    copy[n] = '\0';
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return false;
    char *end;
    const double value = strtod_l(copy, &end, plain);
    freelocale(plain);
    if (end != copy + n)
        return false;
    *out = value;
    return true;
}
