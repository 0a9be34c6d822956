/* output_plan.c - see output_plan.h. */
#include "infer/output_plan.h"

#include "base/status.h"
#include "infer/file_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static rv_status no_such_stem(const rv_model *m, const char *name, size_t n, rv_error *err)
{
    char list[RV_MAX_STEMS * (RV_STEM_NAME + 2)] = "";
    for (size_t k = 0; k < m->card.n_stems; k++) {
        const size_t at = strlen(list);
        snprintf(list + at, sizeof list - at, "%s%s", k ? ", " : "", m->stems[k]);
    }
    return RV_FAIL(err, RV_ERR_ARG, "model %s has no stem '%.*s'; its stems are %s", m->card.name,
                   (int)(n < 60 ? n : 60), name, list);
}

static rv_status find_stem(size_t *stem, const rv_model *m, const char *name, size_t n,
                           rv_error *err)
{
    for (*stem = 0; *stem < m->card.n_stems; ++*stem)
        if (strlen(m->stems[*stem]) == n && memcmp(m->stems[*stem], name, n) == 0)
            return RV_OK;
    return no_such_stem(m, name, n, err);
}

/* Bits of the stems in "a,b"; all for NULL. */
static rv_status parse_stems(uint32_t *bits, const rv_model *m, const char *list, rv_error *err)
{
    *bits = list ? 0 : (uint32_t)((1ULL << m->card.n_stems) - 1);
    for (const char *at = list; at && *at;) {
        const size_t n = strcspn(at, ",");
        size_t stem;
        RV_TRY(find_stem(&stem, m, at, n, err));
        *bits |= 1U << stem;
        at += n + (at[n] == ',');
    }
    return *bits ? RV_OK : RV_FAIL(err, RV_ERR_ARG, "no stems are asked for");
}

static rv_status add(rv_output_plan *p, uint32_t stems, const char *name, rv_name_parts parts,
                     const char *template, rv_error *err)
{
    parts.stem = name;
    RV_TRY(rv_file_name(&p->paths[p->n], template, &parts, err));
    p->stems[p->n++] = stems;
    const char *path = p->paths[p->n - 1];
    for (size_t i = 0; i + 1 < p->n; i++)
        if (strcmp(p->paths[i], path) == 0)
            return RV_FAIL(err, RV_ERR_ARG,
                           "file name '%.200s' gives the same name to several stems: use {stem}",
                           template);
    p->n_present += access(path, F_OK) == 0;
    return RV_OK;
}

static rv_status add_all(rv_output_plan *p, const rv_model *m, const rv_name_parts *parts,
                         const rv_file_options *opt, rv_error *err)
{
    const uint32_t all = (uint32_t)((1ULL << m->card.n_stems) - 1);
    uint32_t wanted;
    if (opt->two_stems) {
        char rest[RV_STEM_NAME + 8];
        size_t stem;
        RV_TRY(find_stem(&stem, m, opt->two_stems, strlen(opt->two_stems), err));
        snprintf(rest, sizeof rest, "no_%s", m->stems[stem]);
        RV_TRY(add(p, 1U << stem, m->stems[stem], *parts, opt->filename, err));
        return add(p, all & ~(1U << stem), rest, *parts, opt->filename, err);
    }
    RV_TRY(parse_stems(&wanted, m, opt->stems, err));
    for (size_t k = 0; k < m->card.n_stems; k++)
        if (wanted >> k & 1)
            RV_TRY(add(p, 1U << k, m->stems[k], *parts, opt->filename, err));
    return RV_OK;
}

static rv_status make(rv_output_plan *p, const rv_model *m, const rv_name_parts *parts,
                      const rv_file_options *opt, rv_error *err)
{
    char *folder = NULL;
    rv_name_parts with = *parts;
    if (!opt->out_dir) {
        const size_t room = strlen(m->card.name) + sizeof "separated/";
        folder = malloc(room);
        if (!folder)
            return RV_FAIL(err, RV_ERR_NOMEM, "a folder's name");
        snprintf(folder, room, "separated/%s", m->card.name);
    }
    with.folder = folder ? folder : opt->out_dir;
    with.track = opt->track ? opt->track : parts->track;
    const rv_status st = add_all(p, m, &with, opt, err);
    free(folder);
    return st;
}

rv_status rv_output_plan_make(rv_output_plan *p, const rv_model *m, const char *path,
                              const rv_file_options *opt, rv_error *err)
{
    char *track, *trackext;
    *p = (rv_output_plan){ 0 };
    RV_TRY(rv_file_track(&track, &trackext, path, err));
    const rv_name_parts parts = {
        .track = track, .trackext = trackext, .ext = opt->format, .model = m->card.name
    };
    const rv_status st = make(p, m, &parts, opt, err);
    free(track);
    free(trackext);
    if (st != RV_OK)
        rv_output_plan_fini(p);
    return st;
}

void rv_output_plan_fini(rv_output_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->paths[i]);
    p->n = 0;
}
