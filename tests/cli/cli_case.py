"""What tests of the program share: a folder, calls, and what must be true of messages.

    A_TEST.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import math
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import wave
from pathlib import Path

RAVEL, SOURCE = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
STEMS = ["bass", "drums", "other", "vocals"]


def write_wav(path, seconds=0.5, rate=16000, channels=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = int(seconds * rate)
    period = [int(9000 * math.sin(2 * math.pi * i / 100)) for i in range(100)]
    data = struct.pack("<100h", *period) * (frames * channels // 100 + 1)
    with wave.open(str(path), "wb") as f:
        f.setnchannels(channels)
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes(data[:frames * channels * 2])
    return path


class CliCase(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ravel-cli-"))
        self.out = self.folder / "out"

    def tearDown(self):
        shutil.rmtree(self.folder)

    def run_ravel(self, *args, code=0, **more):
        env = {**os.environ, "RAVEL_MODELS": str(self.folder), "XDG_CACHE_HOME": str(self.folder)}
        done = subprocess.run([RAVEL, *map(str, args)], capture_output=True, text=True, env=env,
                              cwd=self.folder, timeout=100, **more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def separate(self, *args, **more):
        """With classic, unless a model is named."""
        model = () if {"-m", "--model"} & set(args) else ("-m", "classic")
        return self.run_ravel("separate", "-j", 2, "-o", self.out, *model, *args, **more)

    def complaint(self, done, *parts):
        """One line on standard error, with all parts."""
        lines = done.stderr.splitlines()
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertTrue(lines[0].startswith("ravel: "), lines[0])
        for part in parts:
            self.assertIn(str(part), lines[0])

    def files(self):
        return sorted(str(p.relative_to(self.out)) for p in self.out.rglob("*") if p.is_file())
