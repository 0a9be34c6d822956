/* api_gate.c - the gate of segments with one voice, of ravel/dataset.h. */
#include "base/status.h"
#include "data/gate_tracks.h"
#include "data/mono_gate.h"
#include "infer/crepe_f0.h"

void rv_gate_defaults(rv_gate_options *opt)
{
    const rv_mono_gate g = rv_mono_gate_defaults();
    rv_feature_spec spec;
    rv_feature_defaults(&spec, RV_FEATURE_F0, 22050, 100);
    *opt = (rv_gate_options){ .stem = "vocals",
                              .f0_conf_min = g.f0_conf_min,
                              .harmonicity_ratio_min = g.harmonicity_ratio_min,
                              .residual_energy_ratio_max = g.residual_energy_ratio_max,
                              .mono_frame_fraction_min = g.mono_frame_fraction_min,
                              .mono_track_fraction_min = g.mono_track_fraction_min,
                              .segment = g.segment,
                              .hop = g.hop,
                              .sample_rate = spec.sample_rate,
                              .frame_rate = spec.frame_rate,
                              .f0_method = spec.f0_method,
                              .f0_min = spec.f0_min,
                              .f0_max = spec.f0_max };
    rv_crepe_defaults(&opt->crepe);
}

static rv_status gate(const char *root, const char *out, const rv_gate_options *opt,
                      rv_feature_cache *cache, rv_gate_report *report, rv_error *err)
{
    rv_crepe_options options = opt->crepe;
    rv_crepe_f0 *crepe = NULL;
    options.threads = 1; /* songs are measured side by side */
    if (opt->f0_method == RV_F0_CREPE) {
        RV_TRY(rv_crepe_f0_new(&crepe, &options, err));
        rv_feature_cache_set_engine(cache, rv_crepe_f0_engine(crepe));
    }
    const rv_status st = rv_gate_write(root, out, opt, cache, report, err);
    rv_crepe_f0_free(crepe);
    return st;
}

rv_status rv_dataset_gate(const char *root, const char *out, const rv_gate_options *opt,
                          rv_gate_report *report, rv_error *err)
{
    rv_gate_options defaults;
    rv_gate_report ignored;
    rv_feature_cache *cache = NULL;
    rv_gate_defaults(&defaults);
    opt = opt ? opt : &defaults;
    report = report ? report : &ignored;
    *report = (rv_gate_report){ 0 };
    RV_TRY(rv_feature_cache_open(&cache, opt->cache, err));
    const rv_status st = gate(root, out, opt, cache, report, err);
    const rv_feature_counts counts = rv_feature_cache_counts(cache);
    report->found = counts.found;
    report->measured = counts.measured;
    rv_feature_cache_free(cache);
    return st;
}
