#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of the DDSP autoencoder, by ddsp_pytorch (the whole model) and by ddsp (its
encoders).

--ddsp-pytorch is the folder that holds core.py and model.py of ddsp_pytorch: a small model with
random weights is written to autoencoder.pth as its training does, and to
autoencoder_pytorch.safetensors the inputs `short.f0`, `short.loudness` (brought to unit size),
`short.noise` and what it makes of them, `short.audio`; `long.` likewise, a signal longer than the
reverb. It is run in double, with the noise given.

--ddsp is the folder of the package ddsp 3.7.0, of which core.py and training/nn.py are run, in
double, with stubs for what they import and do not need here; its encoders are put together from
these parts, ResnetF0Encoder as it was before 3.0. autoencoder_ddsp.safetensors holds `mfcc`, `z`,
`mel`, `f0` and the weights `z_encoder.` and `f0_encoder.`, named and laid out as ours.

    make_golden_autoencoder.py --ddsp-pytorch DIR [--out DIR]
    make_golden_autoencoder.py --ddsp DIR [--out DIR]
"""
import argparse
import importlib
import sys
import types
from pathlib import Path

import numpy as np

BATCH = 2
random = np.random.default_rng(12)


def stub(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


def package(name, folder):
    stub(name, __path__=[str(folder)])


def contour(frames, low, high):
    at = np.linspace(0, 1, frames)[None, :, None] + np.arange(BATCH)[:, None, None]
    return (low + (high - low) * (0.5 + 0.5 * np.sin(3 * at))).astype(np.float32)


# ddsp_pytorch ----------------------------------------------------------------------------

def by_ddsp_pytorch(folder, out):
    import torch
    package("reference", folder)
    for name in ("librosa", "crepe"):
        stub(name)
    DDSP = importlib.import_module("reference.model").DDSP
    torch.manual_seed(5)
    rate, hop = 1000, 16
    model = DDSP(hidden_size=8, n_harmonic=6, n_bands=5, sampling_rate=rate, block_size=hop)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "reverb" not in name:
                p.mul_(1.5)
        model.reverb.decay.fill_(-4.0)
        model.reverb.wet.fill_(-1.5)
    torch.save(model.state_dict(), out / "autoencoder.pth")
    model.double()
    model.reverb.t = torch.arange(rate).double().reshape(1, -1, 1) / rate
    tensors = {}
    for case, frames in (("short", 30), ("long", 70)):
        f0, loudness = contour(frames, 50, 130), contour(frames, -1.5, 1.5)
        noise = random.uniform(-1, 1, (BATCH, frames * hop)).astype(np.float32)
        given = torch.from_numpy((noise.astype(np.float64) + 1) / 2).reshape(BATCH, frames, hop)
        torch.rand = lambda *shape: given
        audio = model(torch.from_numpy(f0).double(), torch.from_numpy(loudness).double())
        tensors.update({f"{case}.f0": f0, f"{case}.loudness": loudness, f"{case}.noise": noise,
                        f"{case}.audio": audio.detach().numpy()[..., 0]})
    return tensors


# ddsp ------------------------------------------------------------------------------------

def in_double(tf):
    tf.float32 = tf.float64
    tf.keras.backend.set_floatx("float64")


def load_nn(folder):
    import tensorflow
    import tensorflow.compat.v2 as tf
    for module in (tensorflow, tf):
        in_double(module)
    package("ddsp", folder)
    package("ddsp.training", folder / "training")
    stub("ddsp.losses")
    sys.modules["ddsp"].losses = sys.modules["ddsp.losses"]
    stub("tensorflow_probability")
    core, nn = (importlib.import_module(name) for name in ("ddsp.core", "ddsp.training.nn"))
    return tf, core, nn


def randomise(layers):
    """Values such as training reaches, in place of ones and zeros."""
    for layer in layers:
        for w in layer.weights:
            fan = max(np.prod(w.shape[:-1]), 1) if len(w.shape) > 1 and w.name == "kernel" else 4
            start = 1.0 if w.name == "scale" else 0.0
            w.assign(start + random.normal(size=w.shape) / np.sqrt(fan))


def name_norm(tensors, name, layer):
    tensors[name + ".weight"] = np.ravel(layer.scale)
    tensors[name + ".bias"] = np.ravel(layer.shift)


def name_linear(tensors, name, layer):
    """[I,O] -> [O,I]; [T,F,I,O] -> [O,I,F,T]"""
    kernel = layer.kernel.numpy()
    tensors[name + ".weight"] = kernel.T if kernel.ndim == 2 else kernel.transpose(3, 2, 1, 0)
    tensors[name + ".bias"] = layer.bias.numpy()


def name_gru(tensors, name, layer):
    """Gates update, reset, new -> reset, update, new"""
    kernel, recurrent, bias = (w.numpy() for w in layer.weights)
    n = recurrent.shape[0]
    order = np.r_[n:2 * n, 0:n, 2 * n:3 * n]
    tensors[name + ".weight_ih_l0"] = kernel.T[order]
    tensors[name + ".weight_hh_l0"] = recurrent.T[order]
    tensors[name + ".bias_ih_l0"], tensors[name + ".bias_hh_l0"] = bias[:, order]


def timbre(tf, core, nn, tensors):
    norm, rnn, dense = nn.Normalize("instance"), nn.Rnn(5, "gru"), tf.keras.layers.Dense(4)
    mfcc = (2 * random.normal(size=(BATCH, 9, 30)) + 1).astype(np.float32)

    def run():
        x = norm(tf.constant(mfcc, tf.float64)[:, :, None, :])[:, :, 0, :]
        return core.resample(dense(rnn(x)), 24)
    run()
    randomise((norm, rnn.rnn, dense))
    tensors.update(mfcc=mfcc, z=run().numpy())
    name_norm(tensors, "z_encoder.norm", norm)
    name_gru(tensors, "z_encoder.gru", rnn.rnn)
    name_linear(tensors, "z_encoder.dense_out", dense)


def small_resnet(tf, nn):
    """ResNet's layers with one channel in place of 32 and fewer blocks."""
    resnet = nn.ResNet(size="small")
    conv = tf.keras.layers.Conv2D(3, (7, 7), (1, 2), padding="same")
    resnet.layers = [conv, resnet.layers[1], nn.ResidualStack([1, 2, 4], [2, 1, 1], [1, 2, 2], "layer"),
                     nn.ResidualStack([8], [1], [2], "layer")]
    return resnet


def name_block(tensors, name, layer):
    conv1, part2, part3 = layer.bottleneck.layers
    name_norm(tensors, name + ".norm_input", layer.norm_input)
    if layer.shortcut:
        name_linear(tensors, name + ".conv_proj", layer.conv_proj)
    name_linear(tensors, name + ".conv1", conv1)
    for i, part in ((2, part2), (3, part3)):
        name_norm(tensors, f"{name}.norm{i}", part.layers[0])
        name_linear(tensors, f"{name}.conv{i}", part.layers[2])


def name_resnet(tensors, name, resnet):
    conv, _, first, second = resnet.layers
    name_linear(tensors, name + ".conv", conv)
    blocks = first.layers[:-2]
    for block, at in zip(blocks + second.layers[:-2], ("0.0", "0.1", "1.0", "2.0", "3.0")):
        name_block(tensors, f"{name}.stacks.{at}", block)
    name_norm(tensors, name + ".norm", first.layers[-2])
    name_norm(tensors, name + ".norm_out", second.layers[-2])


def pitch(tf, core, nn, tensors):
    resnet, dense = small_resnet(tf, nn), tf.keras.layers.Dense(16)
    mel = random.normal(size=(BATCH, 8, 37)).astype(np.float32)

    def run():
        x = resnet(tf.constant(mel, tf.float64)[..., None])
        x = tf.nn.softplus(dense(tf.reshape(x, [BATCH, 8, -1]))) + 1e-3
        share = x / tf.reduce_sum(x, axis=-1, keepdims=True)
        unit = tf.reduce_sum(share * np.arange(16) / 16, axis=-1, keepdims=True)
        return core.midi_to_hz(127.0 * core.resample(unit, 24))
    run()
    randomise([part for layer in resnet.layers for part in getattr(layer, "layers", [layer])])
    randomise([dense])
    tensors.update(mel=mel, f0=run().numpy())
    name_resnet(tensors, "f0_encoder.resnet", resnet)
    name_linear(tensors, "f0_encoder.dense_out", dense)


def by_ddsp(folder, _):
    tf, core, nn = load_nn(folder)
    tensors = {}
    timbre(tf, core, nn, tensors)
    pitch(tf, core, nn, tensors)
    return tensors


def main():
    from safetensors.numpy import save_file
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ddsp", type=Path)
    parser.add_argument("--ddsp-pytorch", type=Path)
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    for name, folder, make in (("ddsp", args.ddsp, by_ddsp),
                               ("pytorch", args.ddsp_pytorch, by_ddsp_pytorch)):
        if not folder:
            continue
        tensors = {key: np.ascontiguousarray(x, dtype=np.float32)
                   for key, x in make(folder, args.out).items()}
        path = args.out / f"autoencoder_{name}.safetensors"
        save_file(tensors, str(path))
        path.chmod(0o644)
        print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
