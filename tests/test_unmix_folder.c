/* test_unmix_folder.c - a folder of Open-Unmix's targets is one model, with the values of the
 * reference; broken folders are refused with a reason. */
#include "infer/network.h"
#include "infer/unmix_folder.h"
#include "model_case.h"

#include <sys/stat.h>
#include <unistd.h>

static char *golden(char path[512], const char *name)
{
    const char *root = getenv("RV_TEST_SOURCE");
    snprintf(path, 512, "%s/tests/golden/%s", root ? root : ".", name);
    return path;
}

/* Largest difference between the golden output and the network's, relative to the output's. */
static double difference(const rv_network *n, const char *golden_file)
{
    rv_error err = { 0 };
    rv_checkpoint *c = NULL;
    rv_runner *r = NULL;
    size_t length;
    CHECK_OK(rv_checkpoint_open(&c, golden_file, &err), err);
    float *mix = read_tensor(c, "input", &length), *want = read_tensor(c, "output", &length);
    const size_t rows = n->n_stems * n->channels;
    CHECK_OK(n->class->runner_new(&r, n, length, &(rv_runner_options){ 0 }, &err), err);
    for (size_t i = 0; i < n->channels * length; i++)
        *rv_planes_at(&r->mix, i / length, i % length) = mix[i];
    r->run(r);
    double off = 0, most = 0;
    for (size_t i = 0; i < rows * length; i++) {
        const float made = *rv_planes_at(&r->stems, i / length, i % length);
        off = fmax(off, fabs((double)made - (double)want[i]));
        most = fmax(most, fabs((double)want[i]));
    }
    rv_runner_free(r);
    rv_checkpoint_free(c);
    free(mix);
    free(want);
    return off / most;
}

TEST(test_a_folder_is_a_model)
{
    char path[512], values[512];
    rv_error err = { 0 };
    rv_network *n = NULL;
    rv_network_card card;
    CHECK(rv_unmix_folder_is(golden(path, "umx")));
    CHECK_OK(rv_network_open(&n, &card, path, 0, NULL, &err), err);
    CHECK(n->n_stems == 4 && n->channels == 2 && n->sample_rate == 8000 && !n->level);
    assert_string_equal(card.info.stems[1], "drums");
    CHECK(card.parameters == 20144);
    const double off = difference(n, golden(values, "umx.safetensors"));
    CHECK_MSG(off <= 1e-5, "relative error %.2e", off);
    rv_network_free(n);
}

TEST(test_what_is_no_folder)
{
    char path[512];
    CHECK(!rv_unmix_folder_is(golden(path, "..")));
    CHECK(!rv_unmix_folder_is(golden(path, "umx.th")));
    CHECK(!rv_unmix_folder_is(golden(path, "nowhere/separator.json")));
    CHECK(rv_unmix_folder_is(golden(path, "umx/separator.json")));
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    CHECK(f && fputs(text, f) >= 0 && fclose(f) == 0);
}

static void check_refused(const char *folder, rv_status status, const char *part)
{
    rv_error err = { 0 };
    rv_network *n = NULL;
    rv_network_card card;
    const rv_status st = rv_network_open(&n, &card, folder, 0, NULL, &err);
    CHECK_MSG(st == status && strstr(err.text, part), "%d: %s", st, err.text);
}

TEST(test_broken_folders)
{
    char folder[] = "/tmp/ravel-unmix-XXXXXX", source[512], to[600];
    CHECK(mkdtemp(folder) != NULL);
    put(folder, "bass.pth", "no weights");
    check_refused(folder, RV_ERR_FORMAT, "bass.pth");

    snprintf(to, sizeof to, "%s/bass.pth", folder);
    CHECK(unlink(to) == 0 && symlink(golden(source, "conv_tasnet.th"), to) == 0);
    check_refused(folder, RV_ERR_FORMAT, "fc1.weight");
    CHECK(unlink(to) == 0 && symlink(golden(source, "umx/bass.pth"), to) == 0);

    put(folder, "separator.json", "{\"nfft\": 64, ");
    check_refused(folder, RV_ERR_FORMAT, "separator.json: line 1");
    put(folder, "separator.json", "[]");
    check_refused(folder, RV_ERR_FORMAT, "no JSON object");
    put(folder, "separator.json", "{\"nfft\": 128, \"nhop\": 16}");
    check_refused(folder, RV_ERR_SHAPE, "fc3.weight");
    put(folder, "separator.json", "{\"nfft\": 64, \"nhop\": 60}");
    check_refused(folder, RV_ERR_ARG, "n_hop");
    put(folder, "separator.json", "{\"niter\": 1}");
    check_refused(folder, RV_ERR_ARG, "niter");
    put(folder, "separator.json", "{}");

    snprintf(to, sizeof to, "%s/bass-0123abcd.pth", folder);
    CHECK(symlink(golden(source, "umx/bass.pth"), to) == 0);
    check_refused(folder, RV_ERR_FORMAT, "twice");
    snprintf(to, sizeof to, "rm -r %s", folder);
    CHECK(system(to) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_folder_is_a_model),
        cmocka_unit_test(test_what_is_no_folder),
        cmocka_unit_test(test_broken_folders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
