/* print_check.c - see print_check.h; docs/datasets.md describes the JSON. */
#include "print_check.h"

#include "json_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const severities[] = { "note", "warning", "error" };

/* Text ------------------------------------------------------------------------------------ */

/* Whether track i is the first that has what `same` compares. */
static bool is_first(const rv_check_report *r, size_t i,
                     bool (*same)(const rv_check_report *, size_t, size_t))
{
    for (size_t k = 0; k < i; k++)
        if (same(r, k, i))
            return false;
    return true;
}

static size_t count_same(const rv_check_report *r, size_t i,
                         bool (*same)(const rv_check_report *, size_t, size_t))
{
    size_t n = 0;
    for (size_t k = i; k < r->n_tracks; k++)
        n += same(r, k, i);
    return n;
}

static bool same_split(const rv_check_report *r, size_t a, size_t b)
{
    return strcmp(r->tracks[a].split, r->tracks[b].split) == 0;
}

static const rv_check_audio *first_audio(const rv_check_report *r, size_t track)
{
    const rv_check_audio *audio = r->tracks[track].audio;
    for (size_t s = 0; s <= r->n_stems; s++)
        if (audio[s].sample_rate > 0)
            return &audio[s];
    return audio;
}

static bool same_format(const rv_check_report *r, size_t a, size_t b)
{
    const rv_check_audio *x = first_audio(r, a), *y = first_audio(r, b);
    return x->sample_rate == y->sample_rate && x->channels == y->channels && x->lossy == y->lossy;
}

static void print_splits(const rv_check_report *r)
{
    printf("songs     %zu", r->n_tracks);
    for (size_t i = 0, n = 0; i < r->n_tracks; i++)
        if (is_first(r, i, same_split)) {
            const char *split = r->tracks[i].split;
            printf("%s%s %zu", n++ ? ", " : ": ", *split ? split : "no split",
                   count_same(r, i, same_split));
        }
    putchar('\n');
}

static void print_formats(const rv_check_report *r)
{
    for (size_t i = 0; i < r->n_tracks; i++)
        if (is_first(r, i, same_format)) {
            const rv_check_audio *a = first_audio(r, i);
            printf("%s %zu of %d Hz, %d channel%s%s\n", i ? "         " : "audio    ",
                   count_same(r, i, same_format), a->sample_rate, a->channels,
                   a->channels == 1 ? "" : "s", a->lossy ? ", coded lossily" : "");
        }
}

static double seconds_of(const rv_check_audio *a)
{
    return a->readable ? (double)a->frames / a->sample_rate : 0;
}

/* Names may be of any width, numbers stand in front. */
static void print_stem(const rv_check_report *r, size_t stem, const char *name)
{
    size_t n = 0;
    double seconds = 0, silent = 0, energy = 0;
    for (size_t i = 0; i < r->n_tracks; i++) {
        const rv_check_audio *a = &r->tracks[i].audio[stem];
        n += a->files > 0;
        seconds += seconds_of(a);
        silent += seconds_of(a) * a->silent;
        energy += seconds_of(a) * a->rms * a->rms;
    }
    const double rms = seconds > 0 && energy > 0 ? 10 * log10(energy / seconds) : -200;
    printf("  %7zu  %8.3f  %6.1f  %6.1f  %s\n", n, seconds / 3600,
           seconds > 0 ? 100 * silent / seconds : 0, rms, name);
}

static void print_stems(const rv_check_report *r)
{
    double seconds = 0;
    for (size_t i = 0; i < r->n_tracks; i++)
        seconds += r->tracks[i].seconds;
    printf("hours     %.3f\n\n    songs     hours  %%quiet  dB RMS  stem\n", seconds / 3600);
    for (size_t s = 0; s <= r->n_stems; s++)
        print_stem(r, s, s < r->n_stems ? r->stems[s] : "mixture");
}

/* A name may hold anything: it stays on its line. */
static void print_line(const char *text)
{
    for (; *text; text++)
        putchar((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text);
}

static void print_findings(const rv_check_report *r, rv_check_severity severity)
{
    static const char *const titles[] = { "notes", "warnings", "errors" };
    size_t n = 0;
    for (size_t i = 0; i < r->n_findings; i++) {
        const rv_check_finding *f = &r->findings[i];
        if (f->severity != severity)
            continue;
        if (n++ == 0)
            printf("\n%s\n", titles[severity]);
        print_line(f->track);
        fputs(": ", stdout);
        print_line(f->stem);
        fputs(*f->stem ? ": " : "", stdout);
        print_line(f->text);
        putchar('\n');
    }
}

static size_t count_findings(const rv_check_report *r, rv_check_severity severity)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_findings; i++)
        n += r->findings[i].severity == severity;
    return n;
}

void print_check_text(const rv_check_report *r)
{
    if (r->layout)
        printf("layout    %s: %s\n", r->layout, r->expects);
    print_splits(r);
    if (r->n_tracks > 0) {
        print_formats(r);
        print_stems(r);
    }
    print_findings(r, RV_CHECK_ERROR);
    print_findings(r, RV_CHECK_WARNING);
    print_findings(r, RV_CHECK_NOTE);
    printf("\n%zu errors, %zu warnings, %zu notes\n", count_findings(r, RV_CHECK_ERROR),
           count_findings(r, RV_CHECK_WARNING), count_findings(r, RV_CHECK_NOTE));
}

/* JSON ------------------------------------------------------------------------------------ */

static void json_key(const char *key, const char *text)
{
    printf(",\"%s\":", key);
    if (text)
        json_text(stdout, text);
    else
        fputs("null", stdout);
}

static void json_number(const char *key, double value)
{
    if (isfinite(value))
        printf(",\"%s\":%.9g", key, value);
    else
        printf(",\"%s\":null", key);
}

static void json_audio(const rv_check_audio *a)
{
    fputs("{\"name\":", stdout);
    json_text(stdout, a->name);
    printf(",\"files\":%d,\"readable\":%s,\"lossy\":%s,\"sample_rate\":%d,\"channels\":%d,"
           "\"frames\":%llu",
           a->files, a->readable ? "true" : "false", a->lossy ? "true" : "false", a->sample_rate,
           a->channels, (unsigned long long)a->frames);
    json_number("peak", a->peak);
    json_number("rms", a->rms);
    json_number("offset", a->offset);
    json_number("silent", a->silent);
    printf(",\"clipped_runs\":%llu,\"clipped\":%llu,\"not_finite\":%llu,\"hash\":\"%016llx\"}",
           (unsigned long long)a->clipped_runs, (unsigned long long)a->clipped,
           (unsigned long long)a->not_finite, (unsigned long long)a->hash);
}

static void json_track(const rv_check_report *r, const rv_check_track *t)
{
    fputs("{\"name\":", stdout);
    json_text(stdout, t->name);
    json_key("split", t->split);
    json_number("seconds", t->seconds);
    json_number("residual", t->has_sum ? t->residual : (double)NAN);
    json_number("gain", t->has_sum ? t->gain : (double)NAN);
    json_number("residual_fitted", t->has_sum ? t->residual_fitted : (double)NAN);
    fputs(",\"audio\":[", stdout);
    for (size_t s = 0; s <= r->n_stems; s++) {
        fputs(s ? "," : "", stdout);
        json_audio(&t->audio[s]);
    }
    fputs("]}", stdout);
}

static void json_finding(const rv_check_finding *f)
{
    printf("{\"severity\":\"%s\"", severities[f->severity]);
    json_key("code", f->code);
    json_key("track", f->track);
    json_key("stem", f->stem);
    json_number("value", f->value);
    json_key("text", f->text);
    putchar('}');
}

void print_check_json(const rv_check_report *r)
{
    fputs("{\"schema\":\"ravel-dataset-check/1\"", stdout);
    json_key("layout", r->layout);
    fputs(",\"stems\":[", stdout);
    for (size_t s = 0; s < r->n_stems; s++) {
        fputs(s ? "," : "", stdout);
        json_text(stdout, r->stems[s]);
    }
    printf("],\"errors\":%zu,\"warnings\":%zu,\"notes\":%zu,\"findings\":[",
           count_findings(r, RV_CHECK_ERROR), count_findings(r, RV_CHECK_WARNING),
           count_findings(r, RV_CHECK_NOTE));
    for (size_t i = 0; i < r->n_findings; i++) {
        fputs(i ? ",\n" : "\n", stdout);
        json_finding(&r->findings[i]);
    }
    fputs("],\"tracks\":[", stdout);
    for (size_t i = 0; i < r->n_tracks; i++) {
        fputs(i ? ",\n" : "\n", stdout);
        json_track(r, &r->tracks[i]);
    }
    fputs("]}\n", stdout);
}
