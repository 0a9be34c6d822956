#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch on the work of bench_ddsp, to compare Ravel with.

    peer_ddsp.py [--threads N] [--repeat N] [--v2 PATH] SYNTHESISER

SYNTHESISER is one of bench_ddsp. The harmonic one takes the way of ddsp_pytorch: controls held from
frame to frame, a running sum of the frequency, the sines of all its multiples [B,T,K], their weighted
sum. The bank of sinusoids does the same with frequencies and amplitudes on straight lines. --v2 is
taken for compare.py's sake. Prints one line of JSON; exits with 77, the status that test runners
count as skipped, when PyTorch is missing.
"""
import argparse
import json
import math
import os
import resource
import statistics
import sys
import time

SKIPPED = 77
SYNTHESISERS = ("harmonic", "harmonic_grad", "sinusoids", "sinusoids_grad", "spectral_loss",
                "spectral_loss_grad")
BATCH, RATE, FRAME_RATE, OSCILLATORS, SECONDS = 8, 16000, 250, 100, 4


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--v2")
    parser.add_argument("synthesiser", metavar="SYNTHESISER", choices=SYNTHESISERS)
    return parser.parse_args()


def synthesise(frequencies, amplitudes, harmonic):
    """Controls [B,F,1 or K] and [B,F,K] to sound [B,T]."""
    import torch
    hop = RATE // FRAME_RATE

    def upsampled(controls):
        how = {"mode": "nearest"} if harmonic else {"mode": "linear"}
        return torch.nn.functional.interpolate(
            controls.permute(0, 2, 1), size=controls.shape[1] * hop, **how).permute(0, 2, 1)

    phase = torch.cumsum(2 * math.pi * upsampled(frequencies), 1)
    if harmonic:
        phase = phase * torch.arange(1, amplitudes.shape[-1] + 1).to(phase)
    return (torch.sin(phase) * upsampled(amplitudes)).sum(-1)


def spectral_loss(estimate, target):
    """Mean |difference| of magnitudes and of their logarithms, sizes 2048 to 64, hops of a quarter."""
    import torch
    total = 0
    for size in (2048, 1024, 512, 256, 128, 64):
        window = torch.hann_window(size)
        e, t = (torch.stft(x, size, size // 4, window=window, return_complex=True).abs()
                for x in (estimate, target))
        total = total + (e - t).abs().mean()
        total = total + (torch.log(e + 1e-7) - torch.log(t + 1e-7)).abs().mean()
    return total


def inputs_of(name):
    import torch
    torch.manual_seed(1)
    if name.startswith("spectral"):
        return torch.rand(2, BATCH, SECONDS * RATE) - 0.5
    shape = BATCH, SECONDS * FRAME_RATE
    frequencies = torch.rand(*shape, 1 if name.startswith("harmonic") else OSCILLATORS)
    return (60 + 540 * frequencies) / RATE, 0.02 * torch.rand(*shape, OSCILLATORS)


def measure(name, repeat):
    """Wall and user's processor seconds of each run, after one to warm up."""
    gradient, loss = name.endswith("_grad"), name.startswith("spectral")
    inputs = inputs_of(name)
    wall, user = [], []
    for _ in range(repeat + 1):
        controls = [x.detach().requires_grad_(gradient) for x in inputs]
        start = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        y = spectral_loss(controls[0], controls[1].detach()) if loss else \
            synthesise(*controls, name.startswith("harmonic"))
        if gradient:
            (y * y).mean().backward()
        wall.append(time.perf_counter() - start[0])
        user.append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - start[1])
    return wall[1:], user[1:]


def main():
    args = parse()
    os.environ["OMP_NUM_THREADS"] = str(args.threads)
    try:
        import torch
        torch.set_num_threads(args.threads)
    except ImportError as error:
        print(f"peer_ddsp: skipped: {error}", file=sys.stderr)
        sys.exit(SKIPPED)
    load = os.getloadavg()[0]
    seconds, user = measure(args.synthesiser, args.repeat)
    print(json.dumps({
        "model": args.synthesiser, "threads": args.threads, "torch": torch.__version__,
        "batch": BATCH, "audio_seconds": SECONDS,
        "seconds": round(statistics.median(seconds), 4),
        "all": [round(s, 4) for s in seconds],
        "processor_seconds": round(statistics.median(user), 4),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "load_before": round(load, 2)}))


if __name__ == "__main__":
    main()
