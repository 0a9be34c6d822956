#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of MCTN, which predicts pitch and loudness of each source of a mix.

--mctn is the folder with tasnet_tf.py (TalSk/cs236781-project, src/TasNet). It wants TensorFlow
and Keras 2 (the package tf_keras, as TF_USE_LEGACY_KERAS=1). Of ddsp it wants one function, which
stands below. It is run in double: tf.float32 is made to mean tf.float64.

tests/golden/mctn.safetensors holds tensors features.<name>. Weights are not in it: those of our
name and shape are made by the formula of make_golden_crepe.py here and in the test, and brought to
Keras's shapes here. Printed: how many parameters the published size has.

    make_golden_mctn.py --mctn DIR [--out DIR]
"""
import argparse
import os
import sys
import types
from pathlib import Path

import numpy as np

from make_golden_inverse import formula

os.environ["TF_USE_LEGACY_KERAS"] = "1"
RATE, HOP, BATCH = 320, 8, 2  # the reference takes four seconds, always
SIZES = dict(n_speaker=3, N=6, L=HOP, B=5, H=7, P=3, X=3, R=2)
PUBLISHED = dict(n_speaker=3, N=128, L=64, B=256, H=512, P=3, X=8, R=1)
WEIGHT_F0 = 0.1
random = np.random.default_rng(41)


def weight(name, *shape):
    """Gains lie around 1."""
    part, key = name.split(".")[-2:]
    if key == "gamma" or (key == "weight" and len(shape) == 1 and part in "135"):
        return formula(name, shape, 0.3, 1.0)
    return formula(name, shape, 1.7 / np.prod(shape[1:]) ** 0.5 if len(shape) > 1 else 0.3)


def load_reference(folder):
    import tensorflow.compat.v1 as tf
    tf.disable_eager_execution()
    tf.float32 = tf.float64
    tf.keras.backend.set_floatx("float64")
    ddsp = types.ModuleType("ddsp")
    ddsp.core = types.SimpleNamespace(midi_to_hz=lambda n: 440.0 * 2.0 ** ((n - 69.0) / 12.0))
    sys.modules["ddsp"] = ddsp
    sys.path.insert(0, str(folder))
    import tasnet_tf
    return tf, tasnet_tf.TasNet


class Loader:
    def __init__(self, *tensors):
        self.tensors = tensors

    def get_next(self):
        return self.tensors


def of_layers(model):
    """Pairs of a variable and our value in its shape."""
    layers, pairs = model.layers, []

    def convolution(layer, name, bias=True):
        kernel = layer.kernel
        taps, inputs, outputs = kernel.shape
        shape = (outputs, inputs, taps) if name == "encoder" else (outputs, inputs)
        ours = weight(name + ".weight", *shape).reshape(outputs, inputs, taps)
        pairs.append((kernel, ours.transpose(2, 1, 0)))
        pairs.append((layer.bias, weight(name + ".bias", outputs)))
    convolution(layers["conv1d_encoder"], "encoder")
    convolution(layers["bottleneck"], "bottleneck.1")
    for r in range(model.R):
        for x in range(model.X):
            name, ours = f"block_{r}_{x}_", f"blocks.{r * model.X + x}"
            convolution(layers[name + "first_1x1_conv"], ours + ".0")
            convolution(layers[name + "second_1x1_conv"], ours + ".6")
            for key, place in (("first", 1), ("second", 4)):
                slope = layers[f"{name}{key}_PReLU"].alpha
                pairs.append((slope, formula(f"{ours}.{place}.weight", (model.H,), 0.2, 0.25)[None]))
    masks = weight("mask.weight", model.C * model.N, model.B).reshape(model.C, model.N, model.B)
    biases = weight("mask.bias", model.C * model.N).reshape(model.C, model.N)
    for i in range(model.C):
        layer = layers[f"1x1_conv_decoder_{i}"]
        pairs += [(layer.kernel, masks[i].T[None]), (layer.bias, biases[i])]
    for key in ("f0", "loudness"):
        for i, layer in enumerate(layers[key + "_deconv"].layers):
            if hasattr(layer, "kernel"):
                inputs, outputs = layer.kernel.shape
                pairs.append((layer.kernel, weight(f"{key}.{i}.weight", outputs, inputs).T))
            else:
                size = layer.gamma.shape[0]
                pairs += [(layer.gamma, weight(f"{key}.{i}.weight", size)),
                          (layer.beta, weight(f"{key}.{i}.bias", size))]
    return pairs


def of_variables(tf, model):
    """Those that are no layer's: norms and depthwise convolutions."""
    pairs = []
    for v in tf.global_variables():
        scope = v.op.name.split("/")
        if scope[-1] not in ("gamma", "beta", "dconv_filters") or "layer_normalization" in v.name:
            continue
        if scope[0] == "bottleneck":
            name = "bottleneck.0"
        else:
            r, x = map(int, scope[0].split("_")[1:3])
            name = f"blocks.{r * model.X + x}"
            if scope[-1] == "dconv_filters":
                ours = weight(name + ".3.weight", model.H, 1, model.P)
                pairs.append((v, ours[:, 0].T[None, :, :, None]))
                continue
            name += ".2" if scope[1] == "first" else ".5"
        pairs.append((v, weight(f"{name}.{scope[-1]}", v.shape[-1]).reshape(v.shape)))
    return pairs


def count_published(tf, TasNet):
    with tf.Graph().as_default():
        zeros = (tf.zeros((1, 4, 64000), tf.float64), tf.zeros((1, 3, 1000), tf.float64),
                 tf.zeros((1, 3, 1000), tf.float64))
        TasNet("train", Loader(*zeros), sample_rate_hz=16000, frame_rate_hz=250,
               weight_f0=WEIGHT_F0, **PUBLISHED)
        return sum(int(np.prod(v.shape)) for v in tf.trainable_variables())


def main():
    from safetensors.numpy import save_file
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mctn", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    tf, TasNet = load_reference(args.mctn)
    frames = 4 * RATE // HOP
    audios = random.normal(size=(BATCH, 4, 4 * RATE)).astype(np.float32)
    f0s = random.uniform(60, 900, (BATCH, 3, frames)).astype(np.float32)
    loudness = random.uniform(-80, 0, (BATCH, 3, frames)).astype(np.float32)
    given = [tf.constant(x, tf.float64) for x in (audios, f0s, loudness)]
    model = TasNet("train", Loader(*given), sample_rate_hz=RATE, frame_rate_hz=RATE // HOP,
                   weight_f0=WEIGHT_F0, **SIZES)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        pairs = of_layers(model) + of_variables(tf, model)
        assert {v.name for v, _ in pairs} == {v.name for v in tf.trainable_variables()}
        for variable, value in pairs:
            variable.load(np.ascontiguousarray(value, np.float64), session)
        (f0, level), loss = session.run([model.outputs, model.loss])
    tensors = {"audio": audios[:, 0], "f0_target": f0s.transpose(0, 2, 1),
               "loudness_target": loudness.transpose(0, 2, 1),
               "f0": np.stack(f0).transpose(1, 2, 0), "loudness": np.stack(level).transpose(1, 2, 0),
               "loss": np.reshape(loss, 1)}
    path = args.out / "mctn.safetensors"
    save_file({"features." + k: np.ascontiguousarray(x, np.float32) for k, x in tensors.items()},
              str(path))
    path.chmod(0o644)
    print(f"{path}: {path.stat().st_size} bytes; f0 {np.min(f0):.1f} to {np.max(f0):.1f} Hz, "
          f"loudness {np.min(level):.2f} to {np.max(level):.2f}, loss {loss:.4f}; "
          f"{count_published(tf, TasNet)} parameters")


if __name__ == "__main__":
    main()
