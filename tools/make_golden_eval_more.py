#!/usr/bin/env python3
"""Write tests/golden/eval_more.json: further figures, and oracles, as the references compute them.

    auraloss 0.4.0, asteroid 0.7.0 (its losses/sdr.py), torch 1.13, torch-log-wmse 1.1.0,
    mir_eval 0.7, scipy 1.10, numpy 1.23; with --ddsp DIR, the folder of the package ddsp 3.7.0 in a
    Python that has TensorFlow, librosa and scipy: its losses and loudness (in tests/golden/eval_ddsp.json)

The signals are those of tools/make_golden_eval.py. What sigsep-mus-oracle and the report on
MCTN + DDSP define is written out below with numpy and scipy.
"""
import argparse
import importlib
import json
import sys
import types
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "tests/golden"


def signals():
    """The functions of make_golden_eval.py, without what it imports."""
    text = (ROOT / "tools/make_golden_eval.py").read_text()
    begin, end = text.index("def noise"), text.index("def asteroid_sdr")
    names = {"np": np}
    exec(text[begin:end], names)  # pylint: disable=exec-used
    return names["planes"]


# Figures --------------------------------------------------------------------------------------

def mctn(ref, est):
    s, e = ref.mean(1), est.mean(1)
    t = np.sum(s * e) * s / np.linalg.norm(s)
    return 10 * np.log10(np.linalg.norm(t) / np.linalg.norm(e - t))


def multi_resolution(ref, est):
    import auraloss
    import torch
    loss = auraloss.freq.MultiResolutionSTFTLoss()
    for part in loss.stft_losses:
        part.window = part.window.double()
    values = []
    for c in range(ref.shape[1]):
        e, r = (torch.from_numpy(x[:, c].copy())[None, None] for x in (est, ref))
        values.append(loss(e, r).item())
    return float(np.mean(values))


def si_sdr_i(ref, est, mix):
    import torch
    folder = importlib.util.find_spec("asteroid").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("sdr", folder + "/losses/sdr.py")
    sdr = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sdr)
    r, e, m = (torch.from_numpy(x.T.copy()) for x in (ref, est, mix))
    loss = sdr.SingleSrcNegSDR("sisdr")
    return (loss(m, r) - loss(e, r)).mean().item()


def log_wmse(ref, est, mix):
    import torch
    transforms = types.ModuleType("torchaudio.transforms")
    transforms.Resample = None  # not used at 44.1 kHz
    sys.modules.update({"torchaudio": types.ModuleType("torchaudio"), transforms.__name__: transforms})
    import torch_log_wmse
    metric = torch_log_wmse.LogWMSE(sample_rate=44100)
    r, e, m = (torch.from_numpy(x.T.copy())[None] for x in (ref, est, mix))
    return metric.per_stem(m, e[:, :, None], r[:, :, None]).mean().item()


def pitch_accuracy():
    """Contours with whole octaves, unvoiced frames, and distances around 50 cents."""
    import mir_eval.melody
    state, n = np.random.default_rng(5), 200
    ref = np.float32(110 * 2 ** state.uniform(0, 3, n))
    est = np.float32(ref * 2 ** (state.choice([0, 20, 49, 51, 1200, -30], n) / 1200))
    voiced = state.uniform(size=n) < 0.7
    times = np.arange(n) / 100
    arrays = mir_eval.melody.to_cent_voicing(times, np.where(voiced, ref, -ref).astype(float), times,
                                             est.astype(float))
    return {"reference": ref.tolist(), "estimate": est.tolist(), "voiced": voiced.tolist(),
            "RPA": mir_eval.melody.raw_pitch_accuracy(*arrays, cent_tolerance=50),
            "F0-L1": float(np.abs(ref - est)[voiced].mean(dtype=float))}


# Oracles --------------------------------------------------------------------------------------

EPS = np.finfo(float).eps


def stft(x):
    from scipy.signal import stft as transform
    return transform(x, nperseg=2048)[-1]


def istft(x, n):
    from scipy.signal import istft as inverse
    return inverse(x)[1][..., :n]


def binary(x, y, alpha):
    """[channels, bins, frames]; y [sources, ...]"""
    mask = np.abs(y) ** alpha / (EPS + np.abs(x) ** alpha)
    return x * np.where(mask > 0.5, 1, np.where(mask < 0.5, 0, mask))


def ratio(x, y, alpha):
    power = np.abs(y) ** alpha
    return x * power / (EPS + power.sum(0))


def inverse_2x2(m):
    det = EPS + m[..., 0, 0] * m[..., 1, 1] - m[..., 0, 1] * m[..., 1, 0]
    out = np.empty_like(m)
    out[..., 0, 0], out[..., 1, 1] = m[..., 1, 1], m[..., 0, 0]
    out[..., 0, 1], out[..., 1, 0] = -m[..., 0, 1], -m[..., 1, 0]
    return out / det[..., None, None]


def wiener(x, y):
    """With the trace over the matrix, where sigsep-mus-oracle sums other axes."""
    models = []
    for s in y:
        cov = np.einsum("aft,bft->ftab", s, s.conj())
        power = np.mean(np.abs(s) ** 2, axis=0)
        spatial = np.mean(cov / (EPS + power[..., None, None]), axis=1)
        spatial = spatial * 2 / np.trace(spatial, axis1=1, axis2=2)[:, None, None]
        spatial = spatial + EPS * np.eye(2)
        power = np.einsum("fab,ftba->ft", inverse_2x2(spatial), cov).real / 2
        models.append(power[..., None, None] * spatial[:, None])
    gain = inverse_2x2(sum(models))
    return np.array([np.einsum("ftab,ftbc,cft->aft", m, gain, x) for m in models])


def oracles(planes):
    ref, _ = planes(3, 2, 5000)
    mix = ref.sum(0)
    x, y = stft(mix.T), np.array([stft(r.T) for r in ref])
    made = {"ibm1": binary(x, y, 1), "ibm2": binary(x, y, 2), "irm1": ratio(x, y, 1),
            "irm2": ratio(x, y, 2), "mwf": wiener(x, y)}
    # every 97th sample of each plane
    return {name: istft(z, 5000)[..., ::97].reshape(6, -1).tolist() for name, z in made.items()}


# ddsp -----------------------------------------------------------------------------------------

def load_ddsp(folder):
    """Modules alone: the package wants a dozen more libraries."""
    package = types.ModuleType("ddsp")
    package.__path__ = [str(folder)]
    sys.modules["ddsp"] = package
    for name in ("crepe", "gin", "tensorflow_probability"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["gin"].register = sys.modules["gin"].configurable = lambda x: x
    sys.modules["ddsp.core"] = importlib.import_module("ddsp.core")
    return importlib.import_module("ddsp.spectral_ops")


def spectral_loss(ops, ref, est):
    """ddsp.losses.SpectralLoss(mag_weight=1, logmag_weight=1), whose module imports too much."""
    import tensorflow as tf
    core = sys.modules["ddsp.core"]
    loss = 0
    for size in (2048, 1024, 512, 256, 128, 64):
        t, v = (ops.compute_mag(np.float32(x)[None], size) for x in (ref, est))
        loss += tf.reduce_mean(tf.abs(t - v))
        loss += tf.reduce_mean(tf.abs(core.safe_log(t) - core.safe_log(v)))
    return float(loss)


def of_ddsp(folder, planes):
    ops = load_ddsp(folder)
    ref, est = planes(2, 2, 5000)
    golden = []
    for r, e in zip(ref, est):
        channels = [spectral_loss(ops, r[:, c], e[:, c]) for c in range(2)]
        loud = [np.asarray(ops.compute_loudness(np.float32(x.mean(1)), 16000, 250, use_tf=False))
                for x in (r, e)]
        golden.append({"MSS": float(np.mean(channels)),
                       "LD-L1": float(np.abs(loud[0] - loud[1]).mean(dtype=float))})
    (OUT / "eval_ddsp.json").write_text(json.dumps(golden, indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ddsp", type=Path)
    args = parser.parse_args()
    planes = signals()
    if args.ddsp:
        of_ddsp(args.ddsp, planes)
        return
    ref, est = planes(2, 2, 5000)
    mix = ref.sum(0)
    whole = [{"SDR-MCTN": mctn(r, e), "MR-STFT": multi_resolution(r, e),
              "SI-SDRi": si_sdr_i(r, e, mix), "logWMSE": log_wmse(r, e, mix)}
             for r, e in zip(ref, est)]
    golden = {"whole": whole, "pitch": pitch_accuracy(), "oracles": oracles(planes)}
    (OUT / "eval_more.json").write_text(json.dumps(golden) + "\n")


main()
