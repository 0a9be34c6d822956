/* audio_claim.c - the length that a WAV, AIFF or MP3 header claims; see audio_claim.h. */
#include "io/audio_claim.h"

#include "base/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    FILE *file;
    const char *path;
    int64_t size; /* bytes in the file */
    bool big;     /* big-endian chunk sizes */
} claim_file;

static uint64_t number(const unsigned char *bytes, int n, bool big)
{
    uint64_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | bytes[big ? i : n - 1 - i];
    return value;
}

static bool read_at(const claim_file *f, int64_t offset, void *bytes, size_t n)
{
    return fseeko(f->file, (off_t)offset, SEEK_SET) == 0 && fread(bytes, 1, n, f->file) == n;
}

/* What the walk over the chunks of a RIFF, RIFX, RF64 or FORM file finds. */
typedef struct {
    uint64_t codec;       /* of WAV, its wFormatTag */
    uint64_t frame_bytes; /* bytes of a frame, 0: compressed or unknown */
    uint64_t data_bytes;
    int64_t data_at; /* -1: no such chunk */
    uint64_t wide;   /* size of `data` in the ds64 chunk of an RF64 file */
} chunk_map;

static void note_chunk(const claim_file *f, const unsigned char *head, int64_t body, chunk_map *map)
{
    unsigned char b[28];
    if (memcmp(head, "fmt ", 4) == 0 && read_at(f, body, b, 16)) {
        map->codec = number(b, 2, f->big);
        if (map->codec == 1 || map->codec == 3 || map->codec == 0xfffe) /* PCM, float, either */
            map->frame_bytes = number(b + 12, 2, f->big);
    } else if (memcmp(head, "COMM", 4) == 0 && read_at(f, body, b, 8))
        map->frame_bytes = number(b, 2, true) * ((number(b + 6, 2, true) + 7) / 8);
    else if (memcmp(head, "ds64", 4) == 0 && read_at(f, body, b, 28))
        map->wide = number(b + 8, 8, false);
    else if (memcmp(head, "data", 4) == 0 || memcmp(head, "SSND", 4) == 0) {
        const uint64_t bytes = number(head + 4, 4, f->big);
        const uint64_t lead = head[0] == 'S' && bytes >= 8 ? 8 : 0; /* offset and block size */
        map->data_at = body + (int64_t)lead;
        map->data_bytes = bytes - lead;
    }
}

static chunk_map map_chunks(const claim_file *f)
{
    chunk_map map = { .data_at = -1 };
    unsigned char head[8];
    for (int64_t at = 12; at <= f->size - 8 && map.data_at < 0;) {
        if (!read_at(f, at, head, sizeof head))
            break;
        note_chunk(f, head, at + 8, &map);
        const int64_t bytes = (int64_t)number(head + 4, 4, f->big);
        at += 8 + bytes + (bytes & 1);
    }
    return map;
}

/* What programs leave in the header that write into a pipe (FFmpeg, SoX); it claims nothing. */
static bool is_streamed(uint64_t bytes)
{
    return bytes >= 0xffffff00u || bytes == 0x7ffff000u;
}

/* A data chunk that reaches past the end of the file. */
static rv_status check_chunks(const claim_file *f, audio_claim *out, rv_error *err)
{
    enum { CODEC_MPEG = 0x50, CODEC_MP3 = 0x55 };
    const chunk_map map = map_chunks(f);
    out->mpeg = map.codec == CODEC_MPEG || map.codec == CODEC_MP3;
    if (map.data_at < 0)
        return RV_OK;
    const uint64_t bytes = is_streamed(map.data_bytes) ? map.wide : map.data_bytes;
    const uint64_t there = f->size > map.data_at ? (uint64_t)(f->size - map.data_at) : 0;
    if (bytes <= there)
        return RV_OK;
    if (map.frame_bytes == 0)
        return RV_FAIL(err, RV_ERR_FORMAT,
                       "%s: truncated: the header says %llu bytes of audio, found %llu", f->path,
                       (unsigned long long)bytes, (unsigned long long)there);
    return RV_FAIL(err, RV_ERR_FORMAT, "%s: truncated: the header says %llu frames, found %llu",
                   f->path, (unsigned long long)(bytes / map.frame_bytes),
                   (unsigned long long)(there / map.frame_bytes));
}

/* Bytes of an ID3v2 tag at `at` (its size is 4 x 7 bits), 0 if there is none. */
static int64_t id3_bytes(const claim_file *f, int64_t at)
{
    unsigned char b[10];
    if (!read_at(f, at, b, sizeof b) || memcmp(b, "ID3", 3) != 0)
        return 0;
    const int64_t body =
        (int64_t)(b[6] & 127) << 21 | (b[7] & 127) << 14 | (b[8] & 127) << 7 | (b[9] & 127);
    return 10 + body + (b[5] & 16 ? 10 : 0);
}

/* Encoder delay and padding from the LAME extension at `lame`, 12 bits each. A decoder is late by
 * another 529 samples; with less padding than that the end of the track is not in the file. */
static void trim_lame(const unsigned char *lame, audio_claim *out)
{
    enum { DECODER_DELAY = 529 };
    const int64_t trim = (int64_t)number(lame + 21, 3, true);
    const int64_t delay = trim >> 12, padding = trim & 0xfff;
    out->about -= delay + (padding > DECODER_DELAY ? padding : DECODER_DELAY);
    out->about = out->about < 0 ? 0 : out->about;
    out->frames = out->about;
    out->slack = 0;
}

/* The Xing or Info tag lies behind the side information of the first layer III frame:
 * 32 / 17 bytes (stereo / mono) in MPEG 1, 17 / 9 in MPEG 2 and 2.5. */
static void read_xing(const unsigned char *b, size_t n, audio_claim *out)
{
    const bool mpeg1 = (b[1] & 0x18) == 0x18, mono = b[3] >> 6 == 3;
    const size_t at = 4u + (mpeg1 ? (mono ? 17 : 32) : (mono ? 9 : 17));
    const unsigned char *tag = b + at;
    if (at + 12 > n || (memcmp(tag, "Xing", 4) != 0 && memcmp(tag, "Info", 4) != 0) ||
        !(tag[7] & 1))
        return;
    const int64_t per_frame = mpeg1 ? 1152 : 576;
    out->about = (int64_t)number(tag + 8, 4, true) * per_frame;
    out->slack = 2 * per_frame;
    /* behind the frame count: size, table of contents, quality, each if its flag is set */
    const size_t lame =
        at + 12 + (tag[7] & 2 ? 4 : 0) + (tag[7] & 4 ? 100 : 0) + (tag[7] & 8 ? 4 : 0);
    if (lame + 24 <= n && (memcmp(b + lame, "LAME", 4) == 0 || memcmp(b + lame, "Lavf", 4) == 0 ||
                           memcmp(b + lame, "Lavc", 4) == 0))
        trim_lame(b + lame, out);
}

static void claim_of_mpeg(const claim_file *f, int64_t at, audio_claim *out)
{
    unsigned char b[256] = { 0 };
    if (!read_at(f, at, b, 4) || b[0] != 0xff || (b[1] & 0xe0) != 0xe0)
        return;
    out->mpeg = true;
    const size_t n = f->size - at < (int64_t)sizeof b ? (size_t)(f->size - at) : sizeof b;
    if ((b[1] & 0x06) == 0x02 && read_at(f, at, b, n)) /* layer III */
        read_xing(b, n, out);
}

static rv_status claim_of(claim_file *f, audio_claim *out, rv_error *err)
{
    unsigned char b[12] = { 0 };
    if (!read_at(f, 0, b, sizeof b))
        return RV_OK;
    const bool wave = memcmp(b + 8, "WAVE", 4) == 0;
    const bool aiff = memcmp(b, "FORM", 4) == 0 && memcmp(b + 8, "AIF", 3) == 0;
    f->big = aiff || memcmp(b, "RIFX", 4) == 0;
    if (aiff || (wave && (memcmp(b, "RIF", 3) == 0 || memcmp(b, "RF64", 4) == 0)))
        return check_chunks(f, out, err);
    int64_t at = 0;
    for (int64_t tag; at < f->size && (tag = id3_bytes(f, at)) > 0;)
        at += tag;
    out->mpeg = at > 0;
    claim_of_mpeg(f, at, out);
    return RV_OK;
}

rv_status rv_audio_claim(audio_claim *out, const char *path, rv_error *err)
{
    *out = (audio_claim){ .frames = -1, .about = -1 };
    struct stat st;
    if (stat(path, &st) != 0)
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return RV_FAIL(err, RV_ERR_IO, "%s: %s, not an audio file", path,
                       S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
    if (st.st_size == 0)
        return RV_FAIL(err, RV_ERR_FORMAT, "%s: the file is empty", path);
    claim_file f = { .file = fopen(path, "rb"), .path = path, .size = st.st_size };
    if (!f.file)
        return RV_FAIL(err, RV_ERR_IO, "%s: %s", path, strerror(errno));
    const rv_status status = claim_of(&f, out, err);
    fclose(f.file);
    return status;
}
