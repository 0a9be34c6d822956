#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of training: ten steps of Adam on a fixed batch, by PyTorch.

A case starts from the weights of a case of make_golden.py (<case>.th). It is
training_<case>.safetensors with `mix` [2,C,T] and `target` [2,S,C,T] (half precision, which holds
them exactly), `losses` [10] (the mean absolute error before each step) and
`gradient.<parameter>` of the first step; and training_<case>.json, which says how they were made.
Demucs v2 returns less than T samples: the loss is that of the `scored` ones, in the middle.
All is computed in double, and again in float to know how far float arithmetic is from it.

    make_golden_training.py --v2 PATH [--out DIR] [CASE...]
"""
import argparse
import copy
import json
import subprocess
import sys
import warnings
from pathlib import Path

import make_golden as golden
import torch

STEPS = 10
# HTDemucs trains on segments of the length of its batch: `samples` is that of its own segment.
CASES = {
    "conv_tasnet": dict(samples=754, lr=3e-3),
    "demucs_v2": dict(samples=300, lr=3e-3),
    "htdemucs": dict(samples=975, lr=3e-3),
}


def without_dropout(model):
    """In training mode, but the same each time."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0
        elif isinstance(module, torch.nn.MultiheadAttention):
            module.dropout = 0
    return model.train()


def batch(model, samples):
    """Two mixes [2,C,T] and the stems they are the sum of [2,S,C,T]."""
    channels, stems = model.audio_channels, len(model.sources)
    target = torch.stack([torch.cat([golden.music(channels, 8000, samples, 200 + 10 * i + s)
                                     for s in range(stems)]) for i in range(2)])
    target = target.half()
    return target.float().sum(1).half(), target


def middle(target, estimate):
    """The samples of the target that the estimate has."""
    length = estimate.shape[-1]
    start = (target.shape[-1] - length) // 2
    return target[..., start:start + length]


def train(model, mix, target, lr):
    """The losses before each step, and the gradients of the first."""
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    losses, gradients = [], {}
    for _ in range(STEPS):
        estimate = model(mix)
        loss = torch.nn.functional.l1_loss(estimate, middle(target, estimate))
        optimiser.zero_grad()
        loss.backward()
        losses.append(loss.item())
        gradients = gradients or {name: p.grad.clone() for name, p in model.named_parameters()}
        optimiser.step()
    return torch.tensor(losses, dtype=torch.float64), gradients


def noise_of(gradients, exact, floor):
    """The largest relative error of a parameter's gradient, and whose it is."""
    return max((golden.relative(gradients[name].double(), want), name)
               for name, want in exact.items() if want.abs().max() > floor)


def write(name, spec, out):
    from safetensors.torch import save_file
    model = without_dropout(golden.load(golden.CASES[name], out / f"{name}.th"))
    samples = spec["samples"]
    mix, target = batch(model, model.valid_length(samples) if name == "demucs_v2" else samples)
    scored = model(mix.float()).shape[-1]
    losses, exact = train(copy.deepcopy(model).double(), mix.double(), target.double(), spec["lr"])
    rough, gradients = train(model, mix.float(), target.float(), spec["lr"])
    floor = 1e-6 * max(g.abs().max().item() for g in exact.values())
    noise, worst = noise_of(gradients, exact, floor)
    tensors = {"gradient." + key: g.float().contiguous() for key, g in exact.items()}
    path = out / f"training_{name}.safetensors"
    save_file({"mix": mix, "target": target, "losses": losses, **tensors}, str(path))
    path.chmod(0o644)
    off = ((rough - losses).abs() / losses).max().item()
    info = {"case": name, **golden.reference(), "optimiser": "adam", "lr": spec["lr"],
            "loss": "l1", "scored": scored, "float_noise_losses": float(f"{off:.2g}"),
            "float_noise_gradients": float(f"{noise:.2g}")}
    (out / f"training_{name}.json").write_text(json.dumps(info, indent=1) + "\n")
    print(f"{name}: loss {losses[0]:.4f} to {losses[-1]:.4f}, float noise {off:.1e} of losses, "
          f"{noise:.1e} of gradients ({worst}), {path.stat().st_size} bytes")


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--v2", type=Path, required=True, help="branch v2 of the reference")
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    parser.add_argument("cases", nargs="*", metavar="CASE", default=list(CASES))
    args = parser.parse_args()
    if [name for name in args.cases if name not in CASES]:
        parser.error("the cases are: " + " ".join(CASES))
    args.cases = args.cases or list(CASES)
    return args


def main():
    """Both references are a package named `demucs`: each case runs in a process of its own."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = False  # pytorch/pytorch#112006
    args = parse()
    if len(args.cases) > 1:
        for name in args.cases:
            subprocess.run([sys.executable, __file__, "--v2", str(args.v2), "--out",
                            str(args.out), name], check=True)
        return
    if golden.is_v2(args.cases[0]):
        sys.path.insert(0, str(args.v2))
    write(args.cases[0], CASES[args.cases[0]], args.out)


if __name__ == "__main__":
    main()
