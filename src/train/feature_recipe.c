/* feature_recipe.c - see feature_recipe.h. */
#include "train/feature_recipe.h"

#include "base/status.h"
#include "train/recipe_values.h"

#include <inttypes.h>

/* One thread for each song: songs are measured side by side. */
rv_status rv_feature_recipe_crepe(rv_crepe_f0 **out, rv_f0_method method, const rv_recipe *r,
                                  rv_error *err)
{
    rv_crepe_options opt;
    rv_crepe_defaults(&opt);
    opt.model = rv_recipe_text(r->values, "data.features.crepe_model");
    opt.threads = 1;
    if (method != RV_F0_CREPE)
        return RV_OK;
    if (!opt.model)
        return RV_FAIL(err, RV_ERR_ARG,
                       "data.features.f0_method: crepe needs data.features.crepe_model, a file "
                       "with its weights");
    return rv_crepe_f0_new(out, &opt, err);
}

json_t *rv_feature_recipe_identity(const rv_recipe *r, const rv_crepe_f0 *crepe)
{
    json_t *data = json_deep_copy(json_object_get(r->values, "data"));
    json_t *features = json_object_get(data, "features");
    json_object_del(data, "threads");
    json_object_del(features, "cache");
    json_object_del(features, "crepe_model");
    if (data && crepe) {
        json_t *print = json_sprintf("%016" PRIx64, rv_crepe_f0_engine(crepe)->print);
        if (json_object_set_new(features, "crepe_model", print) != 0) {
            json_decref(data);
            return NULL;
        }
    }
    return data;
}
