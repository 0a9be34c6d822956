#!/usr/bin/env python3
"""The Wiener filter over the stems, and several models as one, from outside.

    test_ensemble.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import json
import struct
import sys
import unittest

from cli_case import SOURCE, STEMS, CliCase, write_wav

DEMUCS = SOURCE / "tests/golden/htdemucs.th"  # 8 kHz, stereo, the stems of classic


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


class Ensemble(CliCase):
    def stems(self, folder, song, *args):
        self.separate("--bits", "float", "--overwrite", *args, song)
        return {s: samples(self.out / folder / song.stem / f"{s}.wav") for s in STEMS}

    def both(self, song, *args):
        return self.stems("classic+htdemucs", song, "-m", "classic", "-m", DEMUCS, *args)

    def check_mean(self, song):
        one = self.stems("classic", song, "-m", "classic")
        two = self.stems("htdemucs", song, "-m", DEMUCS)
        mean = self.both(song)
        for stem in STEMS:
            for a, b, m in zip(one[stem], two[stem], mean[stem]):
                self.assertAlmostEqual((a + b) / 2, m, delta=2e-6)

    def test_mean(self):
        self.check_mean(write_wav(self.folder / "a.wav", 0.5, 8000))
        self.check_mean(write_wav(self.folder / "short.wav", 0.01, 8000))

    def test_threads_channels_and_rates(self):
        for name, seconds, rate, channels in (("a", 0.5, 8000, 2), ("mono", 0.3, 8000, 1),
                                              ("fast", 0.1, 11025, 2), ("short", 0.01, 44100, 1)):
            song = write_wav(self.folder / f"{name}.wav", seconds, rate, channels)
            one = self.both(song, "-j", 1)
            self.assertEqual({len(v) for v in one.values()}, {int(seconds * rate) * channels})
            self.assertEqual(one, self.both(song, "-j", 3))

    def test_silence(self):
        song = write_wav(self.folder / "a.wav", 0.2, 8000)
        song.write_bytes(song.read_bytes()[:44] + bytes(song.stat().st_size - 44))
        stems = self.both(song, "--wiener", 1)
        self.assertEqual({v for s in stems.values() for v in s}, {0})

    def test_best_of_each(self):
        song = write_wav(self.folder / "a.wav", 0.3, 8000)
        (self.folder / "best.yaml").write_text(f"models: ['{DEMUCS}', classic]\n"
                                               "weights: [[1, 0, 0, 1], [0, 1, 1, 0]]\n")
        best = self.stems("best", song, "-m", "best.yaml")
        one, two = self.stems("htdemucs", song, "-m", DEMUCS), self.stems("classic", song)
        self.assertEqual(best, {"drums": one["drums"], "vocals": one["vocals"],
                                "bass": two["bass"], "other": two["other"]})
        card = json.loads(self.run_ravel("models", "info", "best.yaml", "--json").stdout)
        self.assertEqual((card["architecture"], card["networks"], card["sample_rate"]),
                         ("ensemble", 2, 8000))

    def test_json_and_progress(self):
        song = write_wav(self.folder / "a.wav", 0.3, 8000)
        done = self.separate("--json", "--progress", "json", "-m", "classic", "-m", DEMUCS, song)
        told = json.loads(done.stdout)
        self.assertEqual((told["model"], len(told["files"][0]["outputs"])), ("classic+htdemucs", 4))
        shares = [json.loads(line)["fraction"] for line in done.stderr.splitlines()]
        self.assertEqual(shares, sorted(shares))
        self.assertEqual(shares[-1], 1)

    def test_eval(self):
        for stem in STEMS:
            write_wav(self.folder / "songs" / "a" / f"{stem}.wav", 0.1, 8000)
        self.run_ravel("eval", "-r", "songs", "--model", "classic", f"classic+{DEMUCS}", "--wiener", 0, 1,
                       "-m", "snr", "--resamples", 100, "--json", "f.json")
        figures = json.loads((self.folder / "f.json").read_text())
        self.assertEqual([m["name"] for m in figures["methods"]],
                         ["classic", "classic-wiener1", "classic+htdemucs", "classic+htdemucs-wiener1"])

    def test_mistakes(self):
        song = write_wav(self.folder / "a.wav", 0.1, 8000)
        mono = SOURCE / "tests/golden/conv_tasnet_mono.th"
        self.complaint(self.separate("-m", DEMUCS, "-m", mono, song, code=2), "htdemucs+conv_tasnet_mono",
                       "2 channels at 8000 Hz", "1 at 8000")
        self.complaint(self.separate("-m", "classic", "-m", "clasic", song, code=2), "clasic: no such model")
        (self.folder / "bag.yaml").write_text(f"models: ['{DEMUCS}', classic]\nweights: [[1, 0], [0, 1]]\n")
        self.complaint(self.separate("-m", "bag.yaml", song, code=2), "bag.yaml", "weights for 2 stems",
                       "have 4")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
