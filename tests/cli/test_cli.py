#!/usr/bin/env python3
"""The program from outside: exit codes, messages, layouts, bad input, Ctrl-C.

    test_cli.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import json
import math
import os
import pickle
import random
import shutil
import signal
import struct
import subprocess
import sys
import unittest
import wave
import zipfile

from cli_case import RAVEL, SOURCE, STEMS, CliCase, write_wav


def write_float_wav(path, samples):
    data = struct.pack(f"<{len(samples)}f", *samples)
    fmt = struct.pack("<HHIIHH", 3, 1, 16000, 64000, 4, 32)
    path.write_bytes(b"RIFF" + struct.pack("<I", 28 + len(data) + 8) + b"WAVEfmt " +
                     struct.pack("<I", 16) + fmt + b"data" + struct.pack("<I", len(data)) + data)


def write_autoencoder(path):
    """A DDSP autoencoder of two units; all weights are 0.3."""
    mlp = {"0.weight": (2, 1), "0.bias": (2,), "1.weight": (2,), "1.bias": (2,)}
    shapes = {f"in_mlps.{i}.{name}": shape for i in (0, 1) for name, shape in mlp.items()}
    shapes.update({f"out_mlp.{name}": shape for name, shape in mlp.items()})
    shapes.update({"out_mlp.0.weight": (2, 6), "gru.weight_ih_l0": (6, 4),
                   "gru.weight_hh_l0": (6, 2), "gru.bias_ih_l0": (6,), "gru.bias_hh_l0": (6,),
                   "proj_matrices.0.weight": (3, 2), "proj_matrices.0.bias": (3,),
                   "proj_matrices.1.weight": (2, 2), "proj_matrices.1.bias": (2,)})
    kwargs = {"hidden_size": 2, "layers": 1, "n_harmonic": 2, "n_bands": 2, "reverb": "none"}
    model = {"format_version": 1, "class": "ravel.ddsp.Autoencoder", "kwargs": kwargs}
    header, data = {"__metadata__": {"ravel": json.dumps(model)}}, b""
    for name, shape in shapes.items():
        values = struct.pack(f"<{math.prod(shape)}f", *[0.3] * math.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    return path


def frames_of(path):
    with wave.open(str(path)) as f:
        return f.getnframes()


class RunsCode:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch '{self.marker}'",)


class Cli(CliCase):
    # Use ---------------------------------------------------------------------------

    def test_help_and_version(self):
        self.assertIn("separate", self.run_ravel("--help").stdout)
        self.assertIn("examples:", self.run_ravel("separate", "-h").stdout)
        self.assertIn("convert", self.run_ravel("models", "--help").stdout)
        self.assertTrue(self.run_ravel("--version").stdout.startswith("ravel 0."))

    def test_dataset_commands(self):
        self.assertIn("commands:", self.run_ravel("dataset", "--help").stdout)
        self.run_ravel("dataset", code=2)
        self.complaint(self.run_ravel("dataset", "nothing", code=2), "dataset nothing")

    def test_dataset_render(self):
        self.assertIn("examples:", self.run_ravel("dataset", "render", "--help").stdout)
        for args, word in (((), "one folder OUT"), (("out",), "--midi"),
                           (("out", "--midi", "m"), "--soundfont"),
                           (("--midi", "m", "out", "--soundfont", "f"), "one folder OUT"),
                           (("out", "--variants", "0"), "--variants 0")):
            self.complaint(self.run_ravel("dataset", "render", *args, code=2), word)
        (self.folder / "f.sf2").write_bytes(b"no sounds")
        done = self.run_ravel("dataset", "render", "out", "--midi", "m", "--soundfont", "f.sf2",
                              code=1)
        self.assertTrue("f.sf2: not a soundfont" in done.stderr or "FluidSynth" in done.stderr)
        self.assertFalse(self.out.exists())

    def test_dataset_shards(self):
        for song in ("train/a", "train/b", "test/c"):
            for stem in ("mixture", "vocals"):
                write_wav(self.folder / "songs" / song / f"{stem}.wav", seconds=1)
        args = ("dataset", "shards", "songs", "-o", self.out, "--window", 0.5, "--hop", 0.25,
                "--sample-rate", 16000)
        done = self.run_ravel(*args, "--valid-fraction", 0.5, "--json")
        told = json.loads(done.stdout)
        self.assertEqual(told["train"], {"songs": 1, "examples": 3, "shards": 1})
        self.assertEqual(self.files(), ["test/test-00000.tfrecord", "train/train-00000.tfrecord",
                                        "val/val-00000.tfrecord"])
        self.complaint(self.run_ravel(*args, code=1), "train-00000.tfrecord", "--overwrite")
        self.run_ravel(*args, "--overwrite")
        self.complaint(self.run_ravel("dataset", "shards", "songs", code=2), "-o OUT")
        self.complaint(self.run_ravel("dataset", "shards", "none", "-o", "x", code=1), "none")

    def test_dataset_gate(self):
        for song in ("train/a", "test/b"):
            for stem in ("mixture", "vocals"):
                write_wav(self.folder / "songs" / song / f"{stem}.wav", 3, 22050, 1)
        table, tracks = self.folder / "gate.csv", self.folder / "tracks.csv"
        args = ("dataset", "gate", "songs", "-o", table, "--tracks", tracks, "--segment", 1,
                "--hop", 0.5, "-j", 1)
        told = json.loads(self.run_ravel(*args, "--json").stdout)
        self.assertEqual(told, {"tracks": 2, "tracks_passed": 2, "segments": 10,
                                "segments_passed": 10, "cached": 3, "measured": 2})
        rows = table.read_text().splitlines()
        self.assertEqual(rows[0], "track,start_s,end_s,voiced_frames,mono_voiced_frames,"
                                  "mono_fraction,segment_pass")
        self.assertEqual(rows[2].split(",")[:3] + rows[2].split(",")[6:],
                         ["a", "0.500", "1.500", "True"])
        self.assertEqual(len(tracks.read_text().splitlines()), 3)
        cut = ("dataset", "shards", "songs", "--segments", table, "--window", 1,
               "--valid-fraction", 0, "--json")
        done = json.loads(self.run_ravel(*cut, "-o", self.folder / "shards").stdout)
        self.assertEqual(done["train"]["examples"], 5)
        self.complaint(self.run_ravel(*args, code=1), "gate.csv", "is there already")
        # What was measured is found, and a threshold that nothing meets lets nothing through.
        none = self.run_ravel(*args, "--overwrite", "--residual-max", 0)
        self.assertIn("features  4 found, 0 measured", none.stdout)
        self.assertIn("segments  10, of which 0 pass", none.stdout)
        done = json.loads(self.run_ravel(*cut, "-o", self.folder / "none").stdout)
        self.assertEqual(done["train"]["examples"], 0)

    def test_dataset_gate_thresholds(self):
        """Each option reaches its threshold: a tone in some noise meets none that is strict."""
        path = write_wav(self.folder / "songs" / "a" / "vocals.wav", 2, 22050, 1)
        noise, data = random.Random(1), bytearray(path.read_bytes())
        for at in range(44, len(data), 2):
            value, = struct.unpack_from("<h", data, at)
            struct.pack_into("<h", data, at, value + noise.randint(-2000, 2000))
        path.write_bytes(data)
        args = ("dataset", "gate", "songs", "-o", "gate.csv", "--overwrite", "--json", "-j", 1)
        for option, value in (("--f0-confidence-min", 1), ("--harmonicity-min", 1),
                              ("--residual-max", 0)):
            told = json.loads(self.run_ravel(*args, option, value).stdout)
            self.assertEqual((told["segments"], told["segments_passed"], told["tracks_passed"]),
                             (1, 0, 0), option)
            for fraction in ("--segment-fraction-min", "--track-fraction-min"):
                told = json.loads(self.run_ravel(*args, option, value, fraction, 0).stdout)
                self.assertEqual((told["segments_passed"], told["tracks_passed"]),
                                 (1, 0) if "segment" in fraction else (0, 1))
            told = json.loads(self.run_ravel(*args, option, value, "--segment-fraction-min", 0,
                                             "--whole-tracks").stdout)
            self.assertEqual(told["segments_passed"], 0)
        self.complaint(self.run_ravel("dataset", "gate", "songs", code=2), "-o OUT.csv")
        self.complaint(self.run_ravel("dataset", "gate", "none", "-o", "x.csv", code=1), "none")
        self.complaint(self.run_ravel(*args, "--stem", "kazoo", code=1), "no songs of these stems")

    def write_songs(self):
        """Two songs of the same audio in two splits, and a third that lacks a stem."""
        for song in ["train/a", "test/b", "train/c"]:
            for stem in STEMS:
                if song != "train/c" or stem != "bass":
                    seconds = 1 + ("c" in song)
                    write_wav(self.folder / "set" / song / f"{stem}.wav", seconds, 8000)
        return self.folder / "set"

    def test_dataset_check(self):
        root = self.write_songs()
        done = self.run_ravel("dataset", "check", root, code=1)
        self.assertIn("songs     3: train 2, test 1", done.stdout)
        self.assertIn("\ntest/b: bass, drums, other, vocals: the same audio as in train/a, of another "
                      "split", done.stdout)
        self.assertIn("\ntrain/c: bass: no file", done.stdout)
        self.assertEqual(done.stderr, "")
        shutil.rmtree(root / "test")
        shutil.rmtree(root / "train" / "c")
        done = self.run_ravel("dataset", "check", root, "--stems", "vocals", "-j", 2)
        self.assertIn("0 errors, 0 warnings", done.stdout)
        self.run_ravel("dataset", "check", code=2)
        self.complaint(self.run_ravel("dataset", "check", root, "--residual", "x", code=2), "residual")
        self.complaint(self.run_ravel("dataset", "check", self.folder / "nowhere", code=1), "nowhere")

    def test_dataset_check_json(self):
        root = self.write_songs()
        done = self.run_ravel("dataset", "check", root, "--json", "--progress", "json", code=1)
        for line in done.stderr.splitlines():
            json.loads(line)
        report = json.loads(done.stdout)
        self.assertEqual(report["schema"], "ravel-dataset-check/1")
        self.assertEqual((report["layout"], sorted(report["stems"])), ("songs", STEMS))
        self.assertEqual(len(report["findings"]),
                         report["errors"] + report["warnings"] + report["notes"])
        for finding in report["findings"]:
            self.assertEqual(list(finding), ["severity", "code", "track", "stem", "value", "text"])
        leak = [f for f in report["findings"] if f["code"] == "leak"]
        self.assertEqual([(f["severity"], f["track"]) for f in leak], [("error", "test/b")])
        self.assertEqual([(t["name"], t["split"], t["seconds"]) for t in report["tracks"]],
                         [("a", "train", 1), ("b", "test", 1), ("c", "train", 2)])
        for track in report["tracks"]:
            self.assertIsNone(track["residual"])
            self.assertEqual([a["name"] for a in track["audio"]], report["stems"] + ["mixture"])
        audio = report["tracks"][0]["audio"][0]
        self.assertEqual(list(audio), ["name", "files", "readable", "lossy", "sample_rate", "channels",
                                       "frames", "peak", "rms", "offset", "silent", "clipped_runs",
                                       "clipped", "not_finite", "hash"])
        self.assertEqual((audio["sample_rate"], audio["channels"], audio["frames"]), (8000, 2, 8000))
        self.assertAlmostEqual(audio["peak"], 9000 / 32768, 6)

    def test_dataset_check_interrupted(self):
        first = write_wav(self.folder / "set/a/0.wav", seconds=600, channels=1)
        for i in range(1, 12):
            os.link(first, first.with_name(f"{i}.wav"))
        with subprocess.Popen([RAVEL, "dataset", "check", "--progress", "json", self.folder / "set"],
                              stderr=subprocess.PIPE, stdout=subprocess.PIPE) as p:
            p.stderr.readline()
            p.send_signal(signal.SIGINT)
            rest, text = p.stderr.read(), p.stdout.read()
        self.assertEqual(p.returncode, 130)
        self.assertIn(b"interrupted", rest)
        self.assertEqual(text, b"")
    def test_eval(self):
        for song in ("a", "b"):
            for stem in STEMS:
                write_wav(self.folder / "songs" / song / f"{stem}.wav")
        for stem in STEMS:
            write_wav(self.out / "a" / f"{stem}.wav")
        both = ("eval", "-r", "songs", "-e", self.out)
        done = self.run_ravel(*both, "--metrics", "snr", "SI-SDR", "-j", 2, "--json", "f.json",
                              "--csv", "f.csv")
        self.assertIn("1 songs were left out", done.stdout)
        self.assertIn("SI-SDR", done.stdout.splitlines()[0])
        figures = json.loads((self.folder / "f.json").read_text())
        tracks = figures["methods"][0]["tracks"]
        self.assertEqual([t["name"] for t in tracks], ["a"])
        self.assertEqual(sorted(t["name"] for t in tracks[0]["targets"]), STEMS)
        self.assertEqual(len((self.folder / "f.csv").read_text().splitlines()), 5)
        for args, word in ((both[:3], "--estimates"), (("eval", "more") + both[1:], "not more"),
                           (both + ("-m", "si-sdt"), "SI-SDR")):
            self.complaint(self.run_ravel(*args, code=2), word)
        write_wav(self.out / "a" / "bass.wav", seconds=1)
        self.complaint(self.run_ravel(*both, code=1), "bass.wav: 16000 frames; expected 8000")
        (self.out / "a" / "bass.wav").unlink()
        self.complaint(self.run_ravel(*both, code=1), "no bass.wav")

    def test_eval_methods(self):
        for song in ("a", "b", "c"):
            for stem in STEMS:
                write_wav(self.folder / "songs" / song / f"{stem}.wav")
        done = self.run_ravel("eval", "-r", "songs", "--model", "c=classic", "--oracles", "mix,irm1",
                              "silence", "-m", "snr", "--resamples", 100, "--keep", "kept", "--progress",
                              "json", "--json", "f.json")
        rows = [line.split() for line in done.stdout.splitlines()]
        self.assertEqual(rows[0], ["stem", "method", "SNR", "songs"])
        self.assertEqual([r[0] for r in rows[2:5]], ["mix", "irm1", "silence"])
        self.assertIn("difference from c: median and mean over songs, 95 % interval", done.stdout)
        figures = json.loads((self.folder / "f.json").read_text())
        self.assertEqual([m["name"] for m in figures["methods"]], ["c", "mix", "irm1", "silence"])
        self.assertEqual(figures["differences"]["resamples"], 100)
        self.assertEqual(len(figures["differences"]["pairs"]), 6)
        self.assertEqual(sorted(p.name for p in (self.folder / "kept" / "c" / "b").iterdir()),
                         sorted(f"{stem}.wav" for stem in STEMS))
        last = json.loads(done.stderr.splitlines()[-1])
        self.assertEqual((last["song"], last["done"], last["of"]), ("c", 2, 3))
        for word in ("irm3", "nothing"):
            self.complaint(self.run_ravel("eval", "-r", "songs", "--oracles", word, code=1), word)
        self.complaint(self.run_ravel("eval", "-r", "songs", code=2), "--model")

    def test_features(self):
        write_wav(self.folder / "songs" / "a.wav", seconds=1)
        write_wav(self.folder / "songs" / "b.wav", seconds=0.01, rate=192000, channels=1)
        write_wav(self.folder / "songs" / "c.wav", seconds=0.5, rate=8000)
        args = ("features", "songs", "-o", self.out, "--cache", self.folder / "cache", "--json")
        everything = "f0,loudness,rms,mel,mfcc,centroid,harmonicity,residual"
        kind = ("--features", everything, "--format", "csv", "--frame-rate", 47.3)
        told = json.loads(self.run_ravel(*args, *kind, "--midi").stdout)["files"]
        self.assertEqual([f["frames"] for f in told], [48, 1, 24])
        self.assertEqual([f["measured"] for f in told], [8, 8, 8])
        self.assertEqual(self.files(), ["a.csv", "a.mid", "b.csv", "b.mid", "c.csv", "c.mid"])
        self.assertEqual(len((self.out / "a.csv").read_text().splitlines()), 49)
        again = ("features", "songs/a.wav", *args[2:], *kind)
        self.complaint(self.run_ravel(*again, code=1), "a.csv", "is there already")
        for damaged in (self.folder / "cache" / "features").iterdir():
            damaged.write_bytes(b"nothing")
            break
        done = self.run_ravel(*args, *kind, "--overwrite")
        told = json.loads(done.stdout)["files"]
        self.assertEqual(sum(f["measured"] for f in told), 1)
        self.assertIn("damaged", done.stderr)

    def test_features_refused(self):
        song = write_wav(self.folder / "a.wav", rate=8000)
        args = ("features", song, "-o", self.out, "--cache", self.folder / "cache")
        for more, word in ((("--features", "f0,pitch"), "pitch is not known"),
                           (("--f0-range", "50:5000"), "half the sample rate"),
                           (("--features", "rms,rms"), "twice")):
            self.complaint(self.run_ravel(*args, *more, code=1), word)
        crepe = ("--f0-method", "crepe")
        self.complaint(self.run_ravel(*args, *crepe, code=1), "f0 by CREPE needs a file")
        self.complaint(self.run_ravel(*args, *crepe, "--crepe-model", song, code=1),
                       "a.wav: not a file of weights")
        self.complaint(self.run_ravel(*args, *crepe, "--crepe-threshold", 2, code=2),
                       "--crepe-threshold")
        inverse = ("--f0-method", "ddsp_inv")
        self.complaint(self.run_ravel(*args, *inverse, code=1), "f0 by ddsp_inv needs a model")
        self.complaint(self.run_ravel(*args, *inverse, "--f0-model", song, code=1),
                       "a.wav: not a file of weights")
        self.complaint(self.run_ravel(*args, *inverse, "--f0-threshold", 2, code=2),
                       "--f0-threshold")
        self.complaint(self.run_ravel(*args, "--f0-range", "50", code=2), "--f0-range")
        self.complaint(self.run_ravel("features", song, code=2), "-o DIR")
        twin = write_wav(self.folder / "b" / "a.wav", rate=8000)
        done = self.run_ravel("features", song, twin, *args[2:], "--features", "rms", "--format",
                              "csv", "--overwrite", code=1)
        self.complaint(done, "b/a.wav", "would replace")
        shutil.rmtree(self.out)
        write_float_wav(self.folder / "n.wav", [0.0, float("nan")])
        self.complaint(self.run_ravel("features", self.folder / "n.wav", "-o", self.out, "--cache",
                                      self.folder / "cache", code=1), "n.wav")
        self.assertFalse(self.out.exists())

    def test_synth(self):
        self.assertIn("examples:", self.run_ravel("synth", "--help").stdout)
        model = write_autoencoder(self.folder / "m.safetensors")
        song = write_wav(self.folder / "a.wav", seconds=1, rate=44100)
        out = self.out / "b.wav"
        args = ("synth", model, song, "-o", out)
        told = json.loads(self.run_ravel(*args, "--octave", 1, "--f0-method", "yin", "--json").stdout)
        self.assertEqual((told["samples"], told["frames"], told["f0_method"]), (16000, 251, "yin"))
        self.assertAlmostEqual(told["pitch_mean"], 81.04, delta=0.1)  # 882 Hz, before the shift
        self.assertEqual(frames_of(out), 16000)
        self.complaint(self.run_ravel(*args, code=1), "is there already")
        done = self.run_ravel(*args, "--overwrite", "--progress", "json")
        self.assertEqual((done.stdout.strip(), json.loads(done.stderr.splitlines()[-1])["fraction"]),
                         (str(out), 1))

    def test_synth_by_the_models_own_pitch(self):
        song = write_wav(self.folder / "songs" / "train" / "a" / "lead.wav", seconds=1, rate=8000)
        model = {"name": "ddsp_autoencoder", "arguments": {
            "f0_encoder": "learned", "f0_first": 2, "f0_channels": 2, "f0_blocks": 1, "f0_bins": 8,
            "mel_bands": 8, "hidden_size": 4, "layers": 1, "n_harmonic": 4, "n_bands": 5,
            "reverb": "none"}}
        data = {"root": str(self.folder / "songs"), "stems": ["lead"], "sample_rate": 8000,
                "segment": 0.5, "batch": 1, "features": {"f0_method": "yin"}}
        recipe = self.folder / "recipe.yaml"
        recipe.write_text(json.dumps({"model": model, "data": data, "train": {
            "epochs": 1, "steps": 1, "out": str(self.out)}}))
        self.run_ravel("train", recipe)
        told = json.loads(self.run_ravel("synth", self.out / "best.safetensors", song, "-o",
                                         self.out / "b.wav", "--json").stdout)
        self.assertEqual((told["samples"], told["f0_method"]), (8000, "model"))
        self.assertEqual(told["voiced"], told["frames"])

    def test_synth_refused(self):
        model = write_autoencoder(self.folder / "m.safetensors")
        song = write_wav(self.folder / "a.wav")
        self.complaint(self.run_ravel("synth", model, code=2), "MODEL, one FILE and -o OUT")
        for more, word in (((model, "missing.wav"), "missing.wav"), ((song, song), "a.wav"),
                           ((model, model), "m.safetensors"),
                           ((model, song, "--auto-loudness"), "loudness_mean")):
            self.complaint(self.run_ravel("synth", *more, "-o", self.out / "b.wav", code=1), word)
        self.complaint(self.run_ravel("synth", model, song, "-o", "b.xyz", code=1), "b.xyz")
        self.complaint(self.run_ravel("separate", "-m", model, song, code=2), "m.safetensors")
        self.assertFalse((self.out / "b.wav").exists())

    def test_layout(self):
        song = write_wav(self.folder / "söng 1.b.wav")
        done = self.separate(song)
        self.assertEqual(self.files(), [f"classic/söng 1.b/{s}.wav" for s in STEMS])
        self.assertEqual(done.stderr, "")
        self.assertEqual(frames_of(self.out / self.files()[0]), 8000)

    def test_default_folder(self):
        self.run_ravel("separate", "-m", "classic", write_wav(self.folder / "a.wav"))
        self.assertTrue((self.folder / "separated/classic/a/drums.wav").is_file())

    def test_default_model(self):
        """ravel_s where its weights are, else classic and a line that says so."""
        song = write_wav(self.folder / "a.wav")
        ready = "ravel_s       ready" in self.run_ravel("models", "list").stdout
        done = self.run_ravel("separate", "--stems", "drums", song)
        model = "ravel_s" if ready else "classic"
        self.assertTrue((self.folder / f"separated/{model}/a/drums.wav").is_file())
        if not ready:
            self.complaint(done, "ravel_s", "classic", "models list")
            self.complaint(self.separate("-m", "ravel_s", song, code=2), "configs/ravel_s.yaml")

    def test_folder_is_walked(self):
        for name in ("album/b.wav", "album/a.wav", "album/cd2/a.wav"):
            write_wav(self.folder / name)
        (self.folder / "album/cover.txt").write_text("no audio")
        done = self.separate("--stems", "drums", "--json", self.folder / "album")
        self.assertEqual(self.files(), ["classic/a/drums.wav", "classic/b/drums.wav",
                                        "classic/cd2/a/drums.wav"])
        report = json.loads(done.stdout)
        self.assertEqual([f["status"] for f in report["files"]], ["ok"] * 3)
        self.assertEqual(report["files"][0]["frames"], 8000)
        self.assertEqual(report["files"][0]["outputs"], [str(self.out / "classic/a/drums.wav")])

    def test_same_track_names(self):
        write_wav(self.folder / "d/a.wav")
        shutil.copy(self.folder / "d/a.wav", self.folder / "d/a.wave")
        self.complaint(self.separate("--overwrite", self.folder / "d", code=1), "{trackext}")
        self.separate("--overwrite", "--filename", "{track}-{trackext}/{stem}.{ext}",
                      self.folder / "d")
        self.assertIn("classic/a-wave/bass.wav", self.files())

    def test_formats(self):
        song = write_wav(self.folder / "a.wav")
        for name in ("flac", "ogg", "aiff"):
            self.separate("--format", name, "--two-stems", "drums", song)
            self.assertIn(f"classic/a/no_drums.{name}", self.files())

    def test_existing(self):
        song = write_wav(self.folder / "a.wav")
        self.separate(song)
        self.complaint(self.separate(song, code=1), "a.wav", "--overwrite", "--skip-existing")
        stamp = (self.out / "classic/a/bass.wav").stat().st_mtime_ns
        report = json.loads(self.separate("--skip-existing", "--json", song).stdout)
        self.assertEqual(report["files"][0]["status"], "skipped")
        self.assertEqual((self.out / "classic/a/bass.wav").stat().st_mtime_ns, stamp)
        self.separate("--overwrite", song)
        self.assertNotEqual((self.out / "classic/a/bass.wav").stat().st_mtime_ns, stamp)

    def test_progress_and_verbose(self):
        song = write_wav(self.folder / "a.wav")
        lines = self.separate("--progress", "json", song).stderr.splitlines()
        self.assertEqual(json.loads(lines[-1])["fraction"], 1)
        self.assertEqual(json.loads(lines[-1])["frames_total"], 8000)
        done = self.separate("-v", "--overwrite", song)
        self.assertIn("peak memory", done.stderr)
        self.assertIn("times real time", done.stderr)

    # Mistakes ----------------------------------------------------------------------

    def test_usage(self):
        song = write_wav(self.folder / "a.wav")
        self.run_ravel(code=2)
        self.complaint(self.run_ravel("separat", code=2), "separate")
        self.complaint(self.separate("--overlapp", "0.5", song, code=2), "--overlap?")
        self.complaint(self.separate("--overlap", "2", song, code=2), "0.95")
        self.complaint(self.separate("--shifts", "1.5", song, code=2), "whole number")
        self.complaint(self.separate("--format", "wma", song, code=2), "flac")
        self.complaint(self.separate("--stems", code=2), "needs a value")
        self.complaint(self.separate(code=2), "no files")
        self.complaint(self.separate("--overwrite", "--skip-existing", song, code=2), "not both")
        self.complaint(self.separate("-m", "clasic", song, code=2), "did you mean classic")
        self.complaint(self.separate("-m", "htdemucs", song, code=2), "955717e8-8726e21a.th",
                       "demucs#327")
        self.complaint(self.separate("--stems", "drums,flute", song, code=1), "flute", "vocals")
        self.complaint(self.separate("--filename", "{stem}{x}", song, code=1), "{x}")
        self.assertFalse(self.out.exists())

    def bad_input(self, path, *parts):
        """It is complained about, and the good file after it is done."""
        good = write_wav(self.folder / "good.wav")
        self.complaint(self.separate("--stems", "bass", path, good, code=1), path, *parts)
        self.assertEqual(self.files(), ["classic/good/bass.wav"])
        shutil.rmtree(self.out)

    def test_bad_audio(self):
        bad = self.folder / "bad.wav"
        self.bad_input(bad)
        bad.write_bytes(b"")
        self.bad_input(bad, "empty")
        bad.write_text("hello, this is a text file\n" * 10)
        self.bad_input(bad)
        write_float_wav(bad, [0.1, 0.2, float("nan"), 0.3])
        self.bad_input(bad)
        whole = write_wav(self.folder / "whole.wav").read_bytes()
        bad.write_bytes(whole[:len(whole) // 2])
        self.bad_input(bad)

    def test_truncated_flac(self):
        self.separate("--format", "flac", "--stems", "bass", write_wav(self.folder / "a.wav"))
        flac = (self.out / "classic/a/bass.flac").read_bytes()
        shutil.rmtree(self.out)
        (self.folder / "cut.flac").write_bytes(flac[:len(flac) * 2 // 3])
        self.bad_input(self.folder / "cut.flac")

    def test_unwritable_folder(self):
        song = write_wav(self.folder / "a.wav")
        (self.folder / "out").write_text("a file")
        self.complaint(self.separate(song, code=1), "a.wav")

    def test_interrupt(self):
        song = write_wav(self.folder / "long.wav", seconds=600, channels=1)
        with subprocess.Popen([RAVEL, "separate", "-m", "classic", "--progress", "json", "-o",
                               self.out, song],
                              stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as p:
            p.stderr.readline()
            p.send_signal(signal.SIGINT)
            rest = p.stderr.read()
        self.assertEqual(p.returncode, 130)
        self.assertIn(b"interrupted", rest)
        self.assertEqual(self.files(), [])

    # Models ------------------------------------------------------------------------

    def bad_model(self, path, *parts):
        self.complaint(self.run_ravel("models", "info", path, code=1), path, *parts)
        self.complaint(self.separate("-m", path, write_wav(self.folder / "a.wav"), code=2), path)

    def test_list_and_info(self):
        self.assertIn("not installed", self.run_ravel("models", "list").stdout)
        card = json.loads(self.run_ravel("models", "info", "--json", "classic").stdout)
        self.assertEqual(sorted(card["stems"]), STEMS)
        self.complaint(self.run_ravel("models", "inf", "x", code=2), "info")

    def test_convert(self):
        source, one, two = SOURCE / "tests/golden/htdemucs.th", "one.safetensors", "two.safetensors"
        self.run_ravel("models", "convert", source, one)
        self.run_ravel("models", "convert", "--half", one, two)
        cards = [json.loads(self.run_ravel("models", "info", "--json", name).stdout)
                 for name in (source, one, two)]
        for key in ("stems", "channels", "sample_rate", "segment", "parameters", "architecture"):
            self.assertEqual(cards[0][key], cards[1][key])
            self.assertEqual(cards[0][key], cards[2][key])
        song = write_wav(self.folder / "a.wav", rate=44100)
        for name in ("one", "two"):
            self.separate("-m", name, song)
            self.assertEqual(frames_of(self.out / name / "a/drums.wav"), 22050)
        self.assertEqual(*[(self.out / name / "a/drums.wav").read_bytes() for name in ("one", "two")])

    def test_convert_with_config(self):
        source = SOURCE / "tests/golden/conv_tasnet.th"
        case = json.loads(source.with_suffix(".json").read_text())
        self.complaint(self.run_ravel("models", "info", source, code=1), "--config")
        (self.folder / "c.json").write_text(json.dumps({"class": case["class"],
                                                        "kwargs": case["config"]}))
        self.run_ravel("models", "convert", source, "t.safetensors", "--config", "c.json")
        self.assertIn("conv_tasnet", self.run_ravel("models", "info", "t.safetensors").stdout)

    def test_folder_of_targets(self):
        """Open-Unmix's folder and what `models convert` makes of it separate alike."""
        source = SOURCE / "tests/golden/umx"
        self.run_ravel("models", "convert", source, "u.safetensors")
        song = write_wav(self.folder / "a.wav", rate=8000)
        for name in (source, "u"):
            self.separate("-m", name, song)
        self.assertEqual((self.out / "umx/a/drums.wav").read_bytes(),
                         (self.out / "u/a/drums.wav").read_bytes())
        self.assertIn("open_unmix", self.run_ravel("models", "list").stdout)

    def test_wrong_weights(self):
        """All differences in one message, and nothing is written."""
        source = SOURCE / "tests/golden/conv_tasnet.th"
        case = json.loads(source.with_suffix(".json").read_text())
        case["config"]["N"] += 1
        (self.folder / "c.json").write_text(json.dumps({"class": case["class"],
                                                        "kwargs": case["config"]}))
        done = self.run_ravel("models", "convert", source, "t.safetensors", "--config", "c.json",
                              code=1)
        self.complaint(done, source, "encoder", "decoder")
        self.assertFalse((self.folder / "t.safetensors").exists())

    def test_bad_models(self):
        bad = self.folder / "bad.th"
        self.bad_model(bad, "no such file")
        bad.write_bytes(b"")
        self.bad_model(bad)
        bad.write_text("a text")
        self.bad_model(bad)
        marker = self.folder / "marker"
        bad.write_bytes(pickle.dumps(RunsCode(marker), protocol=2))
        self.bad_model(bad)
        with zipfile.ZipFile(bad, "w") as z:
            z.writestr("archive/data.pkl", pickle.dumps({"state": RunsCode(marker)}, protocol=2))
        self.bad_model(bad)
        self.assertFalse(marker.exists())

    def test_bombs(self):
        bad = self.folder / "bad.th"
        with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as z:
            z.writestr("archive/data.pkl", bytes(300 << 20))
        self.bad_model(bad)
        bad = self.folder / "bad.safetensors"
        header = json.dumps({"w": {"dtype": "F32", "shape": [1 << 40, 1 << 40],
                                   "data_offsets": [0, 16]}}).encode()
        bad.write_bytes(struct.pack("<Q", len(header)) + header + bytes(16))
        self.bad_model(bad)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
