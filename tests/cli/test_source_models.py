#!/usr/bin/env python3
"""Models of the sources of a mix, from outside.

    test_source_models.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import json
import struct
import sys
import unittest

from cli_case import STEMS, CliCase, write_wav


class SourceModels(CliCase):
    def stems(self, song, *args):
        """Samples of each stem, from float files."""
        self.separate("--bits", "float", "--overwrite", *args, song)
        data = [(self.out / "classic" / song.stem / f"{s}.wav").read_bytes() for s in STEMS]
        data = [d[d.index(b"data") + 8:] for d in data]
        return [struct.unpack(f"<{len(d) // 4}f", d) for d in data]

    def test_stems_add_up_for_any_threads(self):
        for name, seconds, channels in (("a", 0.3, 2), ("mono", 0.3, 1), ("short", 0.01, 2)):
            song = write_wav(self.folder / f"{name}.wav", seconds, 8000, channels)
            mix = struct.unpack(f"<{int(seconds * 8000) * channels}h", song.read_bytes()[44:])
            refined = self.stems(song, "--refine", "ddsp", "-j", 1)
            for values, whole in zip(zip(*refined), mix):
                self.assertAlmostEqual(sum(values), whole / 32768, delta=2e-6)
            self.assertEqual(refined, self.stems(song, "--refine", "ddsp", "-j", 3))

    def test_parameters_are_played(self):
        song = write_wav(self.folder / "a.wav", 0.5, 8000)
        self.complaint(self.separate("--params", song, code=1), "--refine ddsp")
        self.separate("--refine", "ddsp", "--params", song)
        for stem in STEMS:
            done = self.run_ravel("synth", "params", self.out / "classic/a" / f"{stem}.npz", "-o",
                                  f"{stem}.wav", "--json")
            report = json.loads(done.stdout)
            self.assertEqual(report["sample_rate"], 8000)
            self.assertLess(abs(report["samples"] - 4000), 512)
        self.complaint(self.run_ravel("synth", "params", song, "-o", "b.wav", code=1), "a.wav", ".npz")
        self.complaint(self.separate("--refine", "all", song, code=2), "--refine")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
