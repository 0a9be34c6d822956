/* api_dataset.c - the public functions of ravel/dataset.h. */
#include "base/status.h"
#include "data/render.h"

void rv_render_defaults(rv_render_options *opt)
{
    *opt = (rv_render_options){ .variants = 1, .sample_rate = 44100, .max_seconds = 1200 };
}

rv_status rv_dataset_render(const char *out, const rv_render_options *opt, rv_render_report *report,
                            rv_error *err)
{
    rv_render_report ignored;
    return rv_render_run(out, opt, report ? report : &ignored, err);
}
