/* args.c - read a model's constructor arguments by name, with defaults and ranges.
 *
 * Checkpoints come from anywhere, so every number has bounds: a file must not be able to
 * ask for an absurd graph. The first failure is kept; the readers then return defaults. */
#include "base/status.h"
#include "models/model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_WIDE = 1 << 14 }; /* channels of any layer */

void rv_arg_fail(rv_arg_reader *r, rv_status status, const char *name, const char *fmt, ...)
{
    if (r->status != RV_OK)
        return;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->status = RV_FAIL(r->err, status, "%s: argument %s %s", r->model, name, text);
}

/* NULL if the argument is absent. */
static const rv_arg *find(rv_arg_reader *r, const char *name)
{
    for (size_t i = 0; i < r->args->n && i < 64; i++)
        if (r->args->arg[i].name && !strcmp(r->args->arg[i].name, name)) {
            r->seen |= (uint64_t)1 << i;
            return &r->args->arg[i];
        }
    return NULL;
}

/* As find(), and NULL for None as well: both stand for the default. */
static const rv_arg *find_given(rv_arg_reader *r, const char *name)
{
    const rv_arg *a = find(r, name);
    return a && a->kind != RV_ARG_NONE ? a : NULL;
}

static const char *kind_name(rv_arg_kind kind)
{
    static const char *const names[] = { "None", "a number", "a bool", "a text", "a list" };
    return names[kind];
}

double rv_arg_number(rv_arg_reader *r, const char *name, double fallback, double least, double most)
{
    const rv_arg *a = find_given(r, name);
    if (!a)
        return fallback;
    if (a->kind != RV_ARG_NUMBER && a->kind != RV_ARG_BOOL)
        rv_arg_fail(r, RV_ERR_ARG, name, "is %s, a number is expected", kind_name(a->kind));
    else if (!(a->number >= least && a->number <= most))
        rv_arg_fail(r, RV_ERR_ARG, name, "is %g, from %g to %g is expected", a->number, least,
                    most);
    else
        return a->number;
    return fallback;
}

size_t rv_arg_size(rv_arg_reader *r, const char *name, size_t fallback, size_t least, size_t most)
{
    const double x = rv_arg_number(r, name, (double)fallback, (double)least, (double)most);
    if (x == floor(x))
        return (size_t)x;
    rv_arg_fail(r, RV_ERR_ARG, name, "is %g, a whole number from %zu to %zu is expected", x, least,
                most);
    return fallback;
}

bool rv_arg_bool(rv_arg_reader *r, const char *name, bool fallback)
{
    return rv_arg_size(r, name, fallback, 0, 1) != 0;
}

const char *rv_arg_text(rv_arg_reader *r, const char *name, const char *fallback)
{
    const rv_arg *a = find_given(r, name);
    if (!a)
        return fallback;
    if (a->kind == RV_ARG_TEXT && a->text)
        return a->text;
    rv_arg_fail(r, RV_ERR_ARG, name, "is %s, a text is expected", kind_name(a->kind));
    return fallback;
}

const rv_arg *rv_arg_list(rv_arg_reader *r, const char *name)
{
    const rv_arg *a = find_given(r, name);
    if (!a || a->kind == RV_ARG_LIST)
        return a;
    rv_arg_fail(r, RV_ERR_ARG, name, "is %s, a list is expected", kind_name(a->kind));
    return NULL;
}

bool rv_arg_is_none(rv_arg_reader *r, const char *name)
{
    const rv_arg *a = find(r, name);
    return a && a->kind == RV_ARG_NONE;
}

void rv_arg_ignore(rv_arg_reader *r, const char *name)
{
    find(r, name);
}

rv_status rv_arg_finish(rv_arg_reader *r)
{
    if (r->status == RV_OK && r->args->n > 64)
        r->status = RV_FAIL(r->err, RV_ERR_ARG, "%s: %zu arguments, at most 64 are expected",
                            r->model, r->args->n);
    for (size_t i = 0; i < r->args->n && r->status == RV_OK; i++)
        if (!(r->seen >> i & 1))
            rv_arg_fail(r, RV_ERR_UNSUPPORTED, r->args->arg[i].name ? r->args->arg[i].name : "?",
                        "is not known, or given twice");
    return r->status;
}

/* Stem names become file names. */
static bool usable_name(const rv_arg *a)
{
    if (a->kind != RV_ARG_TEXT || !a->text || !*a->text || *a->text == '.')
        return false;
    for (const char *c = a->text; *c; c++)
        if (*c == '/' || *c == '\\' || (unsigned char)*c < 0x20)
            return false;
    return strlen(a->text) < RV_STEM_NAME;
}

static void read_stems(rv_arg_reader *r, rv_model_info *info)
{
    const rv_arg *list = rv_arg_list(r, "sources");
    if (!list || !(list->number >= 1 && list->number <= RV_MAX_STEMS)) {
        rv_arg_fail(r, RV_ERR_ARG, "sources", "must list 1 to %d names", RV_MAX_STEMS);
        return;
    }
    info->n_stems = (size_t)list->number;
    for (size_t i = 0; i < info->n_stems; i++)
        if (usable_name(&list->items[i]))
            snprintf(info->stems[i], RV_STEM_NAME, "%s", list->items[i].text);
        else
            rv_arg_fail(r, RV_ERR_ARG, "sources",
                        "has at %zu no name of 1 to %d characters that can be part of a file name",
                        i, RV_STEM_NAME - 1);
}

void rv_arg_audio(rv_arg_reader *r, rv_model_info *info)
{
    read_stems(r, info);
    info->channels = rv_arg_size(r, "audio_channels", 2, 1, 8);
    info->sample_rate = rv_arg_size(r, "samplerate", 44100, 100, 1000000);
}

/* Seconds may be a fraction in the reference (39/5), whose product with the rate is exact
 * there but may fall just below the whole number in double. */
void rv_arg_segment(rv_arg_reader *r, rv_model_info *info, double seconds)
{
    info->segment = rv_arg_number(r, "segment", seconds, 1e-3, 3600);
    info->n_audio = (size_t)floor(info->segment * (double)info->sample_rate + 1e-6);
    if (info->n_audio == 0)
        rv_arg_fail(r, RV_ERR_ARG, "segment", "is %g s, shorter than a sample", info->segment);
}

void rv_arg_segment_length(rv_arg_reader *r, rv_model_info *info, size_t samples)
{
    info->n_audio = rv_arg_size(r, "segment_length", samples, 1, (size_t)1 << 31);
    info->segment = (double)info->n_audio / (double)info->sample_rate;
}

void rv_arg_check_width(rv_arg_reader *r, size_t channels, double growth, size_t depth)
{
    double width = (double)channels;
    for (size_t i = 0; i < depth; i++, width = floor(width * growth))
        if (!(width >= 1 && width <= MOST_WIDE)) {
            rv_arg_fail(r, RV_ERR_ARG, "growth",
                        "is %g, which gives layer %zu %g channels, 1 to %d are expected", growth, i,
                        width, MOST_WIDE);
            return;
        }
}
