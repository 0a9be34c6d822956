/* test_audio.c - what is written is read back: samples, length, alignment; and every error. */
#include "base/rng.h"
#include "check.h"
#include "io/audio_encoder.h"
#include "io/audio_read.h"
#include "io/audio_source.h"
#include "io/audio_write.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const double pi = 3.14159265358979323846;

/* Audio in memory: x[channel][frame]. */
typedef struct {
    int channels, rate;
    size_t frames;
    float **x;
} clip;

/* libvorbisenc 1.3.7 itself loses 2848 bytes when it sets up 6 channels at 44.1 or 48 kHz. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:vorbis_encode_setup_init\n";
}

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[400];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static clip new_clip(int channels, int rate, size_t frames)
{
    clip a = { channels, rate, frames, calloc((size_t)channels, sizeof(float *)) };
    CHECK(a.x != NULL);
    for (int c = 0; c < channels; c++)
        CHECK((a.x[c] = calloc(frames + 1, sizeof(float))) != NULL);
    return a;
}

static void free_clip(clip *a)
{
    for (int c = 0; c < a->channels; c++)
        free(a->x[c]);
    free(a->x);
}

/* A sweep from 2 % to 12 % of the sample rate in each channel: it correlates with itself at one lag
 * only. Samples lie on the grid of `bits` bits. The bass channel of 5.1, from which lossy formats
 * cut the treble, is silent. */
static clip sweep(int channels, int rate, size_t frames, int bits)
{
    clip a = new_clip(channels, rate, frames);
    const double full = ldexp(1, bits - 1);
    for (int c = 0; c < channels; c++)
        for (size_t t = 0; t < frames && !(channels == 6 && c == 3); t++) {
            const double s = (double)t;
            const double phase = s * (0.02 + 0.003 * c + 0.05 * s / (double)frames);
            a.x[c][t] = (float)(nearbyint(0.4 * full * sin(2 * pi * phase)) / full);
        }
    return a;
}

static rv_status try_write(const char *path, const clip *a, const char *format, int bits,
                           rv_error *err)
{
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    opt.format = format;
    opt.bits = bits;
    opt.channels = a->channels;
    opt.sample_rate = a->rate;
    rv_audio_writer *w = NULL;
    rv_status status = rv_audio_writer_open(&w, path, &opt, err);
    if (status == RV_OK)
        status = rv_audio_writer_write(w, (const float *const *)a->x, a->frames, err);
    if (status == RV_OK)
        status = rv_audio_writer_commit(w, err);
    rv_audio_writer_free(w);
    return status;
}

static void write_clip(const char *path, const clip *a, int bits)
{
    rv_error err = { 0 };
    CHECK_OK(try_write(path, a, NULL, bits, &err), err);
}

/* Reads to the end, `block` frames at a time, into room for `room` frames. */
static rv_status try_read(rv_audio_reader *r, clip *a, size_t room, size_t block, rv_error *err)
{
    const rv_audio_info *info = rv_audio_reader_info(r);
    *a = new_clip(info->channels, info->sample_rate, room + block);
    a->frames = 0;
    float *at[RV_AUDIO_CHANNELS_MAX];
    for (size_t got = 1; got > 0; a->frames += got) {
        CHECK_MSG(a->frames <= room, "%zu frames at %d Hz, not %zu", a->frames, a->rate, room);
        for (int c = 0; c < a->channels; c++)
            at[c] = a->x[c] + a->frames;
        const rv_status status = rv_audio_reader_read(r, at, block, &got, err);
        if (status != RV_OK) {
            free_clip(a);
            return status;
        }
    }
    return RV_OK;
}

static clip read_clip(const char *path, size_t room, size_t block)
{
    rv_error err = { 0 };
    rv_audio_reader *r = NULL;
    clip first, again;
    CHECK_OK(rv_audio_reader_open(&r, path, 0, &err), err);
    CHECK_OK(try_read(r, &first, room, block, &err), err);
    const int64_t said = rv_audio_reader_info(r)->frames;
    CHECK(said == -1 || said == (int64_t)first.frames);
    CHECK_OK(rv_audio_reader_rewind(r, &err), err);
    CHECK_OK(try_read(r, &again, room, 4096, &err), err);
    CHECK(again.frames == first.frames);
    for (int c = 0; c < first.channels; c++)
        CHECK(memcmp(first.x[c], again.x[c], first.frames * sizeof(float)) == 0);
    free_clip(&again);
    rv_audio_reader_free(r);
    return first;
}

/* An error of opening or of reading the whole file; one line, naming the file and `word`. */
static void check_read_error(const char *path, int stream, rv_status status, const char *word)
{
    rv_error err = { 0 };
    rv_audio_reader *r = NULL;
    clip a;
    rv_status got = rv_audio_reader_open(&r, path, stream, &err);
    if (got == RV_OK && (got = try_read(r, &a, 1000000, 1000, &err)) == RV_OK)
        free_clip(&a);
    CHECK_MSG(got == status && strstr(err.text, path) && strstr(err.text, word) &&
                  !strchr(err.text, '\n'),
              "%s: status %d, not %d, or no \"%s\" in: %s", path, got, status, word, err.text);
    rv_audio_reader_free(r);
}

static double correlation(const clip *a, const clip *b, int lag)
{
    double sum = 0;
    const size_t margin = 1500;
    for (size_t t = margin; t + margin < a->frames; t++)
        sum += (double)a->x[0][t] * (double)b->x[0][t + (size_t)lag];
    return sum;
}

static int best_lag(const clip *a, const clip *b)
{
    int best = 0;
    for (int lag = -1400; lag <= 1400; lag++)
        if (correlation(a, b, lag) > correlation(a, b, best))
            best = lag;
    return best;
}

static double snr(const clip *a, const clip *b)
{
    double signal = 0, noise = 0;
    for (int c = 0; c < a->channels; c++)
        for (size_t t = 0; t < a->frames; t++) {
            const double d = (double)b->x[c][t] - (double)a->x[c][t];
            signal += (double)a->x[c][t] * (double)a->x[c][t];
            noise += d * d;
        }
    return noise > 0 ? 10 * log10(signal / noise) : (double)INFINITY;
}

typedef struct {
    const char *extension;
    int bits, grid;
    double least; /* SNR in dB */
    bool speech_rates, mpeg_rates;
} format_case;

static const format_case cases[] = {
    { "wav", 16, 16, HUGE_VAL, false, false },  { "wav", 24, 24, HUGE_VAL, false, false },
    { "wav", 32, 30, HUGE_VAL, false, false },  { "flac", 16, 16, HUGE_VAL, false, false },
    { "flac", 24, 24, HUGE_VAL, false, false }, { "aiff", 16, 16, HUGE_VAL, false, false },
    { "aiff", 24, 24, HUGE_VAL, false, false }, { "aiff", 32, 30, HUGE_VAL, false, false },
    { "ogg", 0, 24, 20, false, false },         { "mp3", 0, 24, 20, false, true },
    { "opus", 0, 24, 12, true, false },
};

static bool can_hold(const format_case *f, int channels, int rate)
{
    if (f->mpeg_rates)
        return channels <= 2 && rate <= 48000;
    return !f->speech_rates || rate == 8000 || rate == 48000;
}

static void round_trip(const format_case *f, int channels, int rate, size_t frames)
{
    char name[100];
    snprintf(name, sizeof name, "trip-%d-%d-%d.%s", channels, rate, f->bits, f->extension);
    const char *path = in_folder(name);
    clip a = sweep(channels, rate, frames, f->grid);
    rv_error err = { 0 };
    if (!can_hold(f, channels, rate)) {
        CHECK(try_write(path, &a, NULL, f->bits, &err) == RV_ERR_ARG);
        CHECK_MSG(strstr(err.text, name), "%s", err.text);
    } else {
        write_clip(path, &a, f->bits);
        clip b = read_clip(path, frames, 1000);
        CHECK_MSG(b.frames == frames && b.channels == channels && b.rate == rate,
                  "%s: %zu frames of %d channels at %d Hz", name, b.frames, b.channels, b.rate);
        CHECK_MSG(snr(&a, &b) >= f->least, "%s: SNR of %.1f dB", name, snr(&a, &b));
        if (isfinite(f->least) && channels == 1 && frames > 5000)
            CHECK_MSG(best_lag(&a, &b) == 0, "%s: late by %d frames", name, best_lag(&a, &b));
        free_clip(&b);
        unlink(path);
    }
    free_clip(&a);
}

TEST(test_round_trips)
{
    static const int rates[] = { 8000, 44100, 48000, 96000 }, channels[] = { 1, 2, 6 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t r = 0; r < 4; r++)
            for (size_t c = 0; c < 3; c++)
                round_trip(&cases[i], channels[c], rates[r], 8111);
}

TEST(test_short_files)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        format_case f = cases[i];
        f.least =
            isfinite(f.least) ? -HUGE_VAL : f.least; /* too short for a lossy format's quality */
        round_trip(&f, 1, 48000, 1);
        round_trip(&f, 2, 48000, 2);
    }
}

TEST(test_files_without_frames)
{
    static const char *const names[] = { "0.wav", "0.aiff", "0.ogg", "0.flac", "0.mp3", "0.opus" };
    clip a = new_clip(2, 48000, 0);
    for (int i = 0; i < 6; i++) {
        rv_error err = { 0 };
        const rv_status status = try_write(in_folder(names[i]), &a, NULL, 16, &err);
        if (i < 3) {
            clip b = read_clip(in_folder(names[i]), 0, 10);
            CHECK(status == RV_OK && b.frames == 0);
            free_clip(&b);
        } else {
            CHECK(status == RV_ERR_UNSUPPORTED && strstr(err.text, names[i]));
        }
    }
    free_clip(&a);
}

TEST(test_rounding_and_clamping)
{
    static const float given[] = { 0.5f / 32768, 1.5f / 32768, -0.6f / 32768, 1, -1, 2, -3 };
    static const float want[] = { 0, 2, -1, 32767, -32768, 32767, -32768 };
    const char *path = in_folder("rounding.wav");
    clip a = new_clip(1, 44100, 7);
    memcpy(a.x[0], given, sizeof given);
    write_clip(path, &a, 16);
    clip b = read_clip(path, 7, 3);
    for (int t = 0; t < 7; t++)
        CHECK_CLOSE((double)b.x[0][t] * 32768, want[t], 0);
    write_clip(path, &a, 32); /* replaces the file; float is passed through */
    clip c = read_clip(path, 7, 3);
    CHECK(memcmp(c.x[0], given, sizeof given) == 0);
    free_clip(&a);
    free_clip(&b);
    free_clip(&c);
}

/* The header's numbers above 4 GiB, where a real file would be too large for a test. */
TEST(test_wav_becomes_rf64)
{
    unsigned char h[RV_WAV_HEADER_MAX];
    const rv_audio_writer_options opt = { .bits = 16, .channels = 2, .sample_rate = 44100 };
    const size_t n = rv_wav_header(h, &opt, 1000);
    CHECK(n == 80 && memcmp(h, "RIFF", 4) == 0 && memcmp(h + 12, "JUNK", 4) == 0);
    CHECK(h[4] == 1072 % 256 && h[5] == 1072 / 256 && h[76] == 1000 % 256 && h[77] == 1000 / 256);
    const uint64_t bytes = (uint64_t)5 << 30;
    CHECK(rv_wav_header(h, &opt, bytes) == n);
    CHECK(memcmp(h, "RF64\xff\xff\xff\xffWAVEds64\x1c", 17) == 0);
    uint64_t sizes[3];
    memcpy(sizes, h + 20, sizeof sizes);
    CHECK(sizes[0] == bytes + 72 && sizes[1] == bytes && sizes[2] == bytes / 4);
    CHECK(memcmp(h + 72, "data\xff\xff\xff\xff", 8) == 0);
}

TEST(test_names_and_folders)
{
    static const char *const names[] = { "Ünïcode – 音楽.flac", "a:b %d [1]?.wav", "größe.mp3",
                                         "new/deeper still/x.wav", "-.ogg" };
    clip a = sweep(2, 44100, 3000, 16);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        write_clip(in_folder(names[i]), &a, 16);
        clip b = read_clip(in_folder(names[i]), 3000, 700);
        CHECK(b.frames == 3000);
        free_clip(&b);
    }
    free_clip(&a);
}

static void patch(const char *path, long offset, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "r+b");
    CHECK(f && fseek(f, offset, SEEK_SET) == 0 && fwrite(bytes, 1, n, f) == n && fclose(f) == 0);
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

TEST(test_files_that_are_no_audio)
{
    check_read_error(in_folder("missing.wav"), 0, RV_ERR_IO, "No such file");
    check_read_error(folder, 0, RV_ERR_IO, "folder");
    write_text(in_folder("empty.wav"), "");
    check_read_error(in_folder("empty.wav"), 0, RV_ERR_FORMAT, "empty");
    write_text(in_folder("text.wav"), "Dear diary, today I named a text file .wav.\n");
    const bool libav = rv_libav_present();
    check_read_error(in_folder("text.wav"), 0, libav ? RV_ERR_FORMAT : RV_ERR_UNSUPPORTED,
                     libav ? "not an audio file" : "without FFmpeg");
    write_text(in_folder("words.srt"), "1\n00:00:00,000 --> 00:00:01,000\nhello\n\n");
    check_read_error(in_folder("words.srt"), 0, libav ? RV_ERR_FORMAT : RV_ERR_UNSUPPORTED,
                     libav ? "no audio stream" : "without FFmpeg");
    rv_error err = { 0 };
    CHECK(rv_audio_stream_count(in_folder("words.srt"), &err) == 0 && err.status != RV_OK);
}

/* Offsets into the headers that audio_wav.c writes for one and two channels. */
enum { WAV_CHANNELS = 58, WAV_ALIGN = 68, WAV_FLOAT_DATA = 92 };

TEST(test_damaged_headers)
{
    const char *path = in_folder("channels.wav");
    clip a = sweep(1, 44100, 1000, 16);
    write_clip(path, &a, 16);
    patch(path, WAV_CHANNELS, "\0\0", 2);
    check_read_error(path, 0, RV_ERR_FORMAT, "hannel");
    patch(path, WAV_CHANNELS, "\x41\0", 2);
    patch(path, WAV_ALIGN, "\x82\0", 2);
    check_read_error(path, 0, RV_ERR_FORMAT, "65 channels; expected 1 to 64");
    free_clip(&a);
}

TEST(test_samples_that_are_no_numbers)
{
    static const float bad[] = { NAN, INFINITY };
    const char *path = in_folder("nan.wav");
    clip a = sweep(2, 44100, 6000, 24);
    for (int i = 0; i < 2; i++) {
        write_clip(path, &a, 32);
        patch(path, WAV_FLOAT_DATA + 8 * 5003 + 4, &bad[i], 4);
        check_read_error(path, 0, RV_ERR_FORMAT,
                         i ? "channel 1 at frame 5003 is inf" : "channel 1 at frame 5003 is NaN");
        a.x[1][77] = bad[i];
        rv_error err = { 0 };
        CHECK(try_write(path, &a, NULL, 16, &err) == RV_ERR_FORMAT);
        CHECK_MSG(strstr(err.text, "channel 1 at frame 77"), "%s", err.text);
        a.x[1][77] = 0;
    }
    free_clip(&a);
}

TEST(test_truncated_files)
{
    static const char *const names[] = { "cut.wav", "cut.aiff", "cut.flac", "cut.mp3" };
    clip a = sweep(2, 44100, 60000, 16);
    for (size_t i = 0; i < 4; i++) {
        const char *path = in_folder(names[i]);
        struct stat st;
        write_clip(path, &a, 16);
        CHECK(stat(path, &st) == 0 && truncate(path, st.st_size / 2) == 0);
        check_read_error(path, 0, RV_ERR_FORMAT, "truncated: the header says 60000 frames, found ");
    }
    free_clip(&a);
}

/* Sizes that a program leaves in the header that could not seek back to it. */
TEST(test_wav_from_a_pipe)
{
    const char *path = in_folder("pipe.wav");
    clip a = sweep(2, 44100, 1000, 16);
    write_clip(path, &a, 16);
    patch(path, 4, "\xff\xff\xff\xff", 4);
    patch(path, 76, "\xff\xff\xff\xff", 4);
    clip b = read_clip(path, 1000, 333);
    CHECK(b.frames == 1000 && snr(&a, &b) == (double)INFINITY);
    free_clip(&a);
    free_clip(&b);
}

static size_t load(const char *path, unsigned char *bytes, size_t room)
{
    FILE *f = fopen(path, "rb");
    CHECK(f != NULL);
    const size_t n = fread(bytes, 1, room, f);
    fclose(f);
    return n;
}

/* Without its Xing frame an MP3 says nothing about delay or length: all of it comes out. */
TEST(test_mp3_without_length)
{
    enum { ROOM = 1 << 20, FRAMES = 60000 };
    const char *path = in_folder("bare.mp3");
    clip a = sweep(1, 44100, FRAMES, 16);
    write_clip(path, &a, 16);
    unsigned char *bytes = malloc(ROOM);
    const size_t n = load(path, bytes, ROOM);
    size_t at = 4; /* the second frame starts like the first */
    while (at < n && (bytes[at] != 0xff || bytes[at + 1] != bytes[1] || bytes[at + 2] >> 4 == 0))
        at++;
    FILE *f = fopen(path, "wb");
    CHECK(f && at < n && fwrite(bytes + at, 1, n - at, f) == n - at && fclose(f) == 0);
    if (rv_libav_present()) {
        clip b = read_clip(path, FRAMES + 4 * 1152, 1000);
        CHECK_MSG(b.frames > FRAMES && b.frames % 1152 == 0, "%zu frames", b.frames);
        CHECK(best_lag(&a, &b) == 1105); /* LAME's delay of 576 and the decoder's of 529 */
        free_clip(&b);
    }
    free(bytes);
    free_clip(&a);
}

/* tone.m4a: 400 frames of a 440 Hz sine at 8 kHz; its encoder put 1024 frames before them. */
TEST(test_m4a_is_as_long_as_its_track)
{
    char path[400];
    const char *source = getenv("RV_TEST_SOURCE");
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/audio/tone.m4a", source ? source : ".");
    if (!rv_libav_present()) {
        check_read_error(path, 0, RV_ERR_UNSUPPORTED, "without FFmpeg");
        return;
    }
    rv_error err = { 0 };
    CHECK(rv_audio_stream_count(path, &err) == 1);
    check_read_error(path, 1, RV_ERR_ARG, "no audio stream 1; it holds 1");
    clip b = read_clip(path, 1000, 100), a = new_clip(1, 8000, 400);
    CHECK_MSG(b.frames == 400 && b.rate == 8000, "%zu frames", b.frames);
    for (int t = 0; t < 400; t++)
        a.x[0][t] = (float)(0.5 * sin(2 * pi * 440 * t / 8000));
    CHECK_MSG(snr(&a, &b) > 15, "SNR of %.1f dB", snr(&a, &b)); /* 1 frame late: 9 dB */
    free_clip(&a);
    free_clip(&b);
}

static int files_in(const char *path)
{
    int n = 0;
    DIR *d = opendir(path);
    CHECK(d != NULL);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2; /* . and .. */
}

TEST(test_nothing_is_left_without_commit)
{
    rv_error err = { 0 };
    rv_audio_writer *w = NULL;
    rv_audio_writer_options opt = rv_audio_writer_defaults();
    opt.channels = 1;
    opt.sample_rate = 44100;
    clip a = sweep(1, 44100, 5000, 16);
    const char *path = in_folder("commit/kept.wav");
    write_clip(path, &a, 16);
    CHECK_OK(rv_audio_writer_open(&w, path, &opt, &err), err);
    CHECK_OK(rv_audio_writer_write(w, (const float *const *)a.x, 100, &err), err);
    CHECK(files_in(in_folder("commit")) == 2);
    rv_audio_writer_free(w);
    CHECK(files_in(in_folder("commit")) == 1);
    clip b = read_clip(in_folder("commit/kept.wav"), 5000, 100);
    CHECK(b.frames == 5000);
    struct stat st;
    CHECK(stat(in_folder("commit/kept.wav"), &st) == 0 &&
          (st.st_mode & 0444) == (0444 & ~umask(022)));
    free_clip(&a);
    free_clip(&b);
}

TEST(test_full_disk)
{
    struct rlimit before, small;
    CHECK(getrlimit(RLIMIT_FSIZE, &before) == 0);
    small = before;
    small.rlim_cur = 5000;
    signal(SIGXFSZ, SIG_IGN);
    clip a = sweep(2, 48000, 100000, 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[100];
        rv_error err = { 0 };
        snprintf(name, sizeof name, "full/x.%s", cases[i].extension);
        setrlimit(RLIMIT_FSIZE, &small);
        const rv_status status = try_write(in_folder(name), &a, NULL, cases[i].bits, &err);
        setrlimit(RLIMIT_FSIZE, &before);
        CHECK_MSG(status == RV_ERR_IO && strstr(err.text, name) && strstr(err.text, "too large"),
                  "%s: %d: %s", name, status, err.text);
        CHECK(files_in(in_folder("full")) == 0);
    }
    free_clip(&a);
}

static void check_write_error(const char *name, const char *format, int bits, int channels,
                              int rate, rv_status status, const char *word)
{
    rv_error err = { 0 };
    clip a = sweep(channels, rate, 100, 16);
    const rv_status got = try_write(in_folder(name), &a, format, bits, &err);
    CHECK_MSG(got == status && strstr(err.text, name) && strstr(err.text, word),
              "%s: status %d, not %d, or no \"%s\" in: %s", name, got, status, word, err.text);
    free_clip(&a);
}

TEST(test_write_errors)
{
    write_text(in_folder("file"), "regular");
    CHECK(mkdir(in_folder("folder.wav"), 0777) == 0);
    check_write_error("file/x.wav", NULL, 16, 1, 44100, RV_ERR_IO, "Not a directory");
    check_write_error("file/y/x.wav", NULL, 16, 1, 44100, RV_ERR_IO, "Not a directory");
    check_write_error("folder.wav", NULL, 16, 1, 44100, RV_ERR_IO, "is a folder");
    check_write_error("x.xyz", NULL, 16, 1, 44100, RV_ERR_ARG, "expected wav, flac");
    check_write_error("a.b/x", NULL, 16, 1, 44100, RV_ERR_ARG, "expected wav, flac");
    check_write_error("x.wav", "xyz", 16, 1, 44100, RV_ERR_ARG, "expected wav, flac");
    check_write_error("x.wav", NULL, 17, 1, 44100, RV_ERR_ARG, "16, 24 or 32");
    check_write_error("x.flac", NULL, 32, 1, 44100, RV_ERR_UNSUPPORTED, "32-bit");
    check_write_error("x.mp3", NULL, 0, 6, 44100, RV_ERR_ARG, "1 to 2 channels, not 6");
    check_write_error("x.mp3", NULL, 0, 2, 96000, RV_ERR_ARG, "allowed are 8000, 11025");
    check_write_error("x.opus", NULL, 0, 2, 44100, RV_ERR_ARG, "8000, 12000, 16000, 24000, 48000");
    check_write_error("x.wav", NULL, 0, 2, 999, RV_ERR_ARG, "999 Hz");
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-audio-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_short_files),
        cmocka_unit_test(test_files_without_frames),
        cmocka_unit_test(test_rounding_and_clamping),
        cmocka_unit_test(test_wav_becomes_rf64),
        cmocka_unit_test(test_names_and_folders),
        cmocka_unit_test(test_files_that_are_no_audio),
        cmocka_unit_test(test_damaged_headers),
        cmocka_unit_test(test_samples_that_are_no_numbers),
        cmocka_unit_test(test_truncated_files),
        cmocka_unit_test(test_wav_from_a_pipe),
        cmocka_unit_test(test_mp3_without_length),
        cmocka_unit_test(test_m4a_is_as_long_as_its_track),
        cmocka_unit_test(test_nothing_is_left_without_commit),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_write_errors),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
