/* test_tfrecord.c - records and examples, against a file that TensorFlow wrote
 * (tools/make_golden_tfrecord.py), and against damage. */
#include "checkpoint_files.h"

#include "io/tf_example.h"
#include "io/tfrecord.h"

static path_text folder;

static int make(void **state)
{
    (void)state;
    folder = make_folder();
    return 0;
}

static int clean(void **state)
{
    (void)state;
    remove_folder(&folder);
    return 0;
}

static path_text golden(void)
{
    const char *root = getenv("RV_TEST_SOURCE");
    path_text p;
    snprintf(p.text, sizeof p.text, "%s/tests/golden/examples.tfrecord", root ? root : ".");
    return p;
}

static void check_text(const unsigned char *record, size_t size, const char *key, const char *want)
{
    rv_tf_list list;
    const unsigned char *bytes;
    size_t n;
    CHECK(rv_tf_find(&list, record, size, key, RV_TF_BYTES) && rv_tf_bytes(&list, &bytes, &n));
    CHECK_MSG(n == strlen(want) && !memcmp(bytes, want, n), "%s is %.*s", key, (int)n, bytes);
}

static void check_floats(const unsigned char *record, size_t size, const char *key,
                         const float *want, size_t n_want)
{
    rv_tf_list list;
    float got[8];
    size_t n;
    CHECK(rv_tf_find(&list, record, size, key, RV_TF_FLOATS) && rv_tf_floats(&list, got, 8, &n));
    CHECK(n == n_want && !memcmp(got, want, n * sizeof *got));
}

static int64_t integer(const unsigned char *record, size_t size, const char *key)
{
    rv_tf_list list;
    int64_t value = -1;
    CHECK(rv_tf_find(&list, record, size, key, RV_TF_INTEGERS) && rv_tf_integer(&list, &value));
    return value;
}

static void check_ramp(const unsigned char *record, size_t size, const char *key, float step)
{
    rv_tf_list list;
    const unsigned char *bytes;
    float ramp[8];
    size_t n;
    CHECK(rv_tf_find(&list, record, size, key, RV_TF_BYTES) && rv_tf_bytes(&list, &bytes, &n));
    CHECK(n == sizeof ramp);
    memcpy(ramp, bytes, n);
    for (int i = 0; i < 8; i++)
        CHECK(ramp[i] == (float)i * step);
}

static void check_example(const unsigned char *record, size_t size, int i)
{
    char track[16];
    rv_tf_list list;
    const float start = (float)i + 0.5f, three[] = { 1, 2, 3 };
    snprintf(track, sizeof track, "Song %d", i);
    check_text(record, size, "meta/track", track);
    check_text(record, size, "meta/subset", "train");
    check_floats(record, size, "meta/start_sec", &start, 1);
    check_floats(record, size, "list", three, 3);
    CHECK(integer(record, size, "audio/sample_rate") == 22050);
    CHECK(integer(record, size, "below") == -3);
    check_ramp(record, size, "audio/inputs", (float)(i + 1) / 8);
    check_ramp(record, size, "audio/targets", -(float)(i + 1) / 8);
    CHECK(!rv_tf_find(&list, record, size, "empty", RV_TF_BYTES));
    CHECK(!rv_tf_find(&list, record, size, "absent", RV_TF_BYTES));
    CHECK(!rv_tf_find(&list, record, size, "list", RV_TF_INTEGERS));
}

TEST(test_what_tensorflow_wrote)
{
    rv_error err;
    rv_tfrecords *r;
    CHECK_OK(rv_tfrecords_open(&r, golden().text, &err), err);
    CHECK(rv_tfrecords_count(r) == 2);
    for (size_t i = 0; i < 2; i++) {
        const unsigned char *record;
        size_t size;
        CHECK_OK(rv_tfrecords_get(r, i, &record, &size, &err), err);
        check_example(record, size, (int)i);
    }
    rv_tfrecords_free(r);
}

/* What the golden file holds, but for the empty list. */
static void add_example(rv_tf_example *e, int i)
{
    float ramp[8], minus[8];
    char track[16];
    const float start = (float)i + 0.5f, end = (float)i + 4.5f, three[] = { 1, 2, 3 };
    snprintf(track, sizeof track, "Song %d", i);
    for (int k = 0; k < 8; k++) {
        ramp[k] = (float)(k * (i + 1)) / 8;
        minus[k] = -ramp[k];
    }
    rv_tf_add_bytes(e, "audio/inputs", ramp, sizeof ramp);
    rv_tf_add_bytes(e, "audio/targets", minus, sizeof minus);
    rv_tf_add_integer(e, "audio/sample_rate", 22050);
    rv_tf_add_integer(e, "below", -3);
    rv_tf_add_text(e, "meta/track", track);
    rv_tf_add_text(e, "meta/subset", "train");
    rv_tf_add_floats(e, "meta/start_sec", &start, 1);
    rv_tf_add_floats(e, "meta/end_sec", &end, 1);
    rv_tf_add_floats(e, "list", three, 3);
}

static path_text write_examples(const char *name, int count)
{
    rv_error err;
    rv_tfrecord_writer *w;
    rv_tf_example e = { 0 };
    const path_text path = in_folder(&folder, name);
    CHECK_OK(rv_tfrecord_writer_open(&w, path.text, &err), err);
    for (int i = 0; i < count; i++) {
        rv_tf_clear(&e);
        add_example(&e, i);
        CHECK_OK(rv_tf_finish(&e, &err), err);
        CHECK_OK(rv_tfrecord_write(w, e.bytes, e.n, &err), err);
    }
    CHECK(access(path.text, F_OK) != 0);
    CHECK_OK(rv_tfrecord_commit(w, &err), err);
    rv_tfrecord_writer_free(w);
    rv_tf_free(&e);
    return path;
}

TEST(test_what_is_written_is_read)
{
    rv_error err;
    rv_tfrecords *r;
    CHECK_OK(rv_tfrecords_open(&r, write_examples("many.tfrecord", 100).text, &err), err);
    CHECK(rv_tfrecords_count(r) == 100);
    for (size_t i = 100; i-- > 0;) {
        const unsigned char *record;
        size_t size;
        CHECK_OK(rv_tfrecords_get(r, i, &record, &size, &err), err);
        check_example(record, size, (int)i);
    }
    rv_tfrecords_free(r);
}

/* A byte changed anywhere is found, and said where. */
TEST(test_every_damage_is_found)
{
    rv_error err;
    size_t size;
    const path_text whole = write_examples("whole.tfrecord", 2);
    const path_text damaged = in_folder(&folder, "damaged.tfrecord");
    unsigned char *bytes = load_file(whole.text, &size);
    for (size_t i = 0; i < size; i++) {
        rv_tfrecords *r = NULL;
        const unsigned char *record;
        size_t n;
        bytes[i] ^= 0x10;
        store_file(damaged.text, bytes, size);
        bytes[i] ^= 0x10;
        rv_status status = rv_tfrecords_open(&r, damaged.text, &err);
        for (size_t k = 0; status == RV_OK && k < 2; k++)
            status = rv_tfrecords_get(r, k, &record, &n, &err);
        CHECK_MSG(status == RV_ERR_FORMAT, "byte %zu is not missed", i);
        CHECK(strstr(err.text, "damaged.tfrecord: record ") && strstr(err.text, " at byte "));
        rv_tfrecords_free(r);
    }
    free(bytes);
}

TEST(test_every_cut_is_found)
{
    rv_error err;
    size_t size, whole_records = 0;
    const path_text whole = write_examples("uncut.tfrecord", 2);
    const path_text cut = in_folder(&folder, "cut.tfrecord");
    unsigned char *bytes = load_file(whole.text, &size);
    for (size_t n = 0; n < size; n++) {
        rv_tfrecords *r = NULL;
        store_file(cut.text, bytes, n);
        const rv_status status = rv_tfrecords_open(&r, cut.text, &err);
        CHECK(status == RV_OK || status == RV_ERR_FORMAT);
        whole_records += status == RV_OK;
        rv_tfrecords_free(r);
    }
    CHECK(whole_records == 2); /* of no record, and of one */
    free(bytes);
}

TEST(test_an_unwritable_folder)
{
    rv_error err;
    rv_tfrecord_writer *w;
    CHECK(rv_tfrecord_writer_open(&w, "/proc/none/x.tfrecord", &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "/proc/none/x.tfrecord"));
    rv_tfrecords *r;
    CHECK(rv_tfrecords_open(&r, "/nonexistent.tfrecord", &err) == RV_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_tensorflow_wrote),
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_every_damage_is_found),
        cmocka_unit_test(test_every_cut_is_found),
        cmocka_unit_test(test_an_unwritable_folder),
    };
    return cmocka_run_group_tests(tests, make, clean);
}
