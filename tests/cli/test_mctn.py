#!/usr/bin/env python3
"""MCTN + DDSP from end to end in its tiny form, on songs made for it.

    test_mctn.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import json
import math
import os
import struct
import subprocess
import sys
import unittest
import wave

from cli_case import RAVEL, SOURCE, CliCase

RATE, SECONDS = 16000, 2
STEMS = {"bass": 80, "vocals": 300}  # Hz


def write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(RATE)
        f.writeframes(struct.pack(f"<{len(samples)}h", *(int(9000 * x) for x in samples)))


class Mctn(CliCase):
    def write_songs(self):
        for number, song in enumerate(("train/a", "valid/b", "test/c")):
            tones = {stem: [math.sin(t * (hz + 5 * number) * math.tau / RATE)
                            for t in range(RATE * SECONDS)] for stem, hz in STEMS.items()}
            for stem, samples in tones.items():
                write(self.folder / "songs" / song / f"{stem}.wav", samples)
            write(self.folder / "songs" / song / "mixture.wav", [a + b for a, b in zip(*tones.values())])

    def run_script(self, *args, code=0):
        done = subprocess.run([SOURCE.resolve() / "scripts" / "mctn.sh", *map(str, args)], text=True,
                              capture_output=True, cwd=self.folder, timeout=200,
                              env={**os.environ, "RAVEL": str(RAVEL)})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_pipeline(self):
        self.write_songs()
        done = self.run_script("songs", self.out, "--tiny", "--stems", "bass vocals", "-j", 1)
        self.assertRegex(done.stdout, r"(?i)parameters")
        figures = json.loads((self.out / "eval.json").read_text())
        self.assertEqual([[t["name"] for t in m["tracks"]] for m in figures["methods"]], 2 * [["c"]])
        for method in figures["methods"]:
            for stem in STEMS:
                self.assertEqual(set(method["medians"][stem]),
                                 {"LD-L1", "F0-L1", "MSS", "SDR-MCTN", "SI-SDR", "SC"})
        self.run_ravel("separate", "-m", self.out / "band.yaml", "songs/test/c/mixture.wav", "-o", "stems")

    def test_usage(self):
        self.assertIn("--stems", self.run_script("--help").stdout)
        self.run_script("songs", code=2)
        self.assertIn("--what", self.run_script("songs", self.out, "--what", code=2).stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
