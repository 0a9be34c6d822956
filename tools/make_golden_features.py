#!/usr/bin/env python3
"""Make tests/golden/features.safetensors: what the reference implementations measure.

    make_golden_features.py DDSP DDSP_PYTORCH_CORE NOTEBOOK OUT

DDSP: a checkout of magenta/ddsp (its history holds 1.9.0 as the tag v1.9.0); DDSP_PYTORCH_CORE:
ddsp/core.py of acids-ircam/ddsp_pytorch; NOTEBOOK: notebooks/02_features_and_gate.ipynb of
alehg/ddsp-demucs. Made with librosa 0.11.0, NumPy 2.4.6, SciPy 1.17.1, TensorFlow 2.21.0. What
these projects import but the functions at hand do not use is replaced by empty modules.
"""
import ast
import json
import math
import subprocess
import sys
import types

import librosa
import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

RATE = 16000
librosa_frames = dict(center=True, pad_mode="constant")


def noise(n):
    """Uniform in [-1, 1): the generator of Knuth's MMIX."""
    state, out = 1, []
    for _ in range(n):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        out.append((state >> 40) / 2**23 - 1)
    return np.array(out)


def signal(rate):
    """A second: faint noise, a gliding tone with vibrato and overtones, louder noise."""
    t = np.arange(rate) / rate
    hz = 150 * 2 ** (1.4 * t) * (1 + 0.01 * np.sin(2 * np.pi * 5 * t))
    phase = 2 * np.pi * np.cumsum(hz) / rate
    tone = sum(np.sin(h * phase) / h for h in range(1, 6)) * 0.3
    level = np.where(t < 0.15, 1e-3, np.where(t < 0.85, 0.01, 0.1))
    return ((t >= 0.15) & (t < 0.85)) * tone + level * noise(rate)


class Anything:
    """Stands for a decorator, and for anything else that is not used."""

    def __getattr__(self, name):
        return Anything()

    def __call__(self, *args, **kwargs):
        return args[0] if args and callable(args[0]) else Anything()


def stub(name):
    module = types.ModuleType(name)
    module.__getattr__ = lambda attribute: Anything()
    sys.modules[name] = module
    return module


def load_ddsp(checkout, revision):
    for name in ("crepe", "gin", "tensorflow_probability"):
        stub(name)
    sys.modules["tensorflow.compat.v2"] = tf.compat.v2
    package = stub("ddsp")
    for name in ("core", "spectral_ops"):
        text = subprocess.check_output(
            ["git", "-C", checkout, "show", f"{revision}:ddsp/{name}.py"], text=True)
        module = types.ModuleType("ddsp." + name)
        sys.modules["ddsp." + name] = module
        setattr(package, name, module)
        exec(compile(text, name, "exec"), module.__dict__)
    return package.spectral_ops


def load_function(path, name):
    """One function of a source or a notebook."""
    text = open(path, encoding="utf-8").read()
    if path.endswith(".ipynb"):
        cells = ("".join(c["source"]) for c in json.loads(text)["cells"] if c["cell_type"] == "code")
        text = next(c for c in cells if f"def {name}(" in c)
    tree = ast.parse(text)
    tree.body = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    space = {"np": np, "li": librosa, "math": math}
    exec(compile(tree, path, "exec"), space)
    return space[name]


def f0(out, name, x, rate, hop):
    common = dict(fmin=librosa.note_to_hz("C2"), fmax=librosa.note_to_hz("C7"), sr=rate,
                  frame_length=2048 if rate > 16000 else 1024, hop_length=hop)
    out["yin_" + name] = librosa.yin(x, **common)
    hz, voiced, probability = librosa.pyin(x, fill_na=None, **common)
    out["pyin_" + name] = np.stack([hz, probability, voiced], axis=1)


def main():
    ddsp, pytorch, notebook, path = sys.argv[1:]
    x = signal(RATE).astype(np.float32).astype(np.float64)
    out = {}
    f0(out, "16000", x, RATE, 64)
    f0(out, "22050", signal(22050).astype(np.float32).astype(np.float64), 22050, 256)
    new = load_ddsp(ddsp, "HEAD")
    out["loudness_ddsp"] = new.compute_loudness(x, RATE, 250, use_tf=False)
    out["loudness_ddsp_20"] = new.compute_loudness(x, RATE, 250, n_fft=2048, ref_db=20.7,
                                                   use_tf=False)
    old = load_ddsp(ddsp, "v1.9.0")
    out["loudness_ddsp1"] = old.compute_loudness(x, RATE, 250)
    librosa_module = sys.modules["librosa"]
    real = librosa_module.fft_frequencies
    librosa_module.fft_frequencies = lambda sr, n_fft: real(sr=sr, n_fft=n_fft)
    out["loudness_ddsp_pytorch"] = load_function(pytorch, "extract_loudness")(x, RATE, 64)
    librosa_module.fft_frequencies = real

    hop = 400
    out["rms"] = librosa.feature.rms(y=x, frame_length=2048, hop_length=hop, pad_mode="constant")[0]
    out["centroid"] = librosa.feature.spectral_centroid(y=x, sr=RATE, n_fft=2048, hop_length=hop,
                                                        **librosa_frames)[0]
    for name, htk in (("slaney", False), ("htk", True)):
        mel = librosa.feature.melspectrogram(y=x, sr=RATE, n_fft=2048, hop_length=hop, n_mels=40,
                                             fmin=20, fmax=7600, htk=htk, **librosa_frames)
        db = librosa.power_to_db(mel, top_db=None)
        out["mel_" + name] = db.T
        out["mfcc_" + name] = librosa.feature.mfcc(S=db, n_mfcc=20).T
    tf_mel = old.compute_logmel(x, bins=40, overlap=1 - hop / 2048)
    out["mel_tensorflow"] = np.array(tf_mel)
    out["mfcc_tensorflow"] = np.array(old.compute_mfcc(x, mfcc_bins=30, overlap=1 - hop / 1024))

    hz, _, _ = librosa.pyin(x, fmin=librosa.note_to_hz("C2"), fmax=librosa.note_to_hz("C7"),
                            sr=RATE, frame_length=512, hop_length=160)
    hz = np.nan_to_num(hz, nan=0.0).astype(np.float32).astype(np.float64)
    magnitude = np.abs(librosa.stft(x, n_fft=512, hop_length=160))
    ratio, residual = load_function(notebook, "harmonic_energy_ratio_block")(
        magnitude, librosa.fft_frequencies(sr=RATE, n_fft=512), hz)
    out.update(harmonicity_f0=hz, harmonicity=ratio, residual=residual)
    save_file({k: np.ascontiguousarray(v, dtype=np.float32) for k, v in out.items()}, path)
    for name, value in out.items():
        print(name, np.shape(value), np.ravel(value)[:3])


if __name__ == "__main__":
    main()
