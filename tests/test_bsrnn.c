/* test_bsrnn.c - the bands and the sizes of the paper's band-split RNNs. */
#include "check.h"
#include "models/model.h"

#include <string.h>

typedef struct {
    rv_graph *graph;
    nn_builder nn;
} network;

#define NUMBER(key, value)                                  \
    {                                                       \
        .name = key, .kind = RV_ARG_NUMBER, .number = value \
    }

/* One stem at 44.1 kHz in stereo. */
static void open_network(network *n, const char *stem, const char *bands, size_t features,
                         size_t layers)
{
    const rv_arg stems[] = { { .kind = RV_ARG_TEXT, .text = stem } };
    const rv_arg args[] = {
        { .name = "sources", .kind = RV_ARG_LIST, .number = 1, .items = stems },
        { .name = "bands", .kind = RV_ARG_TEXT, .text = bands },
        NUMBER("fc_dim", (double)features),
        NUMBER("num_layers", (double)layers),
    };
    rv_error err = { 0 };
    rv_model_info info = { 0 };
    const rv_model_def *def = rv_model_find("bsrnn");
    CHECK_OK(rv_graph_new(&n->graph, NULL, &err), err);
    void *config = rv_graph_take(n->graph, def->config_size);
    CHECK_OK(def->configure(config, &info, &(rv_args){ args, 4 }, &err), err);
    nn_begin(&n->nn, n->graph);
    def->build(&n->nn, config, &info, rv_input(n->graph, RV_SHAPE(1, 4096, 2)));
    CHECK_OK(rv_graph_status(n->graph, &err), err);
}

/* How many bands there are, and the sum over i of i times the edge behind band i - 1, which are
 * those of freq2bands() in BandSplitRNN-PyTorch. */
static void check_bands(const char *stem, const char *table, size_t bands, size_t sum)
{
    network n;
    size_t i = 0, edge = 0, found = 0;
    open_network(&n, stem, table, 2, 1);
    for (;; i++) {
        char name[60];
        snprintf(name, sizeof name, "bandsplit.fcs.%zu.weight", i);
        const rv_node *w = nn_find(&n.nn, name);
        if (!w)
            break;
        edge += rv_extent(w, 1) / 4; /* two channels, real and imaginary parts */
        found += (i + 1) * edge;
    }
    CHECK_MSG(i == bands && found == sum && edge == 1025, "%s: %zu bands, sum %zu, end %zu", table,
              i, found, edge);
    rv_graph_free(n.graph);
}

TEST(test_tables_of_bands)
{
    check_bands("vocals", "v1", 22, 176429);
    check_bands("vocals", "v2", 19, 119957);
    check_bands("vocals", "v3", 13, 48673);
    check_bands("vocals", "v4", 22, 96088);
    check_bands("vocals", "v5", 28, 203327);
    check_bands("vocals", "v6", 25, 115714);
    check_bands("vocals", "v7", 41, 364425);
    check_bands("vocals", "bass", 30, 144419);
    check_bands("vocals", "drums", 55, 459200);
    check_bands("vocals", "stem", 41, 364425);
    check_bands("bass", "stem", 30, 144419);
    check_bands("drums", "stem", 55, 459200);
}

/* N = 128, BLSTMs of 256 units in each direction, masks by 512: sums of the layers' formulas. */
static void check_size(const char *stem, size_t parameters)
{
    network n;
    open_network(&n, stem, "stem", 128, 12);
    CHECK_MSG(nn_count(&n.nn) == parameters, "%s: %zu parameters", stem, nn_count(&n.nn));
    rv_graph_free(n.graph);
}

TEST(test_sizes)
{
    check_size("vocals", 28018064);
    check_size("other", 28018064);
    check_size("bass", 27287312);
    check_size("drums", 28948112);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_of_bands),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
