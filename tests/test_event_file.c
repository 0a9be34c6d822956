/* test_event_file.c - event files against bytes that TensorFlow's protocol buffers and a bitwise
 * CRC gave (tensorboard 2.21, protobuf 7 for Python), and the log of JSON lines. */
#include "checkpoint_files.h"

#include "io/bytes.h"
#include "io/crc32c.h"
#include "io/event_file.h"
#include "io/json_log.h"

#include <signal.h>
#include <sys/resource.h>

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

/* RFC 3720, appendix B.4 */
TEST(test_crc32c)
{
    unsigned char bytes[32] = { 0 };
    CHECK(rv_crc32c("", 0) == 0);
    CHECK(rv_crc32c("123456789", 9) == 0xe3069283);
    CHECK(rv_crc32c(bytes, 32) == 0x8a9136aa);
    memset(bytes, 0xff, 32);
    CHECK(rv_crc32c(bytes, 32) == 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    CHECK(rv_crc32c(bytes, 32) == 0x46dd794e);
}

/* Event files */

static path_text event_path(const char *seconds, const char *end)
{
    char host[65] = "", name[128];
    CHECK(!gethostname(host, sizeof host - 1));
    snprintf(name, sizeof name, "events.out.tfevents.%s.%s%s", seconds, host, end);
    return in_folder(&folder, name);
}

TEST(test_bytes_of_an_event_file)
{
    static const unsigned char want[] = {
        0x18, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xa3, 0x7f, 0x4b, 0x22, 0x09, 0x00, 0x00,
        0x10, 0x40, 0xfc, 0x54, 0xd9, 0x41, 0x1a, 0x0d, 0x62, 0x72, 0x61, 0x69, 0x6e, 0x2e, 0x45,
        0x76, 0x65, 0x6e, 0x74, 0x3a, 0x32, 0x33, 0x8d, 0x2f, 0xe9, 0x20, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x29, 0xed, 0xa9, 0x50, 0x09, 0x00, 0x00, 0x60, 0x40, 0xfc, 0x54, 0xd9,
        0x41, 0x10, 0x01, 0x2a, 0x13, 0x0a, 0x11, 0x0a, 0x0a, 0x74, 0x72, 0x61, 0x69, 0x6e, 0x2f,
        0x6c, 0x6f, 0x73, 0x73, 0x15, 0x00, 0x00, 0x00, 0x3f, 0x0d, 0xb3, 0x3e, 0x90, 0x21, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x7b, 0xec, 0xf6, 0x09, 0x00, 0x00, 0x80, 0x40,
        0xfc, 0x54, 0xd9, 0x41, 0x10, 0xac, 0x02, 0x2a, 0x13, 0x0a, 0x11, 0x0a, 0x0a, 0x74, 0x72,
        0x61, 0x69, 0x6e, 0x2f, 0x6c, 0x6f, 0x73, 0x73, 0x15, 0x6f, 0x12, 0x83, 0xba, 0x38, 0x71,
        0x12, 0xdc, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x95, 0xfb, 0xfe, 0x18, 0x09,
        0x00, 0x00, 0xc0, 0x40, 0xfc, 0x54, 0xd9, 0x41, 0x10, 0xc8, 0x01, 0x3a, 0x02, 0x08, 0x01,
        0xf1, 0x87, 0xe4, 0x80
    };
    rv_error err;
    rv_event_file *file;
    size_t size;
    CHECK_OK(rv_event_file_open(&file, folder.text, 1700000000.25, &err), err);
    CHECK_OK(rv_event_file_scalar(file, "train/loss", 1, 0.5, 1700000001.5, &err), err);
    CHECK_OK(rv_event_file_scalar(file, "train/loss", 300, -1e-3, 1700000002, &err), err);
    CHECK_OK(rv_event_file_resume(file, 200, 1700000003, &err), err);
    CHECK_OK(rv_event_file_close(file, &err), err);
    const path_text path = event_path("1700000000", "");
    unsigned char *bytes = load_file(path.text, &size);
    CHECK_MSG(size == sizeof want, "%zu bytes", size);
    assert_memory_equal(bytes, want, size);
    free(bytes);
}

/* Every frame's checksums hold, whatever the lengths. */
TEST(test_frames)
{
    char tag[257] = "";
    rv_error err;
    rv_event_file *file;
    size_t size, at = 0, frames = 0;
    CHECK_OK(rv_event_file_open(&file, folder.text, 1700000500, &err), err);
    for (int i = 1; i <= 255; i++) {
        tag[i - 1] = 't';
        CHECK_OK(rv_event_file_scalar(file, tag, INT64_MAX - i, i, 1e9, &err), err);
    }
    tag[255] = 't';
    CHECK(rv_event_file_scalar(file, tag, 0, 0, 0, &err) == RV_ERR_ARG);
    CHECK(rv_event_file_scalar(file, "", 0, 0, 0, &err) == RV_ERR_ARG);
    CHECK_OK(rv_event_file_flush(file, &err), err);
    unsigned char *bytes = load_file(event_path("1700000500", "").text, &size);
    for (; at < size; frames++) {
        const uint64_t n = rv_le64(bytes + at);
        CHECK(n < 512 && at + 16 + n <= size);
        const uint32_t head = rv_le32(bytes + at + 8) - 0xa282ead8;
        const uint32_t tail = rv_le32(bytes + at + 12 + n) - 0xa282ead8;
        CHECK((head << 15 | head >> 17) == rv_crc32c(bytes + at, 8));
        CHECK((tail << 15 | tail >> 17) == rv_crc32c(bytes + at + 12, n));
        at += 16 + n;
    }
    CHECK(frames == 256);
    free(bytes);
    CHECK_OK(rv_event_file_close(file, &err), err);
}

TEST(test_event_files_are_never_replaced)
{
    rv_error err;
    rv_event_file *file;
    for (int i = 0; i < 3; i++) {
        CHECK_OK(rv_event_file_open(&file, folder.text, 1700000900, &err), err);
        CHECK_OK(rv_event_file_close(file, &err), err);
    }
    CHECK(!access(event_path("1700000900", "").text, R_OK));
    CHECK(!access(event_path("1700000900", ".1").text, R_OK));
    CHECK(!access(event_path("1700000900", ".2").text, R_OK));
    CHECK(rv_event_file_open(&file, "/nonexistent", 0, &err) == RV_ERR_IO);
    CHECK(strstr(err.text, "/nonexistent/events.out.tfevents.0000000000.") &&
          strstr(err.text, "No such file"));
    CHECK(rv_event_file_close(NULL, &err) == RV_OK);
}

/* The log */

static void write_step(rv_json_log *log, const char *text)
{
    rv_error err;
    json_t *line = json_loads(text, JSON_DECODE_ANY, NULL);
    CHECK(line);
    CHECK_OK(rv_json_log_write(log, line, &err), err);
    json_decref(line);
}

static void check_log(const char *name, const char *want)
{
    size_t size;
    unsigned char *bytes = load_file(in_folder(&folder, name).text, &size);
    bytes[size] = '\0';
    assert_string_equal((char *)bytes, want);
    free(bytes);
}

static rv_json_log *open_log(const char *name, int64_t step)
{
    rv_error err;
    rv_json_log *log;
    CHECK_OK(rv_json_log_open(&log, in_folder(&folder, name).text, step, &err), err);
    return log;
}

#define START "{\"event\":\"start\"}\n"
#define ONE   "{\"step\":1,\"loss\":0.5}\n"
#define TWO   "{\"step\":2,\"loss\":0.25}\n"
#define THREE "{\"step\":3,\"loss\":0.125}\n"
#define END   "{\"event\":\"end\"}\n"

TEST(test_log)
{
    rv_error err;
    rv_json_log *log = open_log("log.jsonl", -1);
    write_step(log, START);
    write_step(log, ONE);
    check_log("log.jsonl", START ONE); /* before it is closed */
    json_t *number = json_integer(5);
    CHECK(rv_json_log_write(log, number, &err) == RV_ERR_ARG);
    json_decref(number);
    rv_json_log_free(log);
    rv_json_log_free(open_log("log.jsonl", -1));
    check_log("log.jsonl", "");
    rv_json_log_free(NULL);
}

TEST(test_resumed_log)
{
    static const struct {
        const char *old, *kept;
        int64_t step;
    } cases[] = {
        { START ONE TWO THREE END, START ONE TWO THREE END, 3 },
        { START ONE TWO THREE END, START ONE TWO, 2 },
        { START ONE TWO THREE END, START, 0 },
        { START ONE "{\"step\":2,\"lo", START ONE, 5 },
        { START ONE "{\"step\":2}", START ONE, 5 },
        { START ONE "{", START ONE, 1 },
        { "", "", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char want[500];
        store_file(in_folder(&folder, "old.jsonl").text, cases[i].old, strlen(cases[i].old));
        rv_json_log *log = open_log("old.jsonl", cases[i].step);
        check_log("old.jsonl", cases[i].kept);
        write_step(log, TWO);
        rv_json_log_free(log);
        snprintf(want, sizeof want, "%s%s", cases[i].kept, TWO);
        check_log("old.jsonl", want);
    }
    rv_json_log_free(open_log("missing.jsonl", 5));
    check_log("missing.jsonl", "");
}

TEST(test_files_that_are_no_log)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "hello", "line 1" },
        { "hello\n", "line 1" },
        { START "\n" ONE, "line 2" },
        { START "[1]\n", "line 2" },
        { START "{\"step\":\n" ONE, "line 2" },
    };
    rv_error err;
    rv_json_log *log;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const path_text path = in_folder(&folder, "other.jsonl");
        store_file(path.text, cases[i].text, strlen(cases[i].text));
        CHECK(rv_json_log_open(&log, path.text, 9, &err) == RV_ERR_FORMAT);
        CHECK(strstr(err.text, cases[i].part));
        check_log("other.jsonl", cases[i].text);
    }
    CHECK(rv_json_log_open(&log, folder.text, 9, &err) == RV_ERR_IO);
    CHECK(rv_json_log_open(&log, "/nonexistent/log.jsonl", -1, &err) == RV_ERR_IO);
}

/* The file may not grow above 40 bytes, as on a full disk: half a line is taken back. */
TEST(test_full_disk)
{
    struct rlimit old;
    rv_error err;
    CHECK(!getrlimit(RLIMIT_FSIZE, &old));
    const struct rlimit low = { 40, old.rlim_max };
    rv_json_log *log = open_log("full.jsonl", -1);
    json_t *line = json_loads(TWO, 0, NULL);
    write_step(log, ONE);
    signal(SIGXFSZ, SIG_IGN);
    CHECK(!setrlimit(RLIMIT_FSIZE, &low));
    const rv_status status = rv_json_log_write(log, line, &err);
    CHECK(!setrlimit(RLIMIT_FSIZE, &old));
    CHECK(status == RV_ERR_IO && strstr(err.text, "full.jsonl: cannot be written"));
    check_log("full.jsonl", ONE);
    CHECK_OK(rv_json_log_write(log, line, &err), err);
    check_log("full.jsonl", ONE TWO);
    json_decref(line);
    rv_json_log_free(log);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_crc32c),
        cmocka_unit_test(test_bytes_of_an_event_file),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_event_files_are_never_replaced),
        cmocka_unit_test(test_log),
        cmocka_unit_test(test_resumed_log),
        cmocka_unit_test(test_files_that_are_no_log),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(t, make, clean);
}
