#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values by running openunmix's separators with small random weights.

As make_golden.py: <name>.th, a state dict of all targets; <name>.json; and <name>.safetensors. The
first case is written as a folder of weights, too, as openunmix's training leaves it and its
releases have it: TARGET.pth, TARGET-CHECKSUM.pth, with buffers of older versions, separator.json.
openunmix imports torchaudio, of which its networks use nothing: a stand-in does.

    make_golden_openunmix.py [--out DIR]
"""
import argparse
import copy
import json
import sys
import types
from importlib import metadata
from pathlib import Path

import torch
from torch import nn

from make_golden import music, perturb_module, relative, uniform_, write_files

sys.modules["torchaudio"] = types.ModuleType("torchaudio")
from openunmix.model import OpenUnmix, Separator  # noqa: E402

CASES = {
    "umx": dict(samples=1100, rate=8000, channels=2, targets=["bass", "drums", "other", "vocals"],
                network=dict(hidden_size=12, nb_layers=3, max_bin=25),
                separator=dict(niter=1, wiener_win_len=40)),
    "umx_causal": dict(samples=730, rate=8000, channels=1, targets=["speech", "noise"],
                       network=dict(hidden_size=8, nb_layers=1, unidirectional=True),
                       separator=dict(niter=2, softmask=True, residual=True, wiener_win_len=7)),
}
N_FFT, HOP = 64, 16


@torch.no_grad()
def perturb(model):
    """Values with which every parameter reaches the output."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            uniform_(module.weight, 0.5, 1.5)
            uniform_(module.running_var, 0.3, 1.5)
            module.bias.normal_(0, 0.3)
            module.running_mean.normal_(0, 0.3)
        else:
            perturb_module(module, 1.5)
    model.input_mean.normal_(-0.3, 0.3)
    uniform_(model.input_scale, 0.5, 1.5)
    uniform_(model.output_scale, 0.2, 0.6)
    uniform_(model.output_mean, 0.1, 0.5)


def build(spec):
    torch.manual_seed(1)
    targets = {}
    for name in spec["targets"]:
        targets[name] = OpenUnmix(nb_bins=N_FFT // 2 + 1, nb_channels=spec["channels"],
                                  **spec["network"])
        perturb(targets[name])
    return Separator(targets, sample_rate=spec["rate"], n_fft=N_FFT, n_hop=HOP,
                     nb_channels=spec["channels"], **spec["separator"]).eval()


def versions():
    return {"reference": f"openunmix {metadata.version('openunmix')}", "torch": torch.__version__}


def arguments(spec):
    return dict(sources=spec["targets"], audio_channels=spec["channels"], samplerate=spec["rate"],
                n_fft=N_FFT, n_hop=HOP, bandwidth=1e6, segment=0.125, **spec["network"],
                **spec["separator"])


def write_folder(folder, spec, separator):
    folder.mkdir(exist_ok=True)
    for i, (name, model) in enumerate(separator.target_models.items()):
        state = model.state_dict()
        if i % 2:
            state["stft.window"] = state["transform.0.window"] = torch.hann_window(N_FFT)
            state["sample_rate"] = torch.tensor(spec["rate"])
        torch.save(state, folder / f"{name}{'-0123abcd' if i % 2 else ''}.pth")
    settings = {"nfft": N_FFT, "nhop": HOP, "sample_rate": spec["rate"],
                "nb_channels": spec["channels"], **spec["separator"]}
    (folder / "separator.json").write_text(json.dumps(settings, indent=1) + "\n")


@torch.no_grad()
def write_case(name, spec, out):
    separator = build(spec)
    mix = music(spec["channels"], spec["rate"], spec["samples"], 101)
    output = separator(mix)
    exact = copy.deepcopy(separator).double()(mix.double())
    output, exact = output[:, :len(spec["targets"])], exact[:, :len(spec["targets"])]
    state = {k: v for k, v in separator.state_dict().items() if k.startswith("target_models.")}
    torch.save(state, out / f"{name}.th")
    if name == "umx":
        write_folder(out / name, spec, separator)
    noise = relative(output.double(), exact)
    info = {"case": name, "class": "openunmix.model.Separator", **versions(), "seed": 1,
            "parameters": sum(v.numel() for k, v in state.items() if "tracked" not in k),
            "float_noise": float(f"{noise:.2g}"), "tolerance": 1e-5, "config": arguments(spec)}
    write_files(out, name, info, mix, output)
    print(f"{name}: output {list(output.shape)} deviation {output.std():.3f} float noise "
          f"{noise:.1e} parameters {info['parameters']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name, spec in CASES.items():
        write_case(name, spec, args.out)


if __name__ == "__main__":
    main()
