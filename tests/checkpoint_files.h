/* checkpoint_files.h - fixtures and temporary folders of the tests of weights. */
#ifndef TESTS_CHECKPOINT_FILES_H
#define TESTS_CHECKPOINT_FILES_H

#include "check.h"

#include "io/checkpoint.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct path_text {
    char text[1024];
} path_text;

/* tests/golden/checkpoint/NAME */
static inline path_text fixture(const char *name)
{
    const char *root = getenv("RV_TEST_SOURCE");
    path_text p;
    snprintf(p.text, sizeof p.text, "%s/tests/golden/checkpoint/%s", root ? root : ".", name);
    return p;
}

/* The whole file, to be freed; aligned as malloc does. */
static inline unsigned char *load_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    CHECK_MSG(f, "%s is missing", path);
    fseek(f, 0, SEEK_END);
    *size = (size_t)ftell(f);
    rewind(f);
    unsigned char *bytes = malloc(*size + 1);
    CHECK(bytes && fread(bytes, 1, *size, f) == *size);
    fclose(f);
    return bytes;
}

static inline void store_file(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(bytes, 1, size, f) == size);
    fclose(f);
}

static inline path_text make_folder(void)
{
    path_text p = { "/tmp/ravel-test-XXXXXX" };
    CHECK(mkdtemp(p.text));
    return p;
}

static inline path_text in_folder(const path_text *folder, const char *name)
{
    path_text p;
    CHECK((size_t)snprintf(p.text, sizeof p.text, "%.900s/%.100s", folder->text, name) < 1023);
    return p;
}

/* Remove the folder and its files; returns how many there were. */
static inline int remove_folder(const path_text *folder)
{
    int n = 0;
    DIR *d = opendir(folder->text);
    CHECK(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        const path_text p = in_folder(folder, e->d_name);
        unlink(p.text);
        n++;
    }
    closedir(d);
    rmdir(folder->text);
    return n;
}

/* All tensors read, or an error: what the tests of damaged files do with each of them. */
static inline void use_checkpoint(const void *bytes, size_t size)
{
    rv_error err;
    rv_checkpoint *c;
    if (rv_checkpoint_open_memory(&c, bytes, size, "damaged", &err) != RV_OK) {
        CHECK(err.text[0] && !strchr(err.text, '\n'));
        return;
    }
    for (size_t i = 0; i < rv_checkpoint_count(c); i++) {
        const rv_tensor *t = rv_checkpoint_tensor(c, i);
        float *x = t->count < 1 << 20 ? malloc((t->count + 1) * sizeof *x) : NULL;
        const rv_status status = x ? rv_checkpoint_read(c, t, x, &err) : RV_OK;
        CHECK(status == RV_OK || err.text[0]);
        free(x);
    }
    rv_checkpoint_free(c);
}

#endif
