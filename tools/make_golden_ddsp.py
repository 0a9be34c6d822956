#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of differentiable synthesisers and effects, by ddsp or by ddsp_pytorch.

--ddsp is the folder of the package ddsp 3.7.0 (its requirements beside TensorFlow: gin-config,
scipy); its modules are loaded one by one, since the package wants a dozen more libraries. It is run
in double: tf.float32 is made to mean tf.float64, and so are TensorFlow's defaults where it needs
constants. Its noise is replaced by ours, which is written, too. --ddsp-pytorch is the folder that
holds core.py and model.py of ddsp_pytorch, whose libraries for analysis are not needed.

Tensors lie in ddsp.safetensors or ddsp_pytorch.safetensors as <case>.<name>: inputs, and `out`.

    make_golden_ddsp.py --ddsp DIR [--out DIR]
    make_golden_ddsp.py --ddsp-pytorch DIR [--out DIR]
"""
import argparse
import importlib
import sys
import types
from pathlib import Path

import numpy as np

BATCH, FRAMES, HARMONICS, BANDS, RATE = 2, 4, 6, 9, 16000
random = np.random.default_rng(11)


def normal(*shape, scale=1.0):
    return scale * random.normal(size=shape).astype(np.float32)


def pitch(low, high):
    return random.uniform(low, high, (BATCH, FRAMES, 1)).astype(np.float32)


def noise(*shape):
    return random.uniform(-1, 1, shape).astype(np.float32)


def in_double(tf):
    """What TensorFlow takes and makes by default as float32 becomes float64."""
    def cast(function):
        return lambda *args, **named: tf.cast(function(*args, **named), tf.float64)
    log, zeros, image = tf.math.log, tf.zeros, tf.compat.v1.image
    tf.float32 = tf.float64
    tf.linspace = cast(tf.linspace)
    tf.math.log = lambda x: log(tf.cast(x, tf.float64))
    tf.zeros = lambda shape, dtype=tf.float64: zeros(shape, dtype)
    tf.signal.hann_window = cast(tf.signal.hann_window)
    image.resize = cast(image.resize)
    tf.keras.backend.set_floatx("float64")


def load_ddsp(folder):
    import tensorflow
    import tensorflow.compat.v2 as tf
    for module in (tensorflow, tf):
        in_double(module)
    package = types.ModuleType("ddsp")
    package.__path__ = [str(folder)]
    sys.modules["ddsp"] = package
    return tf, {name: importlib.import_module("ddsp." + name)
                for name in ("core", "synths", "effects")}


def of_controls(core, cases):
    x = normal(BATCH, FRAMES, 12, scale=3)
    f0 = pitch(900, 2500)
    hz = random.uniform(30, 7000, (BATCH, FRAMES, 3)).astype(np.float32)
    hz[0, 0, 0] = 0
    share = core.exp_sigmoid(normal(BATCH, FRAMES, HARMONICS)).numpy().astype(np.float32)
    cases["scale"] = dict(x=x, out=core.exp_sigmoid(x))
    cases["normalise"] = dict(x=share, f0=f0, out=core.normalize_harmonics(share, f0, RATE))
    cases["hz_to_unit"] = dict(x=hz, out=core.hz_to_unit(hz, 20.0, 8000.0))
    cases["unit_to_hz"] = dict(x=x / 9, out=core.unit_to_hz(np.float64(x / 9), 20.0, 8000.0))
    cases["softmax"] = dict(x=x, out=core.frequencies_softmax(np.float64(x), 4))
    cases["sigmoid"] = dict(x=x, out=core.frequencies_sigmoid(np.float64(x), 3))
    cases["sigmoid_1"] = dict(x=x, out=core.frequencies_sigmoid(np.float64(x), 1, hz_min=40.0))
    for scale in ("bark", "mel"):
        out = core.frequencies_critical_bands(np.float64(x), 2, scale=scale)
        cases["critical_" + scale] = dict(x=x, out=out)


def of_synths(core, synths, cases):
    synth = synths.Harmonic(n_samples=256, sample_rate=RATE)
    for name, low, high in (("harmonic", 200, 900), ("harmonic_high", 2700, 3900)):
        inputs = dict(amplitude=normal(BATCH, FRAMES, 1),
                      distribution=normal(BATCH, FRAMES, HARMONICS), f0=pitch(low, high))
        cases[name] = dict(inputs, out=synth(*inputs.values()))
    audio, magnitudes = noise(BATCH, 250), normal(BATCH, FRAMES, BANDS)
    for window in (0, 257, 8, 11):
        scaled = core.exp_sigmoid(magnitudes - 5.0)
        cases[f"noise_{window}"] = dict(noise=audio, magnitudes=magnitudes,
                                        out=core.frequency_filter(audio, scaled, window))


def of_effects(tf, effects, cases):
    audio, ir = normal(BATCH, 250), normal(BATCH, 40)
    cases["reverb"] = dict(audio=audio, ir=ir, out=effects.Reverb()(audio, ir))
    cases["reverb_long"] = dict(audio=audio, ir=np.tile(normal(1, 300), (BATCH, 1)))
    cases["reverb_long"]["out"] = effects.Reverb(add_dry=False)(*cases["reverb_long"].values())
    gain, decay, source = normal(BATCH, 1), normal(BATCH, 1), noise(1, 120)
    tf.random.uniform = lambda shape, minval, maxval: tf.constant(source, tf.float64)
    decaying = effects.ExpDecayReverb(reverb_length=120)
    cases["reverb_decay"] = dict(audio=audio, noise=source, gain=gain, decay=decay,
                                 out=decaying(audio, *map(np.float64, (gain, decay))))
    source = noise(BATCH, 120)
    magnitudes = normal(BATCH, FRAMES, BANDS)
    filtered = effects.FilteredNoiseReverb(reverb_length=120)
    cases["reverb_noise"] = dict(audio=audio, noise=source, magnitudes=magnitudes,
                                 out=filtered(audio, np.float64(magnitudes)))
    cases["fir"] = dict(audio=audio, magnitudes=magnitudes,
                        out=effects.FIRFilter()(audio, magnitudes))
    gain, phase = normal(BATCH, 250, 1), 2.5 * noise(BATCH, 250, 1)  # short of the last sample
    delay = effects.ModDelay(sample_rate=2000)
    cases["mod_delay"] = dict(audio=audio, gain=gain, phase=phase,
                              out=delay(np.float64(audio), *map(np.float64, (gain, phase))))


def by_ddsp(folder):
    tf, ddsp = load_ddsp(folder)
    cases = {}
    of_controls(ddsp["core"], cases)
    of_synths(ddsp["core"], ddsp["synths"], cases)
    of_effects(tf, ddsp["effects"], cases)
    return cases


def load_ddsp_pytorch(folder):
    package = types.ModuleType("reference")
    package.__path__ = [str(folder)]
    sys.modules["reference"] = package
    for name in ("librosa", "crepe"):
        sys.modules[name] = types.ModuleType(name)
    return importlib.import_module("reference.core"), importlib.import_module("reference.model")


def by_ddsp_pytorch(folder):
    import torch
    core, model = load_ddsp_pytorch(folder)
    torch.manual_seed(11)
    cases = {}

    def double(x):
        return torch.from_numpy(x).double()

    amplitude, shares = normal(BATCH, FRAMES, 1), normal(BATCH, FRAMES, HARMONICS)
    for name, low, high in (("harmonic", 200, 900), ("harmonic_high", 1500, 4500)):
        f0 = pitch(low, high)
        scaled = core.remove_above_nyquist(core.scale_function(double(shares)), double(f0), RATE)
        scaled = scaled / scaled.sum(-1, keepdim=True)
        scaled = core.upsample(scaled * core.scale_function(double(amplitude)), 64)
        out = core.harmonic_synth(core.upsample(double(f0), 64), scaled, RATE)
        cases[name] = dict(amplitude=amplitude, distribution=shares, f0=f0, out=out[..., 0])
    for hop in (10, 64):
        source, magnitudes = noise(BATCH, FRAMES * hop), normal(BATCH, FRAMES, BANDS)
        kernel = core.amp_to_impulse_response(core.scale_function(double(magnitudes) - 5), hop)
        out = core.fft_convolve(double(source).reshape(BATCH, FRAMES, hop), kernel)
        cases[f"noise_{hop}"] = dict(noise=source, magnitudes=magnitudes,
                                     out=out.reshape(BATCH, -1))
    audio, reverb = normal(BATCH, 250), model.Reverb(120, RATE, 0.3, 2.0).double()
    reverb.t = torch.arange(120).double().reshape(1, -1, 1) / RATE
    cases["reverb"] = dict(audio=audio, out=reverb(double(audio)[..., None])[..., 0],
                           **{name: p.reshape(-1, *p.shape[1:]) for name, p
                              in reverb.named_parameters()})
    return {name: {key: x.detach() if isinstance(x, torch.Tensor) else x
                   for key, x in case.items()} for name, case in cases.items()}


def main():
    from safetensors.numpy import save_file
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--ddsp", type=Path)
    parser.add_argument("--ddsp-pytorch", type=Path)
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    for name, folder, make in (("ddsp", args.ddsp, by_ddsp),
                               ("ddsp_pytorch", args.ddsp_pytorch, by_ddsp_pytorch)):
        if not folder:
            continue
        tensors = {f"{case}.{key}": np.ascontiguousarray(np.asarray(x, dtype=np.float32))
                   for case, values in make(folder).items() for key, x in values.items()}
        path = args.out / f"{name}.safetensors"
        save_file(tensors, str(path))
        path.chmod(0o644)
        print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
