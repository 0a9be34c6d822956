#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A song through the reference program, for compare_song.py.

    peer_song.py make FOLDER --model MODEL --seconds S     write model.th and song.wav
    peer_song.py run FOLDER --threads N                    separate the song: FOLDER/peer/STEM.wav

MODEL is as in peer_demucs.py, with random weights. `run` is what `python -m demucs` does with one
file: the mix at mean 0 and deviation 1, apply_model() with its overlap of 0.25, but no random
shifts, which Ravel's default leaves out, too. Exits with 77 where something is missing.
"""
import argparse
import os
import sys
from pathlib import Path

SKIPPED = 77
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("what", choices=("make", "run"))
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--model", default="htdemucs")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def make(args):
    import make_golden as golden
    import soundfile
    spec = golden.FULL["full_" + args.model]
    model = golden.build(spec)
    golden.saver(spec)(model, spec, args.folder / "model.th")
    song = golden.music(2, 44100, int(args.seconds * 44100), 3).reshape(2, -1)
    soundfile.write(args.folder / "song.wav", 0.5 * (song / song.abs().max()).T.numpy(), 44100,
                    subtype="FLOAT")


def run(args):
    import soundfile
    import torch
    from demucs.apply import apply_model
    from demucs.states import load_model
    torch.set_num_threads(args.threads)
    model = load_model(args.folder / "model.th", strict=True).float().eval()
    data, rate = soundfile.read(args.folder / "song.wav", dtype="float32")
    wav = torch.from_numpy(data).T
    mean, deviation = wav.mean(), wav.mean(0).std()
    with torch.no_grad():
        stems = apply_model(model, ((wav - mean) / deviation)[None], shifts=0, split=True,
                            overlap=0.25, device="cpu")[0]
    (args.folder / "peer").mkdir(exist_ok=True)
    for name, stem in zip(model.sources, stems * deviation + mean):
        soundfile.write(args.folder / "peer" / f"{name}.wav", stem.T.numpy(), rate, subtype="FLOAT")


def main():
    args = parse()
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(args.threads)
    try:
        (make if args.what == "make" else run)(args)
    except ImportError as error:
        print(f"peer_song: skipped: {error}", file=sys.stderr)
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()
