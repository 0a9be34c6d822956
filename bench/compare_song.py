#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A song through `ravel separate` and through the reference program in turn, file in, files out.

    compare_song.py RAVEL --peer-python PYTHON [--model MODEL] [--seconds S] [--threads N]
                    [--rounds N] [--json FILE]

Both start anew in each round and read the same checkpoint of random weights (peer_song.py), so
their starting is counted. Shown are seconds by the clock and of the processor, and the most memory
of the process; ratios above 1 say that Ravel needs less; behind a ratio, the lowest and the highest
of the rounds. The stems of both are compared, and `ravel separate --help` is timed, the start-up.
PYTHON needs torch, demucs and soundfile.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STARTS = 20


def measured(command):
    """Exit status; wall and processor seconds and the most memory in MB of a process."""
    start = time.perf_counter()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, {"seconds": time.perf_counter() - start,
                                "processor_seconds": usage.ru_utime + usage.ru_stime,
                                "peak_rss_mb": usage.ru_maxrss / 1024}


def must(command):
    code, figures = measured(command)
    if code == 77:
        sys.exit("compare_song: skipped")
    if code:
        sys.exit(f"compare_song: {' '.join(map(str, command))} failed")
    return figures


def separations(args, folder):
    peer = Path(__file__).with_name("peer_song.py")
    must([args.peer_python, peer, "make", folder, "--model", args.model, "--seconds", args.seconds])
    ours = [args.ravel, "separate", "-m", folder / "model.th", "-j", args.threads, "-o",
            folder / "ravel", "--filename", "{stem}.{ext}", "--bits", "float", "--clip-mode", "none",
            "--overwrite", "--progress", "none", folder / "song.wav"]
    theirs = [args.peer_python, peer, "run", folder, "--threads", args.threads]
    return [{"ravel": must(ours), "peer": must(theirs)} for _ in range(args.rounds)]


def difference(folder, python):
    """The largest difference of the stems over their largest sample; the peer's Python reads them."""
    code = ("import sys, soundfile, numpy as np; from pathlib import Path; d = Path(sys.argv[1]);"
            "of = lambda p: soundfile.read(p, dtype='float32')[0];"
            "ours = {p.stem: of(p) for p in (d / 'ravel').rglob('*.wav')};"
            "pairs = [(of(p), ours[p.stem]) for p in (d / 'peer').glob('*.wav')];"
            "print(max(np.abs(a - b).max() for a, b in pairs) / max(np.abs(a).max() for a, _ in pairs))")
    done = subprocess.run([python, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True,
                          check=True)
    return float(done.stdout)


def figures_of(rounds, who):
    return {key: statistics.median(said[who][key] for said in rounds) for key in rounds[0][who]}


def ratio(rounds, key):
    ratios = [said["peer"][key] / said["ravel"][key] for said in rounds]
    return [statistics.median(ratios), min(ratios), max(ratios)]


def start_up(ravel):
    """Seconds until `ravel separate --help` has spoken and ended: median and lowest."""
    wall = [must([ravel, "separate", "--help"])["seconds"] for _ in range(STARTS)]
    return statistics.median(wall), min(wall)


def show(result):
    print(f"{'':<8} {'seconds':>9} {'cpu s':>9} {'MB':>7}")
    for who in ("ravel", "peer"):
        row = result[who]
        print(f"{who:<8} {row['seconds']:9.2f} {row['processor_seconds']:9.2f} "
              f"{row['peak_rss_mb']:7.0f}")
    cells = [f"{key} {of[0]:.2f} [{of[1]:.2f},{of[2]:.2f}]" for key, of in result["ratios"].items()]
    print("ratios   " + ", ".join(cells))
    print(f"stems    differ by {result['difference']:.1e} of the largest sample")
    print(f"start    {1e3 * result['start_seconds']:.1f} ms, at best "
          f"{1e3 * result['start_least']:.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("ravel", metavar="RAVEL")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--model", default="htdemucs")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    result = {"model": args.model, "audio_seconds": args.seconds, "threads": args.threads}
    result["start_seconds"], result["start_least"] = start_up(args.ravel)
    with tempfile.TemporaryDirectory() as folder:
        rounds = separations(args, Path(folder))
        result["difference"] = difference(folder, args.peer_python)
    result.update({who: figures_of(rounds, who) for who in ("ravel", "peer")})
    result["ratios"] = {key: ratio(rounds, key) for key in rounds[0]["ravel"]}
    show(result)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
