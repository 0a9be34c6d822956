/* api_shards.c - shards, of ravel/dataset.h. */
#include "data/shards.h"

void rv_shards_defaults(rv_shards_options *opt)
{
    *opt = (rv_shards_options){ .stem = "vocals",
                                .sample_rate = 22050,
                                .window = 4,
                                .hop = 1,
                                .per_shard = 512,
                                .valid_fraction = 0.1,
                                .level = -50,
                                .seed = 1337 };
}

rv_status rv_dataset_shards(const char *root, const char *out, const rv_shards_options *opt,
                            rv_shards_report *report, rv_error *err)
{
    rv_shards_options defaults;
    rv_shards_report ignored;
    rv_shards_defaults(&defaults);
    return rv_shards_write(root, out, opt ? opt : &defaults, report ? report : &ignored, err);
}
