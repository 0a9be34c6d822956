#!/usr/bin/env python3
"""Write the small checkpoints in tests/golden/checkpoint with PyTorch, demucs and safetensors.

    python tools/make_checkpoint_fixtures.py [--reference FOLDER_WITH_demucs]

Made with PyTorch 1.13.1, demucs 4.1.0, OmegaConf 2.4.0, safetensors 0.8.0, diffq 0.2.4. Every
element is the formula below, which tests/test_checkpoint.c repeats: nothing is random, and all
values are exact in half precision; but diffq-*, which are random weights of a fixed seed beside the
values that diffq restores. The files are < 160 kB in all.
"""
import argparse
import fractions
import io
import pathlib
import sys
import zipfile
import zlib

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parent.parent / "tests/golden/checkpoint"


def ramp(*shape, dtype=torch.float32, start=0):
    """Element i is (start + i) / 4 - 8."""
    n = int(np.prod(shape))
    return ((torch.arange(n, dtype=torch.float64) + start) / 4 - 8).reshape(shape).to(dtype)


def whole(*shape, dtype):
    """Element i is i."""
    return torch.arange(int(np.prod(shape))).reshape(shape).to(dtype)


def state():
    """Every dtype, and tensors that are views of others."""
    base = ramp(6, 4)
    return torch.nn.Module().state_dict() | {
        "encoder.0.weight": ramp(2, 3, 4),
        "encoder.0.half": ramp(5, 3, dtype=torch.float16),
        "encoder.0.brain": ramp(7, dtype=torch.bfloat16),
        "encoder.0.double": ramp(3, 2, dtype=torch.float64),
        "count": torch.tensor(42),
        "int32": whole(4, dtype=torch.int32),
        "int16": whole(4, dtype=torch.int16),
        "int8": whole(4, dtype=torch.int8),
        "uint8": whole(4, dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "base": base,
        "transposed": base.t(),
        "sliced": base[1:5:2, 1:],
        "expanded": ramp(3, 1).expand(3, 4),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(ramp(3)),
    }


def settings():
    return {
        "text": "grün", "none": None, "yes": True, "number": -3, "large": 2**40, "huge": 2**70,
        "real": 0.1, "infinite": float("inf"), "tuple": (1, (2, 3)), "list": [1, "a"], "set": {5},
        "fraction": fractions.Fraction(39, 5), "path": pathlib.PurePosixPath("/a/b"),
        "numpy_real": np.float64(0.1), "numpy_single": np.float32(0.5), "numpy_int": np.int64(-7),
        "bytes": b"\x00\xff", "dtype": torch.float32, "module": torch.nn.Linear(1, 1), 3: "three",
    }


def save(name, content, **options):
    torch.save(content, OUT / name, **options)


def plain_files():
    weights = state()
    save("zip.pt", weights)
    save("legacy.pt", weights, _use_new_zipfile_serialization=False)
    for protocol in (1, 3, 4, 5):
        save(f"zip-protocol{protocol}.pt", {"w": ramp(2, 3)}, pickle_protocol=protocol)
    save("legacy-protocol4.pt", {"w": ramp(2, 3)}, pickle_protocol=4,
         _use_new_zipfile_serialization=False)
    save("nested.pt", {"state_dict": {"a": {"b": {"c": ramp(2)}}, "d": ramp(3)},
                       "model_name": "ConvTasNet", "model_args": {"n_src": 2}})
    save("mixed.pt", {"a": ramp(2), "b": {"c": ramp(3)}, "version": 3})
    save("settings.pt", {"model": {"w": ramp(2)}, "settings": settings()})
    save("module.pt", torch.nn.Linear(2, 2).state_dict())
    save("quantized.pt", {"klass": torch.nn.Linear, "args": (), "kwargs": {},
                          "state": {"__quantized": True, "quantized": [], "float16": [],
                                    "others": []}})
    with zipfile.ZipFile(OUT / "zip.pt") as source, \
            zipfile.ZipFile(OUT / "deflated.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for entry in source.namelist():
            packed.writestr(zipfile.ZipInfo(entry), source.read(entry), zipfile.ZIP_DEFLATED)


def demucs_file():
    """A package as demucs itself saves it: half precision, written by its save_with_checksum."""
    from demucs.htdemucs import HTDemucs
    from demucs.states import save_with_checksum, serialize_model
    from omegaconf import OmegaConf
    model = HTDemucs(["drums", "bass"], channels=2, growth=1, depth=1, nfft=64, t_layers=0,
                     bottom_channels=0, dconv_mode=0, segment=fractions.Fraction(39, 5))
    with torch.no_grad():
        for p in model.state_dict().values():
            p.copy_(ramp(*p.shape))
    arguments = OmegaConf.create({"batch_size": 4, "optim": {"lr": 3e-4}, "dset": {"musdb": None}})
    package = serialize_model(model, arguments)
    for old in OUT.glob("demucs-*.th"):
        old.unlink()
    save_with_checksum(package, OUT / "demucs.th")
    save("omegaconf.pt", {"state": {"w": ramp(2)}, "args": arguments})


def safetensors_file():
    from safetensors.torch import save_file
    weights = {k: v.detach().clone().contiguous() for k, v in state().items()}
    save_file(weights, OUT / "plain.safetensors", metadata={"format": "pt", "note": "made"})


def diffq_model(seed):
    from demucs.hdemucs import HDemucs
    torch.manual_seed(seed)
    return HDemucs(["drums", "bass"], channels=2, nfft=64, depth=2, norm_starts=1, norm_groups=2,
                   dconv_mode=1, dconv_depth=1, dconv_comp=1, dconv_attn=3, dconv_lstm=3,
                   multi_freqs=[], segment=1)


def small_model(seed):
    torch.manual_seed(seed)
    return torch.nn.Sequential(torch.nn.Linear(24, 8), torch.nn.Linear(8, 2))


def compressed(state):
    """What Demucs v2 made of a state; its DiffQ wrote no "meta" and a column of bits."""
    buffer = io.BytesIO()
    quantized = [(codes, scale, bits[:, None]) for codes, scale, bits in state["quantized"]]
    torch.save({"quantized": quantized, "float16": [], "others": state["others"]}, buffer)
    return zlib.compress(buffer.getvalue())


def store_quantized(name, make, quantizer_of, **how):
    """What DiffQ writes, and the values that it gives back; the name of a model is its class."""
    from demucs.states import get_state
    from diffq import restore_quantized_state
    from safetensors.torch import save_file
    model = make(1)
    quantizer = quantizer_of(model)
    for key, p in model.named_parameters():
        if key.endswith("_diffq"):
            p.copy_(torch.randint(-1, 1, p.shape) / 2 if name != "diffq-least" else -20.0)
    state = quantizer.get_quantized_state(**how) if how else get_state(model, quantizer)
    if name == "diffq-v2":
        save(name + ".pt", {"compressed": compressed(state)})
    else:
        save(name + ".pt", {"klass": type(model), "args": (), "kwargs": {}, "state": state})
    restored = make(2)
    restore_quantized_state(restored, state)
    save_file({k: v.contiguous() for k, v in restored.state_dict().items()},
              OUT / (name + ".safetensors"))
    (OUT / (name + ".safetensors")).chmod(0o644)


def quantized_files():
    """Parameters above 100 elements are quantised; `packed` is how Demucs stores them."""
    from diffq import DiffQuantizer, UniformQuantizer
    limit = 400 / 2**20

    def groups(model):
        return DiffQuantizer(model, group_size=8, min_size=limit)

    def uniform(model):
        return UniformQuantizer(model, bits=5, min_size=limit, float16=True)

    store_quantized("diffq-packed", diffq_model, groups)
    store_quantized("diffq-plain", small_model, groups, packed=False)
    store_quantized("diffq-v2", small_model, groups, packed=False)
    store_quantized("diffq-least", small_model, groups)
    store_quantized("diffq-torch", small_model, groups, packed=True, torch_pack=True)
    store_quantized("diffq-uniform", small_model, uniform, packed=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reference", help="folder that holds the package demucs")
    options = parser.parse_args()
    if options.reference:
        sys.path.insert(0, options.reference)
    OUT.mkdir(parents=True, exist_ok=True)
    plain_files()
    demucs_file()
    safetensors_file()
    with torch.no_grad():
        quantized_files()
    total = sum(p.stat().st_size for p in OUT.iterdir())
    print(f"{total} bytes in {OUT}")
    return total >= 160_000


if __name__ == "__main__":
    sys.exit(main())
