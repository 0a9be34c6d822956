/* text.c - text that comes from files. */
#include "io/text.h"

#include <locale.h>
#include <stdint.h>
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

/* One row of the table at a time; only the first characters of long texts count. */
size_t rv_edit_distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[129];
    n = n < 128 ? n : 128;
    m = m < 128 ? m : 128;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            const size_t changed = diagonal + (a[i - 1] != b[j - 1]);
            const size_t edged = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = changed < edged ? changed : edged;
        }
    }
    return row[m];
}

const char *rv_nearest(const char *name, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        const size_t distance = rv_edit_distance(name, strlen(name), names[i], strlen(names[i]));
        best = distance < least ? names[i] : best;
        least = distance < least ? distance : least;
    }
    return best;
}
