/* unmix_folder.c - Open-Unmix's weights as its training and its releases leave them: a folder with
 * a file for each target.
 *
 *     TARGET.pth, or TARGET-CHECKSUM.pth    state dicts
 *     separator.json                        nfft, nhop, sample_rate, nb_channels
 *
 * Sizes are read off the tensors; separator.json may be missing (releases have none), which stands
 * for 44.1 kHz and a hop of a quarter. As in openunmix' program, one iteration of the Wiener filter
 * follows, where there are two targets; separator.json may say otherwise (niter, residual,
 * softmask, wiener_win_len). Audio is not normalised. */
#include "infer/unmix_folder.h"

#include "io/checkpoint_join.h"
#include "models/model.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH_ROOM = 4096, NAME_ROOM = 256, CHECKSUM = 8 };

/* Of older versions of openunmix, which kept their STFT beside the weights. */
static const char *const buffers[] = { "stft.window", "transform.0.window", "sample_rate", NULL };

typedef struct {
    char path[PATH_ROOM];
    char file[RV_MAX_STEMS][NAME_ROOM], target[RV_MAX_STEMS][RV_STEM_NAME];
    size_t n;
} folder;

/* Finding -------------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The folder of a path that names it or its separator.json; false if it cannot be one. */
static bool folder_of(char out[PATH_ROOM], const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (strlen(path) >= PATH_ROOM / 2)
        return false;
    if (strcmp(name, "separator.json") != 0) {
        snprintf(out, PATH_ROOM, "%s", path);
        return is_folder(path);
    }
    snprintf(out, PATH_ROOM, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    return true;
}

/* "bass.pth" and "bass-8d85a5bd.pth" -> "bass"; false for other files. */
static bool target_of(char target[RV_STEM_NAME], const char *file)
{
    const char *dot = strrchr(file, '.');
    if (!dot || dot == file || strcmp(dot, ".pth") != 0 || strlen(file) >= NAME_ROOM)
        return false;
    size_t n = (size_t)(dot - file);
    const size_t bare = n > CHECKSUM + 1 ? n - CHECKSUM - 1 : 0;
    if (bare && strchr("-_", file[bare]) &&
        strspn(file + bare + 1, "0123456789abcdef") == (size_t)CHECKSUM)
        n = bare;
    if (n >= RV_STEM_NAME)
        return false;
    snprintf(target, RV_STEM_NAME, "%.*s", (int)n, file);
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The names of the files in order; one more than there may be, if there are too many. */
static size_t list_files(const char *path, char (*file)[NAME_ROOM], size_t most)
{
    size_t n = 0;
    char target[RV_STEM_NAME];
    DIR *d = opendir(path);
    for (const struct dirent *e; d && n <= most && (e = readdir(d));)
        if (target_of(target, e->d_name) && n++ < most)
            snprintf(file[n - 1], NAME_ROOM, "%s", e->d_name);
    if (d)
        closedir(d);
    qsort(file, n < most ? n : most, NAME_ROOM, by_name);
    return n;
}

bool rv_unmix_folder_is(const char *path)
{
    char at[PATH_ROOM], file[1][NAME_ROOM];
    return folder_of(at, path) && list_files(at, file, 1) > 0;
}

/* Configuration -------------------------------------------------------------------------- */

static size_t extent(const rv_checkpoint *c, const char *name, int axis)
{
    const rv_tensor *t = rv_checkpoint_find(c, name);
    return t && axis < t->rank ? t->shape[axis] : 0;
}

static size_t count_layers(const rv_checkpoint *c)
{
    char name[40];
    for (size_t n = 0;; n++) {
        snprintf(name, sizeof name, "lstm.weight_ih_l%zu", n);
        if (!rv_checkpoint_find(c, name))
            return n;
    }
}

static json_t *sizes(const rv_checkpoint *c, size_t n_targets)
{
    const size_t given = extent(c, "input_mean", 0), bins = extent(c, "output_mean", 0);
    const size_t n_fft = bins > 1 ? 2 * (bins - 1) : 0;
    return json_pack("{sI sI sI sI sI sI sb sI sI}", "n_fft", (json_int_t)n_fft, "n_hop",
                     (json_int_t)(n_fft / 4), "max_bin", (json_int_t)given, "audio_channels",
                     (json_int_t)(given ? extent(c, "fc1.weight", 1) / given : 0), "hidden_size",
                     (json_int_t)extent(c, "fc1.weight", 0), "nb_layers",
                     (json_int_t)count_layers(c), "unidirectional",
                     !rv_checkpoint_find(c, "lstm.weight_ih_l0_reverse"), "samplerate",
                     (json_int_t)44100, "niter", (json_int_t)(n_targets > 1));
}

/* What separator.json says takes the place of what was guessed. */
static rv_status read_settings(json_t *kwargs, const char *at, rv_error *err)
{
    static const char *const keys[][2] = {
        { "nfft", "n_fft" },
        { "nhop", "n_hop" },
        { "sample_rate", "samplerate" },
        { "nb_channels", "audio_channels" },
        { "niter", "niter" },
        { "residual", "residual" },
        { "softmask", "softmask" },
        { "wiener_win_len", "wiener_win_len" },
    };
    char path[PATH_ROOM];
    json_error_t where;
    struct stat st;
    snprintf(path, sizeof path, "%.4000s/separator.json", at);
    if (stat(path, &st) != 0)
        return RV_OK;
    json_t *given = json_load_file(path, 0, &where);
    if (!json_is_object(given)) {
        json_decref(given);
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: line %d: %s", path, where.line,
                       given ? "is no JSON object" : where.text);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (json_object_get(given, keys[i][0]))
            json_object_set(kwargs, keys[i][1], json_object_get(given, keys[i][0]));
    json_decref(given);
    return RV_OK;
}

static rv_status configure(json_t **out, const folder *f, const rv_checkpoint *first, rv_error *err)
{
    json_t *kwargs = sizes(first, f->n), *sources = json_array();
    for (size_t i = 0; i < f->n; i++)
        json_array_append_new(sources, json_string(f->target[i]));
    json_object_set_new(kwargs, "sources", sources);
    *out = json_pack("{ss sO ss si}", "class", "openunmix.model.Separator", "kwargs", kwargs,
                     "normalise", "none", "format_version", 1);
    const rv_status st = *out ? read_settings(kwargs, f->path, err)
                              : RV_FAIL(err, RV_ERR_NOMEM, "the configuration of %s", f->path);
    json_decref(kwargs);
    return st;
}

/* Opening -------------------------------------------------------------------------------- */

static rv_status find_targets(folder *f, const char *path, rv_error *err)
{
    if (!folder_of(f->path, path))
        return RV_FAIL(err, RV_ERR_IO, "%.1000s: no such folder", path);
    f->n = list_files(f->path, f->file, RV_MAX_STEMS);
    if (f->n == 0 || f->n > RV_MAX_STEMS)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%.1000s: a folder of Open-Unmix has 1 to %d files TARGET.pth", path,
                       RV_MAX_STEMS);
    for (size_t i = 0; i < f->n; i++)
        target_of(f->target[i], f->file[i]);
    return RV_OK;
}

static rv_status open_parts(rv_checkpoint_part *parts, char (*prefix)[RV_STEM_NAME + 16],
                            const folder *f, size_t *n, rv_error *err)
{
    for (*n = 0; *n < f->n; ++*n) {
        char path[PATH_ROOM];
        snprintf(path, sizeof path, "%.3500s/%s", f->path, f->file[*n]);
        snprintf(prefix[*n], sizeof *prefix, "target_models.%s.", f->target[*n]);
        parts[*n] = (rv_checkpoint_part){ .prefix = prefix[*n], .left_out = buffers };
        RV_TRY(rv_checkpoint_open(&parts[*n].checkpoint, path, err));
    }
    if (!rv_checkpoint_find(parts[0].checkpoint, "fc1.weight"))
        return RV_FAIL(err, RV_ERR_FORMAT, "%s/%s: is no target of Open-Unmix, it lacks fc1.weight",
                       f->path, f->file[0]);
    return RV_OK;
}

rv_status rv_unmix_folder_open(rv_checkpoint **out, const char *path, rv_error *err)
{
    folder f = { .n = 0 };
    rv_checkpoint_part parts[RV_MAX_STEMS];
    char prefix[RV_MAX_STEMS][RV_STEM_NAME + 16];
    json_t *config = NULL;
    size_t n = 0;
    RV_TRY(find_targets(&f, path, err));
    rv_status st = open_parts(parts, prefix, &f, &n, err);
    if (st == RV_OK)
        st = configure(&config, &f, parts[0].checkpoint, err);
    if (st == RV_OK)
        return rv_checkpoint_join(out, parts, n, config, path, err);
    for (size_t i = 0; i < n; i++)
        rv_checkpoint_free(parts[i].checkpoint);
    json_decref(config);
    return st;
}
