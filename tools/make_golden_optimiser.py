#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write tests/golden/optimiser.safetensors: what torch.optim makes of a fixed run.

    make_golden_optimiser.py [OUT]

`start` [N] are two parameters one behind the other; `gradients` [STEPS,N]; `case.NAME` [N] is what
the optimiser NAME leaves after STEPS steps, at a rate that falls by 5 % each step;
`average.DECAY` [N] is the unbiased moving average of the parameters of the case "adam". A case is
named KIND[-option...]: the options are those of OPTIONS. `lr.NAME` are rates of torch's schedules.
The metadata hold PyTorch's version and the seed. Tolerance of the test: 1e-6 relative.
"""
import json
import pathlib
import struct
import sys

import torch

SEED, SIZES, STEPS, RATE = 20231, (23, 14), 20, 1e-2
OPTIONS = {
    "decay": {"weight_decay": 0.1},
    "momentum": {"momentum": 0.9},
    "nesterov": {"momentum": 0.9, "nesterov": True},
    "betas": {"betas": (0.8, 0.95), "eps": 1e-3},
}
KINDS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}
CASES = [
    "adam", "adam-clip", "adam-decay", "adam-decay-clip", "adam-betas",
    "adamw", "adamw-clip", "adamw-decay", "adamw-decay-clip",
    "sgd", "sgd-clip", "sgd-decay", "sgd-momentum", "sgd-momentum-decay-clip",
    "sgd-nesterov", "sgd-nesterov-decay", "sgd-nesterov-decay-clip",
]
CLIP = 1.5  # some of the steps are above it, some below
DECAYS = (0.5, 0.999)


def run(name, start, gradients):
    kind, *options = name.split("-")
    arguments = {}
    for option in options:
        arguments.update(OPTIONS.get(option, {}))
    parameters = [torch.nn.Parameter(p.clone()) for p in start.split(SIZES)]
    optimiser = KINDS[kind](parameters, lr=RATE, foreach=False, **arguments)
    averages = {decay: [start.clone(), 0.0] for decay in DECAYS}
    for step, gradient in enumerate(gradients):
        for parameter, g in zip(parameters, gradient.split(SIZES)):
            parameter.grad = g.clone()
        if "clip" in options:
            torch.nn.utils.clip_grad_norm_(parameters, CLIP)
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.95 ** step
        optimiser.step()
        now = torch.cat([p.detach() for p in parameters])
        for decay, average in averages.items():
            average[1] = average[1] * decay + 1
            average[0].mul_(1 - 1 / average[1]).add_(now, alpha=1 / average[1])
    return now, {decay: average[0] for decay, average in averages.items()}


def rates(make, n, losses=None):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule, out = make(optimiser), []
    for i in range(n):
        out.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step(*([] if losses is None else [losses[i]]))
    return torch.tensor(out, dtype=torch.float32)


def schedules():
    s = torch.optim.lr_scheduler
    losses = [1, 0.9, 0.95, 0.9, 0.89999, 0.5, 0.6, 0.6, 0.6, 0.49, 0.7, 0.7, 0.7, 0.7, 0.7, 0.7,
              0.7, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    return {
        "losses": torch.tensor(losses, dtype=torch.float32),
        "lr.plateau": rates(lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=2, min_lr=0.05,
                                                          cooldown=1),
                            len(losses), torch.tensor(losses).tolist()),
        "lr.exponential": rates(lambda o: s.ExponentialLR(o, 0.98), 30),
        "lr.cosine": rates(lambda o: s.CosineAnnealingLR(o, 25, eta_min=0.1), 25),
        "lr.multi_step": rates(lambda o: s.MultiStepLR(o, [3, 10, 11], gamma=0.3), 20),
    }


def write(path, tensors):
    header = {"__metadata__": {"torch": torch.__version__, "seed": str(SEED),
                               "script": "tools/make_golden_optimiser.py"}}
    data = b""
    for name, tensor in tensors.items():
        raw = tensor.contiguous().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / "tests/golden/optimiser.safetensors"
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    start = torch.randn(sum(SIZES))
    gradients = torch.randn(STEPS, sum(SIZES)) * torch.logspace(-2, 0, STEPS)[:, None]
    tensors = {"start": start, "gradients": gradients}
    for name in CASES:
        tensors["case." + name], averages = run(name, start, gradients)
        if name == "adam":
            tensors.update({f"average.{decay}": a for decay, a in averages.items()})
    write(out, {**tensors, **schedules()})


if __name__ == "__main__":
    main()
