#!/usr/bin/env python3
"""Ravel, PyTorch and ONNX Runtime in turn on the same work: seconds, memory and their ratios, and
for training the steps per second.

    compare.py BENCH [--threads N] [--repeat N] [--rounds N] [--onnx] [--json FILE]
               [--peer-python PYTHON] [--v2 PATH] [MODEL...]

BENCH is the program build/bench/bench_models, build/bench/bench_train for steps of training, or
build/bench/bench_ddsp for synthesisers. PYTHON needs torch and, but for synthesisers, the
reference's package (peer_demucs.py, peer_train.py, peer_ddsp.py); --onnx also times ONNX Runtime
(peer_onnx.py; of networks only). A ratio above 1 says that Ravel is that many times faster, or
smaller; behind it, the lowest and the highest of the rounds. A round runs each peer, then Ravel.
Networks are shown beside the ceiling: what multiplications and additions in registers reach.
Where other work keeps the machine busy, compare processor seconds of one thread.
"""
import argparse
import json
import statistics
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


def peers_of(args):
    """Name and program of each peer."""
    bench = Path(args.bench).name
    peers = {"torch": PEERS[bench]}
    if args.onnx and bench == "bench_models":
        peers["onnx"] = "peer_onnx.py"
    return peers


def compare(model, args):
    """A list of rounds: what each program said, None if it skipped."""
    common = ["--threads", args.threads, "--repeat", args.repeat]
    peers, seconds, rounds = peers_of(args), [], []
    for _ in range(args.rounds):
        said = {}
        for peer, program in peers.items():
            v2 = ["--v2", args.v2] if args.v2 else []
            said[peer] = run([args.peer_python, str(Path(__file__).with_name(program)), *common, *v2,
                              args.names[model]])
            if said[peer]:
                seconds = ["--seconds", str(said[peer]["audio_seconds"])]
        said["ravel"] = run([args.bench, *common, *seconds, model])
        rounds.append(said)
        peers = {name: program for name, program in peers.items() if said[name]}
    return rounds


def median_of(rounds, who, key):
    values = [said[who][key] for said in rounds if said.get(who) and key in said[who]]
    return statistics.median(values) if values else None


def ratio(rounds, peer, key):
    """[median, lowest, highest] of the peer's over Ravel's, round by round."""
    ratios = [said[peer][key] / said["ravel"][key] for said in rounds
              if said.get(peer) and key in said[peer] and key in said["ravel"]]
    return [statistics.median(ratios), min(ratios), max(ratios)] if ratios else None


def summary(model, args, rounds):
    keys = ("seconds", "processor_seconds", "gflops", "ceiling_gflops", "steps_per_second",
            "peak_rss_mb")
    result = {"model": model, "threads": int(args.threads), "rounds": len(rounds), "peers": {},
              "ravel": {key: median_of(rounds, "ravel", key) for key in keys}}
    for peer in peers_of(args):
        if rounds[0].get(peer):
            result["peers"][peer] = {
                **{key: median_of(rounds, peer, key) for key in keys},
                "time_ratio": ratio(rounds, peer, "seconds"),
                "processor_ratio": ratio(rounds, peer, "processor_seconds"),
                "memory_ratio": ratio(rounds, peer, "peak_rss_mb")}
    return result


def cell(value, digits):
    return f"{'-':>8}" if value is None else f"{value:8.{digits}f}"


def spread(of):
    return f"{of[0]:.2f} [{of[1]:.2f},{of[2]:.2f}]" if of else "-"


def print_row(name, of, peer=None):
    print(f"{name:<22} {cell(of['seconds'], 3)} {cell(of['processor_seconds'], 3)} "
          f"{spread(peer and peer['time_ratio']):>18} {spread(peer and peer['processor_ratio']):>18} "
          f"{cell(of['gflops'], 1)} {cell(of['ceiling_gflops'], 1)} "
          f"{cell(of['steps_per_second'], 3)} {cell(of['peak_rss_mb'], 0)}", flush=True)


def print_rows(result):
    print_row(result["model"], result["ravel"])
    for name, peer in result["peers"].items():
        print_row("  " + name, peer, peer)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("bench", metavar="BENCH")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--repeat", default="3")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--onnx", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--v2")
    parser.add_argument("models", nargs="*", metavar="MODEL")
    args = parser.parse_intermixed_args()
    if Path(args.bench).name not in PEERS:
        parser.error("BENCH is one of " + ", ".join(PEERS))
    args.names = {"bench_models": PEER_NAMES, "bench_train": TRAINED,
                  "bench_ddsp": {name: name for name in SYNTHESISERS}}[Path(args.bench).name]
    print(f"{'':<22} {'seconds':>8} {'cpu s':>8} {'time ratio':>18} {'cpu ratio':>18} "
          f"{'GFLOP/s':>8} {'ceiling':>8} {'steps/s':>8} {'MB':>8}")
    results = []
    for model in args.models or args.names:
        results.append(summary(model, args, compare(model, args)))
        print_rows(results[-1])
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
