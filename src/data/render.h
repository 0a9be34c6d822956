/* render.h - a data set of rendered songs: see rv_dataset_render() in ravel/dataset.h. */
#ifndef DATA_RENDER_H
#define DATA_RENDER_H

#include "ravel/dataset.h"

RV_NODISCARD rv_status rv_render_run(const char *out, const rv_render_options *opt,
                                     rv_render_report *report, rv_error *err);

#endif
