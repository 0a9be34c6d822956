#!/usr/bin/env python3
"""Ravel and PyTorch in turn on the same work: seconds, memory and their ratios, and for training
the steps per second.

    compare.py BENCH [--threads N] [--repeat N] [--peer-python PYTHON] [--v2 PATH] [MODEL...]

BENCH is the program build/bench/bench_models, build/bench/bench_train for steps of training, or
build/bench/bench_ddsp for synthesisers. PYTHON needs torch and, but for synthesisers, the
reference's package (peer_demucs.py, peer_train.py, peer_ddsp.py). A ratio above 1
says that Ravel is that many times faster, or smaller. Where other work keeps the machine busy,
compare processor seconds of one thread.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path

PEERS = {"bench_models": "peer_demucs.py", "bench_train": "peer_train.py",
         "bench_ddsp": "peer_ddsp.py"}
SYNTHESISERS = ("harmonic", "harmonic_grad", "sinusoids", "sinusoids_grad", "spectral_loss",
                "spectral_loss_grad")
TRAINED = {"conv_tasnet": "conv_tasnet", "ddsp_decoder": "ddsp_decoder",
           "ddsp_autoencoder": "ddsp_autoencoder"}
PEER_NAMES = {  # ours: the reference's configuration
    "htdemucs": "htdemucs",
    "hdemucs": "hdemucs_mmi",
    "demucs": "demucs_0d19c1c6",
    "demucs_v2": "demucs_v2",
    "conv_tasnet": "conv_tasnet",
}


def run(command):
    """The JSON line a program printed, or None if it skipped."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode == 77:
        return None
    if done.returncode:
        sys.exit(f"compare: {' '.join(map(str, command))} failed")
    return json.loads(done.stdout.strip().splitlines()[-1])


def compare(model, args):
    common = ["--threads", args.threads, "--repeat", args.repeat]
    program = Path(__file__).with_name(PEERS[Path(args.bench).name])
    peer = run([args.peer_python, str(program), *common, *(["--v2", args.v2] if args.v2 else []),
                args.names[model]])
    seconds = ["--seconds", str(peer["audio_seconds"])] if peer else []
    ours = run([args.bench, *common, *seconds, model])
    return ours, peer


def cell(result, key, digits):
    return f"{result[key]:8.{digits}f}" if result and key in result else f"{'-':>8}"


def print_row(model, ours, peer):
    ratio = cpu = "-"
    if peer:
        ratio = f"{peer['seconds'] / ours['seconds']:.2f}"
        cpu = f"{peer['processor_seconds'] / ours['processor_seconds']:.2f}"
    print(f"{model:<14} {cell(ours, 'seconds', 2)} {cell(peer, 'seconds', 2)} {ratio:>6} {cpu:>9} "
          f"{cell(ours, 'gflops', 1)} {cell(ours, 'steps_per_second', 3)} "
          f"{cell(peer, 'steps_per_second', 3)} {cell(ours, 'peak_rss_mb', 0)} "
          f"{cell(peer, 'peak_rss_mb', 0)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bench", metavar="BENCH")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--repeat", default="3")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--v2")
    parser.add_argument("models", nargs="*", metavar="MODEL")
    args = parser.parse_intermixed_args()
    if Path(args.bench).name not in PEERS:
        parser.error("BENCH is one of " + ", ".join(PEERS))
    args.names = {"bench_models": PEER_NAMES, "bench_train": TRAINED,
                  "bench_ddsp": {name: name for name in SYNTHESISERS}}[Path(args.bench).name]
    print(f"{'model':<14} {'ravel s':>8} {'peer s':>8} {'ratio':>6} {'cpu ratio':>9} "
          f"{'GFLOP/s':>8} {'ravel /s':>8} {'peer /s':>8} {'ravel MB':>8} {'peer MB':>8}")
    for model in args.models or args.names:
        print_row(model, *compare(model, args))


if __name__ == "__main__":
    main()
