/* submix.c - see submix.h. */
#include "data/submix.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 128;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
}

bool rv_label_equal(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if (is_plain(*a) || is_plain(*b) ? lower(*a) != lower(*b) : false)
            return false;
    return *a == *b;
}

bool rv_submix_takes(const rv_submix *s, const char *label, int program)
{
    for (size_t i = 0; i < s->n_classes; i++)
        if (rv_label_equal(s->classes[i], label))
            return true;
    return program >= 0 && program < 128 && (s->programs[program / 64] >> (program % 64) & 1);
}
