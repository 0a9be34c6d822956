#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of the Audio Spectrogram Transformer and of AST-DDSP, by their authors' code.

--reference is a checkout of davegabe/ast-ddsp-mss, which holds AST's; --timm the folder in which
timm 0.4.5 lies. Both are run in double. What they import and do not need here (PIL, torchvision,
wget) may be absent. The reference puts 1e-5 on each argument of a logarithm, also on the 2 of log2,
which moves its scale of pitch by 3e-5; here its logarithms are exact. Its noise is given. The head
for each step is ours, and expressed here once more.

A frequency that a network says is off by 3e-7 of itself in float, which adds up in the phase. So `clip`
and `steps`, from the network's numbers on, are short. `clip_long` and `steps_long` are two seconds, as
published: their frequencies are rounded to float before they sound, and kept as `hz`. Their noise and
the network's numbers are made by the formula, and `out` is each EVERY-th sample.

tests/golden/ast.safetensors holds tensors <case>.<name>. Weights are not in it: they are made by
the formula of make_golden_crepe.py here and in the test. Printed: how many parameters
DeiT's networks have without their classifiers.

    make_golden_ast.py --reference DIR --timm DIR [--out DIR]
"""
import argparse
import importlib
import sys
import types
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from make_golden_inverse import formula

BATCH, BANDS = 2, 128
SINUSOIDS, DEPTH, NOISE, STEPS, SAMPLES, RATE = 5, 4, 9, 6, 72, 8000
LONG_STEPS, LONG, LONG_SINUSOIDS, EVERY = 64, 16000, 20, 25
PATCHES_SHOWN = 24
random = np.random.default_rng(7)


def weight(name, shape):
    if "norm" in name and name.endswith("weight"):
        return formula(name, shape, 0.3, 1.0)
    fan_in = np.prod(shape[1:])
    is_matrix = name.endswith("weight")
    return formula(name, shape, 1.7 / fan_in ** 0.5 if is_matrix else 0.3)


def set_weights(v):
    for name, p in v.named_parameters():
        p.data = torch.tensor(weight("v." + name, tuple(p.shape)), dtype=torch.float64)


def load_reference(folder, timm_folder):
    sys.path[:0] = [str(timm_folder), str(folder)]
    for name in ("PIL", "torchvision", "torchvision.transforms", "torchvision.transforms.functional",
                 "torchvision.datasets", "torchvision.ops", "torchvision.ops.misc", "wget",
                 "torchvision.models", "torchvision.transforms.transforms"):
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = mock.MagicMock()
    six = types.ModuleType("torch._six")
    six.container_abcs, six.string_classes = importlib.import_module("collections.abc"), (str,)
    sys.modules.setdefault("torch._six", six)
    torch.version.cuda = None  # for a torchaudio made for another one
    torch.set_default_dtype(torch.float64)
    torch.Tensor.float = torch.Tensor.double
    ast = importlib.import_module("src.models.ast_models")
    whole = importlib.import_module("model")
    whole.frequencies_softmax.__globals__["logb"] = lambda x, base=2.0, eps=0: torch.log2(x)
    return ast, whole


def transformer(ast, size, x, pretrained):
    """Tokens of an ASTModel that took its patches and positions from DeiT's, if `pretrained`."""
    create = ast.timm.create_model

    def without_download(name, pretrained):
        v = create(name, pretrained=False)
        set_weights(v)
        return v
    with mock.patch.object(ast.timm, "create_model", without_download):
        net = ast.ASTModel(label_dim=3, input_fdim=x.shape[2], input_tdim=x.shape[1],
                           imagenet_pretrain=pretrained, audioset_pretrain=False,
                           model_size=size, verbose=False).eval()
    if not pretrained:
        set_weights(net.v)
    tokens = []
    net.v.norm.register_forward_hook(lambda module, given, made: tokens.append(made))
    net(torch.tensor(x, dtype=torch.float64))
    return tokens[0].detach()


def of_transformer(ast, cases):
    for name, frames, bands, pretrained in (("plain", 32, BANDS, False), ("cut", 48, BANDS, True),
                                            ("stretched", 182, 167, True)):
        x = random.normal(size=(BATCH if frames == 32 else 1, frames, bands)).astype(np.float32)
        y = transformer(ast, "tiny224", x, pretrained)
        cases[name] = dict(x=x, pooled=(y[:, 0] + y[:, 1]) / 2,
                           patches=y[:, 2:][:, -PATCHES_SHOWN:])


def print_sizes(ast):
    for size in ("tiny", "small", "base"):
        with torch.device("meta"), mock.patch.object(torch, "linspace", np.linspace):
            v = ast.timm.create_model(f"vit_deit_{size}_distilled_patch16_224", pretrained=False)
        print(size, sum(p.numel() for name, p in v.named_parameters() if name[:4] != "head"))


def of_spectrogram(whole, cases):
    audio = (random.normal(size=(BATCH, 4100)) * np.linspace(0.01, 1, 4100)).astype(np.float32)
    mel = whole.MelSpectrogram(sample_rate=RATE, win_length=2048, hop_length=512, n_fft=2048,
                               normalized=True, f_min=20.0, f_max=RATE / 2).double()
    out = mel(torch.tensor(audio, dtype=torch.float64)).transpose(1, 2)
    cases["mel"] = dict(audio=audio, out=out)


def clip(whole, x, noise, steps, sinusoids):
    """Audio of the numbers x, by the reference."""
    splits = {"harmonic": [("frequencies", (steps, sinusoids * DEPTH)),
                           ("amplitudes", (steps, sinusoids)), ("total_amplitude", (1,))],
              "noise": [("noise_magnitudes", (1, NOISE))]}
    batch, samples = noise.shape
    this = types.SimpleNamespace(
        mel=lambda audio: audio[..., None], depth=DEPTH, sample_length=torch.tensor(samples),
        sr=torch.tensor(RATE), splits=splits,
        sinusoidal_encoder=lambda mixture: torch.tensor(x, dtype=torch.float64))
    this.tensor_to_dict = types.MethodType(whole.AST_DDSP.tensor_to_dict, this)
    given = (torch.tensor(noise, dtype=torch.float64).reshape(batch, 1, samples) + 1) / 2
    with mock.patch.object(whole.torch, "rand", lambda *shape: given):
        out = whole.AST_DDSP.audio_to_sin(this, torch.zeros(batch, samples))[3]
    return out.reshape(batch, samples)


def filtered(noise, magnitudes):
    """Each frame through its own zero-phase filter with a Hann window, as ddsp's FilteredNoise."""
    (batch, samples), (frames, bands) = noise.shape, magnitudes.shape[1:]
    size, hop = 2 * (bands - 1), samples // frames
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    responses = np.roll(np.fft.irfft(magnitudes), size // 2, -1) * window
    out = np.zeros((batch, samples + size - 1))
    for b in range(batch):
        for f in range(frames):
            at = slice(f * hop, (f + 1) * hop)
            out[b, f * hop:(f + 1) * hop + size - 1] += np.convolve(noise[b, at], responses[b, f])
    late = (size - 1) // 2 - 1
    return out[:, late:late + samples]


def steps_of(whole, x, noise, sinusoids):
    """Audio of the numbers x, by the reference's parts."""
    y, (batch, samples), frames = torch.tensor(x, dtype=torch.float64), noise.shape, x.shape[1]
    ends = np.cumsum([sinusoids * DEPTH, sinusoids, 1])
    pitches, amplitudes, total, magnitudes = (torch.tensor(part) for part in np.split(y, ends, -1))
    hz = whole.frequencies_softmax(pitches, depth=DEPTH, hz_max=RATE // 2).numpy()
    amplitudes = whole.scale_function(amplitudes)
    amplitudes = amplitudes / amplitudes.sum(-1, keepdim=True) * torch.sigmoid(total)
    at = np.arange(samples) * frames / samples
    lines = np.stack([[np.interp(at, np.arange(frames), hz[b, :, k]) for k in range(sinusoids)]
                      for b in range(batch)])
    tones = whole.oscillator_bank(torch.tensor(lines).transpose(1, 2),
                                  whole.upsample(amplitudes, samples, method="window"), RATE)
    magnitudes = whole.scale_function(magnitudes - 5).numpy()
    hiss = filtered(np.float64(noise), magnitudes)
    print(f"tones {tones.std():.3f}, noise {hiss.std():.3f}")
    return tones[..., 0].numpy() + hiss


def of_heads(whole, cases):
    size = STEPS * SINUSOIDS * (DEPTH + 1) + 1 + NOISE
    x = random.normal(size=(BATCH, size)).astype(np.float32)
    x[:, -NOISE:] -= 2
    noise = random.uniform(-1, 1, (BATCH, SAMPLES)).astype(np.float32)
    cases["clip"] = dict(x=x, noise=noise, out=clip(whole, x, noise, STEPS, SINUSOIDS))
    x = random.normal(size=(BATCH, STEPS, SINUSOIDS * (DEPTH + 1) + 1 + NOISE)).astype(np.float32)
    x[..., -NOISE:] += 4
    cases["steps"] = dict(x=x, noise=noise, out=steps_of(whole, x, noise, SINUSOIDS))


def of_long_heads(whole, cases):
    def rounded(*args, **named):
        kept.append(exact(*args, **named).to(torch.float32))
        return kept[-1].to(torch.float64)
    kept, exact = [], whole.frequencies_softmax
    noise = formula("noise", (1, LONG), 1.0)
    size = LONG_STEPS * LONG_SINUSOIDS * (DEPTH + 1) + 1 + NOISE
    with mock.patch.object(whole, "frequencies_softmax", rounded):
        x = formula("clip_long", (1, size), 2.0, -1.0)
        cases["clip_long"] = dict(out=clip(whole, x, noise, LONG_STEPS, LONG_SINUSOIDS))
        x = formula("steps_long", (1, LONG_STEPS, LONG_SINUSOIDS * (DEPTH + 1) + 1 + NOISE), 2.0)
        cases["steps_long"] = dict(out=steps_of(whole, x, noise, LONG_SINUSOIDS))
    for name, hz in zip(("clip_long", "steps_long"), kept):
        cases[name] = dict(hz=hz, out=cases[name]["out"][:, ::EVERY])


def main():
    from safetensors.numpy import save_file
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--timm", type=Path, required=True)
    parser.add_argument("--out", type=Path,
                        default=Path(__file__).resolve().parents[1] / "tests/golden")
    args = parser.parse_args()
    ast, whole = load_reference(args.reference, args.timm)
    cases = {}
    print_sizes(ast)
    of_transformer(ast, cases)
    of_spectrogram(whole, cases)
    of_heads(whole, cases)
    of_long_heads(whole, cases)
    save_file({f"{case}.{name}": np.ascontiguousarray(np.asarray(x), dtype=np.float32)
               for case, tensors in cases.items() for name, x in tensors.items()},
              args.out / "ast.safetensors")


if __name__ == "__main__":
    main()
