/* test_default_model.c - the model that separates when none is named: found by name in a folder of
 * models, its weights in 16 bits; stems that add up to the mix, and silence for silence. */
#include "base/rng.h"
#include "check.h"
#include "io/safetensors.h"
#include "models/model.h"
#include "ravel/separate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RATE = 8000, FRAMES = 20000, CHANNELS = 2, STEMS = 4, PLANES = STEMS * CHANNELS };

static char folder[64] = "/tmp/ravel-default-XXXXXX";

static char *in_folder(char path[100], const char *name)
{
    snprintf(path, 100, "%s/%s", folder, name);
    return path;
}

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }

static const rv_arg arguments[] = { NUMBER("n_fft", 256),   NUMBER("hop", 64),
                                    NUMBER("bands", 9),     NUMBER("features", 24),
                                    NUMBER("blocks", 2),    NUMBER("time_units", 16),
                                    NUMBER("segment", 1.5), NUMBER("samplerate", RATE) };
enum { N_ARGUMENTS = sizeof arguments / sizeof *arguments };

static json_t *configuration(void)
{
    json_t *named = json_object();
    for (size_t i = 0; i < N_ARGUMENTS; i++)
        json_object_set_new(named, arguments[i].name, json_real(arguments[i].number));
    return json_pack("{s:s, s:[[s,s,s,s]], s:o}", "class", "ravel_s", "args", "drums", "bass",
                     "vocals", "other", "kwargs", named);
}

/* The parameters of a graph with random values -> a file */
static void write_parameters(const nn_builder *b, const char *path)
{
    rv_error err = { 0 };
    rv_tensor_source *tensors = calloc(b->n_params, sizeof *tensors);
    float *values = calloc(nn_count(b), sizeof *values), *at = values;
    size_t n = 0;
    for (const nn_param *p = b->params; p; p = p->next, n++) {
        nn_initialise(p, 4, at);
        tensors[n] = (rv_tensor_source){
            .name = p->name, .dtype = RV_F32, .rank = p->node->shape.rank, .data = at
        };
        memcpy(tensors[n].shape, p->node->shape.d, sizeof p->node->shape.d);
        at += rv_shape_count(&p->node->shape);
    }
    json_t *config = configuration();
    CHECK_OK(rv_safetensors_write(path, tensors, n, config, &err), err);
    json_decref(config);
    free(tensors);
    free(values);
}

static void write_model(const char *path)
{
    rv_error err = { 0 };
    rv_graph *g;
    nn_builder b;
    rv_model_info info;
    static const rv_arg stems[] = { { .kind = RV_ARG_TEXT, .text = "drums" },
                                    { .kind = RV_ARG_TEXT, .text = "bass" },
                                    { .kind = RV_ARG_TEXT, .text = "vocals" },
                                    { .kind = RV_ARG_TEXT, .text = "other" } };
    rv_arg all[N_ARGUMENTS + 1] = {
        { .name = "sources", .kind = RV_ARG_LIST, .number = STEMS, .items = stems }
    };
    memcpy(all + 1, arguments, sizeof arguments);
    const rv_model_def *def = rv_model_find("ravel_s");
    void *config = calloc(1, def->config_size);
    CHECK_OK(def->configure(config, &info, &(rv_args){ all, N_ARGUMENTS + 1 }, &err), err);
    CHECK_OK(rv_graph_new(&g, NULL, &err), err);
    nn_begin(&b, g);
    def->build(&b, config, &info, rv_input(g, RV_SHAPE(1, 2000, CHANNELS)));
    CHECK_OK(rv_graph_status(g, &err), err);
    write_parameters(&b, path);
    rv_graph_free(g);
    free(config);
}

static int set_up(void **state)
{
    char path[100];
    (void)state;
    if (!mkdtemp(folder) || setenv("XDG_CACHE_HOME", folder, 1) != 0)
        return -1;
    write_model(in_folder(path, "trained.safetensors"));
    return 0;
}

static int tear_down(void **state)
{
    char command[120];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* mix [2][FRAMES] -> stems [4][2][FRAMES], to be freed */
static float *separate(const char *model, const float *mix)
{
    float *stems = calloc((size_t)PLANES * FRAMES, sizeof *stems), *to[PLANES];
    rv_error err = { 0 };
    rv_model *m = NULL;
    for (size_t p = 0; p < PLANES; p++)
        to[p] = stems + p * FRAMES;
    CHECK_OK(rv_model_open(&m, model, &err), err);
    CHECK_OK(rv_separate(m, (const float *[]){ mix, mix + FRAMES }, CHANNELS, RATE, FRAMES, to,
                         NULL, &err),
             err);
    rv_model_free(m);
    return stems;
}

static float *noise(void)
{
    float *mix = calloc((size_t)CHANNELS * FRAMES, sizeof *mix);
    for (size_t i = 0; i < (size_t)CHANNELS * FRAMES; i++)
        mix[i] = (float)(0.6 * rv_rng_uniform(3, 0, i) - 0.3);
    return mix;
}

static int is_ready(const char *name)
{
    rv_known_model known;
    for (size_t i = 0; rv_known_model_at(i, &known); i++)
        if (!strcmp(known.name, name))
            return known.installed;
    return -1;
}

/* Whether or not weights came with this build. */
TEST(test_default_is_what_is_there)
{
    CHECK(unsetenv("RAVEL_MODELS") == 0);
    const int ready = is_ready("ravel_s");
    CHECK(is_ready("classic") == 1 && ready >= 0);
    CHECK(!strcmp(rv_default_model(), ready ? "ravel_s" : "classic"));
    rv_model *m = NULL;
    rv_error err = { 0 };
    if (!ready)
        CHECK(rv_model_open(&m, "ravel_s", &err) == RV_ERR_IO && strstr(err.text, "configs/"));
}

/* `trained` in 16 bits, under the name of the default. */
static float *separate_by_default(const float *mix)
{
    char in[100], out[100];
    rv_error err = { 0 };
    const rv_convert_options half = { .half = 1 };
    CHECK_OK(rv_model_convert(in_folder(in, "trained.safetensors"),
                              in_folder(out, "ravel_s.safetensors"), &half, &err),
             err);
    CHECK(setenv("RAVEL_MODELS", folder, 1) == 0);
    CHECK(is_ready("ravel_s") == 1 && !strcmp(rv_default_model(), "ravel_s"));
    return separate(rv_default_model(), mix);
}

TEST(test_16_bits_are_enough)
{
    char path[100];
    float *mix = noise(), *full = separate(in_folder(path, "trained.safetensors"), mix);
    float *half = separate_by_default(mix);
    double signal = 0, error = 0;
    for (size_t i = 0; i < (size_t)PLANES * FRAMES; i++) {
        signal += pow((double)full[i], 2);
        error += pow((double)full[i] - (double)half[i], 2);
    }
    const double snr = 10 * log10(signal / error);
    printf("# weights of 16 bits: SNR %.1f dB\n", snr);
    CHECK_MSG(error > 0 && snr > 55, "SNR %.1f dB", snr);
    free(mix);
    free(full);
    free(half);
}

TEST(test_stems_add_up)
{
    float *mix = noise(), *stems = separate_by_default(mix);
    double off = 0;
    for (size_t i = 0; i < (size_t)CHANNELS * FRAMES; i++) {
        double sum = 0;
        for (size_t s = 0; s < STEMS; s++)
            sum += (double)stems[s * CHANNELS * FRAMES + i];
        off = fmax(off, fabs(sum - (double)mix[i]));
    }
    CHECK_MSG(off < 1e-5, "off by %g", off);
    free(mix);
    free(stems);
}

TEST(test_silence_for_silence)
{
    float *mix = calloc((size_t)CHANNELS * FRAMES, sizeof *mix), *stems = separate_by_default(mix);
    for (size_t i = 0; i < (size_t)PLANES * FRAMES; i++)
        CHECK(stems[i] == 0);
    free(mix);
    free(stems);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default_is_what_is_there),
        cmocka_unit_test(test_16_bits_are_enough),
        cmocka_unit_test(test_stems_add_up),
        cmocka_unit_test(test_silence_for_silence),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
