/* test_memory.c - how much memory the values of the published networks take, and that weights which
 * are packed are not there twice. */
#include "api/bench_networks.h"
#include "base/pool.h"
#include "check.h"
#include "core/graph_impl.h"
#include "core/memory.h"
#include "core/op.h"
#include "io/mapping.h"
#include "nn/nn.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of the block of values of a segment and of scratch, in MB of 1e6. */
static double block_of(const char *name)
{
    rv_error err = { 0 };
    const rv_bench_case *of = rv_bench_case_find(name);
    const rv_model_def *def = rv_model_find(of->model);
    rv_model_info info = { 0 };
    nn_builder b;
    rv_graph *graph;
    void *config = calloc(1, def->config_size);
    CHECK_OK(def->configure(config, &info, &of->args, &err), err);
    const double frames = of->seconds * (double)info.sample_rate;
    CHECK_OK(rv_graph_new(&graph, NULL, &err), err);
    nn_begin(&b, graph);
    rv_node *mix = rv_input(
        graph, RV_SHAPE(1, def->valid_length(config, &info, (size_t)frames), info.channels));
    rv_output(def->build(&b, config, &info, mix));
    CHECK_OK(rv_graph_status(graph, &err), err);
    const size_t n = (size_t)graph->n_nodes;
    rv_life *life = calloc(2 * n, sizeof *life);
    const rv_life **list = calloc(2 * n, sizeof *list);
    size_t *scratch = calloc(n, sizeof *scratch);
    bool *needed = calloc(n, sizeof *needed);
    rv_mark_needed(graph, needed);
    kern_table kern;
    kern_table_init(&kern, KERN_ISA_ALL);
    for (const rv_node *v = graph->first; v; v = v->next)
        if (v->op && v->op->scratch_size)
            scratch[v->order] = v->op->scratch_size(v, 2, &kern) * sizeof(real);
    const size_t bytes = rv_memory_plan(life, graph->first, n, needed, scratch, list);
    free(scratch);
    free(needed);
    free((void *)list);
    free(life);
    rv_graph_free(graph);
    free(config);
    return (double)bytes * 1e-6;
}

TEST(test_blocks_of_values)
{
    static const struct {
        const char *name;
        double most;
    } rows[] = { { "htdemucs", 152 },  { "hdemucs", 174 },     { "demucs", 188 },
                 { "demucs_v2", 176 }, { "conv_tasnet", 328 }, { "ravel_s", 66 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const double block = block_of(rows[i].name);
        CHECK_MSG(block <= rows[i].most, "%s: %.1f MB, at most %.1f", rows[i].name, block,
                  rows[i].most);
    }
}

/* Kilobytes of the mapping at `base` that lie in memory. */
static long resident(const void *base)
{
    char line[400], start[40];
    long kilobytes = -1;
    bool inside = false;
    snprintf(start, sizeof start, "%lx-", (unsigned long)(uintptr_t)base);
    FILE *f = fopen("/proc/self/smaps", "r");
    while (f && kilobytes < 0 && fgets(line, sizeof line, f)) {
        inside |= strncmp(line, start, strlen(start)) == 0;
        if (inside)
            (void)sscanf(line, "Rss: %ld", &kilobytes);
    }
    if (f)
        fclose(f);
    return kilobytes;
}

static unsigned sum_of(const rv_mapping *m)
{
    unsigned sum = 0;
    for (size_t i = 0; i < m->size; i++)
        sum = 31 * sum + m->data[i];
    return sum;
}

TEST(test_unloaded_files_are_read_again)
{
    enum { SIZE = 1 << 20 };
    char path[] = "/tmp/ravel-memory-XXXXXX";
    rv_error err = { 0 };
    rv_mapping map = { 0 };
    unsigned char *bytes = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * i >> 7);
    const int fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, bytes, SIZE) == SIZE && close(fd) == 0);
    CHECK_OK(rv_mapping_open(&map, path, &err), err);
    unlink(path);
    const unsigned sum = sum_of(&map);
    if (resident(map.base) >= 0) { /* a system that says so */
        CHECK(resident(map.base) == SIZE / 1024);
        rv_mapping_unload(&map);
        CHECK_MSG(resident(map.base) == 0, "%ld KB", resident(map.base));
    }
    CHECK(sum_of(&map) == sum);
    rv_mapping_close(&map);
    rv_mapping_unload(&map);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_of_values),
        cmocka_unit_test(test_unloaded_files_are_read_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
