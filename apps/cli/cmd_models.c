/* cmd_models.c - ravel models: list, info FILE, convert IN OUT. */
#include "cli.h"
#include "json_text.h"
#include "options.h"

#include <stdio.h>
#include <string.h>

static const char examples[] = "  ravel models list\n"
                               "  ravel models info 955717e8-8726e21a.th\n"
                               "  ravel models convert 955717e8-8726e21a.th htdemucs.safetensors\n"
                               "  ravel models convert tasnet.th tasnet.safetensors --config "
                               "tasnet.json\n";

static int list(void)
{
    rv_known_model known;
    for (size_t i = 0; rv_known_model_at(i, &known); i++)
        printf("%-14s%-15s%s\n", known.name, known.installed ? "ready" : "not installed",
               known.about);
    rv_architecture kind;
    printf("\nNetworks, for checkpoints and `ravel train` (model.name):\n");
    for (size_t i = 0; rv_architecture_at(i, &kind); i++)
        printf("%-22s %s\n", kind.name, kind.citation);
    return EXIT_OK;
}

static void complain_about(const char *file, const rv_error *err)
{
    if (strncmp(err->text, file, strlen(file)) == 0)
        cli_complain("%s", err->text);
    else
        cli_complain("%s: %s", file, err->text);
}

static void print_card(const rv_model_card *c)
{
    printf("name          %s\narchitecture  %s\n", c->name, c->architecture);
    printf("stems         ");
    for (size_t i = 0; i < c->n_stems; i++)
        printf("%s%s", i ? ", " : "", c->stems[i]);
    if (c->channels)
        printf("\nchannels      %d\nsample rate   %d Hz", c->channels, c->sample_rate);
    else
        printf("\nchannels      any\nsample rate   any");
    printf("\nsegment       %g s\nparameters    %llu\nnetworks      %zu\n", c->segment,
           (unsigned long long)c->parameters, c->n_networks);
    printf("license       %s\nprovenance    %s\npublished     %s\n",
           *c->license ? c->license : "the file does not say",
           *c->provenance ? c->provenance : "the file does not say", c->citation);
}

static void print_json(const rv_model_card *c)
{
    const struct {
        const char *key, *text;
    } texts[] = { { "name", c->name },
                  { "architecture", c->architecture },
                  { "license", c->license },
                  { "provenance", c->provenance },
                  { "citation", c->citation } };
    putchar('{');
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        printf("\"%s\":", texts[i].key);
        json_text(stdout, texts[i].text);
        putchar(',');
    }
    printf("\"stems\":[");
    for (size_t i = 0; i < c->n_stems; i++) {
        fputs(i ? "," : "", stdout);
        json_text(stdout, c->stems[i]);
    }
    printf("],\"channels\":%d,\"sample_rate\":%d,\"segment\":%.9g,\"parameters\":%llu,"
           "\"networks\":%zu}\n",
           c->channels, c->sample_rate, c->segment, (unsigned long long)c->parameters,
           c->n_networks);
}

static int info(const char *name, bool json)
{
    rv_model *model = NULL;
    rv_error err = { 0 };
    if (rv_model_open(&model, name, &err) != RV_OK) {
        complain_about(name, &err);
        return EXIT_SOME_FAILED;
    }
    if (json)
        print_json(rv_model_about(model));
    else
        print_card(rv_model_about(model));
    rv_model_free(model);
    return EXIT_OK;
}

static int convert(const char *in, const char *out, const rv_convert_options *opt)
{
    rv_error err = { 0 };
    if (rv_model_convert(in, out, opt, &err) != RV_OK) {
        complain_about(in, &err);
        return EXIT_SOME_FAILED;
    }
    printf("%s\n", out);
    return EXIT_OK;
}

static int no_such(const char *word)
{
    static const char *const words[] = { "list", "info", "convert", NULL };
    const char *near = cli_nearest(word, words);
    if (near)
        cli_complain("models %s: did you mean %s?", word, near);
    else
        cli_complain("models %s: list, info FILE or convert IN OUT was expected", word);
    return EXIT_USAGE;
}

int cmd_models(int argc, char **argv)
{
    rv_convert_options opt;
    bool half = false, json = false;
    rv_convert_defaults(&opt);
    const option_row rows[] = {
        { 0, "half", OPTION_FLAG, &half, NULL, 0, 0, "convert: store weights in 16 bits" },
        { 0, "config", OPTION_TEXT, &opt.config, "FILE.json", 0, 0,
          "convert: class and kwargs, for weights that do not say of which model they are" },
        { 0, "json", OPTION_FLAG, &json, NULL, 0, 0, "info: as JSON" },
        { 0 },
    };
    const option_table table = { "models", "list | info FILE | convert IN OUT.safetensors",
                                 "Lists, describes and converts models.", examples, rows };
    const int n = options_parse(&table, argc, argv);
    if (n < 0)
        return n == -1 ? EXIT_OK : EXIT_USAGE;
    opt.half = half;
    if (n == 1 && strcmp(argv[1], "list") == 0)
        return list();
    if (n == 2 && strcmp(argv[1], "info") == 0)
        return info(argv[2], json);
    if (n == 3 && strcmp(argv[1], "convert") == 0)
        return convert(argv[2], argv[3], &opt);
    return no_such(n ? argv[1] : "");
}
