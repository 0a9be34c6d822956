#!/usr/bin/env python3
"""The Wiener filter over the stems, from outside.

    test_ensemble.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import json
import struct
import sys
import unittest

from cli_case import STEMS, CliCase, write_wav


def samples(path):
    """Of a float file: what follows its `data` header."""
    data = path.read_bytes()
    data = data[data.index(b"data") + 8:]
    return struct.unpack(f"<{len(data) // 4}f", data)


class Wiener(CliCase):
    def stems(self, song, *args):
        self.separate("--bits", "float", "--overwrite", *args, song)
        return {s: samples(self.out / "classic" / song.stem / f"{s}.wav") for s in STEMS}

    def check_sum(self, stems, mix):
        for values, whole in zip(zip(*stems.values()), mix):
            self.assertAlmostEqual(sum(values), whole, delta=2e-6)

    def test_stems_add_up_for_any_threads(self):
        for name, seconds, channels in (("a", 0.3, 2), ("mono", 0.3, 1), ("short", 0.01, 2)):
            song = write_wav(self.folder / f"{name}.wav", seconds, 8000, channels)
            mix = [v / 32768 for v in struct.unpack(f"<{int(seconds * 8000) * channels}h",
                                                    song.read_bytes()[44:])]
            filtered = self.stems(song, "--wiener", 2, "-j", 1)
            self.check_sum(filtered, mix)
            self.assertEqual(filtered, self.stems(song, "--wiener", 2, "-j", 3))
            self.assertNotEqual(filtered, self.stems(song))

    def test_mistakes(self):
        six = write_wav(self.folder / "six.wav", 0.01, 8000, 6)
        self.complaint(self.separate("--wiener", 1, six, code=1), "six.wav", "1 or 2 channels", "not 6")
        for n in ("-1", "1001", "x"):
            self.complaint(self.separate("--wiener", n, six, code=2), "--wiener")
        self.complaint(self.run_ravel("eval", "-r", "songs", "--model", "classic", "--wiener", "1", "x",
                                      code=2), "'x'")

    def test_eval(self):
        for stem in STEMS:
            write_wav(self.folder / "songs" / "a" / f"{stem}.wav", 0.1, 8000)
        self.run_ravel("eval", "-r", "songs", "--model", "c=classic", "--wiener", 0, 1, "--oracles", "mix",
                       "-m", "snr", "--resamples", 100, "--json", "f.json")
        figures = json.loads((self.folder / "f.json").read_text())
        self.assertEqual([m["name"] for m in figures["methods"]], ["c", "c-wiener1", "mix"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
