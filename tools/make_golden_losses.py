#!/usr/bin/env python3
"""Make tests/golden/losses.safetensors: two random signals and the values of every loss.

Needs torch, scipy, safetensors, auraloss 0.4.0 and asteroid (its losses/sdr.py alone). What
ddsp 3.7.0 (TensorFlow) and torchmetrics compute is written out below with torch, in double.

    tools/make_golden_losses.py [--out tests/golden/losses.safetensors]
"""
import argparse
import importlib.util
import math
from pathlib import Path

import auraloss
import numpy as np
import scipy.stats
import torch
from safetensors.torch import save_file

BATCH, TIME, CHANNELS, RATE = 2, 2400, 4, 16000
ROOT = Path(__file__).resolve().parent.parent


def signals():
    """[B,T,C], exact in half precision: a target, and an estimate that resembles it."""
    g = torch.Generator().manual_seed(3)
    shape = (BATCH, TIME, CHANNELS)
    target = 0.3 * torch.randn(shape, generator=g, dtype=torch.float64)
    estimate = 0.7 * target + 0.1 * torch.randn(shape, generator=g, dtype=torch.float64) + 0.02
    return estimate.half(), target.half()


def rows(x):
    return x.permute(0, 2, 1).reshape(-1, x.shape[1])


# SI-SDR -------------------------------------------------------------------------------------

def si_sdr_torchmetrics(e, t, zero_mean):
    eps = torch.finfo(torch.float32).eps
    e, t = rows(e), rows(t)
    if zero_mean:
        e, t = e - e.mean(-1, keepdim=True), t - t.mean(-1, keepdim=True)
    alpha = ((e * t).sum(-1, keepdim=True) + eps) / ((t**2).sum(-1, keepdim=True) + eps)
    p = alpha * t
    value = ((p**2).sum(-1) + eps) / (((p - e) ** 2).sum(-1) + eps)
    return -10 * torch.log10(value).mean()


def si_sdr_asteroid(e, t):
    folder = Path(importlib.util.find_spec("asteroid").submodule_search_locations[0])
    spec = importlib.util.spec_from_file_location("sdr", folder / "losses" / "sdr.py")
    sdr = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sdr)
    return sdr.SingleSrcNegSDR("sisdr", zero_mean=True)(rows(e), rows(t)).mean()


# Spectra ------------------------------------------------------------------------------------

def framed(x, n, hop, window):
    return torch.fft.rfft(x.unfold(-1, n, hop) * window, dim=-1)


def padded_spectrum(x, n):
    """tf.signal.stft(x, n, n // 4, pad_end=True): [R,frames,bins]"""
    hop = n // 4
    frames = -(-x.shape[-1] // hop)
    x = torch.nn.functional.pad(x, (0, (frames - 1) * hop + n - x.shape[-1]))
    return framed(x, n, hop, torch.hann_window(n, dtype=x.dtype))


def centred_spectrum(x, n, hop, width):
    z = torch.stft(x, n, hop, width, torch.hann_window(width, dtype=x.dtype), return_complex=True)
    return z.transpose(1, 2)


def safe_log(x, eps=1e-5):
    return torch.log(torch.where(x <= 0, torch.full_like(x, eps), x))


def loudness(x, rate):
    n, hop = 2048, rate // 250
    z = framed(torch.nn.functional.pad(x, (n // 2, n // 2)), n, hop,
               torch.hann_window(n, dtype=x.dtype))
    f2 = torch.fft.rfftfreq(n, 1 / rate, dtype=x.dtype) ** 2
    c = torch.tensor([12194.217, 20.598997, 107.65265, 737.86223], dtype=x.dtype) ** 2
    db = 2 + 20 * (torch.log10(c[0]) + 2 * torch.log10(f2) - torch.log10(f2 + c[0])
                   - torch.log10(f2 + c[1]) - 0.5 * torch.log10(f2 + c[2])
                   - 0.5 * torch.log10(f2 + c[3]))
    power = (z.abs() ** 2 * 10 ** (db.clamp(min=-80) / 10)).mean(-1)
    return (10 * torch.log10(power.clamp(min=1e-8))).clamp(min=-80)


def mean_difference(a, b, kind):
    if kind == "L1":
        return (a - b).abs().mean()
    if kind == "L2":
        return ((a - b) ** 2).mean()
    return (1 - (a * b).sum(-1)).mean()


def spectral(e, t, kind):
    """ddsp.losses.SpectralLoss with all weights in use"""
    e, t = rows(e), rows(t)
    loss = 0
    for n in (2048, 1024, 512, 256, 128, 64):
        a, b = padded_spectrum(t, n).abs(), padded_spectrum(e, n).abs()
        for weight, feature in ((1.0, lambda m: m), (0.5, lambda m: m.diff(dim=1)),
                                (0.25, lambda m: m.diff(dim=2)),
                                (0.125, lambda m: m.cumsum(dim=2)), (0.75, safe_log)):
            loss = loss + weight * mean_difference(feature(a), feature(b), kind)
    return loss + 0.0625 * mean_difference(loudness(t, RATE), loudness(e, RATE), kind)


def mel(e, t, bands=64, lowest=80.0, highest=7600.0, n=2048):
    """L1 of ddsp.spectral_ops.compute_logmel"""
    scale = lambda f: 1127 * torch.log1p(f / 700)
    edges = torch.linspace(scale(torch.tensor(lowest)), scale(torch.tensor(highest)), bands + 2,
                           dtype=torch.float64)
    at = scale(torch.fft.rfftfreq(n, 1 / RATE, dtype=torch.float64))[1:, None]
    lower, middle, upper = edges[:-2], edges[1:-1], edges[2:]
    weights = torch.minimum((at - lower) / (middle - lower), (upper - at) / (upper - middle))
    weights = torch.nn.functional.pad(weights.clamp(min=0), (0, 0, 1, 0))
    log_mel = lambda x: safe_log(padded_spectrum(rows(x), n).abs() @ weights)
    return (log_mel(e) - log_mel(t)).abs().mean()


def magnitudes(x):
    return centred_spectrum(rows(x), 512, 128, 400).abs()


def centroid(e, t):
    at = torch.linspace(0, 1, 257, dtype=torch.float64)
    c = lambda m: (m * at).sum(-1) / m.sum(-1)
    return (c(magnitudes(e)) - c(magnitudes(t))).abs().mean()


def transport(e, t):
    at = np.linspace(0, 1, 257)
    pairs = zip(magnitudes(e).flatten(0, 1).numpy(), magnitudes(t).flatten(0, 1).numpy())
    return torch.tensor(np.mean([scipy.stats.wasserstein_distance(at, at, a, b)
                                 for a, b in pairs]))


def complex_stft(e, t):
    z = centred_spectrum(rows(e - t), 512, 128, 400)
    return torch.view_as_real(z).abs().mean()


def mrstft(e, t, **options):
    loss = auraloss.freq.MultiResolutionSTFTLoss(**options).double()
    for part in loss.stft_losses:
        part.window = torch.hann_window(part.win_length, dtype=torch.float64)
        if part.perceptual_weighting:
            part.prefilter.fir.weight.data = part.prefilter.fir.weight.data.double()
    return loss(e.permute(0, 2, 1).contiguous(), t.permute(0, 2, 1).contiguous())


def values(e, t):
    weighted = dict(perceptual_weighting=True, sample_rate=44100)
    yield "l1", (e - t).abs().mean()
    yield "mse", ((e - t) ** 2).mean()
    yield "log_cosh", auraloss.time.LogCoshLoss(a=2.0, eps=0)(e, t)
    yield "si_sdr", si_sdr_torchmetrics(e, t, False)
    yield "si_sdr_zero_mean", si_sdr_torchmetrics(e, t, True)
    yield "si_sdr_asteroid", si_sdr_asteroid(e, t)
    yield "mrstft", mrstft(e, t)
    yield "mrstft_squares", mrstft(e, t, w_sc=0.5, w_log_mag=1.5, w_lin_mag=0.7, mag_distance="L2")
    yield "mrstft_weighted", mrstft(e, t, w_lin_mag=0.1, **weighted)
    yield "mrstft_sum", mrstft(e, t, w_sc=0, w_lin_mag=0.1, reduction="sum")
    yield "spectral_l1", spectral(e, t, "L1")
    yield "spectral_l2", spectral(e, t, "L2")
    yield "spectral_cosine", spectral(e, t, "COSINE")
    yield "mel", mel(e, t)
    yield "centroid", centroid(e, t)
    yield "transport", transport(e, t)
    yield "complex_stft", complex_stft(e, t)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=ROOT / "tests/golden/losses.safetensors")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    estimate, target = signals()
    tensors = {"estimate": estimate, "target": target}
    for name, value in values(estimate.double(), target.double()):
        assert math.isfinite(value), name
        print(f"{name:18} {float(value):.9g}")
        tensors[name] = value.reshape(1).float()
    taps = auraloss.perceptual.FIRFilter(filter_type="aw", fs=44100).fir.weight.data
    tensors["a_weighting"] = taps.reshape(-1).float().contiguous()
    save_file(tensors, str(out), metadata={"reference": "auraloss 0.4.0, asteroid 0.7.0, "
              "ddsp 3.7.0 and torchmetrics written out", "seed": "3", "tolerance": "1e-5"})


if __name__ == "__main__":
    main()
