/* segments.c - lanes side by side, fed from one strip of input.
 *
 * Frames leave when they are final in all lanes. The lane that is most behind gets the next
 * segment, so that lanes stay within a segment of each other and memory stays bounded. */
#include "infer/segments.h"

#include "base/rng.h"
#include "base/status.h"
#include "infer/lane.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BATCH = 64 };

/* A segment on its way through a network. */
typedef struct {
    rv_lane *lane;
    rv_chunk chunk;
    rv_runner *runner;
} job;

struct rv_segments {
    rv_segments_options options;
    size_t channels, n_stems, planes, shifts;
    double *weights;  /* [network][stem] */
    double *totals;   /* [stem] */
    float **triangle; /* [network][segment] */
    rv_lane *lanes;   /* [network][shift] */
    size_t n_lanes;
    rv_strip input;
    float mean, deviation;
    bool add_up; /* the stems of all networks, to the mix */
    bool finished;
    size_t emitted;
    float *scratch; /* [room] */
    size_t scratch_room;
    job jobs[MAX_BATCH];
    size_t n_jobs;
};

/* Making --------------------------------------------------------------------------- */

static float *make_triangle(size_t n)
{
    float *w = malloc(n * sizeof *w);
    const float most = (float)(n - n / 2);
    for (size_t i = 0; w && i < n; i++)
        w[i] = (float)(i < n / 2 ? i + 1 : n - i) / most;
    return w;
}

static size_t pick_offset(const rv_segments *s, size_t lane)
{
    const size_t most = s->options.networks[0]->sample_rate / 2;
    if (s->options.offsets)
        return s->options.offsets[lane] < most ? s->options.offsets[lane] : most;
    return (size_t)rv_rng_below(s->options.seed, lane, 0, most + 1);
}

static rv_status init_lane(rv_segments *s, size_t index, rv_error *err)
{
    const rv_segments_options *o = &s->options;
    const size_t network = index / (s->shifts ? s->shifts : 1);
    const rv_network *n = o->networks[network];
    rv_lane *l = &s->lanes[index];
    *l = (rv_lane){ .network = n, .segment = n->segment };
    rv_strip_init(&l->sum, s->planes + 1);
    if (o->segment > 0) {
        l->segment = (size_t)((double)n->sample_rate * o->segment);
        l->context = n->fixed ? l->segment : 0;
    }
    if (l->segment == 0)
        return RV_FAIL(err, RV_ERR_ARG, "a segment of %g s is empty", o->segment);
    if (n->fixed && l->segment > n->fixed)
        return RV_FAIL(err, RV_ERR_ARG,
                       "a segment of %g s is longer than the %g s this model was trained on",
                       o->segment, (double)n->fixed / (double)n->sample_rate);
    l->stride = (size_t)((1 - o->overlap) * (double)l->segment);
    if (l->stride == 0)
        return RV_FAIL(err, RV_ERR_ARG, "an overlap of %g leaves nothing of a segment of %zu",
                       o->overlap, l->segment);
    if (s->shifts)
        l->lead = n->sample_rate / 2 - pick_offset(s, index);
    if (!s->triangle[network])
        s->triangle[network] = make_triangle(l->segment);
    l->weight = s->triangle[network];
    return l->weight ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "weights of %zu frames", l->segment);
}

static rv_status init_weights(rv_segments *s, rv_error *err)
{
    for (size_t n = 0; n < s->options.n_networks; n++)
        for (size_t k = 0; k < s->n_stems; k++) {
            const size_t i = n * s->n_stems + k;
            s->weights[i] = s->options.weights ? s->options.weights[i] : 1;
            s->totals[k] += s->weights[i];
        }
    for (size_t k = 0; k < s->n_stems; k++)
        if (!(s->totals[k] > 0))
            return RV_FAIL(err, RV_ERR_ARG, "the weights of stem %zu add up to nothing", k + 1);
    return RV_OK;
}

static rv_status init(rv_segments *s, rv_error *err)
{
    const size_t n = s->options.n_networks;
    s->n_lanes = n * (s->shifts ? s->shifts : 1);
    s->weights = calloc(n * s->n_stems, sizeof *s->weights);
    s->totals = calloc(s->n_stems, sizeof *s->totals);
    s->triangle = calloc(n, sizeof *s->triangle);
    s->lanes = calloc(s->n_lanes, sizeof *s->lanes);
    if (!s->weights || !s->totals || !s->triangle || !s->lanes)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu networks, %zu shifts", n, s->shifts);
    RV_TRY(init_weights(s, err));
    for (size_t i = 0; i < s->n_lanes; i++)
        RV_TRY(init_lane(s, i, err));
    return RV_OK;
}

static rv_status check_options(const rv_segments_options *o, rv_error *err)
{
    if (o->n_networks == 0 || !(o->overlap >= 0 && o->overlap <= 0.95) || !(o->segment >= 0) ||
        o->shifts > 1000)
        return RV_FAIL(err, RV_ERR_ARG, "overlap %g, segment %g s, %zu shifts", o->overlap,
                       o->segment, o->shifts);
    for (size_t i = 1; i < o->n_networks; i++)
        if (o->networks[i]->channels != o->networks[0]->channels ||
            o->networks[i]->n_stems != o->networks[0]->n_stems ||
            o->networks[i]->sample_rate != o->networks[0]->sample_rate)
            return RV_FAIL(err, RV_ERR_ARG,
                           "the models of a bag differ in stems, channels or rate");
    return RV_OK;
}

rv_status rv_segments_new(rv_segments **out, const rv_segments_options *options, rv_error *err)
{
    RV_TRY(check_options(options, err));
    rv_segments *s = calloc(1, sizeof *s);
    if (!s)
        return RV_FAIL(err, RV_ERR_NOMEM, "segments");
    s->options = *options;
    s->channels = options->networks[0]->channels;
    s->n_stems = options->networks[0]->n_stems;
    s->planes = s->channels * s->n_stems;
    s->shifts = options->shifts;
    s->deviation = 1;
    s->add_up = true;
    for (size_t i = 0; i < options->n_networks; i++)
        s->add_up &= options->networks[i]->adds_up;
    rv_strip_init(&s->input, s->channels);
    const rv_status st = init(s, err);
    if (st != RV_OK) {
        rv_segments_free(s);
        return st;
    }
    *out = s;
    return RV_OK;
}

void rv_segments_free(rv_segments *s)
{
    if (!s)
        return;
    for (size_t i = 0; s->lanes && i < s->n_lanes; i++)
        rv_strip_fini(&s->lanes[i].sum);
    for (size_t i = 0; s->triangle && i < s->options.n_networks; i++)
        free(s->triangle[i]);
    rv_strip_fini(&s->input);
    free(s->weights);
    free(s->totals);
    free(s->triangle);
    free(s->lanes);
    free(s->scratch);
    free(s);
}

void rv_segments_level(rv_segments *s, float mean, float deviation)
{
    s->mean = mean;
    s->deviation = deviation;
}

void rv_segments_reset(rv_segments *s)
{
    rv_strip_reset(&s->input);
    for (size_t i = 0; i < s->n_lanes; i++) {
        rv_strip_reset(&s->lanes[i].sum);
        s->lanes[i].next = 0;
    }
    s->finished = false;
    s->emitted = 0;
}

size_t rv_segments_latency(const rv_segments *s)
{
    size_t most = 0;
    for (size_t i = 0; i < s->n_lanes; i++) {
        const rv_lane *l = &s->lanes[i];
        rv_chunk chunk;
        if (rv_lane_next(l, SIZE_MAX / 4, true, &chunk) || l->segment > most)
            most = l->segment > most ? l->segment : most;
        if (chunk.seen > most)
            most = chunk.seen;
    }
    return most;
}

/* Input ---------------------------------------------------------------------------- */

rv_status rv_segments_push(rv_segments *s, const float *const *mix, size_t frames, rv_error *err)
{
    const size_t at = s->input.end;
    if (s->finished)
        return RV_FAIL(err, RV_ERR_ARG, "more input after the end");
    RV_TRY(rv_strip_extend(&s->input, at + frames, err));
    for (size_t c = 0; c < s->channels && frames; c++) {
        float *x = rv_strip_at(&s->input, c, at);
        for (size_t t = 0; t < frames; t++)
            x[t] = (mix[c][t] - s->mean) / s->deviation;
    }
    return RV_OK;
}

void rv_segments_finish(rv_segments *s)
{
    s->finished = true;
}

/* Segments ------------------------------------------------------------------------- */

static size_t final_frames(const rv_segments *s, const rv_lane **behind)
{
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < s->n_lanes; i++) {
        const size_t final = rv_lane_final(&s->lanes[i], s->input.end);
        if (final < least) {
            least = final;
            *behind = &s->lanes[i];
        }
    }
    return least;
}

static void fill_mix(const rv_segments *s, const job *j)
{
    const rv_chunk *chunk = &j->chunk;
    const rv_planes_view *mix = &j->runner->mix;
    const ptrdiff_t from = rv_lane_seen_from(j->lane, chunk);
    for (size_t c = 0; c < s->channels; c++) {
        rv_strip_copy(&s->input, c, from, chunk->seen, rv_planes_at(mix, c, 0), mix->frame);
        for (size_t t = chunk->seen; t < chunk->frames; t++)
            *rv_planes_at(mix, c, t) = 0;
    }
}

static bool is_usual(const rv_lane *l, const rv_chunk *chunk)
{
    return chunk->length == l->segment &&
           chunk->frames ==
               (l->network->fixed
                    ? l->network->fixed
                    : l->network->class->valid_length(l->network, l->network->segment));
}

/* Make a job of a lane's next segment; false: not yet. */
static bool plan_job(rv_segments *s, rv_lane *l)
{
    job *j = &s->jobs[s->n_jobs];
    if (!rv_lane_next(l, s->input.end, s->finished, &j->chunk))
        return false;
    j->lane = l;
    s->n_jobs++;
    return true;
}

/* More segments of the usual length, for the other slots. Lanes are moved on while looking, as if
 * their segments were done, and put back after. */
static void plan_batch(rv_segments *s)
{
    const size_t width = s->options.side_by_side < MAX_BATCH ? s->options.side_by_side : MAX_BATCH;
    while (s->n_jobs < width) {
        const rv_lane *behind = NULL;
        s->jobs[s->n_jobs - 1].lane->next += s->jobs[s->n_jobs - 1].lane->stride;
        if (final_frames(s, &behind) >= s->input.end)
            break;
        rv_lane *l = &s->lanes[behind - s->lanes];
        if (!plan_job(s, l))
            break;
        if (!is_usual(l, &s->jobs[s->n_jobs - 1].chunk)) {
            s->n_jobs--;
            break;
        }
    }
    for (size_t i = s->n_jobs; i-- > 0;)
        s->jobs[i].lane->next = s->jobs[i].chunk.at;
}

static void run_job(void *ctx, size_t task, int worker)
{
    rv_segments *s = ctx;
    (void)worker;
    s->jobs[task].runner->run(s->jobs[task].runner);
}

static rv_status prepare_jobs(rv_segments *s, bool alone, rv_error *err)
{
    for (size_t i = 0; i < s->n_jobs; i++) {
        job *j = &s->jobs[i];
        RV_TRY(rv_engine_runner(&j->runner, s->options.engine, j->lane->network, j->chunk.frames, i,
                                alone, err));
        fill_mix(s, j);
    }
    return RV_OK;
}

static void drop_input(rv_segments *s)
{
    size_t needed = s->input.end;
    for (size_t i = 0; i < s->n_lanes; i++) {
        const size_t first = rv_lane_needs(&s->lanes[i]);
        needed = first < needed ? first : needed;
    }
    rv_strip_drop(&s->input, needed);
}

static rv_status run_jobs(rv_segments *s, rv_error *err)
{
    const bool alone = s->options.side_by_side < 2 || !is_usual(s->jobs[0].lane, &s->jobs[0].chunk);
    if (!alone)
        plan_batch(s);
    RV_TRY(prepare_jobs(s, alone, err));
    if (alone)
        run_job(s, 0, 0);
    else
        rv_pool_run(rv_engine_pool(s->options.engine), s->n_jobs, run_job, s);
    for (size_t i = 0; i < s->n_jobs; i++)
        RV_TRY(rv_lane_add(s->jobs[i].lane, &s->jobs[i].chunk, &s->jobs[i].runner->stems, err));
    drop_input(s);
    return RV_OK;
}

static rv_status report(const rv_segments *s, rv_error *err)
{
    double sum = 0;
    if (!s->options.watch)
        return RV_OK;
    for (size_t i = 0; i < s->n_lanes; i++)
        sum += (double)rv_lane_final(&s->lanes[i], s->input.end);
    if (s->options.watch(s->options.watch_ctx, sum / (double)s->n_lanes))
        return RV_FAIL(err, RV_ERR_CANCELLED, "stopped on request");
    return RV_OK;
}

/* Run segments until frames are final or more input is needed. */
static rv_status advance(rv_segments *s, size_t *final, rv_error *err)
{
    for (;;) {
        const rv_lane *behind = NULL;
        *final = final_frames(s, &behind);
        s->n_jobs = 0;
        if (*final > s->emitted || !plan_job(s, &s->lanes[behind - s->lanes]))
            return RV_OK;
        RV_TRY(run_jobs(s, err));
        RV_TRY(report(s, err));
    }
}

/* Output --------------------------------------------------------------------------- */

/* The mean over a network's shifts, weighted, is added to y. */
static void add_network(const rv_segments *s, size_t network, size_t plane, size_t n, float *y)
{
    const size_t count = s->shifts ? s->shifts : 1;
    const float weight = (float)s->weights[network * s->n_stems + plane / s->channels];
    memset(s->scratch, 0, n * sizeof *s->scratch);
    for (size_t k = 0; k < count; k++)
        rv_lane_read(&s->lanes[network * count + k], plane, s->emitted, n, s->scratch);
    for (size_t t = 0; t < n; t++)
        y[t] += s->scratch[t] / (float)count * weight;
}

static void emit(const rv_segments *s, float *const *stems, size_t n)
{
    const float mean = s->add_up ? s->mean / (float)s->n_stems : s->mean;
    for (size_t p = 0; p < s->planes; p++) {
        const float total = (float)s->totals[p / s->channels];
        memset(stems[p], 0, n * sizeof *stems[p]);
        for (size_t i = 0; i < s->options.n_networks; i++)
            add_network(s, i, p, n, stems[p]);
        for (size_t t = 0; t < n; t++)
            stems[p][t] = stems[p][t] / total * s->deviation + mean;
    }
}

static rv_status take_scratch(rv_segments *s, size_t room, rv_error *err)
{
    if (room <= s->scratch_room)
        return RV_OK;
    free(s->scratch);
    s->scratch = room < SIZE_MAX / sizeof *s->scratch ? malloc(room * sizeof *s->scratch) : NULL;
    s->scratch_room = s->scratch ? room : 0;
    return s->scratch ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%zu frames", room);
}

rv_status rv_segments_pull(rv_segments *s, float *const *stems, size_t room, size_t *made,
                           rv_error *err)
{
    size_t final = 0;
    RV_TRY(advance(s, &final, err));
    const size_t ready = final - s->emitted, n = ready < room ? ready : room;
    if (n == 0) {
        *made = 0;
        return RV_OK;
    }
    RV_TRY(take_scratch(s, n, err));
    emit(s, stems, n);
    s->emitted += n;
    for (size_t i = 0; i < s->n_lanes; i++)
        rv_lane_drop(&s->lanes[i], s->emitted);
    *made = n;
    return RV_OK;
}
