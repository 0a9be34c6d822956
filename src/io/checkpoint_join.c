/* checkpoint_join.c - the tensors of several checkpoints under new names; elements stay where they
 * are. */
#include "io/checkpoint_join.h"

#include "io/checkpoint_impl.h"

#include <stdlib.h>
#include <string.h>

static bool is_left_out(const rv_checkpoint_part *p, const char *name)
{
    for (const char *const *out = p->left_out; out && *out; out++)
        if (!strcmp(*out, name))
            return true;
    return false;
}

static rv_status add_tensor(rv_checkpoint *c, const rv_checkpoint_part *p, const rv_tensor *t,
                            rv_error *err)
{
    rv_tensor renamed = *t;
    const size_t prefix = strlen(p->prefix), size = prefix + strlen(t->name) + 1;
    char *name = rv_arena_take(&c->arena, size);
    if (!name)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", c->path);
    memcpy(name, p->prefix, prefix);
    memcpy(name + prefix, t->name, size - prefix);
    renamed.name = name;
    renamed.part = p->checkpoint;
    return rv_checkpoint_add(c, &renamed, err);
}

static rv_status add_parts(rv_checkpoint *c, const rv_checkpoint_part *parts, size_t n,
                           rv_error *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < parts[i].checkpoint->n; k++) {
            const rv_tensor *t = &parts[i].checkpoint->tensors[k];
            if (!is_left_out(&parts[i], t->name))
                RV_TRY(add_tensor(c, &parts[i], t, err));
        }
    return rv_checkpoint_index(c, err);
}

rv_status rv_checkpoint_join(rv_checkpoint **out, const rv_checkpoint_part *parts, size_t n,
                             json_t *config, const char *path, rv_error *err)
{
    rv_checkpoint *c = calloc(1, sizeof *c);
    rv_checkpoint **owned = calloc(n + 1, sizeof *owned);
    rv_status st =
        c && owned && config ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    if (st != RV_OK) {
        for (size_t i = 0; i < n; i++)
            rv_checkpoint_free(parts[i].checkpoint);
        json_decref(config);
        free(owned);
        free(c);
        return st;
    }
    rv_arena_init(&c->arena, NULL);
    for (size_t i = 0; i < n; i++)
        owned[i] = parts[i].checkpoint;
    c->parts = owned;
    c->n_parts = n;
    c->config = config;
    c->kind = n ? parts[0].checkpoint->kind : "";
    c->path = rv_checkpoint_keep(c, path, strlen(path));
    st = c->path ? add_parts(c, parts, n, err) : RV_FAIL(err, RV_ERR_NOMEM, "%s", path);
    if (st == RV_OK)
        *out = c;
    else
        rv_checkpoint_free(c);
    return st;
}
