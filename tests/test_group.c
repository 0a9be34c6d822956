/* test_group.c - groups of processors: from a file to a graph that is the one written by hand, and
 * to a stream that makes the same; what is wrong with a file, in one line. */
#include "base/rng.h"
#include "checkpoint_files.h"
#include "ddsp/reverb.h"
#include "ddsp/routing.h"
#include "ddsp/stream_group.h"
#include "infer/group_file.h"

static rv_status load_text(rv_group **g, const char *text, const char *const *known, size_t n,
                           rv_error *err)
{
    const path_text folder = make_folder(), path = in_folder(&folder, "g.yaml");
    store_file(path.text, text, strlen(text));
    const rv_status status = rv_group_load(g, path.text, known, n, err);
    remove_folder(&folder);
    return status;
}

static rv_group *loaded(const char *text)
{
    rv_error err = { 0 };
    rv_group *g = NULL;
    CHECK_OK(load_text(&g, text, NULL, 0, &err), err);
    return g;
}

/* Signals -------------------------------------------------------------------------------- */

enum { FRAMES = 9, HOP = 80, SAMPLES = FRAMES * HOP, MOST_WIDTH = 129, MOST_VALUES = 1000 };

/* A group, a value for each control and each parameter, and what the graph makes. */
typedef struct {
    rv_group *group;
    nn_builder b;
    rv_plan *plan;
    rv_node *controls[RV_GROUP_MOST], *noise[RV_GROUP_MOST], *out;
    float *values[RV_GROUP_MOST];
    struct {
        const char *name;
        float data[MOST_VALUES];
    } params[16];
} sounding;

static float value_of(const char *name, uint64_t i)
{
    const double u = rv_rng_uniform(5, (uint64_t)name[0] * 256 + (uint64_t)name[1], i);
    return (float)(!strcmp(name, "f0") ? 100 + 300 * u : 2 * u - 1);
}

/* Shapes by name: ir [1,50], bands [1,4,9], audio; f0, level and the like one value, others seven.
 */
static rv_shape shape_of(const rv_group_control *c)
{
    static const char *const single[] = { "f0", "amplitude", "gain", "phase", "level" };
    size_t width = strncmp(c->name, "wide", 4) ? 7 : MOST_WIDTH;
    for (size_t i = 0; i < sizeof single / sizeof *single; i++)
        width = strcmp(c->name, single[i]) ? width : 1;
    if (c->port == RV_GROUP_AUDIO)
        return RV_SHAPE(1, SAMPLES);
    if (c->port == RV_GROUP_FIXED)
        return !strcmp(c->name, "ir")      ? RV_SHAPE(1, 50)
               : !strcmp(c->name, "bands") ? RV_SHAPE(1, 4, 9)
                                           : RV_SHAPE(1, 1);
    return RV_SHAPE(1, FRAMES, width);
}

static void open_sounding(sounding *s, const char *text)
{
    rv_error err = { 0 };
    rv_graph *graph = NULL;
    *s = (sounding){ .group = loaded(text) };
    CHECK_OK(rv_graph_new(&graph, NULL, &err), err);
    nn_begin(&s->b, graph);
    for (size_t i = 0; i < s->group->n_controls; i++) {
        const rv_group_control *c = &s->group->controls[i];
        const rv_shape shape = shape_of(c);
        const size_t n = rv_shape_count(&shape);
        s->controls[i] = rv_param(graph, shape);
        s->values[i] = malloc(n * sizeof(float));
        for (size_t k = 0; k < n; k++)
            s->values[i][k] = value_of(c->name, k) * (strcmp(c->name, "ir") ? 1 : 0.1f);
    }
    s->out = rv_output(rv_group_build(s->group, &s->b, s->controls, SAMPLES, s->noise));
    CHECK_OK(rv_graph_status(graph, &err), err);
}

static void run_sounding(sounding *s)
{
    rv_error err = { 0 };
    size_t n = 0;
    CHECK_OK(rv_plan_new(&s->plan, s->b.graph, NULL, &err), err);
    for (size_t i = 0; i < s->group->n_controls; i++)
        rv_plan_bind(s->plan, s->controls[i], s->values[i]);
    for (const nn_param *p = s->b.params; p; p = p->next, n++) {
        CHECK(n < 16 && rv_shape_count(&p->node->shape) <= MOST_VALUES);
        nn_initialise(p, 3, s->params[n].data);
        s->params[n].name = p->name;
        rv_plan_bind(s->plan, p->node, s->params[n].data);
    }
    rv_group_fill_noise(s->group, s->plan, s->noise, 11, 2);
    rv_plan_run(s->plan);
}

static void close_sounding(sounding *s)
{
    for (size_t i = 0; i < s->group->n_controls; i++)
        free(s->values[i]);
    rv_plan_free(s->plan);
    rv_graph_free(s->b.graph);
    rv_group_free(s->group);
}

static rv_node *control(const sounding *s, const char *name)
{
    const size_t i = rv_group_find_control(s->group, name);
    CHECK_MSG(i != SIZE_MAX, "no control %s", name);
    return s->controls[i];
}

/* As magenta/ddsp's groups of solo instruments. */
static const char solo[] = "processors:\n"
                           "  add: {kind: add, inputs: [harmonic, noise]}\n"
                           "  harmonic: {kind: harmonic, inputs: [amplitude, distribution, f0]}\n"
                           "  noise: {kind: filtered_noise, inputs: [magnitudes], bias: -1}\n"
                           "  reverb: {kind: reverb, inputs: [add, ir], dry: false}\n"
                           "output: reverb\n";

TEST(test_graph_is_the_one_by_hand)
{
    sounding s;
    open_sounding(&s, solo);
    CHECK(s.group->n_processors == 4 && s.group->n_controls == 5);
    const rv_harmonic_config h = rv_harmonic_defaults(16000, SAMPLES);
    rv_noise_config n = rv_noise_defaults();
    n.bias = -1;
    const rv_harmonic_controls from = { .amplitude = control(&s, "amplitude"),
                                        .distribution = control(&s, "distribution"),
                                        .f0 = control(&s, "f0") };
    const size_t noise = rv_group_find(s.group, "noise");
    CHECK(s.noise[noise] && !s.noise[rv_group_find(s.group, "harmonic")]);
    rv_node *both = rv_add(rv_synth_harmonic(&h, &from),
                           rv_synth_noise(&n, s.noise[noise], control(&s, "magnitudes")));
    rv_node *want = rv_output(rv_reverb(both, control(&s, "ir"), false));
    run_sounding(&s);
    CHECK(!memcmp(rv_value(s.plan, s.out), rv_value(s.plan, want), SAMPLES * sizeof(float)));
    double power = 0;
    for (size_t t = 0; t < SAMPLES; t++)
        power += (double)rv_value(s.plan, want)[t] * (double)rv_value(s.plan, want)[t];
    CHECK(power > 1e-3);
    close_sounding(&s);
}

/* Streams -------------------------------------------------------------------------------- */

/* Every kind; what is late meets what is not, twice. */
static const char everything[] =
    "sample_rate: 4000\n"
    "output: cut\n"
    "processors:\n"
    "  voice: {kind: harmonic, inputs: [amplitude, distribution, f0]}\n"
    "  air: {kind: filtered_noise, inputs: [magnitudes], window: 0, bias: -1}\n"
    "  breath: {kind: filtered_noise, inputs: [magnitudes], wrapped: true, bias: -1}\n"
    "  bells: {kind: sinusoidal, inputs: [amplitudes, frequencies], hz_max: 1000}\n"
    "  wave: {kind: wavetable, inputs: [amplitude, tables, f0]}\n"
    "  both: {kind: add, inputs: [voice, air, wave, breath]}\n"
    "  shaped: {kind: fir_filter, inputs: [both, formants], window: 9}\n"
    "  moved: {kind: mod_delay, inputs: [shaped, gain, phase]}\n"
    "  blend: {kind: mix, inputs: [moved, bells, level]}\n"
    "  ring: {kind: multiply, inputs: [blend, audio]}\n"
    "  room: {kind: reverb, inputs: [ring, ir]}\n"
    "  hall: {kind: reverb_learned, inputs: [room], length: 90}\n"
    "  cave: {kind: reverb_decay, inputs: [hall, loud, falls], length: 60}\n"
    "  den: {kind: reverb_decay, inputs: [cave], length: 30}\n"
    "  wind: {kind: reverb_noise, inputs: [den, bands], length: 64}\n"
    "  wood: {kind: reverb_noise, inputs: [wind], length: 64, frames: 4, bands: 5}\n"
    "  wet: {kind: reverb_wet, inputs: [wood], length: 50}\n"
    "  cut: {kind: crop, inputs: [wet], size: 21, place: front}\n";

static const float *parameter(void *ctx, const char *name)
{
    const sounding *s = ctx;
    for (size_t i = 0; i < 16; i++)
        if (s->params[i].name && !strcmp(s->params[i].name, name))
            return s->params[i].data;
    return NULL;
}

static rv_status open_stream(rv_stream **out, const sounding *s, const rv_alloc *mem, rv_error *err)
{
    rv_stream_group_value values[RV_GROUP_MOST] = { 0 };
    for (size_t i = 0; i < s->group->n_controls; i++)
        values[i] = (rv_stream_group_value){ rv_extent(s->controls[i], 2), s->controls[i]->shape,
                                             s->values[i] };
    const rv_stream_group_config c = { s->group, HOP, values, parameter, (void *)s, 11, 2 };
    return rv_stream_group_new(out, &c, mem, err);
}

/* Frame f of all controls; the last one lasts. */
static void frame_at(const sounding *s, size_t f, float *frame)
{
    f = f < FRAMES ? f : FRAMES - 1;
    for (size_t i = 0; i < s->group->n_controls; i++)
        if (s->group->controls[i].port == RV_GROUP_FRAMES) {
            const size_t width = rv_extent(s->controls[i], 2);
            memcpy(frame, s->values[i] + f * width, width * sizeof *frame);
            frame += width;
        }
}

static void run_stream(rv_stream *stream, const sounding *s, float *out, size_t block)
{
    const size_t at = rv_group_find_control(s->group, "audio");
    const float *audio = at == SIZE_MAX ? NULL : s->values[at];
    size_t f = 0;
    for (size_t t = 0; t < SAMPLES;) {
        float frame[RV_GROUP_MOST * MOST_WIDTH];
        const size_t some = SAMPLES - t < block ? SAMPLES - t : block;
        const size_t made = rv_stream_process(
            stream, audio ? (const float *const[]){ audio + t } : NULL, out + t, some);
        t += made;
        if (made < some) {
            frame_at(s, f++, frame);
            CHECK(rv_stream_give(stream, frame));
        }
    }
}

static void check_stream(const char *text, size_t latency)
{
    static const size_t blocks[] = { 1, 7, 64, 80, 129, 1000 };
    sounding s;
    rv_error err = { 0 };
    rv_stream *stream = NULL;
    float got[SAMPLES];
    open_sounding(&s, text);
    run_sounding(&s);
    CHECK_OK(open_stream(&stream, &s, NULL, &err), err);
    CHECK_MSG(rv_stream_latency(stream) == latency, "latency %zu", rv_stream_latency(stream));
    const real *want = rv_value(s.plan, s.out);
    double power = 0;
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        run_stream(stream, &s, got, blocks[i]);
        for (size_t t = 0; t + latency < SAMPLES; t++) {
            power += (double)want[t] * (double)want[t];
            CHECK_MSG(fabsf(got[t + latency] - want[t]) <= 3e-6f,
                      "blocks of %zu: sample %zu is %g, not %g", blocks[i], t,
                      (double)got[t + latency], (double)want[t]);
        }
        rv_stream_reset(stream);
    }
    CHECK(power > 1e-2);
    rv_stream_free(stream);
    close_sounding(&s);
}

TEST(test_stream_is_the_graph)
{
    check_stream(solo, 4);
    check_stream(everything, 4 + 3 + 20);
}

/* Late by more than a hop: frames wait, too. */
TEST(test_latency_of_many_hops)
{
    check_stream("sample_rate: 4000\n"
                 "output: y\n"
                 "processors:\n"
                 "  n: {kind: fir_filter, inputs: [audio, wide1], window: 0, scale: false}\n"
                 "  m: {kind: fir_filter, inputs: [n, wide2], window: 0, scale: false}\n"
                 "  voice: {kind: harmonic, inputs: [amplitude, distribution, f0]}\n"
                 "  y: {kind: mix, inputs: [m, voice, level]}\n",
                 252);
}

typedef struct {
    size_t left, live;
} limited;

static void *limited_alloc(void *ctx, size_t size, size_t align)
{
    limited *l = ctx;
    if (!l->left)
        return NULL;
    l->left--;
    l->live++;
    return rv_alloc_default.alloc(NULL, size, align);
}

static void limited_free(void *ctx, void *p)
{
    if (p)
        ((limited *)ctx)->live--;
    rv_alloc_default.free(NULL, p);
}

/* Each in turn; and after _new() none is made. */
TEST(test_allocations)
{
    sounding s;
    limited limit = { 0 };
    const rv_alloc mem = { limited_alloc, limited_free, &limit };
    rv_stream *stream = NULL;
    rv_status status = RV_ERR_NOMEM;
    float got[SAMPLES];
    open_sounding(&s, everything);
    run_sounding(&s);
    for (size_t k = 0; status != RV_OK && k < 2000; k++) {
        rv_error err = { 0 };
        limit.left = k;
        status = open_stream(&stream, &s, &mem, &err);
        CHECK_MSG(status == RV_OK || (status == RV_ERR_NOMEM && !limit.live),
                  "allocation %zu: %s, %zu left", k, err.text, limit.live);
    }
    CHECK(status == RV_OK && limit.left == 0);
    run_stream(stream, &s, got, 50);
    rv_stream_free(stream);
    CHECK(limit.live == 0);
    close_sounding(&s);
}

TEST(test_what_cannot_stream)
{
    sounding s;
    rv_error err = { 0 };
    rv_stream *stream = NULL;
    open_sounding(&s, "output: y\n"
                      "processors:\n"
                      "  cut: {kind: crop, inputs: [audio], size: 4}\n"
                      "  y: {kind: reverb, inputs: [cut, ir]}\n");
    CHECK(open_stream(&stream, &s, NULL, &err) == RV_ERR_UNSUPPORTED && strstr(err.text, "\"y\""));
    close_sounding(&s);
    open_sounding(&s, "output: y\n"
                      "processors: {y: {kind: reverb_wet, inputs: [audio]}}\n");
    CHECK(open_stream(&stream, &s, NULL, &err) == RV_ERR_ARG && strstr(err.text, "\"y.noise\""));
    CHECK(!stream);
    close_sounding(&s);
}

/* Files ---------------------------------------------------------------------------------- */

static void check_error(const char *text, const char *want)
{
    static const char *const known[] = { "amplitude", "distribution", "f0", "magnitudes", "ir" };
    rv_error err = { 0 };
    rv_group *g = NULL;
    const rv_status status = load_text(&g, text, known, 5, &err);
    CHECK_MSG(status == RV_ERR_FORMAT && !g && !strchr(err.text, '\n') &&
                  strstr(err.text, "g.yaml") && strstr(err.text, want),
              "%s\nis not: %s", err.text, want);
}

#define HEAD "output: a\nprocessors:\n"

TEST(test_bad_files)
{
    check_error("output: a\n", "\"processors\" must be a mapping");
    check_error("output: a\nprocessors: {}\n", "\"processors\" must be a mapping");
    check_error(HEAD "  a: 3\n", "yaml:3:3: processor \"a\" must be a mapping with a kind");
    check_error(HEAD "  a: {inputs: [f0]}\n", "must be a mapping with a kind");
    check_error(HEAD "  a.b: {kind: add}\n", "names have 1 to 63 characters");
    check_error(
        HEAD "  a: {kind: harmnic, inputs: [f0]}\n",
        "yaml:3:7: processor \"a\": unknown kind \"harmnic\"; the nearest known is \"harmonic\"");
    check_error(HEAD "  a: {kind: add}\n", "\"processors.a.inputs\" is missing");
    check_error(HEAD "  a: {kind: reverb, inputs: [ir]}\n",
                "reverb takes 2 inputs (audio, response), not 1");
    check_error(HEAD "  a: {kind: reverb_wet, inputs: [f0, ir]}\n",
                "reverb_wet takes 1 input (audio), not 2");
    check_error(HEAD "  a: {kind: reverb_decay, inputs: [f0, ir]}\n",
                "takes 1 or 3 inputs (audio, gain, decay), not 2");
    check_error(HEAD "  a: {kind: add, inputs: [f0]}\n", "add takes 2 to 8 inputs (signal), not 1");
    check_error(HEAD "  a: {kind: add, inputs: [f0, f0, f0, f0, f0, f0, f0, f0, f0]}\n",
                "takes 2 to 8 inputs (signal), not 9");
    check_error(
        HEAD "  a: {kind: filtered_noise, inputs: [magnitude]}\n",
        "input \"magnitude\" is no processor and no control; the nearest is \"magnitudes\"");
    check_error(
        HEAD "  a: {kind: filtered_noise, inputs: [magnitudes], windows: 3}\n",
        "unknown key \"processors.a.windows\"; the nearest known is \"processors.a.window\"");
    check_error(HEAD "  a: {kind: filtered_noise, inputs: [magnitudes], window: -3}\n",
                "\"processors.a.window\" must be from 0 to");
    check_error(HEAD
                "  a: {kind: harmonic, inputs: [amplitude, distribution, f0], amplitude: soft}\n",
                "must be one of hold|linear|hann");
    check_error(HEAD "  a: {kind: add, inputs: [a, f0]}\n", "feed each other in a circle");
    check_error(HEAD "  b: {kind: add, inputs: [c, f0]}\n  c: {kind: add, inputs: [a, f0]}\n"
                     "  a: {kind: add, inputs: [b, f0]}\n",
                "in a circle: \"b\" feeds \"a\"");
    check_error(HEAD "  b: {kind: filtered_noise, inputs: [magnitudes]}\n"
                     "  a: {kind: filtered_noise, inputs: [b]}\n",
                "takes frames of controls, a control; \"b\" is a processor");
    check_error(HEAD "  b: {kind: filtered_noise, inputs: [magnitudes]}\n"
                     "  a: {kind: add, inputs: [b, magnitudes]}\n",
                "control \"magnitudes\" is frames of controls and audio");
    check_error("output: b\nprocessors:\n  ab: {kind: filtered_noise, inputs: [magnitudes]}\n",
                "yaml:1:1: output \"b\" is no processor; the nearest is \"ab\"");
    check_error("processors:\n  a: {kind: filtered_noise, inputs: [magnitudes]}\n",
                "\"output\" is missing");
}

/* Without a list any control will do; the file may have one. */
TEST(test_lists_of_controls)
{
    rv_error err = { 0 };
    rv_group *g = loaded(HEAD "  a: {kind: filtered_noise, inputs: [anything]}\n");
    CHECK(rv_group_find_control(g, "anything") == 0 && rv_group_find_control(g, "a") == SIZE_MAX);
    rv_group_free(g);
    g = NULL;
    CHECK(load_text(&g,
                    "controls: [magnitudes]\n" HEAD
                    "  a: {kind: filtered_noise, inputs: [anything]}\n",
                    NULL, 0, &err) == RV_ERR_FORMAT);
    CHECK(strstr(err.text, "\"anything\"") && !g);
}

/* Made in C. */
TEST(test_bad_groups)
{
    rv_error err = { 0 };
    rv_group *g = NULL;
    const char *const in[] = { "x", "y" };
    CHECK(rv_group_new(&g, 0, NULL, &err) == RV_ERR_ARG && !g);
    CHECK_OK(rv_group_new(&g, 16000, NULL, &err), err);
    CHECK_OK(rv_group_add(g, "a", "add", 2, in, &err), err);
    CHECK(rv_group_add(g, "a", "add", 2, in, &err) == RV_ERR_ARG);
    CHECK(rv_group_add(g, "x", "add", 2, in, &err) == RV_ERR_ARG);
    CHECK(rv_group_add(g, "b", "add", 2, (const char *[]){ "b", "x" }, &err) == RV_ERR_ARG);
    CHECK(rv_group_add(g, "b c", "add", 2, in, &err) == RV_ERR_ARG);
    CHECK(rv_group_add(g, "b", "sum", 2, in, &err) == RV_ERR_ARG && strstr(err.text, "\"sum\""));
    CHECK(rv_group_set(g, "a", "dry", 1, &err) == RV_ERR_ARG);
    CHECK(rv_group_set(g, "b", "dry", 1, &err) == RV_ERR_ARG);
    CHECK(rv_group_set_output(g, "b", &err) == RV_ERR_ARG);
    CHECK_OK(rv_group_add(g, "c", "crop", 1, in, &err), err);
    CHECK(rv_group_set(g, "c", "place", 3, &err) == RV_ERR_ARG);
    CHECK(rv_group_set(g, "c", "size", 1.5, &err) == RV_ERR_ARG);
    CHECK_OK(rv_group_set(g, "c", "size", 2, &err), err);
    CHECK(g->n_processors == 2 && g->n_controls == 2 && g->output == 1);
    rv_group_free(g);
}

TEST(test_controls_of_another_rank)
{
    rv_error err = { 0 };
    rv_graph *graph = NULL;
    rv_group *g = loaded(HEAD "  a: {kind: filtered_noise, inputs: [magnitudes]}\n");
    nn_builder b;
    CHECK_OK(rv_graph_new(&graph, NULL, &err), err);
    nn_begin(&b, graph);
    rv_node *control = rv_param(graph, RV_SHAPE(3, 4));
    rv_group_build(g, &b, &control, 100, NULL);
    CHECK(rv_graph_status(graph, &err) == RV_ERR_SHAPE && strstr(err.text, "\"magnitudes\""));
    rv_graph_free(graph);
    rv_group_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_graph_is_the_one_by_hand), cmocka_unit_test(test_stream_is_the_graph),
        cmocka_unit_test(test_latency_of_many_hops),     cmocka_unit_test(test_allocations),
        cmocka_unit_test(test_what_cannot_stream),       cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_lists_of_controls),        cmocka_unit_test(test_bad_groups),
        cmocka_unit_test(test_controls_of_another_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
