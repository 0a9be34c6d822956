#!/usr/bin/env python3
"""Write tests/golden/wiener_window.safetensors: random spectra of a mix and of stems, and what
Open-Unmix' expectation maximisation makes of them, in double.

    make_golden_wiener_window.py OUT     needs torch, safetensors and openunmix (its filtering.py)

`em1` and `em3` are the stems after 1 and 3 iterations on the spectra as they are; `window` is 2
iterations on the spectra brought to [8, 16), with what is left of the mix shared out by the power
of the first estimates, brought back; `single` the same for the first stem alone, with the rest of
the mix beside it.
"""
import math
import sys

import torch
from safetensors.torch import save_file

from make_golden_wiener import load_filtering

FRAMES, BINS, AUDIO, STEMS = 7, 18, 2, 3


def spectra():
    """mix [T,F,A,2], stems [T,F,A,2,S]: placed in space, with noise, so that they do not add up"""
    torch.manual_seed(4)
    shape = (FRAMES, BINS, 1, 2, STEMS)
    sources = torch.randn(shape) * torch.rand(FRAMES, BINS, 1, 1, STEMS) ** 2
    places = torch.rand(1, BINS, AUDIO, 1, STEMS)
    stems = 20 * (sources * places + 0.1 * torch.randn(FRAMES, BINS, AUDIO, 2, STEMS))
    mix = stems.sum(-1) + torch.randn(FRAMES, BINS, AUDIO, 2)
    mix[2, 3], mix[4, 5, 1], stems[1, 6, ..., 1], stems[3, 2] = 0, 0, 0, 0
    return mix.float(), stems.float()


def window(filtering, mix, stems, iterations):
    gain = 2.0 ** (4 - math.frexp(mix.abs().max().item())[1])
    mix, first = mix.double() * gain, stems.double() * gain
    y = filtering.expectation_maximization(first.clone(), mix, iterations, eps=1e-10)[0]
    power = first.square().sum((2, 3), keepdim=True)
    total = power.sum(-1, keepdim=True)
    share = torch.where(total > 0, power / total, torch.tensor(1 / stems.shape[-1]).double())
    return (y + (mix - y.sum(-1))[..., None] * share) / gain


def main():
    filtering = load_filtering()
    mix, stems = spectra()
    single = torch.stack([stems[..., 0], mix - stems[..., 0]], -1)
    em = {f"em{n}": filtering.expectation_maximization(stems.double(), mix.double(), n, eps=1e-10)[0]
          for n in (1, 3)}
    tensors = {"mix": mix, "stems": stems.movedim(-1, 2), "window": window(filtering, mix, stems, 2),
               "single": window(filtering, mix, single, 2)[..., :1]} | em
    for name in ("em1", "em3", "window", "single"):
        tensors[name] = tensors[name].movedim(-1, 2).float()  # [T,F,S,A,2]
    save_file({k: v.contiguous() for k, v in tensors.items()}, sys.argv[1])


if __name__ == "__main__":
    main()
