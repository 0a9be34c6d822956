#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch running the reference implementation on one segment, to compare Ravel with.

    peer_demucs.py [--threads N] [--repeat N] [--v2 PATH] MODEL

MODEL is a released configuration of tools/make_golden.py without its prefix `full_`
(htdemucs, hdemucs_mmi, demucs_0d19c1c6, ...), with random weights. Prints one line of JSON.
Demucs v2 and Conv-TasNet need --v2, the folder of branch v2 of the reference. Exits with 77,
the status that test runners count as skipped, when PyTorch or the reference is missing.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

SKIPPED = 77
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--v2", type=Path)
    parser.add_argument("model", metavar="MODEL")
    return parser.parse_args()


def build(args):
    """The model in evaluation mode and its input."""
    import make_golden as golden
    spec = golden.FULL.get("full_" + args.model)
    if spec is None:
        names = " ".join(name[len("full_"):] for name in golden.FULL)
        raise SystemExit(f"peer_demucs: the models are: {names}")
    if spec["model"] in golden.V2_MODELS:
        if not args.v2:
            raise ImportError(f"{args.model} needs --v2, the folder of the reference's branch v2")
        sys.path.insert(0, str(args.v2))
    model = golden.model_class(spec)(**golden.full_config(spec)).eval()
    samples = spec["samples"]
    if spec["model"] == "demucs_v2":
        samples = model.valid_length(samples)
    return model, golden.music(model.audio_channels, model.samplerate, samples, 1)


def measure(model, mix, repeat):
    """Wall and processor seconds of each run, after one to warm up. On a machine that is
    busy with other work the processor seconds of one thread still compare."""
    import torch
    wall, processor = [], []
    with torch.no_grad():
        model(mix)
        for _ in range(repeat):
            start = time.perf_counter(), time.process_time()
            model(mix)
            wall.append(time.perf_counter() - start[0])
            processor.append(time.process_time() - start[1])
    return wall, processor


def main():
    args = parse()
    # PyTorch does not pass its number of threads on to OpenBLAS, which reads it when loaded.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(args.threads)
    try:
        import torch
        torch.set_num_threads(args.threads)
        model, mix = build(args)
    except ImportError as error:
        print(f"peer_demucs: skipped: {error}", file=sys.stderr)
        sys.exit(SKIPPED)
    load = os.getloadavg()[0]
    seconds, processor = measure(model, mix, args.repeat)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({
        "model": args.model, "threads": args.threads, "torch": torch.__version__,
        "audio_seconds": round(mix.shape[-1] / model.samplerate, 3),
        "seconds": round(statistics.median(seconds), 3),
        "all": [round(s, 3) for s in seconds],
        "processor_seconds": round(statistics.median(processor), 3),
        "peak_rss_mb": round(peak), "load_before": round(load, 2)}))


if __name__ == "__main__":
    main()
