/* mono_gate.c - which segments of a track are one voice, so that a synthesiser with one pitch can
 * learn from them, as DDSP-Demucs (github.com/alehg/ddsp-demucs) decides:
 *
 *   a frame is mono    where f0 is sure, most energy lies at its harmonics, and little beside them
 *   a segment passes   where enough of its voiced frames are mono, and it has some
 *   a track passes     likewise, by a threshold of its own
 *
 * Segments begin at multiples of the hop and are whole, but for that of a track shorter than one.
 * What follows the last whole segment is in none. */
#include "data/mono_gate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

rv_mono_gate rv_mono_gate_defaults(void)
{
    return (rv_mono_gate){ .f0_conf_min = 0.65,
                           .harmonicity_ratio_min = 0.65,
                           .residual_energy_ratio_max = 0.38,
                           .mono_frame_fraction_min = 0.8,
                           .mono_track_fraction_min = 0.88,
                           .segment = 10,
                           .hop = 5 };
}

static rv_status check_fraction(double x, const char *name, rv_error *err)
{
    if (x >= 0 && x <= 1)
        return RV_OK;
    return RV_FAIL(err, RV_ERR_ARG, "gate: %s is %g, from 0 to 1 is expected", name, x);
}

static rv_status check(const rv_mono_gate *g, double rate, rv_error *err)
{
    RV_TRY(check_fraction(g->f0_conf_min, "f0_conf_min", err));
    RV_TRY(check_fraction(g->harmonicity_ratio_min, "harmonicity_ratio_min", err));
    RV_TRY(check_fraction(g->residual_energy_ratio_max, "residual_energy_ratio_max", err));
    RV_TRY(check_fraction(g->mono_frame_fraction_min, "mono_frame_fraction_min", err));
    RV_TRY(check_fraction(g->mono_track_fraction_min, "mono_track_fraction_min", err));
    if (!(rate > 0 && rate <= 1e6))
        return RV_FAIL(err, RV_ERR_ARG, "gate: %g frames a second", rate);
    if (!(g->segment * rate >= 1 && g->segment <= 1e6))
        return RV_FAIL(err, RV_ERR_ARG, "gate: segments of %g s; a frame at least is expected",
                       g->segment);
    if (!(g->hop * rate >= 1 && g->hop <= 1e6))
        return RV_FAIL(err, RV_ERR_ARG, "gate: a hop of %g s; a frame at least is expected",
                       g->hop);
    return RV_OK;
}

static bool is_mono(const rv_mono_gate *g, const rv_gate_frames *f, size_t i)
{
    return (double)f->confidence[i] >= g->f0_conf_min &&
           (double)f->harmonicity[i] >= g->harmonicity_ratio_min &&
           (double)f->residual[i] <= g->residual_energy_ratio_max;
}

static void count(rv_gate_segment *s, const rv_mono_gate *g, const rv_gate_frames *f, size_t from,
                  size_t to)
{
    for (size_t i = from; i < to; i++) {
        s->voiced += f->voiced[i] > 0;
        s->mono += f->voiced[i] > 0 && is_mono(g, f, i);
    }
    s->fraction = s->voiced ? (double)s->mono / (double)s->voiced : 0;
}

/* Rounded down, but not where only rounding made it less than whole. */
static size_t in_frames(double seconds, double rate)
{
    return (size_t)floor(seconds * rate + 1e-6);
}

static void decide_segments(rv_gate_track *t, const rv_mono_gate *g, const rv_gate_frames *f,
                            size_t length, size_t hop)
{
    for (size_t i = 0; i < t->n_segments; i++) {
        const size_t from = i * hop, to = f->n - from < length ? f->n : from + length;
        rv_gate_segment *s = &t->segments[i];
        s->start = (double)from / f->rate;
        s->end = (double)to / f->rate;
        count(s, g, f, from, to);
        s->pass = s->voiced > 0 && s->fraction >= g->mono_frame_fraction_min;
    }
}

rv_status rv_mono_gate_decide(rv_gate_track *out, const rv_mono_gate *g, const rv_gate_frames *f,
                              rv_error *err)
{
    *out = (rv_gate_track){ .frames = f->n };
    RV_TRY(check(g, f->rate, err));
    const size_t length = in_frames(g->segment, f->rate), hop = in_frames(g->hop, f->rate);
    rv_gate_segment whole = { 0 };
    count(&whole, g, f, 0, f->n);
    out->voiced = whole.voiced;
    out->mono = whole.mono;
    out->fraction = whole.fraction;
    out->pass = whole.voiced > 0 && whole.fraction >= g->mono_track_fraction_min;
    out->n_segments = f->n == 0 ? 0 : f->n <= length ? 1 : (f->n - length) / hop + 1;
    out->segments = calloc(out->n_segments + 1, sizeof *out->segments);
    if (!out->segments)
        return RV_FAIL(err, RV_ERR_NOMEM, "gate: %zu segments", out->n_segments);
    decide_segments(out, g, f, length, hop);
    return RV_OK;
}

void rv_gate_track_free(rv_gate_track *t)
{
    free(t->segments);
    *t = (rv_gate_track){ 0 };
}

/* Tables ------------------------------------------------------------------------------- */

/* In quotation marks where it must be (RFC 4180). */
static bool write_name(FILE *to, const char *name)
{
    if (!strpbrk(name, ",\"\r\n"))
        return fputs(name, to) >= 0;
    bool ok = putc('"', to) != EOF;
    for (; ok && *name; name++)
        ok = (*name != '"' || putc('"', to) != EOF) && putc(*name, to) != EOF;
    return ok && putc('"', to) != EOF;
}

static const char *word(bool x)
{
    return x ? "True" : "False"; /* as pandas writes and reads them */
}

bool rv_gate_segments_head(FILE *to)
{
    return fputs("track,start_s,end_s,voiced_frames,mono_voiced_frames,mono_fraction,"
                 "segment_pass\n",
                 to) >= 0;
}

bool rv_gate_segments_rows(FILE *to, const char *name, const rv_gate_track *t)
{
    bool ok = true;
    for (size_t i = 0; ok && i < t->n_segments; i++) {
        const rv_gate_segment *s = &t->segments[i];
        ok = write_name(to, name) && fprintf(to, ",%.3f,%.3f,%zu,%zu,%.6f,%s\n", s->start, s->end,
                                             s->voiced, s->mono, s->fraction, word(s->pass)) >= 0;
    }
    return ok;
}

bool rv_gate_tracks_head(FILE *to)
{
    return fputs("track,frames,voiced_frames,mono_voiced_frames,mono_track_fraction,track_pass\n",
                 to) >= 0;
}

bool rv_gate_tracks_row(FILE *to, const char *name, const rv_gate_track *t)
{
    return write_name(to, name) && fprintf(to, ",%zu,%zu,%zu,%.6f,%s\n", t->frames, t->voiced,
                                           t->mono, t->fraction, word(t->pass)) >= 0;
}
