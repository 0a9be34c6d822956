/* test_bag.c - bags of models, as demucs writes them, and broken ones with their lines. */
#include "checkpoint_files.h"

#include "io/bag.h"

static rv_status open_text(rv_bag **out, const char *text, rv_error *err)
{
    const path_text folder = make_folder(), path = in_folder(&folder, "bag.yaml");
    store_file(path.text, text, strlen(text));
    const rv_status status = rv_bag_open(out, path.text, err);
    remove_folder(&folder);
    return status;
}

TEST(test_models_weights_segment)
{
    rv_error err;
    rv_bag *bag = NULL;
    CHECK_OK(open_text(&bag,
                       "models: ['0d19c1c6', \"7ecf8ec1\"]\n"
                       "weights: [\n  [1., 0.5, .25, 0],\n  [0., 1., 0., 1e0],\n]\n"
                       "segment: 44\n",
                       &err),
             err);
    const double weights[] = { 1, 0.5, 0.25, 0, 0, 1, 0, 1 };
    CHECK(bag->n_models == 2 && bag->n_sources == 4 && bag->segment == 44);
    assert_string_equal(bag->models[0], "0d19c1c6");
    assert_string_equal(bag->models[1], "7ecf8ec1");
    for (int i = 0; i < 8; i++)
        CHECK(bag->weights[i] == weights[i]);
    rv_bag_free(bag);
}

TEST(test_models_alone)
{
    rv_error err;
    rv_bag *bag = NULL;
    CHECK_OK(open_text(&bag, "models:\n- 955717e8\n- b\nweights: null\nnote: [x]", &err), err);
    CHECK(bag->n_models == 2 && !bag->weights && !bag->n_sources && bag->segment == 0);
    assert_string_equal(bag->models[0], "955717e8");
    rv_bag_free(bag);
}

TEST(test_errors_name_the_line)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "", "must be a map" },
        { "- a\n", "must be a map" },
        { "weights: [[1]]\n", "line 1: a bag of models must have a list" },
        { "models: 5\n", "line 1: \"models\" must be a list" },
        { "models: []\n", "line 1: \"models\" must be a list" },
        { "models:\n- a\n- [b]\n", "line 3: the name" },
        { "models: [a, b]\nweights: [[1, 2]]\n",
          "line 2: \"weights\" must be a list with one row" },
        { "models: [a, b]\nweights:\n- [1, 2]\n- [1]\n", "line 4: all rows" },
        { "models: [a]\nweights:\n- [1, x]\n", "line 3: a weight must be a number" },
        { "models: [a]\nweights:\n- [1, .inf]\n", "line 3: a weight must be a number" },
        { "models: [a]\nweights: [[1, 0]]\n", "line 2: the weights of source 2" },
        { "models: [a]\nsegment: -3\n", "line 2: \"segment\"" },
        { "models: [a\nsegment: 3\n", "line" },
        { "\001\002", "line 1" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rv_error err;
        rv_bag *bag;
        CHECK(open_text(&bag, cases[i].text, &err) == RV_ERR_FORMAT);
        CHECK_MSG(strstr(err.text, "bag.yaml") && strstr(err.text, cases[i].part),
                  "\"%s\" does not say \"%s\"", err.text, cases[i].part);
    }
}

TEST(test_missing_file)
{
    rv_error err;
    rv_bag *bag;
    CHECK(rv_bag_open(&bag, "/nonexistent.yaml", &err) == RV_ERR_IO);
}

int main(void)
{
    rv_error err;
    rv_bag *bag = NULL;
    if (open_text(&bag, "models: [a]", &err) == RV_ERR_UNSUPPORTED)
        return puts("1..0 # SKIP built without libyaml") < 0;
    rv_bag_free(bag);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models_weights_segment),
        cmocka_unit_test(test_models_alone),
        cmocka_unit_test(test_errors_name_the_line),
        cmocka_unit_test(test_missing_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
