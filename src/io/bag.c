/* bag.c - a bag from the nodes of a YAML document, as libyaml gives them. */
#include "io/bag.h"

#include "io/mapping.h"
#include "io/text.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { SIZE_LIMIT = 1 << 20, MODEL_LIMIT = 1000, SOURCE_LIMIT = 1000 };

typedef struct reader {
    const char *path;
    yaml_document_t *document;
    rv_bag *bag;
    rv_error *err;
} reader;

static rv_status line_error(const reader *r, const yaml_node_t *node, const char *what)
{
    return RV_FAIL(r->err, RV_ERR_FORMAT, "%s, line %zu: %s", r->path, node->start_mark.line + 1,
                   what);
}

static rv_status out_of_memory(const reader *r)
{
    return RV_FAIL(r->err, RV_ERR_NOMEM, "%s: out of memory", r->path);
}

/* Nodes */

static const char *scalar(const yaml_node_t *node, size_t *n)
{
    if (node->type != YAML_SCALAR_NODE)
        return NULL;
    *n = node->data.scalar.length;
    return (const char *)node->data.scalar.value;
}

static size_t item_count(const yaml_node_t *list)
{
    return (size_t)(list->data.sequence.items.top - list->data.sequence.items.start);
}

static yaml_node_t *item(const reader *r, const yaml_node_t *list, size_t i)
{
    return yaml_document_get_node(r->document, list->data.sequence.items.start[i]);
}

/* The value of a key, or NULL. */
static yaml_node_t *value_of(const reader *r, const yaml_node_t *map, const char *key)
{
    for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
         p++) {
        size_t n;
        const char *text = scalar(yaml_document_get_node(r->document, p->key), &n);
        if (text && n == strlen(key) && !memcmp(text, key, n))
            return yaml_document_get_node(r->document, p->value);
    }
    return NULL;
}

static bool finite_number(const yaml_node_t *node, double *out)
{
    size_t n;
    const char *text = scalar(node, &n);
    return text && rv_number(text, n, out) && isfinite(*out);
}

static bool is_null(const yaml_node_t *node)
{
    size_t n;
    const char *text = scalar(node, &n);
    return text && (!n || !strcmp(text, "null") || !strcmp(text, "~"));
}

/* Parts of a bag */

static rv_status read_models(reader *r, const yaml_node_t *list)
{
    if (list->type != YAML_SEQUENCE_NODE || !item_count(list) || item_count(list) > MODEL_LIMIT)
        return line_error(r, list, "\"models\" must be a list of 1 to 1000 names");
    r->bag->models = calloc(item_count(list), sizeof *r->bag->models);
    if (!r->bag->models)
        return out_of_memory(r);
    for (; r->bag->n_models < item_count(list); r->bag->n_models++) {
        const yaml_node_t *node = item(r, list, r->bag->n_models);
        size_t n;
        const char *text = scalar(node, &n);
        if (!text || !n || memchr(text, 0, n))
            return line_error(r, node, "the name of a model must be text");
        char *name = strndup(text, n);
        if (!name)
            return out_of_memory(r);
        r->bag->models[r->bag->n_models] = name;
    }
    return RV_OK;
}

static rv_status read_row(reader *r, const yaml_node_t *row, double *weights)
{
    for (size_t i = 0; i < r->bag->n_sources; i++) {
        const yaml_node_t *node = item(r, row, i);
        if (!finite_number(node, &weights[i]) || weights[i] < 0)
            return line_error(r, node, "a weight must be a number, 0 or more");
    }
    return RV_OK;
}

/* Each source is divided by the sum of its weights. */
static rv_status check_sums(const reader *r, const yaml_node_t *list)
{
    const rv_bag *bag = r->bag;
    for (size_t s = 0; s < bag->n_sources; s++) {
        double sum = 0;
        for (size_t m = 0; m < bag->n_models; m++)
            sum += bag->weights[m * bag->n_sources + s];
        if (!(sum > 0) || !isfinite(sum))
            return RV_FAIL(r->err, RV_ERR_FORMAT,
                           "%s, line %zu: the weights of source %zu must have a sum above 0",
                           r->path, list->start_mark.line + 1, s + 1);
    }
    return RV_OK;
}

static rv_status read_weights(reader *r, const yaml_node_t *list)
{
    rv_bag *bag = r->bag;
    if (list->type != YAML_SEQUENCE_NODE || item_count(list) != bag->n_models)
        return line_error(r, list, "\"weights\" must be a list with one row for each model");
    for (size_t m = 0; m < bag->n_models; m++) {
        const yaml_node_t *row = item(r, list, m);
        if (row->type != YAML_SEQUENCE_NODE || !item_count(row) || item_count(row) > SOURCE_LIMIT ||
            (m && item_count(row) != bag->n_sources))
            return line_error(r, row, "all rows of \"weights\" must be lists of the same length");
        bag->n_sources = item_count(row);
        if (!bag->weights)
            bag->weights = calloc(bag->n_models * bag->n_sources, sizeof *bag->weights);
        if (!bag->weights)
            return out_of_memory(r);
        RV_TRY(read_row(r, row, bag->weights + m * bag->n_sources));
    }
    return check_sums(r, list);
}

static rv_status read_document(reader *r)
{
    const yaml_node_t *root = yaml_document_get_root_node(r->document);
    if (!root || root->type != YAML_MAPPING_NODE)
        return RV_FAIL(r->err, RV_ERR_FORMAT, "%s: a bag of models must be a map with \"models\"",
                       r->path);
    const yaml_node_t *models = value_of(r, root, "models");
    const yaml_node_t *weights = value_of(r, root, "weights");
    const yaml_node_t *segment = value_of(r, root, "segment");
    if (!models)
        return line_error(r, root, "a bag of models must have a list \"models\"");
    RV_TRY(read_models(r, models));
    if (weights && !is_null(weights))
        RV_TRY(read_weights(r, weights));
    if (segment && !is_null(segment) &&
        (!finite_number(segment, &r->bag->segment) || r->bag->segment <= 0))
        return line_error(r, segment, "\"segment\" must be a number of seconds above 0");
    return RV_OK;
}

static rv_status parse_error(const reader *r, const yaml_parser_t *parser)
{
    return RV_FAIL(r->err, parser->error == YAML_MEMORY_ERROR ? RV_ERR_NOMEM : RV_ERR_FORMAT,
                   "%s, line %zu: %s", r->path, parser->problem_mark.line + 1,
                   parser->problem ? parser->problem : "not YAML");
}

static rv_status parse(reader *r, const rv_mapping *file)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return out_of_memory(r);
    yaml_parser_set_input_string(&parser, file->data ? file->data : (const unsigned char *)"",
                                 file->size);
    rv_status status;
    if (yaml_parser_load(&parser, &document)) {
        r->document = &document;
        status = read_document(r);
        yaml_document_delete(&document);
    } else {
        status = parse_error(r, &parser);
    }
    yaml_parser_delete(&parser);
    return status;
}

static rv_status read_file(rv_bag *bag, const rv_mapping *file, const char *path, rv_error *err)
{
    reader r = { .path = path, .bag = bag, .err = err };
    if (file->size > SIZE_LIMIT)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: too large for a bag of models (%zu bytes)", path,
                       file->size);
    return parse(&r, file);
}

rv_status rv_bag_open(rv_bag **out, const char *path, rv_error *err)
{
    rv_mapping file = { 0 };
    RV_TRY(rv_mapping_open(&file, path, err));
    rv_bag *bag = calloc(1, sizeof *bag);
    const rv_status status = bag ? read_file(bag, &file, path, err)
                                 : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    rv_mapping_close(&file);
    if (status == RV_OK)
        *out = bag;
    else
        rv_bag_free(bag);
    return status;
}
