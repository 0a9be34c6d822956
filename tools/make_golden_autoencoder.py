#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of the DDSP autoencoder, by ddsp_pytorch (the whole model) and by ddsp (its
encoders, and from features to audio).

--ddsp-pytorch is the folder that holds core.py and model.py of ddsp_pytorch: a small model with
random weights is written to autoencoder.pth as its training does, and to
autoencoder_pytorch.safetensors the inputs `short.f0`, `short.loudness` (brought to unit size),
`short.noise` and what it makes of them, `short.audio`; `long.` likewise, a signal longer than the
reverb. It is run in double, with the noise given.

--ddsp is the folder of the package ddsp 3.7.0 (its requirements beside TensorFlow: gin-config,
scipy), whose modules are run in double, with stubs for what they import and do not need here; its
encoders are put together from these parts, ResnetF0Encoder as it was before 3.0.
autoencoder_ddsp.safetensors holds `mfcc`, `z`, `mel`, `f0` and the weights `z_encoder.` and
`f0_encoder.`, named and laid out as ours. In autoencoder_rnn_fc.safetensors are features `f0`,
`loudness` in dB and `z`, the weights of an RnnFcDecoder and of a reverb, `noise`, and what ddsp makes
of them: `head.harmonic` and `head.noise` as the decoder says them, `audio`, `projection`, and
`gradient.<weight>` of the sum of `audio projection`.

    make_golden_autoencoder.py --ddsp-pytorch DIR [--out DIR]
    make_golden_autoencoder.py --ddsp DIR [--out DIR]
"""
import argparse
import importlib
import sys
import types
from pathlib import Path

import numpy as np

from make_golden_ddsp import in_double

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

def load_ddsp(folder):
    import tensorflow
    import tensorflow.compat.v2 as tf
    for module in (tensorflow, tf):
        in_double(module)
    package("ddsp", folder)
    package("ddsp.training", folder / "training")
    stub("ddsp.losses")
    sys.modules["ddsp"].losses = sys.modules["ddsp.losses"]
    for name in ("tensorflow_probability", "crepe", "librosa"):
        stub(name)
    modules = types.SimpleNamespace(tf=tf)
    for name in ("core", "spectral_ops", "synths", "effects", "training.nn", "training.decoders",
                 "training.preprocessing"):
        module = importlib.import_module("ddsp." + name)
        setattr(sys.modules["ddsp"], name, module)
        setattr(modules, name.split(".")[-1], module)
    return modules


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


# ddsp's decoder, whose inputs are loudness, f0, z; ours are f0, loudness, z ------------------

HIDDEN, LAYERS, HARMONICS, BANDS, HOP, ROOM = 8, 2, 6, 9, 32, 100


def name_stack(tensors, name, stack, columns=None):
    """`columns`: where the first layer's inputs lie in the reference's."""
    for i, fc in enumerate(stack.layers):
        dense, norm, _ = fc.layers
        kernel = dense.kernel.numpy()
        tensors[f"{name}.{3 * i}.weight"] = (kernel[columns] if columns is not None and i == 0
                                             else kernel).T
        tensors[f"{name}.{3 * i}.bias"] = dense.bias.numpy()
        tensors[f"{name}.{3 * i + 1}.weight"] = norm.gamma.numpy()
        tensors[f"{name}.{3 * i + 1}.bias"] = norm.beta.numpy()


def name_decoder(decoder, reverb):
    """What the weights hold, under our names."""
    tensors = {}
    loudness, f0, z = decoder.input_stacks
    for i, stack in enumerate((f0, loudness, z)):
        name_stack(tensors, f"in_mlps.{i}", stack)
    swap = np.arange(4 * HIDDEN).reshape(4, HIDDEN)  # loudness, f0, z, hidden
    gru = decoder.rnn.rnn
    name_gru(tensors, "gru", gru)
    tensors["gru.weight_ih_l0"] = tensors["gru.weight_ih_l0"][:, swap[[1, 0, 2]].ravel()]
    name_stack(tensors, "out_mlp", decoder.out_stack, swap[[3, 1, 0, 2]].ravel())
    kernel, bias = decoder.dense_out.kernel.numpy().T, decoder.dense_out.bias.numpy()
    for i, rows in enumerate((slice(0, 1 + HARMONICS), slice(1 + HARMONICS, None))):
        tensors[f"proj_matrices.{i}.weight"] = kernel[rows]
        tensors[f"proj_matrices.{i}.bias"] = bias[rows]
    tensors["reverb.ir"] = reverb._ir.numpy()
    return tensors


def play(ddsp, decoder, reverb, given, noise):
    """solo_instrument.gin's: heads and audio [B,T]"""
    f0, loudness, z = (given[name].astype(np.float64) for name in ("f0", "loudness", "z"))
    prepare = ddsp.preprocessing
    heads = decoder({"f0_scaled": prepare.scale_f0_hz(f0), "ld_scaled": prepare.scale_db(loudness),
                     "z": z})
    samples = noise.shape[1]
    ddsp.tf.random.uniform = lambda shape, minval, maxval: ddsp.tf.constant(noise, ddsp.tf.float64)
    harmonic = ddsp.synths.Harmonic(n_samples=samples, sample_rate=16000)
    filtered = ddsp.synths.FilteredNoise(n_samples=samples, window_size=0)
    dry = harmonic(heads["amps"], heads["harmonic_distribution"], f0) + filtered(
        heads["noise_magnitudes"])
    return heads, reverb(dry)


def by_decoder(ddsp):
    tf, frames = ddsp.tf, 12
    decoder = ddsp.decoders.RnnFcDecoder(
        rnn_channels=HIDDEN, ch=HIDDEN, layers_per_stack=LAYERS,
        input_keys=("ld_scaled", "f0_scaled", "z"),
        output_splits=(("amps", 1), ("harmonic_distribution", HARMONICS),
                       ("noise_magnitudes", BANDS)))
    reverb = ddsp.effects.Reverb(trainable=True, reverb_length=ROOM)
    given = dict(f0=contour(frames, 200, 900), loudness=contour(frames, -60, -20),
                 z=random.normal(size=(BATCH, frames, 3)).astype(np.float32))
    noise = random.uniform(-1, 1, (BATCH, frames * HOP)).astype(np.float32)
    projection = random.normal(size=noise.shape).astype(np.float32)
    play(ddsp, decoder, reverb, given, noise)
    weights = decoder.trainable_variables + reverb.trainable_variables
    for w in weights:
        start = 1.0 if w.name == "gamma" else 0.0
        values = start + random.normal(size=w.shape) / np.sqrt(w.shape[0] if len(w.shape) > 1 else 8)
        w.assign(values.astype(np.float32))
    with tf.GradientTape() as tape:
        heads, audio = play(ddsp, decoder, reverb, given, noise)
        total = tf.reduce_sum(audio * projection)
    tensors = name_decoder(decoder, reverb)
    tensors.update(given, noise=noise, projection=projection, audio=audio.numpy())
    tensors["head.noise"] = heads["noise_magnitudes"].numpy()
    tensors["head.harmonic"] = np.concatenate([heads["amps"], heads["harmonic_distribution"]], -1)
    gradients = tape.gradient(total, [getattr(w, "value", w) for w in weights])
    for w, gradient in zip(weights, gradients):
        w.assign(gradient)
    tensors.update({"gradient." + name: x for name, x in name_decoder(decoder, reverb).items()})
    return tensors


def timbre(ddsp, tensors):
    tf, core, nn = ddsp.tf, ddsp.core, ddsp.nn
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


def pitch(ddsp, tensors):
    tf, core, nn = ddsp.tf, ddsp.core, ddsp.nn
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


def by_encoders(ddsp):
    tensors = {}
    timbre(ddsp, tensors)
    pitch(ddsp, tensors)
    return tensors


def write(name, tensors, out):
    from safetensors.numpy import save_file
    path = out / f"autoencoder_{name}.safetensors"
    save_file({key: np.ascontiguousarray(x, dtype=np.float32) for key, x in tensors.items()},
              str(path))
    path.chmod(0o644)
    print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ddsp", type=Path)
    parser.add_argument("--ddsp-pytorch", type=Path)
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    if args.ddsp:
        ddsp = load_ddsp(args.ddsp)
        write("ddsp", by_encoders(ddsp), args.out)
        write("rnn_fc", by_decoder(ddsp), args.out)
    if args.ddsp_pytorch:
        write("pytorch", by_ddsp_pytorch(args.ddsp_pytorch, args.out), args.out)


if __name__ == "__main__":
    main()
