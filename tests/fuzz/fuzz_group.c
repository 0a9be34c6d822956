/* fuzz_group.c - any bytes as a file of a group: read or refused with one line of text; what is
 * read can be built, or its graph says why not. */
#include "infer/group_file.h"
#include "io/yaml_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FRAMES = 4, SAMPLES = 64 };

static rv_shape shape_of(rv_group_port port)
{
    return port == RV_GROUP_AUDIO ? RV_SHAPE(1, SAMPLES) : RV_SHAPE(1, FRAMES, 5);
}

static void build(const rv_group *g)
{
    rv_graph *graph = NULL;
    rv_error err = { .text = "" };
    nn_builder b;
    rv_node *controls[RV_GROUP_MOST], *noise[RV_GROUP_MOST];
    if (rv_graph_new(&graph, NULL, &err) != RV_OK)
        abort();
    nn_begin(&b, graph);
    for (size_t i = 0; i < g->n_controls; i++)
        controls[i] = rv_param(graph, shape_of(g->controls[i].port));
    rv_group_build(g, &b, controls, SAMPLES, noise);
    if (rv_graph_status(graph, &err) != RV_OK && !err.text[0])
        abort();
    rv_graph_free(graph);
}

/* Responses longer than this would only take time. */
static bool is_small(const rv_group *g)
{
    bool small = true;
    for (size_t i = 0; i < g->n_processors; i++)
        for (size_t k = 0; k < RV_GROUP_SETTINGS; k++)
            small = small && g->processors[i].settings[k] <= 1 << 17;
    return small;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rv_error err = { .text = "" };
    json_t *values = NULL, *origins = json_object();
    rv_group *group = NULL;
    size_t n = 0;
    const rv_yaml_input input = { .name = "fuzz",
                                  .text = (const char *)data,
                                  .size = size,
                                  .at = "",
                                  .origins = origins,
                                  .values = &n };
    if (rv_yaml_read(&values, &input, &err) == RV_OK && json_is_object(values)) {
        if (rv_group_read(&group, values, origins, NULL, 0, &err) != RV_OK &&
            (group || !err.text[0] || strchr(err.text, '\n')))
            abort();
        if (group && is_small(group))
            build(group);
    }
    rv_group_free(group);
    json_decref(values);
    json_decref(origins);
    return 0;
}
