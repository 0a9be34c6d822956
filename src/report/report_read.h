/* report_read.h - figures, logs and cards from files, as JSON values for the page.
 *
 * They take what the page needs and pass over what they do not know, so that files of later
 * versions can be shown. Errors name the file and the place in it. */
#ifndef REPORT_REPORT_READ_H
#define REPORT_REPORT_READ_H

#include "base/status.h"

#include <jansson.h>
#include <stdio.h>

/* text[0 .. n) of `ravel eval --json` (docs/evaluation.md), or what museval writes for one track ->
 *     {"methods": [{"name": "model", "tracks": [{"name", "split", "stems": [{"name",
 *        "values": {"SI-SDR": 5.1}, "times": [0, 1], "frames": {"SDR": [4.1, null]}}]}]}],
 *      "metrics": {"SC": {"about", "unit", "better": "lower"}},
 *      "differences": {"confidence": 0.95, "pairs": [...]} as in the file, or null}
 * Figures that are missing or not finite are null. */
RV_NODISCARD rv_status rv_report_read_eval(json_t **out, const char *text, size_t n,
                                           const char *path, rv_error *err);

/* The log of a training -> [{"kind": "train", "name": "loss", "steps": [..], "values": [..],
 * "last": 0.1, "least": [step, value], "most": [step, value]}]. Of a long log neighbours are
 * averaged. A last line that is not whole is left out. */
RV_NODISCARD rv_status rv_report_read_log(json_t **out, FILE *log, const char *path, rv_error *err);

/* The same of files. */
RV_NODISCARD rv_status rv_report_open_eval(json_t **out, const char *path, rv_error *err);

/* A run: {"name", "series": (the log), "recipe": "text", "model": (as a card)}; the log must be
 * there, recipe.yaml and best.safetensors may. */
RV_NODISCARD rv_status rv_report_open_run(json_t **out, const char *folder, rv_error *err);

/* Markdown: {"name", "text"}; a file of weights: {"name", "kind", "tensors", "parameters",
 * "config"}. */
RV_NODISCARD rv_status rv_report_open_card(json_t **out, const char *path, rv_error *err);

#endif
