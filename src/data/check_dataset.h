/* check_dataset.h - a whole data set: its songs shared out among threads, then compared. */
#ifndef DATA_CHECK_DATASET_H
#define DATA_CHECK_DATASET_H

#include "ravel/dataset.h"

RV_NODISCARD rv_status rv_check_run(rv_check_report **out, const char *root,
                                    const rv_check_options *opt, rv_error *err);

#endif
