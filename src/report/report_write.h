/* report_write.h - the whole report; see ravel/report.h. */
#ifndef REPORT_REPORT_WRITE_H
#define REPORT_REPORT_WRITE_H

#include "base/status.h"
#include "ravel/report.h"

RV_NODISCARD rv_status rv_report_make(const char *path, const rv_report_options *opt,
                                      rv_report_summary *summary, rv_error *err);

#endif
