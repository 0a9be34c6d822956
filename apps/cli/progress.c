/* progress.c - a bar with the time left on a terminal, JSON lines, or nothing. */
#include "progress.h"

#include "cli.h"
#include "json_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const double interval = 0.1; /* seconds between two updates */

double progress_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(progress *p, progress_mode mode, const char *file)
{
    *p = (progress){ .mode = mode, .file = file, .start = progress_now() };
    if (mode == PROGRESS_AUTO && !isatty(STDERR_FILENO))
        p->mode = PROGRESS_NONE;
}

void progress_end(progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}

/* By the speed so far; below 0 while that says nothing. */
static double seconds_left(const progress *p, double fraction, double now)
{
    return fraction > 0.005 ? (now - p->start) * (1 - fraction) / fraction : -1;
}

static void draw_bar(progress *p, double fraction, double left)
{
    char bar[25], time[24] = "--:--";
    const size_t full = (size_t)(fraction * (sizeof bar - 1));
    for (size_t i = 0; i + 1 < sizeof bar; i++)
        bar[i] = i < full ? '#' : '.';
    bar[sizeof bar - 1] = '\0';
    if (left >= 0 && left < 360000)
        snprintf(time, sizeof time, "%d:%02d:%02d", (int)left / 3600, (int)left / 60 % 60,
                 (int)left % 60);
    const char *slash = strrchr(p->file, '/');
    fprintf(stderr, "\r\033[K[%s] %3.0f%%  %s left  %.40s", bar, 100 * fraction, time,
            slash ? slash + 1 : p->file);
    p->drawn = true;
}

static void print_json(const progress *p, const rv_progress *now, double left)
{
    fputs("{\"file\":", stderr);
    json_text(stderr, p->file);
    fprintf(stderr, ",\"fraction\":%.4f,\"frames_done\":%llu,\"frames_total\":%llu", now->fraction,
            (unsigned long long)now->frames_done, (unsigned long long)now->frames_total);
    if (left >= 0)
        fprintf(stderr, ",\"seconds_left\":%.1f", left);
    fputs("}\n", stderr);
}

int progress_update(void *ctx, const rv_progress *now)
{
    progress *p = ctx;
    const double time = progress_now();
    if (p->mode != PROGRESS_NONE && (time - p->shown > interval || now->fraction >= 1)) {
        const double left = seconds_left(p, now->fraction, time);
        p->shown = time;
        if (p->mode == PROGRESS_JSON)
            print_json(p, now, left);
        else
            draw_bar(p, now->fraction, left);
    }
    return cli_interrupted();
}

int progress_fraction(void *ctx, double fraction)
{
    return progress_update(ctx, &(rv_progress){ .fraction = fraction });
}
