#!/usr/bin/env python3
"""Write tests/golden/eval.json: figures as the reference implementations compute them.

    museval 0.4.0, mir_eval 0.7, asteroid 0.7.0, auraloss 0.4.0; numpy 1.23.5, torch 1.13

The signals are formulas on the grid of 2^-20 (in tests/eval_signals.h, too), so that both sides have
the same bits.
"""
import importlib.util
import json
import pathlib

import auraloss
import mir_eval.separation
import museval.metrics
import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/eval.json"


def noise(seed, n):
    x = np.empty(n)
    state = seed
    for i in range(n):
        state = (1103515245 * state + 12345) % 2**31
        x[i] = (state // 65536 % 32768 - 16384) / 32768
    return x


def delayed(x, by):
    return np.concatenate([np.zeros(by), x[:len(x) - by]])


def reference(source, channel, n):
    """Coloured noise, partly common to both channels."""
    x = noise(100 + 10 * source + channel, n) + noise(500 + source, n)
    return (2 * x + (source + 1) * delayed(x, 1 + source) - delayed(x, 2)) / 16


def estimate(source, channel, n, sources):
    other = reference((source + 1) % sources, channel, n)
    mine = reference(source, channel, n)
    return (4 * mine + delayed(mine, 3) + other) / 8 + noise(900 + 10 * source + channel, n) / 64


def planes(sources, channels, n):
    """[sources, n, channels] each"""
    r = np.array([[reference(s, c, n) for c in range(channels)] for s in range(sources)])
    e = np.array([[estimate(s, c, n, sources) for c in range(channels)] for s in range(sources)])
    return np.moveaxis(r, 1, 2), np.moveaxis(e, 1, 2)


def asteroid_sdr():
    """The module alone: the package asks for much that is not needed here."""
    folder = importlib.util.find_spec("asteroid").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("sdr", folder + "/losses/sdr.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def magnitudes(x):
    f = auraloss.freq.STFTLoss(fft_size=2048, hop_size=512, win_length=2048)
    f.window = torch.hann_window(2048, dtype=torch.float64)  # its own is in float
    return f.stft(torch.from_numpy(x.T.copy()))[0]


def whole_track(ref, est):
    """[n, channels]: means over channels, as docs/evaluation.md says"""
    r, e = torch.from_numpy(ref.T.copy()), torch.from_numpy(est.T.copy())
    si = -asteroid_sdr().SingleSrcNegSDR("sisdr")(e, r)
    auraloss_si = -auraloss.time.SISDRLoss(reduction="none")(e[None], r[None])
    assert torch.allclose(si, auraloss_si.flatten(), atol=1e-6)
    # auraloss gives magnitudes, their squares at least 1e-8
    s, m = magnitudes(ref), magnitudes(est)
    sc = [auraloss.freq.SpectralConvergenceLoss()(m[c], s[c]) for c in range(len(s))]
    lsd = [(20 * (s[c] / m[c]).log10()).square().mean(0).sqrt().mean() for c in range(len(s))]
    num, den = (r**2).sum().item(), ((r - e)**2).sum().item()
    return {
        "SI-SDR": si.mean().item(),
        "SDR-MDX21": 10 * np.log10((num + 1e-7) / (den + 1e-7)),
        "SNR": 10 * np.log10(num / den),
        "SC": float(np.mean(sc)),
        "LSD": float(np.mean(lsd)),
    }


def ratios(sdr, isr, sir, sar):
    named = {"SDR": sdr, "ISR": isr, "SIR": sir, "SAR": sar}
    return {k: np.reshape(v, (len(sdr), -1)).tolist() for k, v in named.items() if v is not None}


def version_4(sources, channels, n, window, hop):
    ref, est = planes(sources, channels, n)
    return ratios(*museval.metrics.bss_eval(ref, est, window=window, hop=hop)[:4])


def version_3():
    ref, est = planes(2, 2, 7000)
    yield "v3_windows", ratios(*mir_eval.separation.bss_eval_images_framewise(
        ref, est, window=3000, hop=3000)[:4])
    ref, est = planes(3, 1, 5000)
    sdr, sir, sar, order = mir_eval.separation.bss_eval_sources(ref[..., 0], est[::-1, :, 0])
    assert list(order) == [2, 1, 0]
    yield "v3_sources", ratios(sdr, None, sir, sar)
    ref, est = planes(2, 2, 5000)
    *figures, order = mir_eval.separation.bss_eval_images(ref, est[::-1])
    assert list(order) == [1, 0]
    yield "v3_images", ratios(*figures)


def main():
    golden = {}
    ref, est = planes(2, 2, 5000)
    golden["whole"] = [whole_track(ref[s], est[s]) for s in range(2)]
    golden["v4"] = version_4(2, 2, 9000, 2000, 1500)
    golden["v4_mono"] = version_4(3, 1, 5000, 1000, 1000)
    golden.update(version_3())
    OUT.write_text(json.dumps(golden, indent=1) + "\n")


main()
