/* report_card.c - what is known of a model, and a training run; see report_read.h. */
#include "data/entries.h"
#include "io/checkpoint.h"
#include "report/report_read.h"
#include "report/report_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

static rv_status no_memory(const char *path, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

static rv_status text_file(json_t **out, const char *path, rv_error *err)
{
    char *text = NULL;
    size_t n = 0;
    RV_TRY(rv_file_text(&text, &n, path, TEXT_MAX, err));
    *out = rv_text_json(text, n);
    free(text);
    return *out ? RV_OK : no_memory(path, err);
}

static json_t *describe(const rv_checkpoint *c, const char *path)
{
    const size_t n = rv_checkpoint_count(c);
    double parameters = 0; /* may be more than a json_int_t holds */
    for (size_t i = 0; i < n; i++)
        parameters += (double)rv_checkpoint_tensor(c, i)->count;
    return json_pack("{s:o, s:s, s:I, s:f, s:O}", "name", rv_name_json(base_name(path)), "kind",
                     rv_checkpoint_kind(c), "tensors", (json_int_t)n, "parameters", parameters,
                     "config", rv_checkpoint_config(c));
}

static rv_status weights(json_t **out, const char *path, rv_error *err)
{
    rv_checkpoint *c = NULL;
    RV_TRY(rv_checkpoint_open(&c, path, err));
    *out = describe(c, path);
    rv_checkpoint_free(c);
    return *out ? RV_OK : no_memory(path, err);
}

rv_status rv_report_open_card(json_t **out, const char *path, rv_error *err)
{
    json_t *text = NULL;
    if (!rv_ends_in(path, ".md") && !rv_ends_in(path, ".markdown") && !rv_ends_in(path, ".txt"))
        return weights(out, path, err);
    RV_TRY(text_file(&text, path, err));
    *out = json_pack("{so, so}", "name", rv_name_json(base_name(path)), "text", text);
    return *out ? RV_OK : no_memory(path, err);
}

/* Runs ----------------------------------------------------------------------------------- */

static rv_status open_log(json_t **out, const char *path, rv_error *err)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return RV_FAIL(err, RV_ERR_IO,
                       "%s: cannot be read: %s; expected the log of a run of ravel train", path,
                       strerror(errno));
    const rv_status status = rv_report_read_log(out, f, path, err);
    fclose(f);
    return status;
}

/* run[key] = what `open` reads of folder/file. */
static rv_status take(json_t *run, const char *key, const char *folder, const char *file,
                      bool optional, rv_status (*open)(json_t **, const char *, rv_error *),
                      rv_error *err)
{
    char *path = NULL;
    json_t *value = NULL;
    RV_TRY(rv_path_join(&path, folder, file, "", err));
    rv_status status = RV_OK;
    if (!optional || rv_is_file(path))
        status = open(&value, path, err);
    free(path);
    if (value && json_object_set_new(run, key, value) != 0)
        status = no_memory(folder, err);
    return status;
}

/* "first" for runs/first and runs/first/ */
static json_t *run_name(const char *folder)
{
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    size_t from = n;
    while (from > 0 && folder[from - 1] != '/')
        from--;
    return rv_text_json(folder + from, n - from);
}

rv_status rv_report_open_run(json_t **out, const char *folder, rv_error *err)
{
    json_t *run = json_pack("{so}", "name", run_name(folder));
    if (!run)
        return no_memory(folder, err);
    rv_status status = take(run, "series", folder, "log.jsonl", false, open_log, err);
    if (status == RV_OK)
        status = take(run, "recipe", folder, "recipe.yaml", true, text_file, err);
    if (status == RV_OK)
        status = take(run, "model", folder, "best.safetensors", true, weights, err);
    if (status == RV_OK)
        *out = run;
    else
        json_decref(run);
    return status;
}
