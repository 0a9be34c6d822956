#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values by running the reference implementations with small random weights.

A case is <name>.th, written by the reference's own saving code; <name>.safetensors with
`input` [1,C,T] and `output` [1,S,C,T'] (computed from the weights as read back from <name>.th);
and <name>.json, which says how they were made. A case of `apply` has no checkpoint of its own.
docs/numerics.md explains the environment, the cases and the tolerances.

    make_golden.py --v2 PATH [--out DIR] [--full] [--verify] [CASE...]
"""
import argparse
import copy
import functools
import inspect
import json
import random
import subprocess
import sys
import warnings
from fractions import Fraction
from pathlib import Path

import torch
from torch import nn

TOLERANCE = 1e-5
TOLERANCE_FULL = 1e-4  # float arithmetic itself is off by up to 2e-5 in the deep ones
STEMS4 = ["drums", "bass", "other", "vocals"]
STEMS2 = ["accompaniment", "vocals"]
STEMS6 = STEMS4 + ["guitar", "piano"]
MODEL_CLASSES = {
    "demucs_v2": "demucs.model.Demucs",
    "conv_tasnet": "demucs.tasnet.ConvTasNet",
    "conv_tasnet_asteroid": "asteroid.models.ConvTasNet",
    "demucs_v3": "demucs.demucs.Demucs",
    "hdemucs": "demucs.hdemucs.HDemucs",
    "htdemucs": "demucs.htdemucs.HTDemucs",
}
GAIN = {"demucs_v2": 2.0, "conv_tasnet": 1.3, "conv_tasnet_asteroid": 1.3, "demucs_v3": 1.5,
        "hdemucs": 1.5, "htdemucs": 1.3}
V2_MODELS = ("demucs_v2", "conv_tasnet")


def case(model, samples, container="package", quantize=False, seed=1, gain=None, **config):
    """One model, its input, and what to save: a package, a legacy one (no zip), a state_dict."""
    return dict(model=model, samples=samples, container=container, quantize=quantize, seed=seed,
                gain=gain or GAIN[model], config=config)


# Tiny configurations. Each exercises what some released checkpoint uses (docs/numerics.md).
CASES = {
    "demucs_v2": case("demucs_v2", 1000, sources=STEMS4, channels=4, depth=3),
    "demucs_v2_legacy": case("demucs_v2", 900, "legacy", sources=STEMS2, channels=4, depth=2,
                             resample=False, normalize=True),
    "demucs_v3": case("demucs_v3", 1711, sources=STEMS2, channels=8, depth=3, rewrite=False,
                      norm_starts=1, dconv_attn=1, dconv_lstm=1, normalize=True, samplerate=8000,
                      segment=0.125),
    "demucs_v3_lstm": case("demucs_v3", 700, sources=STEMS2, channels=8, depth=2, dconv_mode=3,
                           norm_starts=1, dconv_attn=1, dconv_lstm=1, dconv_depth=1,
                           lstm_layers=2, normalize=False, samplerate=8000, segment=0.125),
    "demucs_v3_plain": case("demucs_v3", 500, sources=STEMS2, channels=4, depth=2, dconv_mode=0,
                            gelu=False, lstm_layers=2, resample=False),
    "demucs_v3_diffq": case("demucs_v3", 500, quantize=True, sources=STEMS2, channels=8, depth=2,
                            rewrite=False, samplerate=8000, segment=0.125),
    "hdemucs": case("hdemucs", 1350, sources=STEMS2, channels=4, nfft=256, depth=4, norm_starts=2,
                    dconv_attn=2, dconv_lstm=2, dconv_depth=1, dconv_comp=2, dconv_init=1e-3,
                    multi_freqs=[], multi_freqs_depth=3, samplerate=8000, segment=0.1),
    "hdemucs_wiener": case("hdemucs", 1200, sources=STEMS2, channels=4, nfft=256, depth=3,
                           norm_starts=999, dconv_attn=2, dconv_lstm=2, dconv_comp=2, cac=False,
                           hybrid_old=True, multi_freqs=[], multi_freqs_depth=3, samplerate=8000,
                           segment=0.1),
    "hdemucs_multi": case("hdemucs", 1536, sources=STEMS2, channels=8, growth=1, nfft=1024,
                          depth=4, norm_starts=999, dconv_attn=4, dconv_lstm=4, dconv_depth=1,
                          multi_freqs=[0.1, 0.3], multi_freqs_depth=2, samplerate=8000,
                          segment=0.1),
    "htdemucs": case("htdemucs", 900, sources=STEMS4, channels=4, nfft=256, depth=2, dconv_mode=3,
                     dconv_comp=2, bottom_channels=12, t_layers=3, t_heads=2, t_dropout=0.02,
                     multi_freqs=[], t_sparse_attn_window=400, samplerate=8000,
                     segment=Fraction(39, 320)),
    "htdemucs_6s": case("htdemucs", 800, sources=STEMS6, channels=4, nfft=512, depth=3,
                        dconv_depth=1, dconv_comp=2, bottom_channels=0, t_layers=2, t_heads=4,
                        t_dropout=0.02, multi_freqs=[], t_sparse_attn_window=400, samplerate=8000,
                        segment=Fraction(1, 10)),
    "conv_tasnet": case("conv_tasnet", 754, "state_dict", sources=STEMS4, N=16, L=20, B=8, H=16,
                        X=3, R=2, audio_channels=2),
    "conv_tasnet_mono": case("conv_tasnet", 1000, sources=["s1", "s2"], N=32, L=16, B=8, H=24,
                             X=3, R=2, audio_channels=1, mask_nonlinear="softmax",
                             samplerate=8000),
    "conv_tasnet_causal": case("conv_tasnet", 1000, sources=["s1", "s2"], N=24, L=16, B=8, H=16,
                               X=3, R=2, audio_channels=1, norm_type="cLN", causal=True,
                               samplerate=8000),
    "conv_tasnet_skip": case("conv_tasnet_asteroid", 1003, n_src=2, n_filters=32, bn_chan=8,
                             hid_chan=24, skip_chan=12, n_blocks=2, n_repeats=2),
    "conv_tasnet_skip_causal": case("conv_tasnet_asteroid", 900, n_src=3, n_filters=24,
                                    kernel_size=20, stride=7, bn_chan=8, hid_chan=16, skip_chan=8,
                                    n_blocks=3, n_repeats=1, norm_type="cLN", causal=True,
                                    mask_act="softmax", encoder_activation="relu",
                                    sample_rate=16000),
    "conv_tasnet_skip_cumulative": case("conv_tasnet_asteroid", 900, n_src=2, n_filters=24,
                                        bn_chan=8, hid_chan=16, skip_chan=None, n_blocks=2,
                                        n_repeats=1, norm_type="cgLN", causal=True,
                                        mask_act="relu"),
}

# Whole tracks through `separate`: normalise, segments with overlap, shifts, bags.
APPLY = {
    "apply_htdemucs": dict(models=["htdemucs"], samples=1801, shifts=0, offsets=[]),
    "apply_htdemucs_shifts": dict(models=["htdemucs"], samples=1000, shifts=2,
                                  offsets=[1234, 3999]),
    "apply_hdemucs": dict(models=["hdemucs"], samples=1700, shifts=2, offsets=[0, 777]),
    "apply_demucs_v3": dict(models=["demucs_v3"], samples=2001, shifts=0, offsets=[]),
    "apply_bag": dict(models=["hdemucs", "demucs_v3"], weights=[[1.0, 0.25], [0.5, 1.0]],
                      segment=0.11, samples=1700, shifts=1, offsets=[4000, 81]),
}

# The released configurations, for tests by hand (hundreds of megabytes): --full.
HDEMUCS_RELEASE = dict(sources=STEMS4, dconv_init=1e-3, multi_freqs=[], multi_freqs_depth=3,
                       segment=44)
HTDEMUCS_RELEASE = dict(dconv_mode=3, t_dropout=0.02, multi_freqs=[], t_sparse_attn_window=400,
                        segment=Fraction(39, 5))
FULL = {
    "full_htdemucs": case("htdemucs", 343980, sources=STEMS4, bottom_channels=512,
                          **HTDEMUCS_RELEASE),
    "full_htdemucs_6s": case("htdemucs", 343980, sources=STEMS6, bottom_channels=0,
                             **HTDEMUCS_RELEASE),
    "full_hdemucs_mmi": case("hdemucs", 441000, **HDEMUCS_RELEASE),
    "full_hdemucs_c511e2ab": case("hdemucs", 441000, cac=False, hybrid_old=True, norm_starts=999,
                                  **HDEMUCS_RELEASE),
    "full_hdemucs_7d865c68": case("hdemucs", 441000, norm_starts=999,
                                  **{**HDEMUCS_RELEASE, "multi_freqs": [0.1, 0.3],
                                     "multi_freqs_depth": 2}),
    "full_demucs_0d19c1c6": case("demucs_v3", 441000, sources=STEMS4, rewrite=False,
                                 normalize=True, segment=44),
    "full_demucs_v2": case("demucs_v2", 441000, gain=1.2, sources=STEMS4),
    "full_conv_tasnet": case("conv_tasnet", 352800, "state_dict", sources=STEMS4, X=10),
    "full_conv_tasnet_skip": case("conv_tasnet_asteroid", 32000, n_src=2),
    "full_conv_tasnet_paper": case("conv_tasnet", 32000, sources=["s1", "s2"], N=512, L=16, B=128,
                                   H=512, P=3, X=8, R=3, audio_channels=1, samplerate=8000),
}


def model_class(spec):
    module, name = MODEL_CLASSES[spec["model"]].rsplit(".", 1)
    return getattr(__import__(module, fromlist=[name]), name)


def full_config(spec):
    """Every argument of the constructor by name, as released checkpoints hold them."""
    parameters = inspect.signature(model_class(spec)).parameters
    config = {name: p.default for name, p in parameters.items() if p.default is not p.empty}
    first = {name: spec["config"][name] for name in ("sources", "n_src") if name in spec["config"]}
    return {**first, **config, **spec["config"]}


def uniform_(tensor, low, high):
    tensor.copy_(torch.rand(tensor.shape) * (high - low) + low)


def fan_in(module):
    weight = module.weight
    taps = weight[0, 0].numel()
    if isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d)):
        return weight.shape[0] * taps / max(module.stride)
    return weight.shape[1] * taps


def perturb_attention(module):
    module.in_proj_weight.normal_(0, 1.5 / module.embed_dim ** 0.5)
    module.in_proj_bias.normal_(0, 0.2)


def perturb_lstm(module):
    for name, parameter in module.named_parameters():
        width = parameter.shape[1] if parameter.dim() > 1 else 100
        parameter.normal_(0, 1 / width ** 0.5)


def perturb_module(module, gain):
    """Random values of a size that lets every branch reach the output (default
    initialisation hides some: layer scales start at 1e-4, attention windows fully open)."""
    kind = type(module).__name__
    if kind == "LayerScale":
        uniform_(module.scale, 0.3, 1)
    elif kind == "FreeFB":
        module._filters.normal_(0, gain / module.kernel_size ** 0.5)
    elif kind in ("GlobalLayerNorm", "ChannelwiseLayerNorm", "GlobLN", "ChanLN", "CumLN"):
        uniform_(module.gamma, 0.5, 1.5)
        module.beta.normal_(0, 0.1)
    elif isinstance(module, (nn.GroupNorm, nn.LayerNorm)):
        uniform_(module.weight, 0.5, 1.5)
        module.bias.normal_(0, 0.2)
    elif isinstance(module, nn.PReLU):
        uniform_(module.weight, 0.1, 0.4)
    elif isinstance(module, nn.Embedding):
        module.weight.normal_(0, 0.3)
    elif isinstance(module, nn.LSTM):
        perturb_lstm(module)
    elif isinstance(module, nn.MultiheadAttention):
        perturb_attention(module)
    elif isinstance(getattr(module, "weight", None), nn.Parameter):
        module.weight.normal_(0, gain / fan_in(module) ** 0.5)
        if getattr(module, "bias", None) is not None:
            module.bias.normal_(0, 0.2)


@torch.no_grad()
def build(spec):
    """The model with perturbed weights, in evaluation mode."""
    torch.manual_seed(spec["seed"])
    model = model_class(spec)(**full_config(spec))
    modules = list(model.modules())
    for module in modules:
        perturb_module(module, spec["gain"])
    for module in modules:  # last: it replaces what its parts got as plain layers
        if hasattr(module, "query_decay"):
            module.query_decay.bias.normal_(-1, 0.5)
    return model.eval()


def music(channels, rate, samples, seed):
    """A few decaying notes and noise, different in each channel, with an offset and a silence:
    [1,channels,samples]."""
    g = torch.Generator().manual_seed(seed)
    time = torch.arange(samples, dtype=torch.float64) / rate
    out = 0.05 * torch.randn(channels, samples, generator=g, dtype=torch.float64) + 0.01
    for note in torch.rand(6, 4, generator=g, dtype=torch.float64):
        tone = torch.sin(2 * torch.pi * (60 + 1500 * note[0] ** 2) * time)
        decay = torch.exp(-3 * (time / time[-1] - note[1]).clamp(min=0))
        start = (time / time[-1] > note[1]).double()
        pan = torch.stack([note[2], 1 - note[2]])[:channels, None]
        out += 0.4 * pan * tone * decay * start
    out[:, int(samples * 0.45):int(samples * 0.5)] = 0
    return out.float()[None]


def audio_of(model):
    """Channels and sample rate."""
    if hasattr(model, "in_channels"):  # Asteroid
        return model.in_channels, model.sample_rate
    return model.audio_channels, model.samplerate


def quantizer_of(model):
    """DiffQ with a random number of bits for each group of 8 weights."""
    from diffq import DiffQuantizer
    quantizer = DiffQuantizer(model, min_size=2e-3, group_size=8)
    for name, parameter in model.named_parameters():
        if name.endswith("_diffq"):
            parameter.normal_(0, 0.5)
    return quantizer


def save_v4(model, spec, path):
    """As tools/export.py of the reference: a package with half-precision weights."""
    from demucs import states
    from omegaconf import OmegaConf
    args = OmegaConf.create({"model": spec["model"], "seed": spec["seed"], "dset": {
        "segment": 11, "sources": spec["config"]["sources"], "wav": None},
        "optim": {"lr": 3e-4, "loss": "l1"}, "ema": {"batch": [0.9995, 0.9999]},
        "quant": {"diffq": 1e-4 if spec["quantize"] else None}})
    quantizer = quantizer_of(model) if spec["quantize"] else None
    package = states.serialize_model(model, args, quantizer, half=True)
    package["metrics"] = ({"loss": 0.25, "nsdr": 5.5, "best": 0.2}, None)
    torch.save(package, path)


def save_v2(model, spec, path):
    """As the reference's save_model, which keeps its command line in the package too."""
    from demucs import parser, utils
    if spec["container"] == "state_dict":
        torch.save(utils.get_state(model, None), path)
        return
    args = parser.get_parser().parse_args([])
    args.half = spec["container"] != "legacy"
    save = torch.save
    if spec["container"] == "legacy":
        # This container holds the source of each class as text; ours holds one line instead.
        torch.serialization.get_source_lines_and_file = lambda obj: (["class\n"], 1, "model.py")
        utils.th.save = functools.partial(save, _use_new_zipfile_serialization=False)
    utils.save_model(model, None, args, path)
    utils.th.save = save


def save_asteroid(model, spec, path):
    torch.save(model.serialize(), path)


def saver(spec):
    if spec["model"] == "conv_tasnet_asteroid":
        return save_asteroid
    return save_v2 if spec["model"] in V2_MODELS else save_v4


def load(spec, path):
    """Read a checkpoint with the reference's own code."""
    if spec["container"] == "state_dict":
        model = model_class(spec)(**full_config(spec))
        model.load_state_dict(torch.load(path))
    elif spec["model"] == "conv_tasnet_asteroid":
        model = model_class(spec).from_pretrained(torch.load(path))
    elif spec["model"] in V2_MODELS:
        from demucs.utils import load_model
        model = load_model(path)
    else:
        from demucs.states import load_model
        model = load_model(path, strict=True)
    return model.float().eval()


def relative(a, b):
    """Largest difference over the largest magnitude."""
    return ((a - b).abs().max() / b.abs().max()).item()


@torch.no_grad()
def float_noise(model, mix, output):
    """How far float arithmetic is from the same in double."""
    exact = copy.deepcopy(model).double()(mix.double())
    return relative(output.double(), exact)


@torch.no_grad()
def verify(name, model, mix, output):
    """Every parameter must matter. The key bias cannot (softmax ignores a common offset), nor can
    the last residual path where the skip paths make the output."""
    masker = getattr(model, "masker", None)
    unused = f"TCN.{len(masker.TCN) - 1}.res_conv." if masker and masker.skip_chan else ".key.bias"
    for key, parameter in model.named_parameters():
        kept = parameter.clone()
        parameter.zero_()
        change = ((model(mix) - output).norm() / output.norm()).item()
        parameter.copy_(kept)
        if not change > 3e-4 and unused not in key:
            print(f"{name}: {key} changes the output by {change:.1e} only")


def describe(value):
    return str(value) if isinstance(value, Fraction) else value


def reference(package="demucs"):
    version = __import__(package).__version__
    return {"reference": f"{package} {version}", "torch": torch.__version__}


def write_files(out, name, info, mix, output):
    from safetensors.torch import save_file
    path = out / f"{name}.safetensors"
    save_file({"input": mix.contiguous(), "output": output.contiguous()}, str(path))
    path.chmod(0o644)
    text = json.dumps(info, indent=1, default=describe)
    (out / f"{name}.json").write_text(text + "\n")


@torch.no_grad()
def write_model(name, spec, out, check):
    checkpoint = out / f"{name}.th"
    saver(spec)(build(spec), spec, checkpoint)
    model = load(spec, checkpoint)
    length = spec["samples"]
    samples = model.valid_length(length) if spec["model"] == "demucs_v2" else length
    mix = music(*audio_of(model), samples, spec["seed"] + 100)
    output = model(mix)
    spread = output.std().item()
    if not (torch.isfinite(output).all() and 0.1 < spread < 10):
        raise SystemExit(f"{name}: output has deviation {spread}")
    noise = float_noise(model, mix, output)
    if check:
        verify(name, model, mix, output)
    package = MODEL_CLASSES[spec["model"]].split(".")[0]
    info = {"case": name, "model": spec["model"], "class": MODEL_CLASSES[spec["model"]],
            "container": spec["container"], **reference(package), "seed": spec["seed"],
            "parameters": sum(p.numel() for p in model.parameters()), "length": length,
            "float_noise": float(f"{noise:.2g}"),
            "tolerance": TOLERANCE_FULL if name in FULL else TOLERANCE, "config": full_config(spec)}
    write_files(out, name, info, mix, output)
    print(f"{name}: output {list(output.shape)} deviation {spread:.2f} float noise {noise:.1e} "
          f"parameters {info['parameters']} checkpoint {checkpoint.stat().st_size}")


class FixedOffsets:
    """Stands in for the module `random`: randint gives the listed offsets."""

    def __init__(self, offsets):
        self.offsets = list(offsets)

    def randint(self, low, high):
        offset = self.offsets.pop(0)
        assert low <= offset <= high
        return offset


def separate(model, wav, spec):
    """What the reference's `separate` does between reading and writing a file."""
    from demucs import apply
    apply.random = FixedOffsets(spec["offsets"])
    mono = wav.mean(0)
    mean, deviation = mono.mean(), mono.std() + 1e-8
    output = apply.apply_model(model, ((wav - mean) / deviation)[None], shifts=spec["shifts"],
                               split=True, overlap=0.25)
    assert not apply.random.offsets
    apply.random = random
    return output * deviation + mean


@torch.no_grad()
def write_apply(name, spec, out):
    from demucs.apply import BagOfModels
    models = [load(CASES[part], out / f"{part}.th") for part in spec["models"]]
    weights, segment = spec.get("weights"), spec.get("segment")
    mix = music(2, models[0].samplerate, spec["samples"], 7)
    bag = BagOfModels(models, weights, segment)
    output = separate(bag, mix[0], spec)
    noise = relative(output.double(), separate(bag.double(), mix[0].double(), spec))
    info = {"case": name, **reference(), "models": spec["models"], "weights": weights,
            "segment": segment, "shifts": spec["shifts"], "offsets": spec["offsets"],
            "overlap": 0.25, "samplerate": bag.samplerate, "sources": bag.sources,
            "float_noise": float(f"{noise:.2g}"), "tolerance": TOLERANCE}
    write_files(out, name, info, mix, output)
    if weights:
        lines = [f"models: {spec['models']}", f"weights: {weights}", f"segment: {segment}"]
        (out / f"{name}.yaml").write_text("\n".join(lines) + "\n")
    print(f"{name}: output {list(output.shape)} deviation {output.std():.2f} "
          f"float noise {noise:.1e}")


def is_v2(name):
    return name not in APPLY and {**CASES, **FULL}[name]["model"] in V2_MODELS


def run(args, names):
    if is_v2(names[0]):
        sys.path.insert(0, str(args.v2))
    for name in names:
        if name in APPLY:
            write_apply(name, APPLY[name], args.out)
        else:
            write_model(name, {**CASES, **FULL}[name], args.out, args.verify)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--v2", type=Path, help="folder of branch v2 of the reference")
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    parser.add_argument("--full", action="store_true", help="the released configurations")
    parser.add_argument("--verify", action="store_true", help="check that every weight matters")
    parser.add_argument("cases", nargs="*", metavar="CASE")
    args = parser.parse_args()
    known = {**CASES, **APPLY, **FULL}
    if [name for name in args.cases if name not in known]:
        parser.error("the cases are: " + " ".join(known))
    args.cases = args.cases or list(FULL if args.full else {**CASES, **APPLY})
    return args


def main():
    """Both references are a package named `demucs`: each runs in a process of its own."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    args = parse()
    args.out.mkdir(parents=True, exist_ok=True)
    old = [name for name in args.cases if is_v2(name)]
    new = [name for name in args.cases if not is_v2(name)]
    if old and not args.v2:
        raise SystemExit("--v2 is needed for " + " ".join(old))
    if old and new:
        options = ["--v2", str(args.v2), "--out", str(args.out)] + ["--verify"] * args.verify
        subprocess.run([sys.executable, __file__, *options, *old], check=True)
        run(args, new)
    else:
        run(args, old or new)


if __name__ == "__main__":
    main()
