#!/usr/bin/env python3
"""Commands on a full disk: one line that names the file and the reason, nothing half-written under
its final name, and the same command again once there is room. Writes fail beyond a size of a file,
with EFBIG in place of ENOSPC. (Of `dataset render`: tests/test_render.c.)

    test_full_disk.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import json
import random
import resource
import signal
import struct
import sys
import unittest
import wave

from cli_case import CliCase, write_wav

RECIPE = """
model: {name: conv_tasnet, arguments: {N: 16, L: 16, B: 8, H: 16, P: 3, X: 2, R: 1}}
data:
  {root: set, stems: [drums, bass], sample_rate: 8000, channels: 1, segment: 0.25, stride: 0.25,
   batch: 2}
optimiser: {lr: 0.01}
train: {epochs: 2, save_every: 2}
"""


def full_after(size):
    """For preexec_fn."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return limit


def write_noise(path, seed, frames):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = random.Random(seed)
    with wave.open(str(path), "wb") as f:
        f.setparams((1, 2, 8000, 0, "NONE", ""))
        f.writeframes(struct.pack(f"<{frames}h", *(noise.randrange(-9000, 9000) for _ in range(frames))))


class FullDisk(CliCase):
    def refused(self, size, args, *parts):
        done = self.run_ravel(*args, code=1, preexec_fn=full_after(size))
        self.complaint(done, *parts, "File too large")

    def contents(self, folder):
        return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def test_separate(self):
        song = write_wav(self.folder / "long.wav", seconds=4)
        for mode in ("rescale", "none"):
            args = ("separate", "-m", "classic", "-j", 2, "-o", self.out, "--clip-mode", mode, "--overwrite", song)
            self.refused(100000, args, "long.wav" if mode == "rescale" else "out/classic/long/")
            self.assertEqual(self.files(), [])
        self.run_ravel(*args)
        whole = self.contents(self.out)
        self.assertEqual(len(whole), 4)
        self.refused(100000, args, "out/classic/long/")
        self.assertEqual(self.contents(self.out), whole)

    def test_shards(self):
        for song in ("train/a", "test/b"):
            for stem in ("mixture", "vocals"):
                write_wav(self.folder / "songs" / song / f"{stem}.wav")
        args = ("dataset", "shards", "songs", "-o", self.out, "--window", 0.25, "--hop", 0.25,
                "--sample-rate", 16000, "--valid-fraction", 0)
        for size in (10, 50000):
            self.refused(size, args, "train/train-00000.tfrecord")
            self.assertEqual(self.files(), [])
        self.run_ravel(*args)
        whole = self.contents(self.out)
        self.assertEqual(sorted(whole), ["test/test-00000.tfrecord", "train/train-00000.tfrecord"])

    def test_features(self):
        song = write_wav(self.folder / "a.wav", seconds=1)
        cache = self.folder / "cache"
        args = ("features", song, "-o", self.out, "--cache", cache, "--features", "mel", "--frame-rate",
                100, "--overwrite", "--format")
        for size in (10, 20000):
            self.refused(size, (*args, "csv"), cache / "features", ".feature")
            self.assertEqual(self.contents(cache), {})
        self.run_ravel(*args, "csv", "--json")
        csv, kept = (self.out / "a.csv").read_bytes(), self.contents(cache)
        for kind in ("csv", "npz"):
            self.refused(20000, (*args, kind), self.out / f"a.{kind}")
            self.assertEqual(self.contents(self.out), {"a.csv": csv})
        told = json.loads(self.run_ravel(*args, "npz", "--json").stdout)
        self.assertEqual(told["files"][0]["measured"], 0)
        self.assertEqual(self.contents(cache), kept)

    def train(self, out, *more):
        return ("train", "recipe.yaml", "-j", 1, f"train.out={out}", *more)

    def write_songs(self):
        (self.folder / "recipe.yaml").write_text(RECIPE)
        for song in ("train/a", "train/b", "valid/c"):
            for stem in ("drums", "bass"):
                write_noise(self.folder / "set" / song / f"{stem}.wav", song + stem, 12000)

    def test_train(self):
        self.write_songs()
        run = self.folder / "run"
        self.run_ravel(*self.train("whole"))
        whole = self.contents(self.folder / "whole")
        self.refused(1000, self.train("run"), "run/recipe.yaml")
        self.assertFalse((run / "recipe.yaml").exists())
        self.refused(10000, self.train("run"), "run/last.state")
        self.refused(5000, self.train("run", "train.save_every=0"), "run/best.safetensors")
        self.assertEqual([n for n in self.contents(run) if n.split(".")[0] in ("best", "last")], [])
        self.run_ravel(*self.train("run", "train.epochs=1"))
        half = self.contents(run)
        self.refused(10000, self.train("run"), "run/last.state")
        for name in ("last.state", "best.safetensors"):
            self.assertEqual((run / name).read_bytes(), half[name])
        self.run_ravel(*self.train("run"))
        for name in ("last.state", "best.safetensors"):
            self.assertEqual((run / name).read_bytes(), whole[name])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
