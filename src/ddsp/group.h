/* group.h - processors that feed each other: synthesisers, effects and what joins them, as a graph
 * without circles (ddsp's ProcessorGroup). infer/group_file.h reads one from a file.
 *
 *     rv_group_new(&g, 16000, NULL, &err);
 *     rv_group_add(g, "voice", "harmonic", 3, (const char *[]){ "amplitude", "shares", "f0" },
 * &err); rv_group_add(g, "room", "reverb", 2, (const char *[]){ "voice", "ir" }, &err);
 *     rv_group_set(g, "room", "dry", 0, &err);
 *
 * An input is a processor that was added before, or else a control: what a network or the caller
 * gives under that name. The output is that of the processor added last. */
#ifndef DDSP_GROUP_H
#define DDSP_GROUP_H

#include "ddsp/group_kind.h"

enum { RV_GROUP_NAME = 64, RV_GROUP_MOST = 64 }; /* bytes with the zero; processors, and controls */

typedef struct rv_group_source {
    bool is_processor;
    size_t index; /* of the processor or the control */
} rv_group_source;

typedef struct rv_group_processor {
    char name[RV_GROUP_NAME];
    const rv_group_kind *kind;
    double settings[RV_GROUP_SETTINGS]; /* in the kind's order */
    size_t n_inputs;
    rv_group_source inputs[RV_GROUP_INPUTS];
} rv_group_processor;

typedef struct rv_group_control {
    char name[RV_GROUP_NAME];
    rv_group_port port;
} rv_group_control;

typedef struct rv_group {
    const rv_alloc *mem;
    double sample_rate;
    size_t n_processors, n_controls, output;
    rv_group_processor processors[RV_GROUP_MOST]; /* each after those that feed it */
    rv_group_control controls[RV_GROUP_MOST];     /* in the order in which inputs name them */
} rv_group;

/* mem NULL: malloc */
RV_NODISCARD rv_status rv_group_new(rv_group **out, double sample_rate, const rv_alloc *mem,
                                    rv_error *err);
void rv_group_free(rv_group *g);

/* Errors say what was expected: names, kinds, numbers and kinds of inputs. */
RV_NODISCARD rv_status rv_group_add(rv_group *g, const char *name, const char *kind,
                                    size_t n_inputs, const char *const *inputs, rv_error *err);
RV_NODISCARD rv_status rv_group_set(rv_group *g, const char *name, const char *setting,
                                    double value, rv_error *err);
RV_NODISCARD rv_status rv_group_set_output(rv_group *g, const char *name, rv_error *err);

/* The index of a control or a processor; SIZE_MAX: there is none. */
size_t rv_group_find_control(const rv_group *g, const char *name);
size_t rv_group_find(const rv_group *g, const char *name);

/* The signal [B,samples] from a node for each control: frames [B,F,K], audio [B,samples], responses
 * as ddsp/reverb.h has them. Learned parameters are named "processor.parameter". noise (NULL: not
 * wanted) [n_processors] gets the inputs that rv_group_fill_noise() fills, NULL where there is
 * none.
 */
rv_node *rv_group_build(const rv_group *g, nn_builder *b, rv_node *const *controls, size_t samples,
                        rv_node **noise);

/* Fill them before a run: a function of seed and step. */
void rv_group_fill_noise(const rv_group *g, const rv_plan *plan, rv_node *const *noise,
                         uint64_t seed, uint64_t step);
uint64_t rv_group_seed(uint64_t seed, size_t processor); /* that a processor's noise has */

#endif
