#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of the networks of DDSP-Demucs and of its losses, by its own code.

--reference is the folder src/ddsp_demucs of that project, of which model.py, dsp.py and train.py
are run, with small sizes and random weights; --ddsp the folder of the package ddsp 3.7.0 (its
requirements beside TensorFlow: gin-config, scipy). What they import and do not need here is
stubbed. They run in double (tf.float32 is made to mean tf.float64), the noise is given, and the
harmonic synthesiser is told how long the input is, which model.py forgets.

refine.safetensors holds, for `decoder`, `residual`, `eq` and `mel`, inputs, `out`, and the weights under
`<case>.weights.`, named and laid out as ours; `losses.` two signals and what the losses say.

    make_golden_refine.py --reference DIR --ddsp DIR [--out DIR]
"""
import argparse
import importlib
import sys
import types
from pathlib import Path

import numpy as np

from make_golden_autoencoder import name_gru, name_linear
from make_golden_ddsp import in_double

BATCH, FRAMES, HOP, RATE = 2, 12, 20, 5000
random = np.random.default_rng(21)


def stub(name, **members):
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(members)


def load(reference, ddsp_folder):
    import tensorflow
    import tensorflow.compat.v2 as tf
    import tensorflow.keras
    for module in (tensorflow, tf):
        in_double(module)
    bands = tensorflow.signal.linear_to_mel_weight_matrix
    tensorflow.signal.linear_to_mel_weight_matrix = lambda **named: bands(
        dtype=tensorflow.float64, **named)
    line = tensorflow.linspace
    tensorflow.linspace = lambda start, *rest: line(tensorflow.cast(start, tensorflow.float64), *rest)
    sys.modules["tensorflow.keras"] = tensorflow.keras
    stub("ddsp", __path__=[str(ddsp_folder)])
    stub("ddsp.losses", SpectralLoss=None)
    for name in ("core", "synths", "effects"):
        setattr(sys.modules["ddsp"], name, importlib.import_module("ddsp." + name))
    for name in ("librosa", "torchcrepe", "torch"):
        stub(name, note_to_hz=lambda note: 0.0)
    stub("ddsp_demucs", __path__=[str(reference)])
    return tensorflow, *(importlib.import_module("ddsp_demucs." + name)
                         for name in ("model", "dsp", "train"))


def normal(*shape, scale=1.0):
    return (scale * random.normal(size=shape)).astype(np.float32)


def uniform(low, high, *shape):
    return random.uniform(low, high, shape).astype(np.float32)


def randomise(layers, scale):
    for layer in layers:
        for w in layer.weights:
            fan = np.prod(w.shape[:-1]) if len(w.shape) > 1 else 9
            w.assign(scale * random.normal(size=w.shape) / np.sqrt(fan))


def name_all(case, name, layer):
    """A layer, or a sequence of layers counted from 0."""
    if hasattr(layer, "layers"):
        for i, part in enumerate(layer.layers):
            name_all(case, f"{name}.{i}", part)
    elif hasattr(layer, "cell"):
        name_gru(case, "weights." + name, layer)
    else:
        name_linear(case, "weights." + name, layer)


def parts(model, names):
    return {name: getattr(model, name) for name in names}


def decoder(tf, model, kind):
    net = kind(sample_rate=RATE, frame_rate=RATE // HOP, n_harmonics=7, n_noise_bands=9,
               rnn_units=6, mlp_units=(8, 5))
    net.harm.n_samples = net.noise.n_samples = FRAMES * HOP
    net.reverb = model.Reverb(trainable=True, reverb_length=50)
    # no harmonic passes half the rate between two frames: ours fade there, ddsp's are cut
    f0 = np.concatenate([uniform(20, 350, 1, FRAMES), uniform(640, 830, 1, FRAMES)])
    f0[0, 3] = 0
    case = dict(f0=f0[..., None], loudness=uniform(-80, 0, BATCH, FRAMES, 1),
                noise=uniform(-1, 1, BATCH, FRAMES * HOP), stem=normal(BATCH, FRAMES * HOP))
    model.FilteredNoise.get_signal.__globals__["tf"].random.uniform = (
        lambda *_, **__: tf.constant(case["noise"], tf.float64))
    inputs = dict(f0_hz=f0, loudness_db=case["loudness"][..., 0], x_in=case["stem"])
    if hasattr(net, "dry_logit"):
        net.dry_logit = tf.constant(-0.4, tf.float64)
        case["weights.dry_logit"] = np.reshape(net.dry_logit, [1])
    net.call(inputs)
    layers = parts(net, ("pre", "gru", "post", "amp_head", "harm_head", "noise_head"))
    randomise(layers.values(), 1.0)
    net.pre.kernel.assign(net.pre.kernel / 30)
    net.reverb._ir.assign(normal(50, scale=0.1))
    for name, layer in layers.items():
        name_all(case, name, layer)
    case["weights.reverb.ir"] = net.reverb._ir.numpy()
    case["out"] = net.call(inputs)
    return case


def equaliser(model):
    net = model.SpectralMaskEQ(mel_bins=8, n_bands=9, enc_units=6, sample_rate=RATE, window_size=30)
    case = dict(stem=normal(BATCH, 470), mel=normal(BATCH, FRAMES, 8, scale=3),
                loudness=uniform(-80, 0, BATCH, FRAMES, 1))
    inputs = dict(x_in=case["stem"], mel_in=case["mel"], loudness_db=case["loudness"][..., 0])
    net.call(inputs)
    layers = parts(net, ("mel_enc", "pre", "gru", "post", "mask_head"))
    randomise(layers.values(), 1.5)
    net.pre.kernel.assign(net.pre.kernel / 9)
    for name, layer in layers.items():
        name_all(case, name, layer)
    case["out"] = net.call(inputs)
    return case


def log_mel(tf, dsp):
    stem = normal(BATCH, 470)
    return dict(stem=stem, out=dsp.mel_spectrogram(tf.constant(np.float64(stem)), n_mels=8, sr=RATE))


def losses(tf, train):
    target = normal(BATCH, 3000, scale=0.3)
    estimate = (0.7 * target + np.diff(normal(BATCH, 3001, scale=0.1)) + 0.02).astype(np.float32)
    trainer = train.DDSPTrainer(None, loss_fn=lambda *_: 0.0, sisdr_weight=1.0, sample_rate=RATE)
    found = trainer._component_losses(*(tf.constant(np.float64(x)) for x in (target, estimate)))
    case = {name: np.reshape(found[name], [1]) for name in ("mel", "centroid", "sisdr")}
    return dict(case, target=target[..., None], estimate=estimate[..., None])


def main():
    from safetensors.numpy import save_file
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--ddsp", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    tf, model, dsp, train = load(args.reference, args.ddsp)
    cases = dict(decoder=decoder(tf, model, model.DDSPDecoder),
                 residual=decoder(tf, model, model.ResidualDDSPDecoder),
                 eq=equaliser(model), mel=log_mel(tf, dsp), losses=losses(tf, train))
    tensors = {f"{case}.{name}": np.ascontiguousarray(np.asarray(x), dtype=np.float32)
               for case, values in cases.items() for name, x in values.items()}
    path = args.out / "refine.safetensors"
    save_file(tensors, str(path))
    path.chmod(0o644)
    print(f"{path}: {len(tensors)} tensors, {path.stat().st_size} bytes")
    print({name: tensors[f"losses.{name}"].item() for name in ("mel", "centroid", "sisdr")},
          *(f"{name} {np.abs(tensors[name + '.out']).max():.3g}" for name in ("decoder", "residual", "eq")))


if __name__ == "__main__":
    main()
