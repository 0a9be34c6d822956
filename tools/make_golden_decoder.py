#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of the DDSP decoder: ten steps of Adam on a fixed batch, by PyTorch.

The decoder is put together here from torch.nn's modules, under the names that ddsp_pytorch gives
them. A case is training_decoder_<case>.safetensors: features `f0`, `loudness` [B,T,1] and `z`
[B,T,Z] where there is one, `target` [B,T,O] of both heads side by side, `start.<parameter>`,
`losses` [10] (the mean absolute error before each step), and `output` [B,T,O] and
`gradient.<parameter>` of the first step. All is computed in double, and again in float to know how
far float arithmetic is from it.

    make_golden_decoder.py [--out DIR]
"""
import argparse
import copy
from pathlib import Path

import torch
from torch import nn

BATCH, FRAMES, HIDDEN, HARMONICS, BANDS = 3, 40, 12, 7, 4
STEPS, LR = 10, 3e-3
CASES = {  # as ddsp_pytorch, and with the paper's activation, a latent and MIDI notes
    "leaky": dict(layers=3, z=0, activation=nn.LeakyReLU, midi=False),
    "latent": dict(layers=2, z=3, activation=nn.ReLU, midi=True),
}


class Decoder(nn.Module):
    def __init__(self, layers, z, activation, midi):
        super().__init__()

        def mlp(width):
            parts = []
            for _ in range(layers):
                parts += [nn.Linear(width, HIDDEN), nn.LayerNorm(HIDDEN), activation()]
                width = HIDDEN
            return nn.Sequential(*parts)

        widths = [1, 1] + ([z] if z else [])
        self.midi = midi
        self.in_mlps = nn.ModuleList([mlp(width) for width in widths])
        self.gru = nn.GRU(len(widths) * HIDDEN, HIDDEN, batch_first=True)
        self.out_mlp = mlp(HIDDEN + sum(widths))
        self.proj_matrices = nn.ModuleList([nn.Linear(HIDDEN, HARMONICS + 1),
                                            nn.Linear(HIDDEN, BANDS)])

    def forward(self, f0, *others):
        if self.midi:
            note = 69 + 12 * torch.log2(f0.clamp(min=1e-3) / 440)
            f0 = torch.where(f0 > 0, note, torch.zeros_like(note)) / 127
        features = [f0, *others]
        seen = torch.cat([part(x) for part, x in zip(self.in_mlps, features)], -1)
        hidden = self.out_mlp(torch.cat([self.gru(seen)[0], *features], -1))
        return torch.cat([head(hidden) for head in self.proj_matrices], -1)


def batch(z):
    """Gliding pitches, one with a silent end; loudness; a latent; and a smooth target."""
    time = torch.linspace(0, 1, FRAMES).view(1, FRAMES, 1)
    item = torch.arange(BATCH).view(BATCH, 1, 1)
    f0 = 110 * 1.7 ** item + 40 * torch.sin(3 * time + item)
    f0[-1, -5:] = 0
    features = [f0, torch.cos(5 * time - item)] + ([torch.randn(BATCH, FRAMES, z)] if z else [])
    output = torch.arange(HARMONICS + 1 + BANDS)
    return features, torch.sin(4 * time + item + 0.7 * output)


def train(model, features, target):
    """The losses before each step; the output and the gradients of the first."""
    optimiser = torch.optim.Adam(model.parameters(), lr=LR)
    losses, first = [], {}
    for _ in range(STEPS):
        estimate = model(*features)
        loss = nn.functional.l1_loss(estimate, target)
        optimiser.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if not first:
            first = {"gradient." + name: p.grad.clone() for name, p in model.named_parameters()}
            first["output"] = estimate.detach().clone()
        optimiser.step()
    return torch.tensor(losses, dtype=torch.float64), first


def write(name, spec, out):
    from safetensors.torch import save_file
    torch.manual_seed(1)
    model = Decoder(**spec)
    features, target = batch(spec["z"])
    start = {"start." + key: p.detach().clone() for key, p in model.named_parameters()}
    losses, exact = train(copy.deepcopy(model).double(), [x.double() for x in features],
                          target.double())
    rough, gradients = train(model, features, target)
    noise = max(((gradients[key] - want).abs().max() / want.abs().max()).item()
                for key, want in exact.items())
    tensors = {key: x.float().contiguous() for key, x in exact.items()}
    tensors.update(zip(("f0", "loudness", "z"), features))
    path = out / f"training_decoder_{name}.safetensors"
    save_file({**tensors, **start, "target": target, "losses": losses}, str(path))
    path.chmod(0o644)
    off = ((rough - losses).abs() / losses).max().item()
    print(f"{name}: loss {losses[0]:.4f} to {losses[-1]:.4f}, float noise {off:.1e} of losses, "
          f"{noise:.1e} of gradients, {path.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name, spec in CASES.items():
        write(name, spec, args.out)


if __name__ == "__main__":
    main()
