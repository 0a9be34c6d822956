/* ensemble_parts.c - see ensemble_parts.h. */
#include "infer/ensemble_parts.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static size_t find_stem(const char *const *stems, size_t n, const char *name)
{
    size_t k = 0;
    while (k < n && strcmp(stems[k], name) != 0)
        k++;
    return k;
}

static rv_status gather_stems(rv_model *m, const char *what, rv_error *err)
{
    rv_model_card *c = &m->card;
    for (size_t i = 0; i < m->n_parts; i++) {
        const rv_model_card *part = &m->parts[i]->card;
        for (size_t k = 0; k < part->n_stems; k++) {
            if (find_stem(m->stems, c->n_stems, part->stems[k]) < c->n_stems)
                continue;
            if (c->n_stems == RV_MAX_STEMS)
                return RV_FAIL(err, RV_ERR_UNSUPPORTED, "%s: has more than %d different stems",
                               what, RV_MAX_STEMS);
            m->stems[c->n_stems++] = part->stems[k];
        }
    }
    return RV_OK;
}

/* What all models take; 0: any. */
static rv_status agree_on_format(rv_model *m, const char *what, rv_error *err)
{
    const rv_model_card *first = NULL;
    for (size_t i = 0; i < m->n_parts; i++) {
        const rv_model_card *c = &m->parts[i]->card;
        if (!c->channels)
            continue;
        if (first && (c->channels != first->channels || c->sample_rate != first->sample_rate))
            return RV_FAIL(err, RV_ERR_UNSUPPORTED,
                           "%s: its models must take the same audio, but %s takes %d channels at "
                           "%d Hz, and %s %d at %d",
                           what, first->name, first->channels, first->sample_rate, c->name,
                           c->channels, c->sample_rate);
        first = first ? first : c;
    }
    m->card.channels = first ? first->channels : 0;
    m->card.sample_rate = first ? first->sample_rate : 0;
    return RV_OK;
}

/* Where stem k of part i comes from, and how much it counts. */
static rv_status route(rv_model *m, size_t i, size_t k, const double *given, const char *what,
                       rv_error *err)
{
    const rv_model_card *part = &m->parts[i]->card;
    const size_t at = i * m->card.n_stems + k;
    const size_t from = find_stem(part->stems, part->n_stems, m->stems[k]);
    const bool there = from < part->n_stems;
    if (given && given[at] > 0 && !there)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: model %zu (%s) has no stem '%s', its weight there must be 0", what,
                       i + 1, part->name, m->stems[k]);
    m->routes[at] = there ? from : 0;
    m->weights[at] = given ? given[at] : there;
    return RV_OK;
}

static rv_status route_all(rv_model *m, const double *weights, size_t n_weights, const char *what,
                           rv_error *err)
{
    const size_t stems = m->card.n_stems;
    if (weights && n_weights != stems) {
        char list[300] = "";
        for (size_t k = 0; k < stems; k++)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s", k ? ", " : "",
                     m->stems[k]);
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: has weights for %zu stems, its models have %zu: %s",
                       what, n_weights, stems, list);
    }
    m->routes = calloc(m->n_parts * stems, sizeof *m->routes);
    m->weights = calloc(m->n_parts * stems, sizeof *m->weights);
    if (!m->routes || !m->weights)
        return RV_FAIL(err, RV_ERR_NOMEM, "%zu weights", m->n_parts * stems);
    for (size_t i = 0; i < m->n_parts; i++)
        for (size_t k = 0; k < stems; k++)
            RV_TRY(route(m, i, k, weights, what, err));
    return RV_OK;
}

static void describe(rv_model *m)
{
    rv_model_card *c = &m->card;
    c->architecture = "ensemble";
    c->citation = "the mean of what its models say of each stem";
    c->license = m->parts[0]->card.license;
    c->provenance = "";
    for (size_t i = 0; i < m->n_parts; i++) {
        const rv_model_card *part = &m->parts[i]->card;
        c->license = strcmp(c->license, part->license) == 0 ? c->license : "";
        c->segment = part->segment > c->segment ? part->segment : c->segment;
        c->overlap = part->overlap > c->overlap ? part->overlap : c->overlap;
        c->parameters += part->parameters;
        c->n_networks += part->n_networks;
    }
}

rv_status rv_ensemble_join(rv_model *m, const double *weights, size_t n_weights, const char *what,
                           rv_error *err)
{
    RV_TRY(gather_stems(m, what, err));
    RV_TRY(agree_on_format(m, what, err));
    RV_TRY(route_all(m, weights, n_weights, what, err));
    describe(m);
    return RV_OK;
}
