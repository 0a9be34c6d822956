/* fuzz_layouts.c - any bytes as metadata.yaml of a Slakh track and as data.json of a MoisesDB one:
 * its songs are found, or refused with one line that names the file. */
#include "data/track_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s%s%s", folder, *name ? "/" : "", name);
    return path;
}

static void remove_folder(void)
{
    static const char *const names[] = {
        "metadata.yaml", "data.json", "stems/S00.wav", "a/b.wav", "stems", "a", ""
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        remove(in_folder(names[i]));
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
    FILE *f = fopen(in_folder(name), "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

static void make_folder(void)
{
    strcpy(folder, "/tmp/fuzz-layouts-XXXXXX");
    if (!mkdtemp(folder) || mkdir(in_folder("stems"), 0700) || mkdir(in_folder("a"), 0700))
        abort();
    atexit(remove_folder);
    write_file("stems/S00.wav", (const uint8_t *)"", 0);
    write_file("a/b.wav", (const uint8_t *)"", 0);
}

static void check_source(const rv_track_sources *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (strncmp(s->at[i].path, folder, strlen(folder)) != 0 || strstr(s->at[i].path, "/../"))
            abort();
}

static void find(const char *layout, const char *file)
{
    const rv_track_query query = { .root = folder, .layout = layout };
    rv_track_list *l = NULL;
    rv_error err = { .text = "" };
    const rv_status status = rv_track_list_find(&l, &query, &err);
    if (status != RV_OK && (l || !strstr(err.text, folder) || strchr(err.text, '\n')))
        abort();
    for (size_t i = 0; l && i < l->n; i++) {
        check_source(&l->tracks[i].mixture);
        for (size_t s = 0; s < l->n_stems; s++)
            check_source(&l->tracks[i].stems[s]);
    }
    rv_track_list_free(l);
    if (remove(in_folder(file)) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!*folder)
        make_folder();
    write_file("metadata.yaml", data, size);
    find("slakh", "metadata.yaml");
    write_file("data.json", data, size);
    find("moisesdb", "data.json");
    return 0;
}
