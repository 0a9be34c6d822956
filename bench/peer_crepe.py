#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time torchcrepe's network, to compare Ravel with: the work of bench_crepe.

    peer_crepe.py [--threads N] [--batch N] [--seconds S] [tiny|full ...]

Prints a line of JSON for each capacity: processor and wall-clock seconds for a second of audio at
100 frames a second. Exits with 77, the status that test runners count as skipped, where torchcrepe
is missing.
"""
import argparse
import json
import sys
import time

SKIPPED, FRAME_RATE = 77, 100


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("capacity", nargs="*", default=["tiny", "full"])
    return parser.parse_args()


def measure(torch, model, batch, seconds):
    frames = torch.randn(batch, 1024)
    runs = int(seconds * FRAME_RATE / batch) + 1
    with torch.no_grad():
        model(frames)
        wall, used = time.perf_counter(), time.process_time()
        for _ in range(runs):
            model(frames)
    audio = runs * batch / FRAME_RATE
    return (time.process_time() - used) / audio, (time.perf_counter() - wall) / audio


def main():
    args = parse()
    try:
        import torch
        import torchcrepe
    except ImportError as error:
        print(f"peer_crepe: {error}", file=sys.stderr)
        return SKIPPED
    torch.set_num_threads(args.threads)
    for capacity in args.capacity:
        model = torchcrepe.Crepe(capacity).eval()
        used, wall = measure(torch, model, args.batch, args.seconds)
        print(json.dumps({"model": capacity, "system": f"torchcrepe, PyTorch {torch.__version__}",
                          "threads": args.threads, "batch": args.batch,
                          "processor_per_second": round(used, 4),
                          "wall_per_second": round(wall, 4)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
