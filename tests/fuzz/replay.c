/* replay.c - feed the files of a corpus to a fuzz target, without libFuzzer.
 *
 *     replay_audio FOLDER|FILE...
 *
 * Each fuzz target is built with this main() for normal test runs, and with libFuzzer's under
 * -Dfuzz=true. A crash or a sanitizer's report is the failure. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st) != 0) {
        perror(path);
        return -1;
    }
    const size_t size = (size_t)st.st_size;
    uint8_t *data = malloc(size + 1);
    const int read = data && fread(data, 1, size, f) == size ? 1 : -1;
    fclose(f);
    if (read > 0)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    return read;
}

/* Number of files replayed, -1 if one could not be read. */
static int replay(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return replay_file(path);
    int total = 0;
    for (struct dirent *entry; total >= 0 && (entry = readdir(folder));) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        const int n = replay(name);
        total = n < 0 ? -1 : total + n;
    }
    closedir(folder);
    return total;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        const int n = replay(argv[i]);
        if (n < 0)
            return 1;
        total += n;
    }
    printf("%d inputs replayed\n", total);
    return total == 0;
}
