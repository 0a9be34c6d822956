#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of differentiable synthesisers and effects, by ddsp or by ddsp_pytorch.

--ddsp is the folder of the package ddsp 3.7.0 (its requirements beside TensorFlow: gin-config,
scipy); its modules are loaded one by one, since the package wants a dozen more libraries. It is run
in double: tf.float32 is made to mean tf.float64, and so are TensorFlow's defaults where it needs
constants, and tf.image.resize, which makes float of double, is expressed once more: what it brings to
samples are frequencies, whose rounding adds up in the phase. Its noise is replaced by ours, which is
written, too. --ddsp-pytorch is the folder that
holds core.py and model.py of ddsp_pytorch, whose libraries for analysis are not needed.

ddsp_pytorch's reverb is written as a checkpoint, too: ddsp_pytorch_reverb.pth.

Tensors lie in ddsp.safetensors or ddsp_pytorch.safetensors as <case>.<name>: inputs, and `out`. Of a
case <...>_long, a second of sound, `out` is each EVERY-th sample.

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
LONG, LONG_FRAMES, EVERY = 16000, 50, 25
random = np.random.default_rng(11)


def normal(*shape, scale=1.0):
    return scale * random.normal(size=shape).astype(np.float32)


def pitch(low, high):
    return random.uniform(low, high, (BATCH, FRAMES, 1)).astype(np.float32)


def noise(*shape):
    return random.uniform(-1, 1, shape).astype(np.float32)


def resize_in_double(tf, resize):
    """Straight lines along axis 1 of [B,T,1,C]; compared with TensorFlow's own, which are float."""
    def lines(x, size, method, align_corners):
        rough = tf.cast(resize(x, size, method=method, align_corners=align_corners), tf.float64)
        if method != tf.compat.v1.image.ResizeMethod.BILINEAR:
            return rough
        x, frames, samples = tf.cast(x, tf.float64), x.shape[1], size[0]
        ends = align_corners and samples > 1
        at = np.arange(samples) * ((frames - 1) / (samples - 1) if ends else frames / samples)
        left = np.minimum(np.floor(at).astype(int), frames - 1)
        share = (at - left)[None, :, None, None]
        y = (1 - share) * tf.gather(x, left, axis=1) + share * tf.gather(
            x, np.minimum(left + 1, frames - 1), axis=1)
        assert np.allclose(y, rough, rtol=1e-5, atol=1e-5 * np.abs(y).max())
        return y
    return lines


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
    if not hasattr(image.resize, "exact"):
        image.resize = resize_in_double(tf, image.resize)
        image.resize.exact = True
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
                for name in ("core", "processors", "synths", "effects")}


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


def of_more_controls(core, cases):
    """Pitch, and the functions beneath synthesisers and effects."""
    hz = random.uniform(30, 7000, (BATCH, FRAMES, 3)).astype(np.float32)
    hz[0, 0, 0] = 0
    x = normal(BATCH, FRAMES, HARMONICS)
    cases["hz_to_midi"] = dict(x=hz, out=core.hz_to_midi(hz))
    cases["midi_to_hz"] = dict(x=9 * x + 60, out=core.midi_to_hz(np.float64(9 * x + 60)))
    cases["midi_to_unit"] = dict(x=9 * x + 60, out=core.midi_to_unit(np.float64(9 * x + 60)))
    cases["unit_to_midi"] = dict(x=x, out=core.unit_to_midi(np.float64(x)))
    frequencies = random.uniform(3000, 12000, x.shape).astype(np.float32)
    cases["band_limit"] = dict(x=x, frequencies=frequencies, out=core.remove_above_nyquist(
        np.float64(frequencies), np.float64(x), RATE))
    for method, name in (("linear", "linear"), ("window", "hann")):
        cases["upsample_" + name] = dict(x=x, out=core.resample(np.float64(x), 256, method))
    audio, responses = normal(BATCH, 250), normal(BATCH, 40)
    cases["convolve"] = dict(x=audio, h=responses, out=core.fft_convolve(
        np.float64(audio), np.float64(responses), padding="valid", delay_compensation=0))
    position = random.uniform(0, 0.95, (BATCH, 250, 1)).astype(np.float32)
    cases["delay"] = dict(x=audio, position=position, out=core.variable_length_delay(
        np.float64(position), np.float64(audio), 30))
    responses = normal(BATCH, FRAMES, 40)
    cases["frames"] = dict(x=audio, h=responses, out=core.fft_convolve(
        np.float64(audio), np.float64(responses), padding="same", delay_compensation=7))
    magnitudes = np.abs(normal(BATCH, FRAMES, BANDS))
    for window in (0, 11):
        out = core.frequency_impulse_response(np.float64(magnitudes), window)
        cases[f"impulse_{window}"] = dict(magnitudes=magnitudes, out=out)


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


def of_more_synths(synths, processors, cases):
    amplitudes, frequencies = normal(BATCH, FRAMES, HARMONICS), normal(BATCH, FRAMES, HARMONICS)
    # a network's frequency is off by 3e-7 of itself in float, which adds up in the phase: few samples
    sinusoidal = synths.Sinusoidal(n_samples=64, sample_rate=RATE)
    cases["sinusoidal"] = dict(amplitudes=amplitudes, frequencies=frequencies,
                               out=sinusoidal(*map(np.float64, (amplitudes, frequencies))))
    wavetable = synths.Wavetable(n_samples=256, sample_rate=RATE)
    inputs = dict(amplitude=normal(BATCH, FRAMES, 1), tables=normal(BATCH, FRAMES, 32),
                  f0=pitch(200, 900))
    cases["wavetable"] = dict(inputs, out=wavetable(*map(np.float64, inputs.values())))
    a, b, level = normal(BATCH, 250), normal(BATCH, 250), normal(BATCH, 5, 1)
    mixed = np.float64(a)[..., None], np.float64(b)[..., None], np.float64(level)
    cases["mix"] = dict(a=a, b=b, level=level, out=processors.Mix()(*mixed)[..., 0])
    for place in ("front", "center", "back"):
        crop = processors.Crop(frame_size=31, crop_location=place)
        cases["crop_" + place] = dict(audio=a, out=crop(np.float64(a)))


def long_controls(count, low, high):
    """Positive amplitudes and gliding Hz of `count` oscillators, none of which passes Nyquist's."""
    at = np.linspace(0, 1, LONG_FRAMES)[:, None]
    turn = random.uniform(0, 6, (2, count))
    hz = random.uniform(low, high, count) * (1 + 0.05 * np.sin(turn[0] + 9 * at))
    amplitudes = random.uniform(0.1, 1, count) * (1 + 0.9 * np.sin(turn[1] + 20 * at)) / count
    return amplitudes[None].astype(np.float32), hz[None].astype(np.float32)


def of_long_synths(synths, cases):
    """From controls in float, the same for both."""
    amplitudes, hz = long_controls(24, 30, 7500)
    bank = synths.Sinusoidal(n_samples=LONG, sample_rate=RATE)
    cases["sinusoidal_long"] = dict(amplitudes=amplitudes, frequencies=hz,
                                    out=bank.get_signal(np.float64(amplitudes), np.float64(hz)))
    amplitude, f0 = long_controls(1, 110, 120)
    shares = long_controls(60, 30, 40)[0]
    shares /= shares.sum(-1, keepdims=True)
    harmonic = synths.Harmonic(n_samples=LONG, sample_rate=RATE)
    cases["harmonic_long"] = dict(amplitude=amplitude, distribution=shares, f0=f0,
                                  out=harmonic.get_signal(*map(np.float64, (amplitude, shares, f0))))
    tables = np.repeat(normal(1, 1, 32), LONG_FRAMES, axis=1)
    wavetable = synths.Wavetable(n_samples=LONG, sample_rate=RATE)
    cases["wavetable_long"] = dict(amplitude=amplitude, tables=tables, f0=f0, out=wavetable.get_signal(
        *map(np.float64, (amplitude, tables, f0))))
    for name in ("sinusoidal_long", "harmonic_long", "wavetable_long"):
        cases[name]["out"] = cases[name]["out"][:, ::EVERY]


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
    of_more_synths(ddsp["synths"], ddsp["processors"], cases)
    of_more_controls(ddsp["core"], cases)
    of_long_synths(ddsp["synths"], cases)
    return cases


def load_ddsp_pytorch(folder):
    package = types.ModuleType("reference")
    package.__path__ = [str(folder)]
    sys.modules["reference"] = package
    for name in ("librosa", "crepe"):
        sys.modules[name] = types.ModuleType(name)
    return importlib.import_module("reference.core"), importlib.import_module("reference.model")


def of_torch(torch, cases):
    """What lies beneath, by PyTorch itself."""
    x, h = normal(BATCH, 250), normal(BATCH, 40)
    rows = torch.nn.functional.conv1d(torch.tensor(x).double()[None], torch.tensor(h).double()[:, None],
                                      groups=BATCH)
    cases["correlate"] = dict(x=x, h=h, out=rows[0])
    hz = random.uniform(30, 7000, (BATCH, 1000)).astype(np.float32)
    turns = torch.cumsum(torch.tensor(hz).double() / 44100, -1)
    cases["phase"] = dict(hz=hz, out=turns - torch.round(turns))


def by_ddsp_pytorch(folder, checkpoint):
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
    amplitude, f0 = long_controls(1, 110, 120)
    shares = long_controls(60, 30, 40)[0]
    scaled = core.upsample(double(shares) * double(amplitude), LONG // LONG_FRAMES)
    out = core.harmonic_synth(core.upsample(double(f0), LONG // LONG_FRAMES), scaled, RATE)
    cases["harmonic_long"] = dict(amplitude=amplitude, distribution=shares, f0=f0,
                                  out=out[:, ::EVERY, 0])
    of_torch(torch, cases)
    torch.save({name: x.float() for name, x in reverb.state_dict().items()}, checkpoint)
    checkpoint.chmod(0o644)
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
                               ("ddsp_pytorch", args.ddsp_pytorch, lambda folder: by_ddsp_pytorch(
                                   folder, args.out / "ddsp_pytorch_reverb.pth"))):
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
