/* feature_store.c - see feature_store.h. */
#include "data/feature_store.h"

#include "base/status.h"
#include "io/bytes.h"
#include "io/hash64.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 48, BLOCK_FLOATS = 16384 };
static const char magic[] = "RVFEAT1\n";

static size_t block_frames(size_t width)
{
    return width < BLOCK_FLOATS ? BLOCK_FLOATS / width : 1;
}

static size_t block_count(size_t frames, size_t per_block)
{
    return frames / per_block + (frames % per_block != 0);
}

/* Frames of block b. */
static size_t frames_in(size_t frames, size_t per_block, size_t b)
{
    const size_t rest = frames - b * per_block;
    return rest < per_block ? rest : per_block;
}

static uint64_t hash_all(const unsigned char *head, const rv_feature_key *key,
                         const uint64_t *table, size_t blocks)
{
    const uint64_t a = rv_hash64(head, HEAD - 8, 0), b = rv_hash64(key->bytes, key->size, a);
    return rv_hash64(table, blocks * sizeof *table, b);
}

/* Reading */

static rv_status damaged(const char *path, const char *what, rv_error *err)
{
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: damaged: %s", path, what);
}

static bool read_at(int fd, void *out, size_t n, size_t at)
{
    unsigned char *to = out;
    while (n > 0) {
        const ssize_t got = pread(fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        at += (size_t)got;
        n -= (size_t)got;
    }
    return true;
}

/* The numbers of the header, if the file is as long as they say. */
static bool read_numbers(rv_store *s, const unsigned char *head, uint64_t file_size)
{
    size_t bytes, blocks_bytes;
    s->key_size = rv_le64(head + 8);
    s->width = rv_le64(head + 16);
    s->frames = rv_le64(head + 24);
    s->per_block = rv_le64(head + 32);
    if (memcmp(head, magic, 8) != 0 || s->key_size > RV_FEATURE_KEY_MAX || s->width == 0 ||
        s->width > 1 << 24 || s->per_block != block_frames(s->width) || s->frames > file_size)
        return false;
    blocks_bytes = block_count(s->frames, s->per_block) * 8;
    return !__builtin_mul_overflow(s->frames, s->width * sizeof(float), &bytes) &&
           bytes <= file_size && file_size - bytes == HEAD + s->key_size + blocks_bytes;
}

static rv_status read_header(rv_store *s, const char *path, const rv_feature_key *key,
                             rv_error *err)
{
    unsigned char head[HEAD];
    rv_feature_key found;
    struct stat st;
    if (fstat(s->fd, &st) != 0 || !read_at(s->fd, head, HEAD, 0) ||
        !read_numbers(s, head, (uint64_t)st.st_size) ||
        !read_at(s->fd, found.bytes, found.size = s->key_size, HEAD))
        return damaged(path, "its header or its length", err);
    const size_t blocks = block_count(s->frames, s->per_block);
    s->table = calloc(blocks + 1, sizeof *s->table);
    s->block = calloc(s->per_block, s->width * sizeof *s->block);
    if (!s->table || !s->block)
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu frames", path, s->frames);
    if (!read_at(s->fd, s->table, blocks * sizeof *s->table,
                 HEAD + s->key_size + s->frames * s->width * sizeof(float)) ||
        hash_all(head, &found, s->table, blocks) != rv_le64(head + 40))
        return damaged(path, "its header or table", err);
    if (found.size != key->size || memcmp(found.bytes, key->bytes, key->size) != 0)
        return damaged(path, "it is of another key", err);
    return RV_OK;
}

rv_status rv_store_open(rv_store *s, const char *path, const rv_feature_key *key, rv_error *err)
{
    *s = (rv_store){ .fd = open(path, O_RDONLY | O_CLOEXEC), .in_block = SIZE_MAX };
    if (s->fd < 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", path, strerror(errno));
    const rv_status st = read_header(s, path, key, err);
    if (st != RV_OK)
        rv_store_close(s);
    return st;
}

void rv_store_close(rv_store *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->table);
    free(s->block);
    *s = (rv_store){ .fd = -1 };
}

static rv_status read_block(rv_store *s, const char *path, size_t b, rv_error *err)
{
    const size_t row = s->width * sizeof(float);
    const size_t bytes = frames_in(s->frames, s->per_block, b) * row;
    if (b == s->in_block)
        return RV_OK;
    s->in_block = SIZE_MAX;
    if (!read_at(s->fd, s->block, bytes, HEAD + s->key_size + b * s->per_block * row) ||
        rv_hash64(s->block, bytes, 0) != s->table[b])
        return damaged(path, "a block of frames", err);
    s->in_block = b;
    return RV_OK;
}

rv_status rv_store_read(rv_store *s, const char *path, size_t first, size_t count, float *out,
                        rv_error *err)
{
    if (first > s->frames || count > s->frames - first)
        return RV_FAIL(err, RV_ERR_ARG, "%s: frames %zu to %zu of %zu", path, first, first + count,
                       s->frames);
    for (size_t at = first; at < first + count;) {
        const size_t b = at / s->per_block, skip = at % s->per_block;
        const size_t left = first + count - at,
                     there = frames_in(s->frames, s->per_block, b) - skip;
        const size_t n = left < there ? left : there;
        RV_TRY(read_block(s, path, b, err));
        memcpy(out + (at - first) * s->width, s->block + skip * s->width,
               n * s->width * sizeof *out);
        at += n;
    }
    return RV_OK;
}

/* Writing */

rv_status rv_store_create(rv_store_writer *w, const char *path, const rv_feature_key *key,
                          size_t width, rv_error *err)
{
    const unsigned char head[HEAD] = { 0 };
    *w = (rv_store_writer){ .key = key, .width = width, .per_block = block_frames(width) };
    RV_TRY(rv_sink_open(&w->sink, path, err));
    w->block = calloc(w->per_block, width * sizeof *w->block);
    if (!w->block) {
        rv_store_discard(w);
        return RV_FAIL(err, RV_ERR_NOMEM, "%s: out of memory", path);
    }
    rv_sink_write(&w->sink, head, HEAD);
    rv_sink_write(&w->sink, key->bytes, key->size);
    return RV_OK;
}

static rv_status end_block(rv_store_writer *w, rv_error *err)
{
    const size_t bytes = w->in_block * w->width * sizeof *w->block;
    const size_t b = (w->frames - 1) / w->per_block;
    if (b == w->room_table) {
        const size_t room = w->room_table * 2 + 64;
        uint64_t *table = realloc(w->table, room * sizeof *table);
        if (!table)
            return RV_FAIL(err, RV_ERR_NOMEM, "%s: %zu frames", w->sink.path, w->frames);
        w->table = table;
        w->room_table = room;
    }
    w->table[b] = rv_hash64(w->block, bytes, 0);
    w->in_block = 0;
    return rv_sink_write(&w->sink, w->block, bytes) ? RV_OK : rv_sink_check(&w->sink, err);
}

rv_status rv_store_add(rv_store_writer *w, const float *frames, size_t n, rv_error *err)
{
    for (size_t i = 0; i < n; i++) {
        memcpy(w->block + w->in_block * w->width, frames + i * w->width, w->width * sizeof *frames);
        w->frames++;
        if (++w->in_block == w->per_block)
            RV_TRY(end_block(w, err));
    }
    return RV_OK;
}

rv_status rv_store_commit(rv_store_writer *w, rv_error *err)
{
    unsigned char head[HEAD];
    if (w->in_block > 0)
        RV_TRY(end_block(w, err));
    const size_t blocks = block_count(w->frames, w->per_block);
    const uint64_t numbers[] = { w->key->size, w->width, w->frames, w->per_block };
    memcpy(head, magic, 8);
    memcpy(head + 8, numbers, sizeof numbers);
    const uint64_t hash = hash_all(head, w->key, w->table, blocks);
    memcpy(head + 40, &hash, 8);
    if (blocks > 0)
        rv_sink_write(&w->sink, w->table, blocks * sizeof *w->table);
    if (rv_sink_seek(&w->sink, 0))
        rv_sink_write(&w->sink, head, HEAD);
    RV_TRY(rv_sink_check(&w->sink, err));
    return rv_sink_commit(&w->sink, err);
}

void rv_store_discard(rv_store_writer *w)
{
    rv_sink_discard(&w->sink);
    free(w->table);
    free(w->block);
    *w = (rv_store_writer){ .sink = { .fd = -1 } };
}
