/* voice_f0.c - the lag at which a piece of speech is most like itself:
 *     r(l) = sum x[i] x[i+l] / sqrt(sum x[i]^2 sum x[i+l]^2)
 * (normalised cross-correlation, as in D. Talkin, "A robust algorithm for pitch tracking", 1995),
 * at half the sample rate. Of several good lags the shortest counts: the others are multiples. */
#include "data/voice_f0.h"

#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* A pitch is where r is above VOICED; a shorter lag wins with a little less than the best r. */
static const double voiced = 0.7, nearly = 0.93, window_seconds = 0.02, silence = 1e-6;

typedef struct halved {
    double *x;
    size_t count;
    double rate;
} halved;

static rv_status halve(halved *h, const rv_speech *speech, rv_error *err)
{
    h->count = speech->count / 2;
    h->rate = speech->rate / 2.0;
    h->x = malloc((h->count + 1) * sizeof *h->x);
    if (!h->x)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu samples of speech", h->count);
    for (size_t i = 0; i < h->count; i++)
        h->x[i] = 0.5 * ((double)speech->samples[2 * i] + (double)speech->samples[2 * i + 1]);
    return RV_OK;
}

/* r of two pieces of `window` samples, `lag` apart, around sample `centre`; 0 outside the speech.
 */
static double likeness(const halved *h, long centre, long lag, long window)
{
    const long from = centre - (lag + window) / 2;
    if (from < 0 || from + lag + window > (long)h->count)
        return 0;
    const double *a = h->x + from, *b = a + lag;
    double ab = 0, aa = 0, bb = 0;
    for (long i = 0; i < window; i++) {
        ab += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    return aa < silence * (double)window || bb < silence * (double)window ? 0 : ab / sqrt(aa * bb);
}

/* The first peak of r that is nearly as high as the highest. */
static double period(const double *r, long shortest, long longest, double best)
{
    for (long lag = shortest + 1; lag < longest; lag++) {
        const double left = r[lag - 1], here = r[lag], right = r[lag + 1];
        if (here < nearly * best || here < left || here < right)
            continue;
        const double bend = left - 2 * here + right;
        return (double)lag + (bend < 0 ? 0.5 * (left - right) / bend : 0);
    }
    return 0;
}

rv_status rv_voice_f0(double *f0, size_t count, double step, const rv_speech *speech, rv_error *err)
{
    halved h = { 0 };
    RV_TRY(halve(&h, speech, err));
    const long shortest = (long)(h.rate / RV_VOICE_HIGHEST),
               longest = (long)(h.rate / RV_VOICE_LOWEST);
    const long window = (long)(h.rate * window_seconds);
    double *r = malloc((size_t)(longest + 2) * sizeof *r);
    if (!r) {
        free(h.x);
        return RV_FAIL(err, RV_ERR_NOMEM, "%ld lags of speech", longest);
    }
    for (size_t i = 0; i < count; i++) {
        double best = 0;
        for (long lag = shortest; lag <= longest + 1; lag++) {
            r[lag] = likeness(&h, lround((double)i * step * h.rate), lag, window);
            best = r[lag] > best ? r[lag] : best;
        }
        const double lag = best > voiced ? period(r, shortest, longest, best) : 0;
        f0[i] = lag > 0 ? h.rate / lag : 0;
    }
    free(r);
    free(h.x);
    return RV_OK;
}
