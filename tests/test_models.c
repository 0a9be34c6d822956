/* test_models.c - every model against its reference implementation: the output for small random
 * weights, names and shapes of the parameters, and the counts of the full configurations. */
#include "model_case.h"

static char *folder(char path[512])
{
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, 512, "%s/tests/golden", root ? root : ".");
    return path;
}

static void check_case(const char *name)
{
    char path[512];
    model_case m = { 0 };
    open_case(&m, folder(path), name);
    configure_case(&m);
    CHECK(m.def->valid_length(m.config, &m.info, m.length) >= m.length);
    build_case(&m, m.length);
    read_weights(&m);
    plan_case(&m, 1);
    run_case(&m);
    const double off = relative_error(&m);
    printf("# %-20s relative error %.1e, %zu parameters, %zu bytes of values\n", name, off,
           nn_count(&m.nn), rv_plan_bytes(m.plan));
    CHECK_MSG(off <= 1e-5, "%s: relative error %.2e", name, off);
    CHECK((double)nn_count(&m.nn) == json_number_value(json_object_get(m.json, "parameters")));
    close_case(&m);
}

#define CASE(name)         \
    TEST(test_##name)      \
    {                      \
        check_case(#name); \
    }
CASE(conv_tasnet)
CASE(conv_tasnet_causal)
CASE(conv_tasnet_mono)
CASE(conv_tasnet_skip)
CASE(conv_tasnet_skip_causal)
CASE(conv_tasnet_skip_cumulative)
CASE(demucs_v2)
CASE(demucs_v2_legacy)
CASE(demucs_v3)
CASE(demucs_v3_lstm)
CASE(demucs_v3_plain)
CASE(hdemucs)
CASE(hdemucs_multi)
CASE(hdemucs_wiener)
CASE(htdemucs)
CASE(htdemucs_6s)
CASE(umx)
CASE(umx_causal)
CASE(ravel_s)
CASE(ravel_s_mid_side)
CASE(bsrnn)
CASE(bsrnn_residual)
CASE(mmdensenet)
CASE(mmdenselstm)
CASE(ravel_s_causal)

/* Segments run side by side or not, kernels split or not: the same bits. */
static void check_threads(const char *name)
{
    char path[512];
    model_case m = { 0 };
    float *first = NULL;
    open_case(&m, folder(path), name);
    configure_case(&m);
    build_case(&m, m.length);
    read_weights(&m);
    const size_t bytes = rv_shape_count(&m.out->shape) * sizeof *first;
    first = malloc(bytes);
    for (int threads = 1; threads <= 3; threads++) {
        plan_case(&m, threads);
        run_case(&m);
        if (threads == 1)
            memcpy(first, rv_value(m.plan, m.out), bytes);
        CHECK_MSG(!memcmp(first, rv_value(m.plan, m.out), bytes), "%s: %d threads differ", name,
                  threads);
        close_plan(&m);
    }
    free(first);
    close_case(&m);
}

TEST(test_equal_bits_for_any_threads)
{
    check_threads("htdemucs");
    check_threads("hdemucs_wiener");
    check_threads("demucs_v3");
}

/* Move all parameters by `step` times a direction, in proportion to their size; returns the
 * direction's product with the gradients, where these are given. */
static double move(const model_case *m, const float *from, rv_node *const *gradient, double step)
{
    double slope = 0;
    size_t at = 0, k = 0;
    for (const nn_param *p = m->nn.params; p; p = p->next, k++)
        for (size_t i = 0; i < rv_shape_count(&p->node->shape); i++, at++) {
            const double to = (fabs((double)from[at]) + 0.01) * sin(12.9898 * (double)at);
            m->data[at] = (float)((double)from[at] + step * to);
            slope += gradient ? to * (double)rv_value(m->plan, gradient[k])[i] : 0;
        }
    return slope;
}

static double loss_at(const model_case *m, const float *from, rv_node *loss, double step)
{
    move(m, from, NULL, step);
    rv_plan_run(m->plan);
    return (double)rv_value(m->plan, loss)[0];
}

/* The derivative of the mean square of the output along a direction. Differences of floats are
 * rough; what they must notice is a path that is missing (operations have tests in double). */
static void check_gradient(const char *name)
{
    char path[512];
    model_case m = { 0 };
    open_case(&m, folder(path), name);
    configure_case(&m);
    build_case(&m, m.length);
    read_weights(&m);
    const size_t n = m.nn.n_params, bytes = nn_count(&m.nn) * sizeof(float);
    rv_node **wrt = calloc(n, sizeof *wrt), **gradient = calloc(n, sizeof *gradient);
    float *from = memcpy(malloc(bytes), m.data, bytes);
    size_t k = 0;
    for (const nn_param *p = m.nn.params; p; p = p->next)
        wrt[k++] = p->node;
    rv_node *loss = rv_output(rv_mean(rv_mul(m.out, m.out)));
    rv_grad(loss, wrt, gradient, n);
    for (k = 0; k < n; k++)
        rv_output(gradient[k]);
    plan_trainable(&m);
    run_case(&m);
    const double step = 3e-5, slope = move(&m, from, gradient, 0);
    const double rise = loss_at(&m, from, loss, step) - loss_at(&m, from, loss, -step);
    printf("# %-20s slope %.5g, by differences %.5g\n", name, slope, rise / (2 * step));
    CHECK(fabs(slope - rise / (2 * step)) < 0.05 * fabs(slope));
    free(wrt);
    free(gradient);
    free(from);
    close_case(&m);
}

TEST(test_models_can_be_differentiated)
{
    check_gradient("conv_tasnet");
    check_gradient("conv_tasnet_skip");
    check_gradient("conv_tasnet_skip_cumulative");
    check_gradient("demucs_v2");
    check_gradient("demucs_v3");
    check_gradient("hdemucs_multi");
    check_gradient("hdemucs_wiener");
    check_gradient("htdemucs");
    check_gradient("umx");
}

/* An instance from text, built for its own segment (or `length`) and not run. */
static size_t count_parameters(const char *text, size_t length)
{
    model_case m = { .json = json_loads(text, 0, NULL) };
    CHECK(m.json != NULL);
    read_args(&m, json_object_get(m.json, "config"));
    configure_case(&m);
    if (length == 0)
        length = m.def->valid_length(m.config, &m.info, m.info.n_audio);
    build_case(&m, length);
    const size_t n = nn_count(&m.nn);
    CHECK(rv_extent(m.out, 1) == length);
    CHECK(rv_extent(m.out, 2) == m.info.n_stems * m.info.channels);
    close_case(&m);
    return n;
}

#define STEMS "\"sources\": [\"drums\", \"bass\", \"other\", \"vocals\"]"

#define ONE_STEM "\"sources\": [\"vocals\"]"

/* The counts are those of the reference's instances of the released configurations. */
TEST(test_sizes_of_the_released_models)
{
    CHECK(count_parameters("{\"class\": \"demucs.htdemucs.HTDemucs\", \"config\": {" STEMS
                           ", \"dconv_mode\": 3, \"bottom_channels\": 512,"
                           " \"segment\": \"39/5\"}}",
                           0) == 41984456);
    CHECK(count_parameters("{\"class\": \"demucs.hdemucs.HDemucs\", \"config\": {" STEMS "}}",
                           441000) == 83637832);
    CHECK(count_parameters("{\"class\": \"demucs.hdemucs.HDemucs\", \"config\": {" STEMS
                           ", \"cac\": false, \"hybrid_old\": true, \"norm_starts\": 999}}",
                           441000) == 83607872);
    CHECK(count_parameters("{\"class\": \"demucs.hdemucs.HDemucs\", \"config\": {" STEMS
                           ", \"multi_freqs\": [0.1, 0.3], \"norm_starts\": 999}}",
                           441000) == 83884248);
    CHECK(count_parameters("{\"class\": \"demucs.demucs.Demucs\", \"config\": {" STEMS
                           ", \"rewrite\": false}}",
                           441000) == 88984040);
    CHECK(count_parameters("{\"class\": \"demucs.model.Demucs\", \"config\": {" STEMS "}}", 0) ==
          265679496);
    /* with the running statistics of batch normalisation; 8,893,348 for each target without */
    CHECK(count_parameters("{\"class\": \"openunmix.model.Separator\", \"config\": {" STEMS "}}",
                           0) == 4 * 8903592);
    /* without the running statistics 277,868 (0.33 million in the paper) and 1,370,684 (1.22) */
    CHECK(count_parameters("{\"class\": \"mmdensenet\", \"config\": {" ONE_STEM "}}", 44100) ==
          277868 + 4492);
    CHECK(count_parameters("{\"class\": \"mmdenselstm\", \"config\": {" ONE_STEM "}}", 44100) ==
          1370684 + 6206);
    CHECK(count_parameters("{\"class\": \"demucs.tasnet.ConvTasNet\", \"config\": {" STEMS
                           ", \"X\": 10}}",
                           0) == 10977872);
    CHECK(count_parameters("{\"class\": \"ConvTasNet\", \"config\": {\"n_src\": 2}}", 32000) ==
          5050545); /* the paper's 5.1 M */
    CHECK(count_parameters("{\"class\": \"ConvTasNet\", \"config\": {\"n_src\": 2,"
                           " \"skip_chan\": null}}",
                           32000) == 3474609);
}

/* A bad configuration is refused with a text that names the model and the argument. */
static void check_refused(rv_status status, const char *names, const char *text)
{
    rv_error err = { 0 };
    model_case m = { .json = json_loads(text, 0, NULL) };
    CHECK_MSG(m.json != NULL, "bad JSON: %s", text);
    read_args(&m, json_object_get(m.json, "config"));
    m.def = rv_model_find(json_string_value(json_object_get(m.json, "class")));
    CHECK(m.def != NULL);
    m.config = calloc(1, m.def->config_size);
    const rv_status got = m.def->configure(m.config, &m.info, &m.given, &err);
    CHECK_MSG(got == status, "%s: %s", text, err.text);
    CHECK_MSG(strstr(err.text, names) && strstr(err.text, m.def->name), "%s", err.text);
    close_case(&m);
}

TEST(test_bad_arguments_are_refused)
{
#define HT(rest) "{\"class\": \"htdemucs\", \"config\": {" STEMS ", " rest "}}"
    check_refused(RV_ERR_UNSUPPORTED, "t_sparse_self_attn", HT("\"t_sparse_self_attn\": true"));
    check_refused(RV_ERR_UNSUPPORTED, "frobnicate", HT("\"frobnicate\": 1"));
    check_refused(RV_ERR_ARG, "channels", HT("\"channels\": 1e9"));
    check_refused(RV_ERR_ARG, "channels", HT("\"channels\": 4.5"));
    check_refused(RV_ERR_ARG, "channels", HT("\"channels\": \"many\""));
    check_refused(RV_ERR_ARG, "growth", HT("\"channels\": 4096, \"growth\": 8"));
    check_refused(RV_ERR_ARG, "nfft", HT("\"nfft\": 1000"));
    check_refused(RV_ERR_ARG, "nfft", HT("\"nfft\": -4096"));
    check_refused(RV_ERR_ARG, "depth", HT("\"depth\": 1000000"));
    check_refused(RV_ERR_UNSUPPORTED, "depth", HT("\"depth\": 6"));
    check_refused(RV_ERR_ARG, "t_emb", HT("\"t_emb\": \"fourier\""));
    check_refused(RV_ERR_ARG, "segment", HT("\"segment\": 0"));
    check_refused(RV_ERR_ARG, "end_iters", HT("\"end_iters\": 2"));
    check_refused(RV_ERR_ARG, "multi_freqs", HT("\"multi_freqs\": [0.5, 0.2]"));
    check_refused(RV_ERR_ARG, "sources", "{\"class\": \"demucs\", \"config\": {}}");
    check_refused(RV_ERR_ARG, "sources",
                  "{\"class\": \"demucs\", \"config\": {\"sources\": [\"../x\"]}}");
    check_refused(RV_ERR_ARG, "norm_type",
                  "{\"class\": \"conv_tasnet\", \"config\": {" STEMS ", \"norm_type\": \"LN\"}}");
#undef HT
#define ASTEROID(rest) "{\"class\": \"ConvTasNet\", \"config\": {" rest "}}"
    check_refused(RV_ERR_ARG, "n_src", ASTEROID("\"n_blocks\": 8"));
    check_refused(RV_ERR_ARG, "n_src", ASTEROID("\"n_src\": 0"));
    check_refused(RV_ERR_UNSUPPORTED, "fb_name", ASTEROID("\"n_src\": 2, \"fb_name\": \"stft\""));
    check_refused(RV_ERR_UNSUPPORTED, "in_chan", ASTEROID("\"n_src\": 2, \"in_chan\": 7"));
    check_refused(RV_ERR_UNSUPPORTED, "stride", ASTEROID("\"n_src\": 2, \"stride\": 17"));
    check_refused(RV_ERR_UNSUPPORTED, "norm_type",
                  ASTEROID("\"n_src\": 2, \"norm_type\": \"fgLN\""));
    check_refused(RV_ERR_UNSUPPORTED, "mask_act",
                  ASTEROID("\"n_src\": 2, \"mask_act\": \"prelu\""));
    check_refused(RV_ERR_ARG, "conv_kernel_size",
                  ASTEROID("\"n_src\": 2, \"conv_kernel_size\": 4"));
#undef ASTEROID
    CHECK(rv_model_find("os.system") == NULL);
}

static nn_start start_of(const model_case *m, const char *name)
{
    for (const nn_param *p = m->nn.params; p; p = p->next)
        if (!strcmp(p->name, name))
            return p->start;
    fail_msg("no parameter %s", name);
    return (nn_start){ 0 };
}

/* Convolutions start between PyTorch's deviation and 0.1, in the geometric middle. */
TEST(test_where_training_starts)
{
    char path[512];
    model_case m = { 0 };
    open_case(&m, folder(path), "htdemucs");
    configure_case(&m);
    build_case(&m, m.length);
    const double usual = 1 / sqrt(4.0 * 8 * 3); /* 4 inputs, kernel 8: U(-a, a), a sqrt(3) */
    const nn_start conv = start_of(&m, "encoder.0.conv.weight");
    CHECK(conv.kind == NN_UNIFORM);
    CHECK_CLOSE(conv.value / sqrt(3.0), sqrt(usual * 0.1), 1e-12);
    CHECK_CLOSE(start_of(&m, "encoder.0.conv.bias").value, conv.value, 1e-12);
    const nn_start wider = start_of(&m, "channel_upsampler.weight");
    CHECK_CLOSE(wider.value, 1 / sqrt(8.0), 1e-12);
    const nn_start bias = start_of(&m, "crosstransformer.layers.0.self_attn.out_proj.bias");
    CHECK(bias.kind == NN_FILL && bias.value == 0);
    close_case(&m);
}

/* Versions before the norms: the second convolution of a layer stood one place earlier. */
TEST(test_older_names)
{
    char old[64];
    const rv_model_def *d = rv_model_find("demucs.demucs.Demucs");
    CHECK(d->old_name("encoder.2.3.weight", old, sizeof old));
    CHECK(!strcmp(old, "encoder.2.2.weight"));
    CHECK(!d->old_name("encoder.2.3.layers.0.0.weight", old, sizeof old));
    CHECK(!d->old_name("encoder.2.0.weight", old, sizeof old));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_tasnet),
        cmocka_unit_test(test_conv_tasnet_causal),
        cmocka_unit_test(test_conv_tasnet_mono),
        cmocka_unit_test(test_conv_tasnet_skip),
        cmocka_unit_test(test_conv_tasnet_skip_causal),
        cmocka_unit_test(test_conv_tasnet_skip_cumulative),
        cmocka_unit_test(test_demucs_v2),
        cmocka_unit_test(test_demucs_v2_legacy),
        cmocka_unit_test(test_demucs_v3),
        cmocka_unit_test(test_demucs_v3_lstm),
        cmocka_unit_test(test_demucs_v3_plain),
        cmocka_unit_test(test_hdemucs),
        cmocka_unit_test(test_hdemucs_multi),
        cmocka_unit_test(test_hdemucs_wiener),
        cmocka_unit_test(test_htdemucs),
        cmocka_unit_test(test_htdemucs_6s),
        cmocka_unit_test(test_umx),
        cmocka_unit_test(test_umx_causal),
        cmocka_unit_test(test_ravel_s),
        cmocka_unit_test(test_ravel_s_mid_side),
        cmocka_unit_test(test_bsrnn),
        cmocka_unit_test(test_bsrnn_residual),
        cmocka_unit_test(test_mmdensenet),
        cmocka_unit_test(test_mmdenselstm),
        cmocka_unit_test(test_ravel_s_causal),
        cmocka_unit_test(test_equal_bits_for_any_threads),
        cmocka_unit_test(test_sizes_of_the_released_models),
        cmocka_unit_test(test_bad_arguments_are_refused),
        cmocka_unit_test(test_older_names),
        cmocka_unit_test(test_where_training_starts),
        cmocka_unit_test(test_models_can_be_differentiated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
