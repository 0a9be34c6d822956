/* report_text.c - see report_text.h; UTF-8 is RFC 3629. */
#include "report/report_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

/* Bytes of the UTF-8 sequence that text[0 .. n) begins with; 0: none. */
static size_t sequence(const unsigned char *text, size_t n)
{
    static const unsigned least[] = { 0, 1, 0x80, 0x800, 0x10000 };
    const unsigned char c = *text;
    const size_t length = c < 0x80   ? 1
                          : c < 0xc0 ? 0
                          : c < 0xe0 ? 2
                          : c < 0xf0 ? 3
                          : c < 0xf8 ? 4
                                     : 0;
    if (length == 0 || length > n)
        return 0;
    unsigned code = length == 1 ? c : c & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    return code >= least[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

json_t *rv_text_json(const char *text, size_t n)
{
    if (n > (SIZE_MAX - 1) / 3)
        return NULL;
    char *clean = malloc(3 * n + 1);
    size_t made = 0;
    for (size_t i = 0; clean && i < n;) {
        const size_t length = sequence((const unsigned char *)text + i, n - i);
        memcpy(clean + made, length ? text + i : replacement, length ? length : 3);
        made += length ? length : 3;
        i += length ? length : 1;
    }
    json_t *value = clean ? json_stringn(clean, made) : NULL;
    free(clean);
    return value;
}

json_t *rv_name_json(const char *text)
{
    return rv_text_json(text, strlen(text));
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

rv_status rv_text_html(char **out, const char *text, rv_error *err)
{
    json_t *clean = rv_name_json(text);
    const char *from = clean ? json_string_value(clean) : "";
    char *html = clean ? malloc(6 * strlen(from) + 1) : NULL;
    char *to = html;
    for (; html && *from; from++) {
        const char *name = entity(*from);
        if (name)
            to = stpcpy(to, name);
        else
            *to++ = *from;
    }
    json_decref(clean);
    if (!html)
        return RV_FAIL(err, RV_ERR_NOMEM, "out of memory for a text");
    *to = '\0';
    *out = html;
    return RV_OK;
}

static rv_status read_all(char **out, size_t *n, FILE *f, const char *path, size_t most,
                          rv_error *err)
{
    size_t room = 0, got = 1;
    char *text = NULL;
    for (*n = 0; got > 0 && *n <= most; *n += got) {
        if (room - *n < 2) {
            char *more = realloc(text, room = 2 * room + 4096);
            if (!more)
                break;
            text = more;
        }
        got = fread(text + *n, 1, room - *n - 1, f);
    }
    if (got == 0 && !ferror(f)) {
        text[*n] = '\0';
        *out = text;
        return RV_OK;
    }
    free(text);
    if (ferror(f))
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (*n > most)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: is larger than the %zu bytes expected", path, most);
    return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
}

rv_status rv_file_text(char **out, size_t *n, const char *path, size_t most, rv_error *err)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return RV_FAIL(err, RV_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    const rv_status status = read_all(out, n, f, path, most, err);
    fclose(f);
    return status;
}
