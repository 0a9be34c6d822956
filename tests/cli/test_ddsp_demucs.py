#!/usr/bin/env python3
"""DDSP-Demucs from end to end in its tiny form, on songs made for it; and ravel refine from outside.

    test_ddsp_demucs.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import json
import math
import os
import random
import struct
import subprocess
import sys
import unittest
import wave

from cli_case import RAVEL, SOURCE, CliCase

RATE, SECONDS = 22050, 4


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE)
        f.writeframes(struct.pack(f"<{len(samples)}h", *(int(9000 * x) for x in samples)))


def write_song(folder, number):
    """A voice that swells, over clicks."""
    draw, times = random.Random(number), range(RATE * SECONDS)
    hz = 180 + 20 * number
    voice = [math.sin(t * hz * math.tau / RATE) * (0.6 + 0.4 * math.sin(t / 4000)) for t in times]
    clicks = [draw.uniform(-1, 1) * max(0, 1 - t % 5000 / 400) for t in times]
    write(folder / "vocals.wav", voice)
    write(folder / "drums.wav", clicks)
    write(folder / "mixture.wav", [(a + b) for a, b in zip(voice, clicks)])


class DdspDemucs(CliCase):
    def write_songs(self):
        for number, song in enumerate(("train/a", "train/b", "test/c", "test/d")):
            write_song(self.folder / "songs" / song, number)

    def run_script(self, *args, code=0):
        done = subprocess.run([SOURCE.resolve() / "scripts" / "ddsp_demucs.sh", *map(str, args)], text=True,
                              capture_output=True, cwd=self.folder, timeout=200,
                              env={**os.environ, "RAVEL": str(RAVEL)})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_pipeline(self):
        self.write_songs()
        args = ("songs", self.out, "--tiny", "--model", "classic", "-j", 1,
                "--gate", "--segment 2 --hop 1 --f0-confidence-min 0.01 --harmonicity-min 0 "
                "--residual-max 1 --segment-fraction-min 0.1")
        done = self.run_script(*args)
        self.assertIn("difference from stem: median and mean over songs", done.stdout)
        for name in ("decoder", "residual", "mask_eq"):
            self.assertRegex(done.stdout, rf"vocals +{name} +SI-SDR +[-+]\d+\.\d+")
        figures = json.loads((self.out / "eval.json").read_text())
        pairs = {p["second"]: p["stems"]["vocals"] for p in figures["differences"]["pairs"]
                 if p["first"] == "stem"}
        # what starts as the stem stays near to it or gets better; the decoder has another phase
        self.assertLess(abs(pairs["mask_eq"]["SI-SDR"]["median"]), 3)
        self.assertGreater(pairs["decoder"]["SI-SDR"]["median"], 3)
        self.assertIn("True", (self.out / "gate.csv").read_text())
        for name in ("report.html", "eval.csv", "tracks.csv", "refined/residual/test/c/vocals.wav",
                     "features/test/c/vocals.npz", "shards/train/train-00000.tfrecord"):
            self.assertTrue((self.out / name).exists(), name)

    def test_usage(self):
        self.assertIn("--networks", self.run_script("--help").stdout)
        self.run_script("songs", code=2)
        self.assertIn("--what", self.run_script("songs", self.out, "--what", code=2).stderr)

    def test_refine(self):
        self.complaint(self.run_ravel("refine", "model", code=2), "-o DIR")
        write_song(self.folder / "songs" / "a", 0)
        args = ("refine", self.folder / "songs/a/vocals.wav", "songs", "-o", self.out)
        self.complaint(self.run_ravel(*args, "--stem", "vocals", code=1), "vocals.wav")
        self.complaint(self.run_ravel(*args, "--stem", "bass", code=1), "no file of the stem bass")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
