#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of CREPE and of its decoding, by torchcrepe 0.0.23.

tests/golden/crepe.safetensors holds
- `activation` [2,360] of torchcrepe's module, narrowed to a quarter of `tiny`, for frames and
  weights that tests/test_crepe.c makes by the same formula: value i of the tensor of that name is
  scale * (2 u - 1) + offset, u = h / 2^32, h = (i + 1) * 2654435761 + fnv1a(name), mixed.
- `distances` [13]: magenta/ddsp's PretrainedCREPEEmbeddingLoss of two signals [2,2500] by formula, for
  each layer of the same module; frames and norm as there, in NumPy.
- for bins [N,360] in a pattern of two voices with gaps, again by formula, and the decoders argmax,
  weighted_argmax and viterbi `<decoder>.f0` and `<decoder>.periodicity` [N], without torchcrepe's
  dither; `crepe.f0` and `.periodicity` are those of CREPE's own path and mean.
- `contour`, `periodicity` [M] and what filters and thresholds make of them.
- the periodicity `silence` [F] that is left of ones in a fading tone by formula.

    make_golden_crepe.py [--out DIR]
"""
import argparse
from pathlib import Path

import librosa
import numpy as np
import torch
import torchcrepe
from torch import nn

WIDTH = 1
FILTERS = [32, 4, 4, 4, 8, 16]
HOP = 160


def fnv1a(name):
    h = 0x811C9DC5
    for c in name.encode():
        h = ((h ^ c) * 0x01000193) & 0xFFFFFFFF
    return h


def formula(name, shape, scale, offset=0.0):
    n = int(np.prod(shape))
    h = (np.arange(1, n + 1, dtype=np.uint64) * 2654435761 + fnv1a(name)) & 0xFFFFFFFF
    h = ((h ^ (h >> np.uint64(15))) * np.uint64(0x2C1B3C6D)) & np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(13)
    return (scale * (2 * (h / 2.0 ** 32) - 1) + offset).astype(np.float32).reshape(shape)


def narrow():
    model = torchcrepe.Crepe("tiny")
    norm = dict(eps=model.conv1_BN.eps, momentum=0.0)
    inputs = 1
    for i, filters in enumerate(FILTERS, 1):
        kernel, stride = (512, 4) if i == 1 else (64, 1)
        out = filters * WIDTH
        setattr(model, f"conv{i}", nn.Conv2d(inputs, out, (kernel, 1), (stride, 1)))
        setattr(model, f"conv{i}_BN", nn.BatchNorm2d(out, **norm))
        inputs = out
    model.in_features = 4 * inputs
    model.classifier = nn.Linear(model.in_features, 360)
    return model.eval()


def filled():
    model = narrow()
    state = model.state_dict()
    for name, value in state.items():
        if name.endswith("running_var"):
            state[name] = torch.from_numpy(formula(name, value.shape, 0.4, 1.0))
        elif value.dim() > 0:
            fan = value[0].numel() if value.dim() > 1 else 16
            scale = 1.0 if "BN.weight" in name else 1.7 / fan ** 0.5
            state[name] = torch.from_numpy(formula(name, value.shape, scale))
    model.load_state_dict(state)
    return model.double()


def activation():
    frames = torch.from_numpy(formula("frames", (2, 1024), 1.7))
    with torch.no_grad():
        return filled()(frames.double()).float()


def heard(model, audio):
    """What all layers make of centred frames, of mean 0 and deviation 1."""
    x = np.pad(audio.astype(float), ((0, 0), (512, 512)))
    frames = np.concatenate([x[:, t:t + 1024] for t in range(0, x.shape[1] - 1023, 1024)])
    frames -= frames.mean(-1, keepdims=True)
    frames /= frames.std(-1, keepdims=True) + 1e-5
    layers = []
    for i in range(1, 7):
        norm = getattr(model, f"conv{i}_BN")
        norm.register_forward_hook(
            lambda m, x, y: layers.extend([y, nn.functional.max_pool2d(y, (2, 1))]))
    with torch.no_grad():
        last = model(torch.from_numpy(frames))
    return layers + [last]


def distances():
    scales = [1.3, 1.0, 1.4, 1.1, 1.9, 1.6, 1.5, 1.4, 1.9, 1.7, 30, 25, 130]
    a, b = (heard(filled(), formula(name, (2, 2500), 0.5)) for name in ("estimate", "target"))
    return torch.tensor([20 * s * float((x - y).abs().mean()) for s, x, y in zip(scales, a, b)])


def voices():
    """Two voices that take turns, one gliding, and frames of next to nothing."""
    n, bins = 150, np.arange(360)
    t = np.arange(n)[:, None]
    first = 90 + 30 * np.sin(t / 17) + 0.13 * t
    second = np.where(t < 80, 230.4, 300.7 - 2.5 * ((t - 80) % 9))
    level = 0.55 + 0.45 * np.cos(t / 11)
    quiet = (t > 60) & (t < 85)
    y = 0.8 * level * np.exp(-((bins - first) / 1.6) ** 2)
    y += 0.7 * (1 - level) * np.exp(-((bins - second) / 1.6) ** 2)
    y += 0.04 * (formula("noise", (n, 360), 0.5, 0.5))
    return torch.from_numpy(np.where(quiet, 0.05 * y, y).astype(np.float32))


def decode(bins):
    torchcrepe.convert.dither = lambda cents: cents
    tensors = {}
    for name in ("argmax", "weighted_argmax", "viterbi"):
        probabilities = bins.T[None].clone()
        f0, periodicity = torchcrepe.postprocess(
            probabilities, 50.0, 1200.0, getattr(torchcrepe.decode, name),
            return_periodicity=True)
        tensors[f"{name}.f0"] = f0[0].float()
        # weighted_argmax masks its input, but never the bin itself
        tensors[f"{name}.periodicity"] = periodicity[0].float()
    f0, periodicity = crepe_path(bins.numpy())
    tensors["crepe.f0"], tensors["crepe.periodicity"] = f0, periodicity
    return tensors


def crepe_path(bins):
    """CREPE's own Viterbi path of the strongest bins, and its weighted mean of 9 bins."""
    low = int(torchcrepe.convert.frequency_to_bins(torch.tensor(50.0)))
    high = int(torchcrepe.convert.frequency_to_bins(torch.tensor(1200.0), torch.ceil))
    seen = bins[:, low:high].argmax(1) + low
    x, y = np.meshgrid(range(360), range(360))
    step = np.maximum(12 - abs(x - y), 0)
    step = step / step.sum(1, keepdims=True)
    emission = 0.1 * np.eye(360) + 0.9 / 360
    path = librosa.sequence.viterbi(emission[:, seen], step)
    assert (abs(np.diff(path.astype(int))) <= 11).all()
    f0 = []
    for frame, at in zip(bins.astype(float), path):
        near = np.arange(max(low, at - 4), min(high, at + 5))
        cents = 20 * near + 1997.3794084376191
        f0.append(10 * 2 ** ((frame[near] * cents).sum() / frame[near].sum() / 1200))
    periodicity = bins[np.arange(len(path)), path]
    return torch.tensor(f0).float(), torch.from_numpy(periodicity)


def contours():
    n = 60
    contour = torch.from_numpy(formula("contour", (n,), 40.0, 200.0))
    periodicity = torch.from_numpy(formula("periodicity", (n,), 0.5, 0.5)) ** 2
    contour[20:24] *= 4
    gaps = contour.clone()
    gaps[[3, 4, 17]] = float("nan")
    gaps[30:40] = float("nan")
    c, g, p = contour[None], gaps[None], periodicity[None]
    return {"contour": contour, "gaps": gaps, "periodicity": periodicity,
            "mean5": torchcrepe.filter.mean(g, 5)[0], "median5": torchcrepe.filter.median(g, 5)[0],
            "at": torchcrepe.threshold.At(0.21)(c, p)[0],
            "hysteresis": torchcrepe.threshold.Hysteresis()(c, p)[0].float(),
            "hysteresis_gaps": torchcrepe.threshold.Hysteresis()(g, p)[0].float()}


def silence():
    n = 4000
    t = np.arange(n) / 16000
    tone = (np.sin(2 * np.pi * 440 * t) * 10 ** (-30 * t)).astype(np.float32)
    tone[3000:] = 0
    tone += formula("hiss", (n,), 1e-6)
    loudness = torchcrepe.loudness.a_weighted(torch.from_numpy(tone)[None], 16000, HOP)
    least = float(loudness.median()) + 0.05
    ones = torch.ones_like(loudness)
    left = torchcrepe.threshold.Silence(least)(ones, torch.from_numpy(tone)[None], 16000, HOP)
    return {"silence": left[0],
            "silence.least": torch.tensor([least])}


def main():
    from safetensors.torch import save_file
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    path = parser.parse_args().out / "crepe.safetensors"
    tensors = {"activation": activation(), "distances": distances(), **decode(voices()), **contours(), **silence()}
    save_file({name: x.contiguous() for name, x in tensors.items()}, str(path))
    path.chmod(0o644)
    a = tensors["activation"]
    print(f"activation {a.min():.3f} to {a.max():.3f}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
