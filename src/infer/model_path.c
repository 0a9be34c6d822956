/* model_path.c - where weights are looked for.
 *
 * The weights of the Demucs family are not ours to give: their author says that they are for
 * research (github.com/facebookresearch/demucs/issues/327). So a name that is known but not there
 * makes an error that says which files of the reference project to get. */
#include "infer/model_path.h"

#include "base/status.h"
#include "infer/unmix_folder.h"
#include "infer/weights_folders.h" /* made by the build: RV_WEIGHTS_FOLDERS */

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct {
    const char *name, *about;
    const char *folder; /* below the address of Demucs' project; a whole address: of Open-Unmix */
    const char *files;  /* separated by spaces; one: no bag is needed */
} known;

/* Its weights are Ravel's own: they lie in the source tree and are installed with the library. */
static const char own[] = "ravel_s";

static const known knowns[] = {
    { own, "small and quick, 4 stems; the default where its weights are there", NULL, NULL },
    { "classic", "signal processing only, built in: drums, bass, other, vocals", NULL, NULL },
    { "htdemucs", "Hybrid Transformer Demucs v4, 4 stems", "hybrid_transformer/",
      "955717e8-8726e21a.th" },
    { "htdemucs_ft", "the same, fine-tuned for each stem: a bag of 4", "hybrid_transformer/",
      "f7e0c4bc-ba3fe64a.th d12395a8-e57c48e6.th 92cfc3b6-ef3bcb9c.th 04573f0d-f3cf25b2.th" },
    { "htdemucs_6s", "the same with guitar and piano, 6 stems", "hybrid_transformer/",
      "5c90dfd2-34c22ccb.th" },
    { "hdemucs_mmi", "Hybrid Demucs v3, retrained, 4 stems", "hybrid_transformer/",
      "75fc33f5-1941ce65.th" },
    { "mdx", "Hybrid Demucs v3, MUSDB HQ only: a bag of 4", "mdx_final/",
      "0d19c1c6-0f06f20e.th 7ecf8ec1-70f50cc9.th c511e2ab-fe698775.th 7d865c68-3d5dd56b.th" },
    { "mdx_extra", "Hybrid Demucs v3, with extra data: a bag of 4", "mdx_final/",
      "e51eebcc-c1b80bdd.th a1d90b5c-ae9d2452.th 5d2d6c55-db83574e.th cfa93e08-61801ae1.th" },
    { "mdx_q", "mdx with weights quantised by DiffQ, a quarter of the size", "mdx_final/",
      "6b9c2ca1-3fd82607.th b72baf4e-8778635e.th 42e558d4-196e0e1b.th 305bc58f-18378783.th" },
    { "mdx_extra_q", "mdx_extra with weights quantised by DiffQ", "mdx_final/",
      "83fc094f-4a16d450.th 464b36d7-e5a9386e.th 14fc6a69-a89dd0ee.th 7fd6ef75-a905dd85.th" },
    { "umxhq", "Open-Unmix, MUSDB HQ: a folder of 4 targets", "https://zenodo.org/records/3370489",
      "bass-8d85a5bd.pth drums-9619578f.pth other-b52fbbf7.pth vocals-b62c91ce.pth" },
    { "umx", "Open-Unmix, MUSDB", "https://zenodo.org/records/3370486",
      "bass-646024d3.pth drums-5a48008b.pth other-f8e132cc.pth vocals-c8df74a5.pth" },
    { "umxl", "Open-Unmix, 1024 units, with extra data", "https://zenodo.org/records/5069601",
      "bass-2ca1ce51.pth drums-69e0ebd4.pth other-c8c5b3e6.pth vocals-bccbd9aa.pth" },
};
enum { N_KNOWN = sizeof knowns / sizeof *knowns, PATH_ROOM = 4096 };

static const char *const endings[] = { ".safetensors", ".yaml", ".yml", ".th", ".pth", ".pt" };
enum { N_ENDINGS = sizeof endings / sizeof *endings };

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && (!S_ISDIR(st.st_mode) || rv_unmix_folder_is(path));
}

static bool has_ending(const char *name)
{
    const size_t n = strlen(name);
    for (size_t i = 0; i < N_ENDINGS; i++)
        if (n > strlen(endings[i]) && strcasecmp(name + n - strlen(endings[i]), endings[i]) == 0)
            return true;
    return false;
}

static const known *find_known(const char *name)
{
    for (size_t i = 0; i < N_KNOWN; i++)
        if (strcmp(knowns[i].name, name) == 0)
            return &knowns[i];
    return NULL;
}

/* Name with each ending, then the reference's own file, in one folder. */
static bool look_in(char *path, const char *folder, size_t folder_size, const char *name)
{
    const known *k = find_known(name);
    if (folder_size == 0 || folder_size > PATH_ROOM / 2 || strlen(name) > PATH_ROOM / 4)
        return false;
    for (size_t i = 0; i < N_ENDINGS; i++) {
        snprintf(path, PATH_ROOM, "%.*s/%s%s", (int)folder_size, folder, name, endings[i]);
        if (is_file(path))
            return true;
    }
    snprintf(path, PATH_ROOM, "%.*s/%s", (int)folder_size, folder, name);
    if (rv_unmix_folder_is(path))
        return true;
    if (!k || !k->files || strchr(k->files, ' '))
        return false;
    snprintf(path, PATH_ROOM, "%.*s/%s", (int)folder_size, folder, k->files);
    return is_file(path);
}

/* Folder for downloads of this user; "" if the environment names none. */
static void cache_folder(char *folder)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    folder[0] = '\0';
    if (cache && cache[0] && strlen(cache) < PATH_ROOM / 2)
        snprintf(folder, PATH_ROOM, "%s/ravel", cache);
    else if (home && home[0] && strlen(home) < PATH_ROOM / 2)
        snprintf(folder, PATH_ROOM, "%s/.cache/ravel", home);
}

/* folders: separated by ':', or NULL */
static bool look_in_each(char *path, const char *folders, const char *name)
{
    for (const char *f = folders; f && *f;) {
        const size_t n = strcspn(f, ":");
        if (look_in(path, f, n, name))
            return true;
        f += n + (f[n] == ':');
    }
    return false;
}

static bool look_everywhere(char *path, const char *name)
{
    char folder[PATH_ROOM];
    cache_folder(folder);
    return look_in_each(path, getenv("RAVEL_MODELS"), name) ||
           look_in(path, folder, strlen(folder), name) ||
           look_in_each(path, RV_WEIGHTS_FOLDERS, name);
}

/* Open-Unmix's targets lie in a folder of their own. */
static rv_status advise_folder(const known *k, const char *folder, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_IO,
                   "%s: its weights are not here: get %s from %s into %.600s/%s (or into %s in a "
                   "folder of $RAVEL_MODELS); see there for what they may be used for. Without any "
                   "weights: -m classic",
                   k->name, k->files, k->folder, folder, k->name, k->name);
}

static rv_status advise_own(rv_error *err)
{
    return RV_FAIL(err, RV_ERR_IO,
                   "%s: its weights came not with this build: train them (configs/%s.yaml) and put "
                   "%s.safetensors into a folder of $RAVEL_MODELS. Without any weights: -m classic",
                   own, own, own);
}

static rv_status advise(const known *k, rv_error *err)
{
    char folder[PATH_ROOM];
    if (k->name == own)
        return advise_own(err);
    cache_folder(folder);
    if (!strncmp(k->folder, "https:", 6))
        return advise_folder(k, folder, err);
    char bag[160] = "";
    if (strchr(k->files, ' '))
        snprintf(bag, sizeof bag, " and demucs/remote/%s.yaml from github.com/adefossez/demucs",
                 k->name);
    return RV_FAIL(err, RV_ERR_IO,
                   "%s: its weights are not here: get %s from "
                   "https://dl.fbaipublicfiles.com/demucs/%s%s into %.600s (or a folder of "
                   "$RAVEL_MODELS); their author says they are for research use "
                   "(facebookresearch/demucs#327); `ravel models convert` makes them "
                   ".safetensors. Without any weights: -m classic",
                   k->name, k->files, k->folder, bag, folder);
}

static rv_status unknown(const char *name, rv_error *err)
{
    char list[400] = "";
    for (size_t i = 0; i < N_KNOWN; i++) {
        const size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", knowns[i].name);
    }
    return RV_FAIL(err, RV_ERR_IO,
                   "%.300s: no such model; a name (%s) or a file (.safetensors, .th, .pth, .yaml) "
                   "was expected",
                   name, list);
}

rv_status rv_model_path(char **out, const char *name, rv_error *err)
{
    char path[PATH_ROOM];
    const known *k = find_known(name);
    if (is_file(name))
        snprintf(path, sizeof path, "%s", name);
    else if (strchr(name, '/') || has_ending(name))
        return RV_FAIL(err, RV_ERR_IO, "%.1000s: no such file", name);
    else if (!look_everywhere(path, name))
        return k && (k->files || k->name == own) ? advise(k, err) : unknown(name, err);
    *out = strdup(path);
    return *out ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a path");
}

/* The file's name, or its folder's where that holds the model. */
static char *last_part(const char *path)
{
    static const char separator[] = "/separator.json";
    size_t n = strlen(path);
    if (n > sizeof separator && !strcmp(path + n - sizeof separator + 1, separator))
        n -= sizeof separator - 1;
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t start = n;
    while (start > 0 && path[start - 1] != '/')
        start--;
    return strndup(path + start, n - start);
}

char *rv_model_name(const char *path)
{
    char *name = last_part(path);
    for (size_t i = 0; name && i < N_KNOWN; i++)
        if (knowns[i].files && strcmp(knowns[i].files, name) == 0) {
            free(name);
            return strdup(knowns[i].name);
        }
    if (name && has_ending(name))
        *strrchr(name, '.') = '\0';
    return name;
}

/* A file called SIGNATURE.end, or SIGNATURE-CHECKSUM.end. */
static bool is_part(const char *file, const char *signature)
{
    static const char *const ends[] = { ".th", ".safetensors", ".pth", ".pt" };
    const size_t n = strlen(signature);
    const char *dot = strrchr(file, '.');
    if (strncmp(file, signature, n) != 0 || !dot || (file[n] != '.' && file[n] != '-'))
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (strcmp(dot, ends[i]) == 0)
            return file[n] == '-' || dot == file + n;
    return false;
}

/* Of several files, the last by name: .th stands before .safetensors, as with the reference. */
static bool find_part(char *path, const char *folder, size_t folder_size, const char *signature)
{
    char name[PATH_ROOM / 2], best[256] = "";
    snprintf(name, sizeof name, "%.*s", (int)folder_size, folder);
    DIR *d = opendir(name);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (is_part(e->d_name, signature) && strcmp(e->d_name, best) > 0)
            snprintf(best, sizeof best, "%s", e->d_name);
    if (d)
        closedir(d);
    snprintf(path, PATH_ROOM, "%s/%s", name, best);
    return best[0] != '\0';
}

rv_status rv_model_path_of_part(char **out, const char *bag, const char *signature, rv_error *err)
{
    char path[PATH_ROOM], folder[PATH_ROOM];
    const char *slash = strrchr(bag, '/');
    bool found = slash ? find_part(path, bag, (size_t)(slash - bag) + 1, signature)
                       : find_part(path, ".", 1, signature);
    for (const char *f = getenv("RAVEL_MODELS"); !found && f && *f;) {
        const size_t n = strcspn(f, ":");
        found = n > 0 && find_part(path, f, n, signature);
        f += n + (f[n] == ':');
    }
    cache_folder(folder);
    found = found || (folder[0] && find_part(path, folder, strlen(folder), signature));
    if (!found)
        return RV_FAIL(err, RV_ERR_IO, "%.1000s: its part %.100s is not in the same folder", bag,
                       signature);
    *out = strdup(path);
    return *out ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a path");
}

/* A file by its path from the bag's folder. */
static bool find_beside(char *path, const char *bag, const char *name)
{
    const char *slash = strrchr(bag, '/');
    const size_t folder = slash && name[0] != '/' ? (size_t)(slash - bag) + 1 : 0;
    if (folder + strlen(name) >= PATH_ROOM)
        return false;
    snprintf(path, PATH_ROOM, "%.*s%s", (int)folder, bag, name);
    return is_file(path);
}

rv_status rv_model_path_in_bag(char **out, const char *bag, const char *name, rv_error *err)
{
    char path[PATH_ROOM];
    rv_error ignored = { 0 };
    if (strcmp(name, "classic") != 0 && rv_model_path_of_part(out, bag, name, &ignored) == RV_OK)
        return RV_OK;
    if (strcmp(name, "classic") == 0 || find_beside(path, bag, name)) {
        *out = strdup(strcmp(name, "classic") == 0 ? name : path);
        return *out ? RV_OK : RV_FAIL(err, RV_ERR_NOMEM, "a path");
    }
    if (find_known(name) || look_everywhere(path, name))
        return rv_model_path(out, name, err);
    return rv_model_path_of_part(out, bag, name, err);
}

int rv_known_model_at(size_t i, rv_known_model *entry)
{
    char path[PATH_ROOM];
    if (i >= N_KNOWN)
        return 0;
    *entry = (rv_known_model){ .name = knowns[i].name, .about = knowns[i].about };
    entry->installed = !strcmp(knowns[i].name, "classic") || look_everywhere(path, knowns[i].name);
    return 1;
}

const char *rv_default_model(void)
{
    char path[PATH_ROOM];
    return look_everywhere(path, own) ? own : "classic";
}
