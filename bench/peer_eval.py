#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time BSS Eval v4 of one track: `ravel eval` and museval in turn, on the same files.

    peer_eval.py [--seconds N] [--threads N] [--stems N] RAVEL

RAVEL is the program build/ravel. The track is stereo at 44.1 kHz: coloured noise, and estimates with
some of the other stems in them. Prints user CPU, wall time and memory of both, reading and writing
of files included, their ratios, and the largest distance of their figures. Where other work keeps the
machine busy, compare the CPU seconds. Exits with 77, the status that test runners count as skipped,
when museval, numpy or soundfile are missing.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

try:
    import museval
    import numpy as np
    import soundfile
except ImportError as missing:
    print(f"peer_eval: {missing}", file=sys.stderr)
    sys.exit(77)

RATE = 44100
STEMS = ("bass", "drums", "other", "vocals")


def write_track(folder, stems, seconds):
    """Smoothed noise of different colours."""
    random = np.random.default_rng(1)
    x = 0.1 * random.standard_normal((len(stems), seconds * RATE, 2)).astype(np.float32)
    for i in range(len(stems)):
        x[i, i + 1:] += x[i, :-i - 1]
        x[i, :, 0] += x[i, :, 1] / 2
    y = 0.8 * x + 0.1 * x[::-1] + 0.01 * random.standard_normal(x.shape).astype(np.float32)
    for kind, planes in (("set", x), ("estimates", y)):
        (folder / kind / "song").mkdir(parents=True)
        for name, plane in zip(stems, planes):
            soundfile.write(folder / kind / "song" / f"{name}.wav", plane, RATE, subtype="FLOAT")


def run(command, threads):
    """(user CPU, wall) seconds, and MB"""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    begun = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                          env=dict(os.environ, **{name: str(threads) for name in names})) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"peer_eval: {command[0]} failed")
    return used.ru_utime, time.monotonic() - begun, used.ru_maxrss / 1024


def museval_of(folder, stems):
    """The peer's part, in a process of its own."""
    read = lambda kind: [soundfile.read(folder / kind / "song" / f"{s}.wav")[0] for s in stems]
    figures = museval.evaluate(read("set"), read("estimates"), win=RATE, hop=RATE)
    np.save(folder / "peer.npy", np.array(figures))


def largest_distance(folder, stems):
    peer = np.load(folder / "peer.npy")  # SDR, ISR, SIR, SAR: [4, stems, frames]
    tracks = json.loads((folder / "ours.json").read_text())["methods"][0]["tracks"]
    targets = {t["name"]: t["frames"] for t in tracks[0]["targets"]}
    return max(abs(frame["metrics"][name] - peer[k, i, f])
               for k, name in enumerate(("SDR", "ISR", "SIR", "SAR"))
               for i, stem in enumerate(stems) for f, frame in enumerate(targets[stem]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=int, default=180)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--stems", type=int, default=4, choices=range(1, 5))
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("ravel", metavar="RAVEL")
    args = parser.parse_args()
    stems = STEMS[:args.stems]
    if args.peer:
        museval_of(args.peer, stems)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_track(folder, stems, args.seconds)
        ours = run([args.ravel, "eval", "-r", folder / "set", "-e", folder / "estimates", "-m", "bss",
                    "-j", str(args.threads), "--json", folder / "ours.json"], args.threads)
        peer = run([sys.executable, __file__, "--peer", folder, "--stems", str(args.stems),
                    args.ravel], args.threads)
        print(f"{args.seconds} s, {args.stems} stems, {args.threads} threads")
        print(f"{'':8}{'user s':>10}{'wall s':>10}{'MB':>8}")
        for title, row in (("ravel", ours), ("museval", peer)):
            print(f"{title:8}{row[0]:10.2f}{row[1]:10.2f}{row[2]:8.0f}")
        print(f"{'ratio':8}{peer[0] / ours[0]:10.2f}{peer[1] / ours[1]:10.2f}{peer[2] / ours[2]:8.2f}")
        print(f"largest distance of figures: {largest_distance(folder, stems):.1e} dB")


main()
