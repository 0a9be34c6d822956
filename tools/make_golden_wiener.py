#!/usr/bin/env python3
"""Print what tests/test_wiener.c holds of Open-Unmix' Wiener filter: spectra of the stems, and by
PyTorch's autograd the gradient of the magnitudes, all in double.

    make_golden_wiener.py        needs torch and openunmix (only its filtering.py is loaded)
"""
import importlib.util
import pathlib

import torch

FRAMES, BINS, AUDIO, STEMS = 3, 2, 2, 2


def load_filtering():
    package = importlib.util.find_spec("openunmix").submodule_search_locations[0]
    spec = importlib.util.spec_from_file_location("filtering", pathlib.Path(package) / "filtering.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_rule(n, rule):
    return torch.tensor([float(rule(i)) for i in range(n)], dtype=torch.float64)


def inputs():
    """The same as fill() and slopes() of the test."""
    mix = by_rule(FRAMES * BINS * AUDIO * 2, lambda i: ((i * 7 + 3) % 11 - 5) * 4)
    mix[8] = mix[9] = 0
    magnitude = by_rule(FRAMES * BINS * STEMS * AUDIO, lambda i: (i * 5 + 2) % 9 * 0.5)
    slopes = by_rule(FRAMES * BINS * STEMS * AUDIO * 2, lambda i: (i * 3 + 1) % 7 - 3)
    return (mix.reshape(FRAMES, BINS, AUDIO, 2), magnitude.reshape(FRAMES, BINS, STEMS, AUDIO),
            slopes.reshape(FRAMES, BINS, STEMS, AUDIO, 2))


def show(name, values):
    print(f"{name}:")
    print("    " + ", ".join(f"{v:.9g}" for v in values.flatten().tolist()))


def main():
    filtering = load_filtering()
    for iterations, residual in ((0, False), (0, True), (2, True), (1, False)):
        mix, magnitude, slopes = inputs()
        magnitude.requires_grad_()
        y = filtering.wiener(magnitude.transpose(2, 3), mix, iterations, residual=residual)
        y = y[..., :STEMS].permute(0, 1, 4, 2, 3)  # stems before channels, real and imaginary last
        (y * slopes).sum().backward()
        show(f"{iterations} iterations, residual {residual}: spectra", y.detach())
        show(f"{iterations} iterations, residual {residual}: gradient", magnitude.grad)


if __name__ == "__main__":
    main()
