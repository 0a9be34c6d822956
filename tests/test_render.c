/* test_render.c - a data set is rendered: the same bytes each time, stems that add up, metadata
 * that is true, and errors that say what is wrong. Soundfont and songs are made here. */
#include "data/drum_kit.h"
#include "data/sing.h"
#include "data/soundfont.h"
#include "file_limit.h"
#include "io/audio_read.h"
#include "render_folder.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

/* The synthesiser */

static void play(float x[2][2000], int program, int64_t start)
{
    rv_soundfont *font = NULL;
    rv_error err = { 0 };
    const rv_synth_event events[] = { { start, 0x90, { 81, 100 } } };
    CHECK_OK(rv_soundfont_open(&font, in_folder("tiny.sf2"), 44100, &err), err);
    for (int again = 0; again < 2; again++) { /* what it played before leaves no trace */
        memset(x, 0, 2 * sizeof x[0]);
        const rv_synth_part part = { .program = program, .events = events, .n = 1, .end = 1500 };
        CHECK_OK(rv_soundfont_play(font, &part, (float *[]){ x[0], x[1] }, 2000, &err), err);
    }
    rv_soundfont_free(font);
}

TEST(test_equal_bits_on_a_grid)
{
    static float a[2][2000], b[2][2000], late[2][2000];
    play(a, 0, 0);
    play(b, 0, 31);
    CHECK(memcmp(a, b, sizeof a) == 0);
    play(late, 0, 33);
    for (int i = 0; i < 64; i++)
        CHECK(late[0][i] == 0);
    CHECK(memcmp(a[0], late[0] + 64, 1000 * sizeof(float)) == 0);
    int crossings = 0; /* 882 Hz: 40 in the 2000 frames but for the beginning and the release */
    for (int i = 1; i < 1000; i++)
        crossings += a[0][i - 1] < 0 && a[0][i] >= 0;
    CHECK_MSG(abs(crossings - 20) <= 1, "%d crossings", crossings);
    play(b, 128, 0);
    CHECK(memcmp(a, b, sizeof a) != 0 && fabsf(b[0][200]) > 1e-5f);
}

/* The data set */

static int *read_audio(const char *track, const char *name, size_t *frames)
{
    char path[300];
    static float planes[2][1 << 17];
    rv_audio_reader *r = NULL;
    rv_error err = { 0 };
    snprintf(path, sizeof path, "%s/%s.flac", track, name);
    CHECK_OK(rv_audio_reader_open(&r, in_folder(path), 0, &err), err);
    CHECK(rv_audio_reader_info(r)->channels == 2 && rv_audio_reader_info(r)->sample_rate == 8000);
    CHECK_OK(rv_audio_reader_read(r, (float *[]){ planes[0], planes[1] }, 1 << 17, frames, &err),
             err);
    rv_audio_reader_free(r);
    int *x = calloc(2 * *frames, sizeof *x);
    CHECK(x != NULL);
    for (size_t i = 0; i < 2 * *frames; i++)
        x[i] = (int)lrintf(planes[i / *frames][i % *frames] * 32768);
    return x;
}

/* Stems that were written, by their metadata; their sum is the mix to the bit. */
static void check_sum(const char *track, int stems)
{
    size_t frames, same;
    int *mix = read_audio(track, "mix", &frames), peak = 0;
    for (int s = 0; s < stems; s++) {
        char name[32];
        snprintf(name, sizeof name, "stems/S%02d", s);
        int *stem = read_audio(track, name, &same);
        CHECK(same == frames);
        for (size_t i = 0; i < 2 * frames; i++) {
            mix[i] -= stem[i];
            peak = abs(stem[i]) > peak ? abs(stem[i]) : peak;
        }
        free(stem);
    }
    for (size_t i = 0; i < 2 * frames; i++)
        CHECK(mix[i] == 0);
    CHECK(peak > 1000 && peak < 32767 && frames > 8000 * 3);
    free(mix);
}

TEST(test_layout_sums_and_metadata)
{
    rv_render_options o = options();
    const rv_render_report r = render("set", &o);
    CHECK(r.songs == 3 && r.tracks == 3 && r.tracks_before == 0 && r.broken == 0);
    CHECK(r.without_bass == 1 && r.without_drums == 0 && r.silent_stems == 0 && r.seconds > 11);
    check_sum("set/train/Track00001", 3);
    check_sum("set/train/Track00002", 2); /* a, c, more/b */
    json_t *data = metadata("set/train/Track00002");
    const char *class = NULL, *name = NULL, *player = NULL, *source = NULL, *id = NULL;
    int program = -1, drum = 0, rendered = 0;
    double loudness = 0, tempo = 0, target = 0, stem_loudness = 0;
    CHECK(json_unpack(
              data, "{s:s, s:s, s:F, s:F, s:F, s:{s:{s:s, s:s, s:i}, s:{s:s, s:b, s:b, s:s, s:F}}}",
              "UUID", &id, "source", &source, "integrated_loudness", &loudness, "tempo", &tempo,
              "target_loudness", &target, "stems", "S00", "inst_class", &class, "midi_program_name",
              &name, "program_num", &program, "S01", "inst_class", &player, "is_drum", &drum,
              "audio_rendered", &rendered, "plugin_name", &name, "integrated_loudness",
              &stem_loudness) == 0);
    CHECK(strcmp(source, "c.mid") == 0 && strlen(id) == 16 && strcmp(class, "Piano") == 0);
    CHECK(program == 0 && drum && rendered && strcmp(name, "tiny.sf2") == 0);
    CHECK(strcmp(player, "Drums") == 0 && tempo >= 0.9 && tempo <= 1.1);
    CHECK(loudness <= target + 0.2 && loudness > -30 && stem_loudness < loudness + 3);
    json_decref(data);
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_read(&m, in_folder("set/train/Track00002/MIDI/S01.mid"), &err), err);
    rv_midi_free(m);
    CHECK(access(in_folder("set/train/Track00001/all_src.mid"), F_OK) == 0);
    shell("grep -q '| Drums | 0.00 |' '%s/%s'", folder, "set/README.md");
}

TEST(test_dry)
{
    rv_render_options o = options();
    o.dry = 1;
    render("dry", &o);
    shell("grep -q 'effects: \\[\\]' '%s'/dry/train/Track00002/metadata.yaml %s", folder, "");
    o.dry = 0;
    check_error("dry", &o, RV_ERR_EXISTS, "made with other dry");
}

/* Bytes do not depend on threads, nor on having been interrupted. */
static int stop_after_one(void *ctx, const rv_render_progress *p)
{
    (void)ctx;
    return p->tracks_done > 0;
}

/* Into NAME-1 and NAME-3 by so many threads, and into NAME-again with a stop after a track. */
static void check_repeats(const char *name, rv_render_options *o, uint64_t tracks)
{
    char one[40], three[40], again[40];
    rv_error err = { 0 };
    snprintf(one, sizeof one, "%s-1", name);
    snprintf(three, sizeof three, "%s-3", name);
    snprintf(again, sizeof again, "%s-again", name);
    o->threads = 3;
    render(three, o);
    o->threads = 1;
    CHECK(render(one, o).tracks == tracks);
    shell("diff -r '%s' '%s'", in_folder(one), in_folder(three));
    o->progress = stop_after_one;
    CHECK(rv_dataset_render(in_folder(again), o, NULL, &err) == RV_ERR_CANCELLED);
    shell("test -z \"$(find '%s' -name '.ravel-T*')\" %s", in_folder(again), "");
    shell("for s in train validation; do mkdir -p '%s'/$s/.ravel-Track00006/%s; done",
          in_folder(again), "stems"); /* as if killed in a track */
    o->progress = NULL;
    const rv_render_report r = render(again, o);
    CHECK(r.tracks == tracks && r.tracks_before >= 1 && r.tracks_before < tracks);
    shell("find '%s' -depth -path '*/.ravel-Track00006*' -exec rmdir {} + %s", in_folder(again),
          ""); /* those that are not of this set */
    shell("diff -r '%s' '%s'", in_folder(one), in_folder(again));
}

TEST(test_restart_and_threads)
{
    rv_render_options o = options();
    o.variants = 2;
    o.valid_fraction = 0.34;
    o.vary = 0.5;
    check_repeats("midi", &o, 6);
    o.seed = 6;
    check_error("midi-1", &o, RV_ERR_EXISTS, "made with other seed");
    render("other", &o);
    shell("! cmp -s '%s/midi-1/train/Track00001/mix.flac' '%s/other/train/Track00001/mix.flac'",
          folder, folder);
}

/* False in a build without expat. */
static bool make_kit(void)
{
    static const char xml[] =
        "<drumkit_info><name>Tiny kit</name><license>CC0</license><instrumentList>"
        "<instrument><name>Kick</name><filename>kick.wav</filename></instrument>"
        "<instrument><name>Snare</name><filename>snare.wav</filename></instrument>"
        "<instrument><name>Closed HH</name><filename>hat.wav</filename></instrument>"
        "</instrumentList></drumkit_info>";
    rv_drum_kit *kit = NULL;
    rv_error err = { 0 };
    write_noise("kit/kick.wav", 1);
    write_noise("kit/snare.wav", 2);
    write_noise("kit/hat.wav", 3);
    FILE *f = fopen(in_folder("kit/drumkit.xml"), "wb");
    CHECK(f && fwrite(xml, 1, sizeof xml - 1, f) == sizeof xml - 1 && fclose(f) == 0);
    const rv_status status = rv_drum_kit_open(&kit, in_folder("kit"), &err);
    rv_drum_kit_free(kit);
    CHECK_MSG(status == RV_OK || status == RV_ERR_UNSUPPORTED, "%s", err.text);
    return status == RV_OK;
}

/* Composed songs of six bars, sung where espeak-ng is; of three tracks a kit plays two, by the
 * seed. */
TEST(test_restart_and_threads_of_composed_songs)
{
    rv_render_options o = options();
    char kit[100];
    const char *const kits[] = { kit };
    snprintf(kit, sizeof kit, "%s", in_folder("kit"));
    o.n_midi = 0;
    o.compose = 3;
    o.style = "blues";
    o.seed = 8;
    o.max_seconds = 1;
    o.drum_kits = kits;
    o.n_drum_kits = make_kit();
    check_repeats("song", &o, 3);
    if (o.n_drum_kits)
        shell("grep -rq 'plugin_name: Tiny kit' '%s'/song-1 %s", folder, "");
    else
        print_message("# without expat no drum kits are compared\n");
    if (rv_sing_available())
        shell("grep -rq 'plugin_name: espeak-ng' '%s'/song-1 %s", folder, "");
    else
        print_message("# without espeak-ng no voices are compared\n");
}

/* There is no room for the description, for a track, for the card. */
TEST(test_full_disk)
{
    const rv_render_options o = options();
    render("room", &o);
    limit_files(100);
    check_error("full", &o, RV_ERR_IO, "full/.ravel-render.json: cannot be written: File too");
    limit_files(100000);
    check_error("full", &o, RV_ERR_IO, "MiB of audio: File too");
    shell("test -z \"$(find '%s/full' -name '*Track*' -o -name README.md)\" %s", folder, "");
    unlimit_files();
    CHECK(render("full", &o).tracks == 3);
    shell("diff -r '%s/room' '%s/full'", folder, folder);
    CHECK(unlink(in_folder("full/README.md")) == 0);
    limit_files(500);
    check_error("full", &o, RV_ERR_IO, "full/README.md: cannot be written: File too");
    unlimit_files();
    CHECK(access(in_folder("full/README.md"), F_OK) != 0);
    CHECK(render("full", &o).tracks_before == 3);
    shell("diff -r '%s/room' '%s/full'", folder, folder);
}

/* Variants of a song are all on one side: 1 of 3 songs is for validation. */
TEST(test_splits_by_song)
{
    rv_render_options o = options();
    o.variants = 2;
    o.valid_fraction = 0.34;
    o.test_fraction = 0.33;
    render("split", &o);
    static const char *const splits[] = { "train", "validation", "test" };
    for (int i = 0; i < 3; i++) {
        char path[100], first[100] = "";
        snprintf(path, sizeof path, "split/%s", splits[i]);
        DIR *d = opendir(in_folder(path));
        int n = 0;
        CHECK(d != NULL);
        for (struct dirent *e; (e = readdir(d));) {
            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof path, "split/%s/%.40s", splits[i], e->d_name);
            json_t *data = metadata(path);
            const char *source = json_string_value(json_object_get(data, "source"));
            CHECK(n++ == 0 || strcmp(first, source) == 0);
            snprintf(first, sizeof first, "%s", source);
            json_decref(data);
        }
        closedir(d);
        CHECK(n == 2);
    }
}

static int count_notes(void *ctx, const rv_render_progress *p)
{
    *(int *)ctx += p->note != NULL;
    return 0;
}

TEST(test_songs_left_out)
{
    rv_render_options o = options();
    int notes = 0;
    shell("mkdir -p '%s/bad'; cd '%s/bad' && cp ../midi/a.mid a.mid && cp a.mid b.mid && "
          "head -c 60 a.mid > cut.mid && echo x > text.mid",
          folder, folder);
    snprintf(midi_path, sizeof midi_path, "%s/bad", folder);
    o.progress = count_notes;
    o.progress_ctx = &notes;
    const rv_render_report r = render("rest", &o);
    CHECK(r.songs == 1 && r.broken == 2 && r.duplicates == 1 && notes == 2);
    o.strict = 1;
    check_error("strict", &o, RV_ERR_FORMAT, "cut.mid: byte");
    o.strict = 0;
    o.max_seconds = 0.5;
    check_error("long", &o, RV_ERR_IO, "2 too long");
}

TEST(test_bad_soundfonts)
{
    rv_render_options o = options();
    tiny_soundfont(in_folder("cut.sf2"), 4000);
    snprintf(font_path, sizeof font_path, "%s/cut.sf2", folder);
    check_error("f1", &o, RV_ERR_FORMAT, "cut.sf2: cut short: 4000 of");
    snprintf(font_path, sizeof font_path, "%s/midi/a.mid", folder);
    check_error("f1", &o, RV_ERR_FORMAT, "a.mid: not a soundfont");
    snprintf(font_path, sizeof font_path, "%s/none.sf2", folder);
    check_error("f1", &o, RV_ERR_IO, "none.sf2: No such file");
    FILE *f = fopen(in_folder("empty.sf2"), "wb");
    CHECK(f != NULL && fwrite("RIFF\4\0\0\0sfbk", 1, 12, f) == 12 && fclose(f) == 0);
    snprintf(font_path, sizeof font_path, "%s/empty.sf2", folder);
    check_error("f1", &o, RV_ERR_FORMAT, "empty.sf2: a soundfont without presets");
    CHECK(access(in_folder("f1"), F_OK) != 0);
}

/* A track "Vocals" with lyrics is sung where espeak-ng is, and played elsewhere. */
TEST(test_vocals)
{
    rv_render_options o = options();
    rv_midi *m = NULL;
    rv_error err = { 0 };
    CHECK_OK(rv_midi_new(&m, 100, 1, &err), err);
    static const char *const texts[] = { "Vocals", "la" };
    for (int i = 0; i < 2; i++) {
        const rv_midi_event e = { .tick = 10 * (uint32_t)i,
                                  .status = 0xff,
                                  .data = { i ? RV_MIDI_LYRIC : RV_MIDI_TRACK_NAME },
                                  .bytes = (const uint8_t *)texts[i],
                                  .n_bytes = (uint32_t)strlen(texts[i]) };
        CHECK_OK(rv_midi_add(m, &e, &err), err);
    }
    for (int i = 0; i < 2; i++) {
        add(m, 10 + 100 * (uint32_t)i, 0x90, 62 + i, 90);
        add(m, 100 + 100 * (uint32_t)i, 0x90, 62 + i, 0);
    }
    rv_midi_sort(m);
    CHECK_OK(rv_midi_write(m, in_folder("sung/a.mid"), &err), err);
    rv_midi_free(m);
    snprintf(midi_path, sizeof midi_path, "%s/sung", folder);
    CHECK(render("choir", &o).without_drums == 1);
    json_t *data = metadata("choir/train/Track00001");
    const char *class = NULL, *player = NULL;
    CHECK(json_unpack(data, "{s:{s:{s:s, s:s}}}", "stems", "S00", "inst_class", &class,
                      "plugin_name", &player) == 0);
    CHECK(strcmp(class, "Vocals") == 0);
    CHECK_MSG(strcmp(player, rv_sing_available() ? "espeak-ng" : "tiny.sf2") == 0, "%s", player);
    json_decref(data);
    check_sum("choir/train/Track00001", 1);
}

TEST(test_bad_options)
{
    rv_render_options o = options();
    o.sample_rate = 192000;
    check_error("o", &o, RV_ERR_ARG, "192000 Hz");
    o = options();
    o.n_midi = 0;
    check_error("o", &o, RV_ERR_ARG, "no MIDI");
    o.compose = 1;
    o.style = "unheard";
    check_error("o", &o, RV_ERR_ARG, "style 'unheard'");
    const char *const kits[] = { in_folder("nokit") };
    o = options();
    o.drum_kits = kits;
    o.n_drum_kits = 1;
    check_error("o", &o, RV_ERR_IO, "nokit");
    o = options();
    o.valid_fraction = 0.7;
    o.test_fraction = 0.7;
    check_error("o", &o, RV_ERR_ARG, "fractions");
    o = options();
    check_error("tiny.sf2/x", &o, RV_ERR_IO, "cannot be made");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_bits_on_a_grid),
        cmocka_unit_test(test_layout_sums_and_metadata),
        cmocka_unit_test(test_dry),
        cmocka_unit_test(test_restart_and_threads),
        cmocka_unit_test(test_restart_and_threads_of_composed_songs),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_splits_by_song),
        cmocka_unit_test(test_songs_left_out),
        cmocka_unit_test(test_bad_soundfonts),
        cmocka_unit_test(test_vocals),
        cmocka_unit_test(test_bad_options),
    };
    return cmocka_run_group_tests(tests, prepare, clean);
}
