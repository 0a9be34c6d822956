/* api_report.c - ravel/report.h: defaults and the writing of a report. */
#include "report/report_write.h"

void rv_report_defaults(rv_report_options *opt)
{
    *opt = (rv_report_options){ .max_songs = 20 };
}

rv_status rv_report_write(const char *path, const rv_report_options *opt,
                          rv_report_summary *summary, rv_error *err)
{
    rv_report_options defaults;
    rv_report_defaults(&defaults);
    return rv_report_make(path, opt ? opt : &defaults, summary, err);
}
