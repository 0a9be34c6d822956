/* api_train.c - the public functions of ravel/train.h. */
#include "base/status.h"
#include "train/recipe_keys.h"
#include "train/trainer.h"

#include <stdlib.h>

void rv_train_defaults(rv_train_options *opt)
{
    *opt = (rv_train_options){ 0 };
}

rv_status rv_train(const char *path, const char *const *overrides, size_t n,
                   const rv_train_options *opt, rv_train_report *report, rv_error *err)
{
    rv_train_options defaults;
    rv_train_report ignored;
    rv_recipe *recipe = NULL;
    rv_train_defaults(&defaults);
    RV_TRY(rv_recipe_open(&recipe, path, overrides, n, err));
    const rv_status st =
        rv_trainer_run(recipe, opt ? opt : &defaults, report ? report : &ignored, err);
    rv_recipe_free(recipe);
    return st;
}

char *rv_train_help(void)
{
    return rv_recipe_help();
}

void rv_train_free_text(char *text)
{
    free(text);
}
