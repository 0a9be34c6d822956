/* test_process.c - programs run as processes: what they print, and every way in which they fail. */
#include "check.h"
#include "io/process.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const rv_process_limits usual = { .bytes = 1 << 20, .seconds = 10 };

static void check_prints(const char *const *argv, const char *input, const char *expected)
{
    rv_error err = { 0 };
    unsigned char *data = NULL;
    size_t size = 0;
    CHECK_OK(rv_process_run(&data, &size, argv, input, usual, &err), err);
    CHECK_MSG(size == strlen(expected) && memcmp(data, expected, size) == 0, "%s printed \"%.*s\"",
              argv[0], (int)size, (const char *)data);
    free(data);
}

static void check_fails(const char *const *argv, rv_process_limits limits, rv_status expected,
                        const char *reason)
{
    rv_error err = { 0 };
    unsigned char *data = NULL;
    size_t size = 7;
    CHECK(rv_process_run(&data, &size, argv, "", limits, &err) == expected);
    CHECK_MSG(strstr(err.text, reason), "\"%s\" does not say \"%s\"", err.text, reason);
    CHECK(!data && size == 7);
}

TEST(test_output_is_what_the_program_prints)
{
    check_prints((const char *[]){ "cat", NULL }, "one\ntwo", "one\ntwo");
    check_prints((const char *[]){ "cat", NULL }, "", "");
    check_prints((const char *[]){ "true", NULL }, "nobody reads this", "");
}

TEST(test_arguments_meet_no_shell)
{
    check_prints((const char *[]){ "printf", "%s|", "$(id)", "; x", "a  b", NULL }, "",
                 "$(id)|; x|a  b|");
}

TEST(test_long_output_is_whole)
{
    rv_error err = { 0 };
    unsigned char *data = NULL;
    size_t size = 0;
    const char *const argv[] = { "head", "-c", "300000", "/dev/zero", NULL };
    CHECK_OK(rv_process_run(&data, &size, argv, "", usual, &err), err);
    CHECK(size == 300000);
    for (size_t i = 0; i < size; i++)
        CHECK(data[i] == 0);
    free(data);
}

TEST(test_a_missing_program_is_told_from_a_failing_one)
{
    check_fails((const char *[]){ "no-such-program-anywhere", NULL }, usual, RV_ERR_UNSUPPORTED,
                "no-such-program-anywhere");
    check_fails((const char *[]){ "false", NULL }, usual, RV_ERR_IO, "exit status 1");
    check_fails((const char *[]){ "sh", "-c", "echo 'no voice' >&2; echo more >&2; exit 3", NULL },
                usual, RV_ERR_IO, "(exit status 3): no voice");
    check_fails((const char *[]){ "sh", "-c", "kill -9 $$", NULL }, usual, RV_ERR_IO, "signal 9");
}

TEST(test_a_program_that_hangs_is_stopped)
{
    const rv_process_limits brief = { .bytes = 1000, .seconds = 0.2 };
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    check_fails((const char *[]){ "sleep", "60", NULL }, brief, RV_ERR_IO, "within 0.2 seconds");
    check_fails((const char *[]){ "sh", "-c", "exec >&-; exec sleep 60", NULL }, brief, RV_ERR_IO,
                "within 0.2 seconds");
    clock_gettime(CLOCK_MONOTONIC, &to);
    CHECK(to.tv_sec - from.tv_sec < 20);
}

TEST(test_a_program_that_never_stops_printing_is_stopped)
{
    check_fails((const char *[]){ "yes", NULL }, usual, RV_ERR_IO, "more than 1048576 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_output_is_what_the_program_prints),
        cmocka_unit_test(test_arguments_meet_no_shell),
        cmocka_unit_test(test_long_output_is_whole),
        cmocka_unit_test(test_a_missing_program_is_told_from_a_failing_one),
        cmocka_unit_test(test_a_program_that_hangs_is_stopped),
        cmocka_unit_test(test_a_program_that_never_stops_printing_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
