#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of pitch detection by inverse synthesis, by ddsp.

--ddsp is the folder of the package ddsp 3.7.0 (its requirements beside TensorFlow: gin-config,
scipy, tensorflow-probability with tf-keras). It is run in double, see make_golden_ddsp.py.

tests/golden/ddsp_inverse.safetensors holds tensors <case>.<name>. Weights are not in it: those of
our name and shape are made by the formula of make_golden_crepe.py here and in the test, and brought
to Keras's shapes here. Printed: how many parameters the sinusoidal encoder of sizes small, medium
and large and the harmonic encoder have.

    make_golden_inverse.py --ddsp DIR [--out DIR]
"""
import argparse
import importlib
import sys
import types
from pathlib import Path

import numpy as np

from make_golden_ddsp import in_double

BATCH, FRAMES, SINUSOIDS, DEPTH, BANDS, HARMONICS = 2, 6, 5, 4, 3, 9
SAMPLES = 2800
random = np.random.default_rng(23)


def fnv1a(name):
    h = 0x811C9DC5
    for c in name.encode():
        h = ((h ^ c) * 0x01000193) & 0xFFFFFFFF
    return h


def formula(name, shape, scale, offset=0.0):
    n = int(np.prod(shape))
    h = (np.arange(1, n + 1, dtype=np.uint64) * 2654435761 + fnv1a(name)) & 0xFFFFFFFF
    h = ((h ^ (h >> np.uint64(15))) * np.uint64(0x2C1B3C6D)) & np.uint64(0xFFFFFFFF)
    h ^= h >> np.uint64(13)
    return (scale * (2 * (h / 2.0 ** 32) - 1) + offset).astype(np.float32).reshape(shape)


def weight(name, *shape):
    if "norm" in name and name.endswith("weight"):
        return formula(name, shape, 0.3, 1.0)
    return formula(name, shape, 1.7 / np.prod(shape[1:]) ** 0.5 if len(shape) > 1 else 0.3)


def load_ddsp(folder):
    import tensorflow
    import tensorflow.compat.v2 as tf
    import tensorflow_probability  # noqa: F401  before the types change
    ones = tensorflow.ones
    mel = tensorflow.signal.linear_to_mel_weight_matrix
    for module in (tensorflow, tf):
        in_double(module)
        module.ones = lambda shape, dtype=tensorflow.float64: ones(shape, dtype)
        module.signal.linear_to_mel_weight_matrix = lambda *a: mel(*a, dtype=tensorflow.float64)
    for name in ("crepe", "librosa"):
        sys.modules[name] = types.ModuleType(name)
    for name, path in (("ddsp", folder), ("ddsp.training", folder / "training")):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(path)]
    names = ("core", "spectral_ops", "losses", "synths", "training.nn", "training.encoders")
    for name in names:
        module = importlib.import_module("ddsp." + name)
        setattr(sys.modules["ddsp"], name, module)
    return tf, types.SimpleNamespace(**{n.split(".")[-1]: sys.modules["ddsp." + n] for n in names})


def set_linear(layer, name):
    inputs, outputs = layer.kernel.shape
    layer.set_weights([weight(name + ".weight", outputs, inputs).T,
                       weight(name + ".bias", outputs)])


def set_convolution(layer, name):
    time, frequency, inputs, outputs = layer.kernel.shape
    ours = weight(name + ".weight", outputs, inputs, frequency, time)
    layer.set_weights([ours.transpose(3, 2, 1, 0), weight(name + ".bias", outputs)])


def set_norm(layer, name):
    scale = layer.get_weights()[0]
    layer.set_weights([weight(f"{name}.{key}", scale.size).reshape(scale.shape)
                       for key in ("weight", "bias")])


def set_gru(layer, name):
    inputs, units = layer.cell.kernel.shape[0], layer.units

    def keras(x):  # its gates are update, reset, new; ours reset, update, new
        return np.concatenate([x[units:2 * units], x[:units], x[2 * units:]])
    ours = [weight(f"{name}.{key}_l0", 3 * units, *rest) for key, rest in
            (("weight_ih", [inputs]), ("weight_hh", [units]), ("bias_ih", []), ("bias_hh", []))]
    w, u, b, c = map(keras, ours)
    layer.set_weights([w.T, u.T, np.stack([b, c])])


def set_block(block, name):
    narrow, middle, wide = block.bottleneck.layers
    set_norm(block.norm_input, name + ".norm_input")
    if block.shortcut:
        set_convolution(block.conv_proj, name + ".conv_proj")
    set_convolution(narrow, name + ".conv1")
    for part, key in ((middle, 2), (wide, 3)):
        set_norm(part.layers[0], f"{name}.norm{key}")
        set_convolution(part.layers[2], f"{name}.conv{key}")


def set_resnet(net, name, blocks):
    set_convolution(net.layers[0], name + ".conv")
    parts = net.layers[2].layers[:-2] + net.layers[3].layers[:-2]
    for stack, count in enumerate(blocks):
        for i in range(count):
            set_block(parts.pop(0), f"{name}.stacks.{stack}.{i}")
    set_norm(net.layers[2].layers[-2], name + ".norm")
    set_norm(net.layers[3].layers[-2], name + ".norm_out")


def set_stack(stack, name):
    for i, fc in enumerate(stack.layers):
        set_linear(fc.layers[0], f"{name}.{i}.linear")
        set_norm(fc.layers[1], f"{name}.{i}.norm")


def logmel(ddsp):
    return lambda audio: ddsp.spectral_ops.compute_logmel(
        audio, lo_hz=0.0, hi_hz=8000.0, bins=229, fft_size=2048, overlap=0.75, pad_end=True)


def encoder_of(ddsp, size, sinusoids, depth, bands):
    return ddsp.encoders.ResnetSinusoidalEncoder(
        output_splits=(("frequencies", sinusoids * depth), ("amplitudes", sinusoids),
                       ("noise_magnitudes", bands)), spectral_fn=logmel(ddsp), size=size)


def of_sinusoids(ddsp, cases):
    audio = random.normal(size=(BATCH, SAMPLES)).astype(np.float32)
    audio *= np.linspace(0.01, 0.5, SAMPLES, dtype=np.float32) ** 2
    cases["log_mel"] = dict(audio=audio, out=logmel(ddsp)(audio))
    encoder = encoder_of(ddsp, "small", SINUSOIDS, DEPTH, BANDS)
    encoder(audio)
    set_resnet(encoder.resnet, "sinusoidal_encoder.resnet", (2, 3, 4, 3))
    for layer, name in zip(encoder.dense_outs, ("frequencies", "amplitudes", "magnitudes")):
        set_linear(layer, "sinusoidal_encoder." + name)
    out = encoder(audio)
    cases["sinusoidal"] = dict(
        audio=audio, frequencies=ddsp.core.frequencies_softmax(out["frequencies"], DEPTH),
        amplitudes=ddsp.core.exp_sigmoid(out["amplitudes"]),
        magnitudes=ddsp.core.exp_sigmoid(out["noise_magnitudes"]))


def of_harmonics(ddsp, cases):
    hz = random.uniform(30, 7000, (BATCH, FRAMES, SINUSOIDS)).astype(np.float32)
    amplitudes = random.uniform(0, 0.7, (BATCH, FRAMES, SINUSOIDS)).astype(np.float32)
    encoder = ddsp.encoders.SinusoidalToHarmonicEncoder(
        net=ddsp.nn.RnnSandwich(fc_stack_ch=6, fc_stack_layers=2, rnn_ch=5), n_harmonics=HARMONICS,
        f0_depth=DEPTH, freq_scale_fn=lambda x: ddsp.core.frequencies_softmax(
            x, depth=DEPTH, hz_min=20.0, hz_max=3000.0))
    encoder(hz, amplitudes)
    before, rnn, after = encoder.net.layers
    set_stack(before, "harmonic_encoder.in")
    set_gru(rnn.rnn, "harmonic_encoder.gru")
    set_stack(after, "harmonic_encoder.out")
    for layer, name in ((encoder.amp_out, "amplitude"), (encoder.hd_out, "distribution"),
                        (encoder.f0_out, "f0")):
        set_linear(layer, "harmonic_encoder." + name)
    out = encoder(hz, amplitudes)
    amps, freqs = ddsp.core.harmonic_to_sinusoidal(out["harm_amp"], out["harm_dist"], out["f0_hz"])
    cases["harmonic"] = dict(hz=hz, amplitudes=amplitudes, amplitude=out["harm_amp"],
                             distribution=out["harm_dist"], f0=out["f0_hz"], partials=freqs,
                             levels=amps)


def of_audio(tf, ddsp, cases):
    hz = random.uniform(300, 8600, (BATCH, FRAMES, SINUSOIDS)).astype(np.float32)
    hz[:, :, 0] = 8300  # and nothing that crosses half the sample rate
    hz[:, :, 1:] = np.minimum(hz[:, :, 1:], 7900)
    amplitudes = random.uniform(0, 0.7, (BATCH, FRAMES, SINUSOIDS)).astype(np.float32)
    magnitudes = random.uniform(0, 0.2, (BATCH, FRAMES, BANDS)).astype(np.float32)
    noise = random.uniform(-1, 1, (BATCH, 32 * FRAMES)).astype(np.float32)
    hz, amplitudes, magnitudes, noise = (tf.constant(x, tf.float64) for x in
                                         (hz, amplitudes, magnitudes, noise))
    tones = ddsp.synths.Sinusoidal(n_samples=32 * FRAMES, sample_rate=16384, amp_scale_fn=None,
                                   freq_scale_fn=None)
    filtered = ddsp.core.frequency_filter(noise, magnitudes, 0)
    cases["audio"] = dict(hz=hz, amplitudes=amplitudes, magnitudes=magnitudes, noise=noise,
                          out=tones(amplitudes, hz) + filtered)


def of_losses(tf, ddsp, cases):
    def double(x):  # what numpy has may be brought to float where it meets Python's numbers
        return tf.constant(x, tf.float64)

    def hz(n):
        return random.uniform(100, 4000, (BATCH, FRAMES, n)).astype(np.float32)

    def levels(n):
        return (random.uniform(0, 1, (BATCH, FRAMES, n)) ** 3).astype(np.float32)
    a, b = (levels(SINUSOIDS), hz(SINUSOIDS)), (levels(HARMONICS), hz(HARMONICS))
    b[0][0, 1, 2:4] = 0
    b[1][:, :, :2] = a[1][:, :, :2] * 1.001
    losses = ddsp.losses
    inputs = dict(a_amplitudes=a[0], a_hz=a[1], b_amplitudes=b[0], b_hz=b[1])
    cases["kde"] = dict(inputs, out=losses.KDEConsistencyLoss()(*map(double, (*a, *b))))
    other = losses.KDEConsistencyLoss(weight_a=0.3, weight_b=0.7, weight_mean_amp=2.0, scale_a=1.5,
                                      scale_b=0.5)
    cases["kde_wide"] = dict(inputs, out=other(*map(double, (*a, *b))))
    mismatch = losses.TWMLoss()
    costs = mismatch.get_loss_tensors(*map(double, (a[1], b[1], b[0])))
    cases["mismatch"] = dict(candidates=a[1], hz=b[1], amplitudes=b[0], costs=costs[0] + costs[1],
                             out=mismatch(*map(double, (a[1], b[1], b[0]))))
    target = levels(1)
    target[1, 2:4] = 0
    shares = [x / x.sum(-1, keepdims=True) for x in (levels(HARMONICS), levels(HARMONICS))]
    inputs = dict(amplitude=levels(1), target_amplitude=target, distribution=shares[0],
                  target_distribution=shares[1], f0=hz(1), target_f0=hz(1))
    out = losses.HarmonicConsistencyLoss()(*map(double, inputs.values()))
    cases["consistency"] = dict(inputs, out=[out[k] for k in ("harm_amp_loss", "harm_dist_loss",
                                                              "f0_hz_loss")])
    x, y = levels(BANDS), levels(BANDS)
    weights = levels(1)
    cases["parameters"] = dict(x=x, y=y, weights=weights, out=[
        losses.FilteredNoiseConsistencyLoss()(double(x), double(y)),
        losses.ParamLoss(loss_type="L1")(*map(double, (x, y, weights))),
        losses.ParamLoss(loss_type="L2")(*map(double, (x, y, weights)))])


def counts(ddsp):
    found = []
    for size in ("small", "medium", "large"):
        encoder = encoder_of(ddsp, size, 100, 64, 65)
        encoder(np.zeros((1, 512), np.float32))
        found.append(sum(x.size for x in encoder.get_weights()))
    encoder = ddsp.encoders.SinusoidalToHarmonicEncoder(net=ddsp.nn.RnnSandwich())
    encoder(np.ones((1, 2, 100)), np.ones((1, 2, 100)))
    return found + [sum(x.size for x in encoder.get_weights())]


def main():
    from safetensors.numpy import save_file
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ddsp", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    tf, ddsp = load_ddsp(args.ddsp)
    cases = {}
    of_sinusoids(ddsp, cases)
    of_harmonics(ddsp, cases)
    of_audio(tf, ddsp, cases)
    of_losses(tf, ddsp, cases)
    tensors = {f"{case}.{key}": np.ascontiguousarray(np.asarray(x, dtype=np.float32))
               for case, values in cases.items() for key, x in values.items()}
    path = args.out / "ddsp_inverse.safetensors"
    save_file(tensors, str(path))
    path.chmod(0o644)
    print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes; {counts(ddsp)}")


if __name__ == "__main__":
    main()
