/* test_config.c - recipes: YAML to values, bases, arguments, the table of keys, and bad input. */
#include "checkpoint_files.h"

#include "io/config.h"
#include "io/config_schema.h"

#include <sys/stat.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

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

static path_text store(const char *name, const char *text)
{
    const path_text p = in_folder(&folder, name);
    store_file(p.text, text, strlen(text));
    return p;
}

static json_t *load(const char *name, const char *const *overrides, size_t n, json_t **origins)
{
    rv_error err;
    json_t *values = NULL;
    CHECK_OK(rv_config_load(&values, origins, in_folder(&folder, name).text, overrides, n, &err),
             err);
    return values;
}

/* `values`, which is freed, equals the JSON. */
static void check_json(json_t *values, const char *json)
{
    json_t *want = json_loads(json, JSON_DECODE_ANY, NULL);
    char *got = json_dumps(values, JSON_ENCODE_ANY);
    CHECK(want && got);
    CHECK_MSG(json_equal(values, want), "%s is not %s", got, json);
    free(got);
    json_decref(want);
    json_decref(values);
}

/* Loading a file with this text fails, with both parts in one line of the error. */
static void check_refused(const char *text, size_t size, const char *part)
{
    rv_error err;
    json_t *values = NULL, *origins = NULL;
    const path_text p = in_folder(&folder, "bad.yaml");
    store_file(p.text, text, size);
    CHECK(rv_config_load(&values, &origins, p.text, NULL, 0, &err) == RV_ERR_FORMAT);
    CHECK_MSG(strstr(err.text, "bad.yaml") && strstr(err.text, part) && !strchr(err.text, '\n'),
              "\"%s\" does not say \"%s\"", err.text, part);
    CHECK(!values && !origins);
}

TEST(test_scalars_follow_the_core_schema)
{
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        { "5", "5" },
        { "-12", "-12" },
        { "+7", "7" },
        { "010", "10" },
        { "0o17", "15" },
        { "0x1F", "31" },
        { "9223372036854775807", "9223372036854775807" },
        { "0.5", "0.5" },
        { "1e-3", "0.001" },
        { "1.", "1.0" },
        { ".5E+1", "5.0" },
        { "-0.0", "-0.0" },
        { "true", "true" },
        { "False", "false" },
        { "null", "null" },
        { "~", "null" },
        { "", "null" },
        { "yes", "\"yes\"" },
        { "no", "\"no\"" },
        { "1:30", "\"1:30\"" },
        { "1_000", "\"1_000\"" },
        { "0x", "\"0x\"" },
        { "1e", "\"1e\"" },
        { ".", "\".\"" },
        { "-", "[null]" },
        { "'5'", "\"5\"" },
        { "\"true\"", "\"true\"" },
        { "!!str 5", "\"5\"" },
        { "! 5", "\"5\"" },
        { "|\n  1\n  2\n", "\"1\\n2\\n\"" },
        { "\"\\u00e9\"", "\"\xc3\xa9\"" },
        { "[1, [a, 2.5], {b: ~}]", "[1, [\"a\", 2.5], {\"b\": null}]" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[200], json[200];
        snprintf(text, sizeof text, "v: %s%s\n",
                 cases[i].yaml[0] == '-' && !cases[i].yaml[1] ? "\n" : "", cases[i].yaml);
        snprintf(json, sizeof json, "{\"v\": %s}", cases[i].json);
        store("scalar.yaml", text);
        check_json(load("scalar.yaml", NULL, 0, NULL), json);
    }
}

TEST(test_aliases_are_copies)
{
    static const char *const change[] = { "b.x=9" };
    json_t *origins;
    store("alias.yaml", "a: &a {x: 1, y: [2]}\nb: *a\nc: [&n 5, *n]\n");
    json_t *values = load("alias.yaml", change, 1, &origins);
    assert_string_equal(strrchr(rv_config_place(origins, "b.y.0"), '/'), "/alias.yaml:2:1");
    assert_string_equal(strrchr(rv_config_place(origins, "a.y.0"), '/'), "/alias.yaml:1:18");
    assert_string_equal(rv_config_place(origins, "b.x"), "argument \"b.x=9\"");
    json_decref(origins);
    check_json(values,
               "{\"a\": {\"x\": 1, \"y\": [2]}, \"b\": {\"x\": 9, \"y\": [2]}, \"c\": [5, 5]}");
}

TEST(test_bases_are_merged)
{
    json_t *origins;
    store("first.yaml", "train: {lr: 1, steps: 10, stems: [a, b]}\nname: first\nonly: 1\n");
    store("second.yaml", "_base_: first.yaml\ntrain:\n  steps: 20\nname: second\n");
    store("third.yaml", "train: {ema: [0.9]}\nname: third\n");
    store("last.yaml", "train: {stems: [c]}\n_base_: [second.yaml, third.yaml]\n");
    json_t *values = load("last.yaml", NULL, 0, &origins);
    assert_string_equal(strrchr(rv_config_place(origins, "train.lr"), '/'), "/first.yaml:1:9");
    assert_string_equal(strrchr(rv_config_place(origins, "train.steps"), '/'), "/second.yaml:3:3");
    assert_string_equal(strrchr(rv_config_place(origins, "train.stems.0"), '/'), "/last.yaml:1:17");
    assert_string_equal(strrchr(rv_config_place(origins, "train.nothing"), '/'), "/last.yaml:1:1");
    assert_string_equal(rv_config_place(NULL, "a.b"), "configuration");
    json_decref(origins);
    check_json(values, "{\"train\": {\"lr\": 1, \"steps\": 20, \"stems\": [\"c\"], \"ema\": [0.9]},"
                       " \"name\": \"third\", \"only\": 1}");
}

TEST(test_base_of_another_folder)
{
    char text[1200];
    const path_text inner = in_folder(&folder, "inner"), in = in_folder(&inner, "in.yaml");
    CHECK(!mkdir(inner.text, 0777));
    store("outer.yaml", "a: 1\nb: 1\n");
    store_file(in.text, "_base_: ../outer.yaml\nb: 2\n", 27);
    snprintf(text, sizeof text, "_base_: %s\nc: 3\n", in.text);
    store("absolute.yaml", text);
    check_json(load("absolute.yaml", NULL, 0, NULL), "{\"a\": 1, \"b\": 2, \"c\": 3}");
    CHECK(remove_folder(&inner) == 1);
}

TEST(test_wrong_bases)
{
    rv_error err;
    json_t *values;
    store("a.yaml", "_base_: b.yaml\n");
    store("b.yaml", "_base_: [c.yaml, a.yaml]\n");
    store("c.yaml", "x: 1\n");
    CHECK(rv_config_load(&values, NULL, in_folder(&folder, "a.yaml").text, NULL, 0, &err) ==
          RV_ERR_FORMAT);
    CHECK(strstr(err.text, "a.yaml: _base_ goes in a circle, through") &&
          strstr(err.text, "b.yaml"));
    store("lost.yaml", "_base_: gone.yaml\n");
    CHECK(rv_config_load(&values, NULL, in_folder(&folder, "lost.yaml").text, NULL, 0, &err) ==
          RV_ERR_IO);
    CHECK(strstr(err.text, "gone.yaml, a _base_ of") && strstr(err.text, "No such file"));
    CHECK(rv_config_load(&values, NULL, folder.text, NULL, 0, &err) == RV_ERR_IO);
    check_refused("x: 1\n_base_: 5\n", 15, "bad.yaml:2:1: _base_ must be a file");
    check_refused("_base_: bad.yaml\n", 17, "circle");
}

/* 2^k files are named, where each names the next one twice */
TEST(test_bases_cannot_explode)
{
    rv_error err;
    json_t *values;
    for (int i = 0; i < 20; i++) {
        char name[32], text[64];
        snprintf(name, sizeof name, "chain%d.yaml", i);
        snprintf(text, sizeof text, "_base_: [chain%d.yaml, chain%d.yaml]\n", i + 1, i + 1);
        store(name, i < 12 ? text : "x: 1\n");
    }
    CHECK(rv_config_load(&values, NULL, in_folder(&folder, "chain0.yaml").text, NULL, 0, &err) ==
          RV_ERR_FORMAT);
    CHECK(strstr(err.text, "too many bases"));
}

TEST(test_arguments)
{
    static const char *const change[] = { "train.lr=1e-3", "list.1.k=[x, 'y=z']", "new.deep.key=",
                                          "name=a=b",      "list.0='7'",          "nothing.x=true",
                                          "train.lr=2e-3", "whole={b: 2}" };
    store("plain.yaml",
          "train: {lr: 1, n: 2}\nlist: [1, {k: 2}]\nname: n\nnothing: ~\nwhole: {a: 1}\n");
    check_json(
        load("plain.yaml", change, COUNT(change), NULL),
        "{\"train\": {\"lr\": 0.002, \"n\": 2}, \"list\": [\"7\", {\"k\": [\"x\", \"y=z\"]}],"
        " \"name\": \"a=b\", \"nothing\": {\"x\": true}, \"whole\": {\"b\": 2},"
        " \"new\": {\"deep\": {\"key\": null}}}");
}

TEST(test_wrong_arguments)
{
    static const struct {
        const char *argument, *part;
    } cases[] = {
        { "train", "must be like" },
        { "=5", "must be like" },
        { "a..b=5", "must be like" },
        { ".a=5", "must be like" },
        { "a.=5", "must be like" },
        { "\xff=5", "must be like" },
        { "train.lr.x=5", "\"lr\" is a single value" },
        { "list.2=5", "has 2 items" },
        { "list.-1=5", "has 2 items" },
        { "list.x.y=5", "has 2 items" },
        { "list.18446744073709551616=5", "has 2 items" },
        { "train.lr=[1", "argument \"train.lr=[1\": while parsing" },
        { "train.lr=*x", "the alias has no anchor" },
        { "train.lr=1e999", "too large" },
        { "train.lr=\xff", "argument \"train.lr" },
    };
    store("plain.yaml", "train: {lr: 1}\nlist: [1, 2]\n");
    for (size_t i = 0; i < COUNT(cases); i++) {
        rv_error err;
        json_t *values;
        CHECK_MSG(rv_config_load(&values, NULL, in_folder(&folder, "plain.yaml").text,
                                 &cases[i].argument, 1, &err) != RV_OK,
                  "%s was taken", cases[i].argument);
        CHECK_MSG(strstr(err.text, cases[i].part), "\"%s\" does not say \"%s\"", err.text,
                  cases[i].part);
    }
}

TEST(test_bad_text)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "", "bad.yaml:1:1: a recipe must be a mapping" },
        { "# nothing\n", "bad.yaml:1:1: a recipe must be a mapping" },
        { "- a\n", "bad.yaml:1:1: a recipe must be a mapping" },
        { "a:\n\tb: 1\n", "bad.yaml:2:1: a tab may not indent" },
        { "a: 1\n  \tb: 2\n", "bad.yaml:2:" },
        { "a:\n  b: 1\n c: 2\n", "bad.yaml:3:2: " },
        { "a: 1\nb: *x\n", "bad.yaml:2:4: the alias has no anchor" },
        { "a: &a [*a]\n", "bad.yaml:1:8: the alias has no anchor" },
        { "a: 1\nb: 2\na: 3\n", "bad.yaml:3:1: key \"a\" stands here a second time" },
        { "a: {b: 1, \"b\": 2}\n", "bad.yaml:1:11: key \"b\"" },
        { "<<: {a: 1}\n", "bad.yaml:1:1: merge keys" },
        { "[a]: 1\n", "bad.yaml:1:1: a key must be text" },
        { "a: 1\n---\nb: 2\n", "a second document" },
        { "a: !!float 5\n", "bad.yaml:1:4: tags" },
        { "a: !x {b: 1}\n", "bad.yaml:1:4: tags" },
        { "a: !x [1]\n", "bad.yaml:1:4: tags" },
        { "a: .inf\n", "bad.yaml:1:4: a number must be finite" },
        { "a: -.Inf\n", "bad.yaml:1:4: a number must be finite" },
        { "a: .nan\n", "bad.yaml:1:4: a number must be finite" },
        { "a: 1e999\n", "bad.yaml:1:4: the number is too large" },
        { "a: 9223372036854775808\n", "bad.yaml:1:4: the integer does not fit" },
        { "a: \"\\0\"\n", "bad.yaml:1:4: text may not contain a zero" },
        { "\"\\0\": 1\n", "bad.yaml:1:1: text may not contain a zero" },
        { "a: 1\nb: \xff\n", "bad.yaml:2:4: " },
        { "a: \xed\xa0\x80\n", "bad.yaml:1:4: " },
        { "a: \"x\n", "bad.yaml:" },
        { "a: [1, 2\nb: 3\n", "bad.yaml:" },
        { "a: @x\n", "bad.yaml:1:4: " },
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        check_refused(cases[i].text, strlen(cases[i].text), cases[i].part);
    check_refused("a: \0\n", 5, "bad.yaml:1:4: ");
}

static void check_repeated(const char *text, size_t times, const char *part)
{
    const size_t n = strlen(text);
    char *all = malloc(n * times + 1);
    CHECK(all);
    for (size_t i = 0; i < times; i++)
        memcpy(all + i * n, text, n);
    check_refused(all, n * times, part);
    free(all);
}

TEST(test_bombs)
{
    static const char laughs[] = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                 "c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c]\n"
                                 "e: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: [*e,*e,*e,*e,*e,*e,*e,*e]\n";
    char key[700] = "k: {";
    memset(key + 4, 'x', 600);
    strcpy(key + 604, ": 1}\n");
    check_refused(laughs, sizeof laughs - 1, "too many values");
    check_refused(key, strlen(key), "bad.yaml:1:5: the keys that lead here are too long");
    check_repeated("[", 1 << 20, "nested too deeply");
    check_repeated("{a: ", 1 << 18, "nested too deeply");
    check_repeated("- ", 1 << 19, "nested too deeply");
    check_repeated("- 1\n", 1 << 17, "too many values");
    check_repeated("[[[", 1 << 19, "too large");
}

/* Written and read again, the values are the same, and a recipe is easy on the eyes. */
TEST(test_dump)
{
    static const char recipe[] =
        "train:\n  lr: 0.1\n  steps: 1000\n  betas: [0.9, 0.999]\nname: a b\n"
        "seed: null\nquoted: \"5\"\ntext: \"true\"\n";
    rv_error err;
    char *text;
    store("recipe.yaml", recipe);
    json_t *values = load("recipe.yaml", NULL, 0, NULL);
    CHECK_OK(rv_config_dump(&text, values, &err), err);
    assert_string_equal(text, recipe);
    json_decref(values);
    free(text);
    static const char odd[] =
        "{\"a\": [[], {}, {\"\": \"\"}, \"\\n x\\n\", \"~\", \"<<\", \"# c\", \"\\u007f"
        "\\u0085\\ufeff\\ud83d\\ude00\"], \"1\": 1e-300, \"<<\": 0.1234567890123456789}";
    json_t *want = json_loads(odd, 0, NULL);
    CHECK(want);
    CHECK_OK(rv_config_dump(&text, want, &err), err);
    json_decref(want);
    store("odd.yaml", text);
    free(text);
    check_json(load("odd.yaml", NULL, 0, NULL), odd);
}

/* The table */

static const rv_config_key rows[] = {
    { "train.lr", RV_CONFIG_NUMBER, 0, 1, .standard = "3e-4", .about = "learning rate" },
    { "train.steps", RV_CONFIG_INTEGER, 1, 1e9, .about = "steps in all" },
    { "train.betas", RV_CONFIG_NUMBERS, 0, 1, .standard = "[0.9, 0.999]", .about = "decay" },
    { "train.clip", RV_CONFIG_NUMBER, .standard = "", .about = "largest norm" },
    { "data.stems", RV_CONFIG_TEXTS, .standard = "[]", .about = "stems" },
    { "data.folder", RV_CONFIG_TEXT, .standard = "data", .about = "where it is" },
    { "data.shuffle", RV_CONFIG_BOOL, .standard = "true", .about = "in random order" },
    { "model.name", RV_CONFIG_CHOICE, .choices = "demucs|htdemucs", .standard = "htdemucs",
      .about = "which" },
    { "model.arguments", RV_CONFIG_MAPPING, .standard = "{}", .about = "of the model" },
    { "model.init", RV_CONFIG_ANY, .standard = "null", .about = "anything" },
};

static rv_status check_text(const char *text, json_t **out, rv_error *err)
{
    json_t *origins;
    store("recipe.yaml", text);
    *out = load("recipe.yaml", NULL, 0, &origins);
    const rv_status status = rv_config_check(*out, origins, rows, COUNT(rows), err);
    json_decref(origins);
    return status;
}

TEST(test_defaults_are_filled_in)
{
    rv_error err;
    json_t *values;
    CHECK_OK(check_text("train: {steps: 1e6, clip: ~, lr: 1}\ndata: ~\n"
                        "model: {arguments: {free: {x.y: [~]}}}\n",
                        &values, &err),
             err);
    check_json(
        values,
        "{\"train\": {\"steps\": 1000000, \"lr\": 1, \"betas\": [0.9, 0.999]},"
        " \"data\": {\"stems\": [], \"folder\": \"data\", \"shuffle\": true}, \"model\":"
        " {\"arguments\": {\"free\": {\"x.y\": [null]}}, \"name\": \"htdemucs\", \"init\": null}}");
}

TEST(test_wrong_values_are_placed)
{
    static const struct {
        const char *text, *part;
    } cases[] = {
        { "train: {steps: 1}\nmodle: {name: demucs}\n",
          "recipe.yaml:2:1: unknown key \"modle\"; the nearest known is \"model\"" },
        { "train:\n  steps: 1\n  l: 5\n",
          "recipe.yaml:3:3: unknown key \"train.l\"; the nearest known is \"train.lr\"" },
        { "lr: 5\n", "recipe.yaml:1:1: unknown key \"lr\"; the nearest known is \"train.lr\"" },
        { "data: {lr: 5}\n", "unknown key \"data.lr\"; the nearest known is \"train.lr\"" },
        { "train: {lr: {x: 5}}\n", "\"train.lr\" must be a number, not a mapping" },
        { "train.lr: 5\n", "unknown key \"train.lr\"" },
        { "train: 5\n", "recipe.yaml:1:1: \"train\" must be a mapping, not 5" },
        { "train: {lr: fast}\n", "recipe.yaml:1:9: \"train.lr\" must be a number, not \"fast\"" },
        { "train: {lr: 1.5}\n", "\"train.lr\" must be from 0 to 1, not 1.5" },
        { "train: {lr: -1}\n", "\"train.lr\" must be from 0 to 1, not -1" },
        { "train: {steps: 1.5}\n", "\"train.steps\" must be an integer, not 1.5" },
        { "train: {steps: 0}\n", "\"train.steps\" must be from 1 to 1e+09, not 0" },
        { "train: {steps: 1e300}\n", "\"train.steps\" must be an integer" },
        { "train: {betas: 1}\n", "\"train.betas\" must be a list of numbers, not 1" },
        { "train: {betas: [1, x]}\n", "\"train.betas\" must be a list of numbers, not \"x\"" },
        { "train: {betas: [0.5, 2]}\n", "\"train.betas\" must be from 0 to 1, not 2" },
        { "data: {stems: [1]}\n", "\"data.stems\" must be a list of texts, not 1" },
        { "data: {folder: 5}\n", "\"data.folder\" must be text" },
        { "data: {shuffle: yes}\n", "\"data.shuffle\" must be true or false, not \"yes\"" },
        { "model: {name: demuc}\n", "must be one of demucs|htdemucs, not \"demuc\"" },
        { "model: {arguments: 5}\n", "must be a mapping, not 5" },
        { "data: {folder: x}\n", "\"train.steps\" is missing (steps in all)" },
        { "train: {steps: ~}\n", "recipe.yaml:1:9: \"train.steps\" is missing" },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        rv_error err;
        json_t *values;
        CHECK_MSG(check_text(cases[i].text, &values, &err) == RV_ERR_FORMAT, "taken: %s",
                  cases[i].text);
        CHECK_MSG(strstr(err.text, cases[i].part), "\"%s\" does not say \"%s\"", err.text,
                  cases[i].part);
        json_decref(values);
    }
}

TEST(test_long_keys_are_unknown)
{
    char text[600] = "";
    rv_error err;
    json_t *values;
    memset(text, 'k', 400);
    strcpy(text + 400, ": 1\n");
    CHECK(check_text(text, &values, &err) == RV_ERR_FORMAT && strstr(err.text, "unknown key"));
    json_decref(values);
}

TEST(test_help)
{
    char *text = rv_config_help(rows, 2);
    CHECK(text);
    assert_string_equal(text,
                        "  train.lr: a number from 0 to 1; default 3e-4\n      learning rate\n"
                        "  train.steps: an integer from 1 to 1e+09; required\n"
                        "      steps in all\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest t[] = {
        cmocka_unit_test(test_scalars_follow_the_core_schema),
        cmocka_unit_test(test_aliases_are_copies),
        cmocka_unit_test(test_bases_are_merged),
        cmocka_unit_test(test_base_of_another_folder),
        cmocka_unit_test(test_wrong_bases),
        cmocka_unit_test(test_bases_cannot_explode),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_bad_text),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_dump),
        cmocka_unit_test(test_defaults_are_filled_in),
        cmocka_unit_test(test_wrong_values_are_placed),
        cmocka_unit_test(test_long_keys_are_unknown),
        cmocka_unit_test(test_help),
    };
    return cmocka_run_group_tests(t, make, clean);
}
