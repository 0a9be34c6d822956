#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of MMDenseNet and MMDenseLSTM, expressed here once more with PyTorch's
modules: as make_golden_bands.py.

    make_golden_dense.py [--out DIR]
"""
import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from make_golden import perturb_module, uniform_
from make_golden_bands import Spectral, write_case
import make_golden_bands

# (k, L, m) of each block; first convolution's frequencies and channels
DENSE = dict(edges=(512, 1025), last=(4, 2), bands=[
    (4, 32, [(14, 4, 0)] + 6 * [(16, 4, 0)]),
    (3, 32, 6 * [(10, 3, 0)] + [(16, 3, 0)]),
    (4, 32, 3 * [(6, 2, 0)] + [(6, 4, 0)] + 3 * [(6, 2, 0)])])
LSTM = dict(edges=(380, 1024, 2049), last=(12, 3), bands=[
    (3, 32, 3 * [(14, 5, 0)] + [(14, 5, 128), (14, 5, 0), (14, 5, 128), (14, 5, 0)]),
    (3, 32, 3 * [(4, 4, 0)] + [(4, 4, 32)] + 3 * [(4, 4, 0)]),
    (3, 32, [(2, 1, 0), (2, 1, 0), (0, 0, 8), (2, 1, 0), (2, 1, 0)]),
    (3, 8, [(7, 3, 0), (7, 3, 0), (7, 4, 0), (7, 5, 0), (7, 5, 128), (7, 5, 0), (7, 4, 0),
            (7, 3, 128), (7, 3, 0)])])


def last_axis(module, x):
    """A module for channels last on x [1,C,F,T]."""
    return module(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Same(nn.Conv2d):
    """As many frequencies and frames as before; of an even kernel the longer part behind."""

    def forward(self, x):
        high, wide = self.kernel_size
        return super().forward(F.pad(x, ((wide - 1) // 2, wide // 2, (high - 1) // 2, high // 2)))


class Layer(nn.Module):
    def __init__(self, channels, growth):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels)
        self.conv = Same(channels, growth, 3, bias=False)

    def forward(self, x):
        return self.conv(torch.relu(self.norm(x)))


class Recurrent(nn.Module):
    def __init__(self, channels, bins, units):
        super().__init__()
        self.conv = nn.Linear(channels, 1)
        self.rnn = nn.LSTM(bins, (units + 1) // 2, batch_first=True, bidirectional=True)
        self.fc = nn.Linear((units + 1) // 2 * 2, bins)

    def forward(self, x):
        x = last_axis(self.conv, x)[:, 0].transpose(1, 2)  # [1,T,F]
        return self.fc(self.rnn(x)[0]).transpose(1, 2)[:, None]


class Block(nn.Module):
    def __init__(self, channels, growth, layers, units=0, bins=0):
        super().__init__()
        self.layers = nn.ModuleList(Layer(channels + i * growth, growth) for i in range(layers))
        self.channels = (growth if layers else 0) + (units > 0)
        if units:
            self.lstm = Recurrent(growth if layers else channels, bins, units)

    def forward(self, x):
        features = [x]
        for layer in self.layers:
            features.append(layer(torch.cat(features, 1)))
        y = features[-1]
        if not hasattr(self, "lstm"):
            return y
        return torch.cat([y, self.lstm(y)], 1) if self.layers else self.lstm(y)


class Branch(nn.Module):
    def __init__(self, audio, bins, table, scaled):
        super().__init__()
        kernel, features, sizes = table
        self.depth = len(sizes) // 2
        unit = 2 ** self.depth
        bins = -(-bins // unit) * unit
        self.conv = Same(audio, scaled(features), (kernel, 3))
        self.blocks, self.down, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        channels, skips = scaled(features), []
        for i, (k, layers, units) in enumerate(sizes):
            level = min(i, len(sizes) - 1 - i)
            if i > self.depth:
                self.up.append(nn.ConvTranspose2d(channels, channels, 2, 2))
                channels += skips.pop()
            self.blocks.append(Block(channels, scaled(k), layers, scaled(units), bins >> level))
            channels = self.blocks[-1].channels
            if i < self.depth:
                self.down.append(nn.Linear(channels, channels))
                skips.append(channels)
        self.channels = channels

    def forward(self, x):
        unit = 2 ** self.depth
        bins, frames = x.shape[2:]
        y = self.conv(F.pad(x, (0, -frames % unit, 0, -bins % unit)))
        skips = []
        for i, block in enumerate(self.blocks):
            if i > self.depth:
                y = torch.cat([self.up[i - self.depth - 1](y), skips.pop()], 1)
            y = block(y)
            if i < self.depth:
                skips.append(y)
                y = F.avg_pool2d(last_axis(self.down[i], y), 2)
        return y[:, :, :bins, :frames]


class Stem(nn.Module):
    def __init__(self, audio, bins, table, scaled):
        super().__init__()
        total = table["edges"][-1]
        edges = [(e * bins + total // 2) // total for e in table["edges"][:-1]] + [bins]
        self.sizes = [b - a for a, b in zip([0] + edges, edges)]
        *bands, full = table["bands"]
        self.bands = nn.ModuleList(Branch(audio, n, t, scaled) for n, t in zip(self.sizes, bands))
        self.full = Branch(audio, bins, full, scaled)
        most = max(b.channels for b in self.bands)
        for band in self.bands:
            if band.channels < most:
                band.widen = nn.Linear(band.channels, most)
        k, layers = table["last"]
        self.final = Block(most + self.full.channels, scaled(k), layers)
        self.final.conv = Same(scaled(k), audio, (2, 1))

    def forward(self, x):
        parts = []
        for band, part in zip(self.bands, x.split(self.sizes, 2)):
            y = band(part)
            parts.append(last_axis(band.widen, y) if hasattr(band, "widen") else y)
        y = torch.cat([torch.cat(parts, 2), self.full(x)], 1)
        return torch.relu(self.final.conv(self.final(y)))


class Dense(Spectral):
    def __init__(self, table, audio, stems, n_fft, hop, width, **_):
        super().__init__(n_fft, hop)
        self.names = make_golden_bands.STEMS[:stems]

        def scaled(n):
            return max(1, int(width * n + 0.5)) if n else 0

        for name in self.names:
            self.add_module(name, Stem(audio, n_fft // 2 + 1, table, scaled))

    def forward(self, mix):
        z = self.spectrum(mix)
        x = z.abs()[None] / self.n_fft ** 0.5
        y = torch.cat([getattr(self, name)(x) for name in self.names]) * self.n_fft ** 0.5
        return self.signals(y * torch.polar(torch.ones_like(z.real), z.angle()), mix.shape[-1])


CASES = {
    "mmdensenet": dict(
        name="mmdensenet", samples=900, rate=8000, audio=2, kind=Dense, edges=DENSE, extra={},
        stems=["drums", "bass"], arguments=dict(n_fft=64, hop=32, width=0.25)),
    "mmdenselstm": dict(
        name="mmdenselstm", samples=900, rate=8000, audio=1, kind=Dense, edges=LSTM, extra={},
        stems=["drums", "bass"], arguments=dict(n_fft=128, hop=32, width=0.25)),
}


@torch.no_grad()
def perturb(model):
    """Values with which every parameter reaches the output."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            uniform_(module.weight, 0.5, 1.5)
            uniform_(module.running_var, 0.3, 1.5)
            module.bias.normal_(0, 0.3)
            module.running_mean.normal_(0, 0.3)
        else:
            perturb_module(module, 1.5)
    for name, p in model.named_parameters():
        if name.endswith("final.conv.bias"):
            p.fill_(0.5)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    make_golden_bands.perturb = perturb
    for name, spec in CASES.items():
        write_case(name, spec, args.out)
    for table in (DENSE, LSTM):
        bins = 1025 if table is DENSE else 2049
        stem = Stem(2, bins, table, lambda n: n)
        learnt = sum(p.numel() for p in stem.parameters())
        running = sum(b.numel() for b in stem.buffers() if b.dim())
        print(f"full size: {learnt} parameters, {running} running statistics")


if __name__ == "__main__":
    main()
