#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Write golden values of the band-split networks, expressed here once more with PyTorch's modules.

As make_golden.py: <name>.th, a state dict; <name>.json; and <name>.safetensors. Shared with
make_golden_dense.py: `centred_stft`, `write_case`.

    make_golden_bands.py [--out DIR]
"""
import argparse
import copy
from pathlib import Path

import torch
from torch import nn

from make_golden import music, perturb_module, relative, uniform_, write_files

STEMS = ["drums", "bass", "vocals"]


class Spectral(nn.Module):
    """Signals [1,A,n] to spectra [A,F,T] and back; stems from masks [S,A,F,T]."""

    def __init__(self, n_fft, hop):
        super().__init__()
        self.n_fft, self.hop = n_fft, hop

    def spectrum(self, mix):
        return torch.stft(mix[0], self.n_fft, self.hop, window=self.window(mix),
                          return_complex=True)

    def signals(self, z, length):
        stems, audio = z.shape[:2]
        x = torch.istft(z.flatten(0, 1), self.n_fft, self.hop, window=self.window(z.real),
                        length=length)
        return x.reshape(1, stems, audio, length)

    def window(self, like):
        return torch.hann_window(self.n_fft, dtype=like.dtype)


class Recurrent(nn.Module):
    """x + fc(gru(norm(x))), x [batch,steps,N]"""

    def __init__(self, features, units, both):
        super().__init__()
        self.norm = nn.LayerNorm(features)
        self.gru = nn.GRU(features, units, batch_first=True, bidirectional=both)
        self.fc = nn.Linear(units * (1 + both), features)

    def forward(self, x):
        return x + self.fc(self.gru(self.norm(x))[0])


class Compact(Spectral):
    """ravel_s"""

    def __init__(self, edges, audio, stems, n_fft, hop, features, blocks, time_units, band_units,
                 hidden, rank, bidirectional, mask, mid_side=False):
        super().__init__(n_fft, hop)
        self.edges, self.stems, self.audio, self.mask = edges, stems, audio, mask
        self.mid_side = mid_side
        widths = [b - a for a, b in zip(edges, edges[1:])]
        each = audio * (2 if mask == "complex" else 1)
        self.split = nn.ModuleList(
            nn.ModuleDict({"fc": nn.Linear((3 + mid_side) * audio * w, features)}) for w in widths)
        self.blocks = nn.ModuleList(nn.ModuleDict({
            "time": Recurrent(features, time_units, bidirectional),
            "bands": Recurrent(features, band_units, True)}) for _ in range(blocks))
        self.masks = nn.ModuleList(nn.ModuleDict({
            "norm": nn.LayerNorm(features), "fc1": nn.Linear(features, hidden),
            "fc2": nn.Linear(hidden, stems * rank),
            "basis": nn.Linear(rank, w * each, bias=False)}) for w in widths)

    @staticmethod
    def size(z):
        return (z.abs() ** 2 + 1e-6).sqrt()

    @staticmethod
    def turn(x, axis):
        """left and right to mid and side, or back"""
        a, b = x.unbind(axis)
        return torch.stack([a + b, a - b], axis) / 2 ** 0.5

    def split_bands(self, z):
        z = z.permute(2, 1, 0) / self.n_fft ** 0.5
        size = self.size(z)
        parts = [torch.view_as_real(z * size ** -0.75), size[..., None] ** 0.25]
        if self.mid_side:
            parts.append(self.size(self.turn(z, -1))[..., None] ** 0.25)
        x = torch.cat(parts, -1).permute(0, 3, 1, 2)  # [T,3 or 4,F,A]
        return torch.stack([m["fc"](x[:, :, a:b].flatten(1))
                            for m, a, b in zip(self.split, self.edges, self.edges[1:])])

    def make_masks(self, h):
        parts = 2 if self.mask == "complex" else 1
        all_bands = []
        for m, x in zip(self.masks, h):
            c = m["fc2"](nn.functional.gelu(m["fc1"](m["norm"](x)))).unflatten(1, (self.stems, -1))
            y = m["basis"](c - c.mean(1, keepdim=True))
            all_bands.append(y.unflatten(2, (parts, -1, self.audio)))
        m = torch.cat(all_bands, 3).permute(1, 4, 3, 0, 2)  # [S,A,F,T,parts]
        if self.mask == "real":
            return m[..., 0].softmax(0)
        m = torch.view_as_complex(m.contiguous())
        return m + (1 - m.sum(0)) / self.stems

    def forward(self, mix):
        z = self.spectrum(self.turn(mix, 1) if self.mid_side else mix)
        h = self.split_bands(z)
        for block in self.blocks:
            h = block["time"](h)
            h = block["bands"](h.transpose(0, 1)).transpose(0, 1)
        y = self.signals(self.make_masks(h) * z, mix.shape[-1])
        return self.turn(y, 2) if self.mid_side else y


class BandLstm(nn.Module):
    """x + fc(rnn(groupnorm(x))), x [batch,steps,N]"""

    def __init__(self, features, units, both):
        super().__init__()
        self.groupnorm = nn.GroupNorm(1, features)
        self.rnn = nn.LSTM(features, units, batch_first=True, bidirectional=both)
        self.fc = nn.Linear(units * (1 + both), features)

    def forward(self, x):
        y = self.groupnorm(x.transpose(1, 2)).transpose(1, 2)
        return x + self.fc(self.rnn(y)[0])


class BandSplit(Spectral):
    """bsrnn for one stem: masks [1,A,F,T]"""

    def __init__(self, edges, audio, fc_dim, rnn_dim, num_layers, mlp_dim, both):
        super().__init__(0, 0)
        self.edges, self.audio = edges, audio
        widths = [(b - a) * 2 * audio for a, b in zip(edges, edges[1:])]
        self.bandsplit = nn.ModuleDict({
            "layernorms": nn.ModuleList(nn.GroupNorm(1, w) for w in widths),
            "fcs": nn.ModuleList(nn.Linear(w, fc_dim) for w in widths)})
        self.bandsequence = nn.ModuleDict({"bsrnn": nn.ModuleList(nn.ModuleList(
            [BandLstm(fc_dim, rnn_dim, both), BandLstm(fc_dim, rnn_dim, True)])
            for _ in range(num_layers))})
        self.maskest = nn.ModuleDict({
            "layernorms": nn.ModuleList(nn.GroupNorm(1, fc_dim) for _ in widths),
            "mlp": nn.ModuleList(nn.ModuleDict({"mlp": nn.Sequential(
                nn.Linear(fc_dim, mlp_dim), nn.Tanh(), nn.Linear(mlp_dim, 2 * w), nn.GLU())})
                for w in widths)})

    def forward(self, z):
        x = torch.view_as_real(z).permute(2, 0, 3, 1)  # [T,A,2,F]
        h = []
        for a, b, norm, fc in zip(self.edges, self.edges[1:], *self.bandsplit.values()):
            band = x[..., a:b].flatten(1)
            h.append(fc(norm(band.T[None])[0].T))
        h = torch.stack(h)
        for along_time, along_bands in self.bandsequence["bsrnn"]:
            h = along_bands(along_time(h).transpose(0, 1)).transpose(0, 1)
        m = []
        for band, norm, mlp in zip(h, *self.maskest.values()):
            y = mlp["mlp"](norm(band.T[None])[0].T)
            m.append(y.unflatten(1, (self.audio, 2, -1)))
        m = torch.cat(m, 3).permute(1, 3, 0, 2).contiguous()
        return torch.view_as_complex(m)[None]


class BandSplitStems(Spectral):
    """bsrnn"""

    def __init__(self, edges, audio, stems, n_fft, hop, fc_dim, rnn_dim, num_layers, mlp_dim,
                 bidirectional):
        super().__init__(n_fft, hop)
        sizes = (audio, fc_dim, rnn_dim, num_layers, mlp_dim, bidirectional)
        self.names = list(edges)
        for name in self.names:
            self.add_module(name, BandSplit(edges[name], *sizes))

    def forward(self, mix):
        z = self.spectrum(mix)
        masks = torch.cat([getattr(self, name)(z) for name in self.names])
        return self.signals(masks * z, mix.shape[-1])


class BandSplitRest(BandSplit):
    """bsrnn for one stem, and what it leaves of the mix"""

    def __init__(self, edges, audio, stems, n_fft, hop, fc_dim, rnn_dim, num_layers, mlp_dim,
                 bidirectional, **_):
        super().__init__(edges, audio, fc_dim, rnn_dim, num_layers, mlp_dim, bidirectional)
        self.n_fft, self.hop = n_fft, hop

    def forward(self, mix):
        z = self.spectrum(mix)
        y = self.signals(super().forward(z) * z, mix.shape[-1])
        return torch.cat([y, mix[:, None] - y], 1)


CASES = {
    "bsrnn_residual": dict(
        name="bsrnn", samples=1000, rate=22050, audio=1, kind=BandSplitRest, extra={},
        stems=["vocals", "accompaniment"], edges=[0, 3, 6, 9, 12, 15, 18, 21, 24, 30, 33],
        arguments=dict(n_fft=64, hop=16, fc_dim=6, rnn_dim=5, num_layers=1, mlp_dim=8,
                       bidirectional=False, bands="v3", residual=True)),
    "bsrnn": dict(
        name="bsrnn", samples=1300, rate=44100, audio=2, kind=BandSplitStems, extra={},
        edges={"drums": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 18, 19, 21, 22, 24,
                         33],
               "bass": [0, 1, 2, 3, 4, 5, 6, 8, 9, 11, 12, 15, 18, 21, 24, 33],
               "vocals": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 18, 19, 21, 22, 24,
                          27, 30, 33]},
        arguments=dict(n_fft=64, hop=16, fc_dim=6, rnn_dim=7, num_layers=2, mlp_dim=10,
                       bidirectional=True)),
    "ravel_s": dict(
        name="ravel_s", samples=1500, rate=8000, audio=2, kind=Compact, edges=[0, 3, 6, 11, 19, 33],
        arguments=dict(n_fft=64, hop=16, features=8, blocks=2, time_units=6, band_units=5,
                       hidden=12, rank=4, bidirectional=True, mask="complex")),
    "ravel_s_mid_side": dict(
        name="ravel_s", samples=1500, rate=8000, audio=2, kind=Compact, edges=[0, 3, 6, 11, 19, 33],
        arguments=dict(n_fft=64, hop=16, features=8, blocks=1, time_units=6, band_units=5,
                       hidden=12, rank=4, bidirectional=True, mask="complex", mid_side=True)),
    "ravel_s_causal": dict(
        name="ravel_s", samples=900, rate=8000, audio=1, kind=Compact,
        edges=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 17],
        arguments=dict(n_fft=32, hop=16, features=6, blocks=1, time_units=5, band_units=4,
                       hidden=7, rank=3, bidirectional=False, mask="real")),
}


def perturb(model):
    for module in model.modules():
        if isinstance(module, nn.GRU):
            for p in module.parameters():
                p.normal_(0, 1 / (p.shape[1] if p.dim() > 1 else 100) ** 0.5)
        elif isinstance(module, nn.LayerNorm):
            uniform_(module.weight, 0.5, 1.5)
            module.bias.normal_(0, 0.2)
        else:
            perturb_module(module, 1.5)


@torch.no_grad()
def write_case(name, spec, out):
    torch.manual_seed(1)
    model = spec["kind"](spec["edges"], spec["audio"], len(spec.get("stems", STEMS)), **spec["arguments"]).eval()
    perturb(model)
    mix = music(spec["audio"], spec["rate"], spec["samples"], 101)
    output = model(mix)
    noise = relative(output.double(), copy.deepcopy(model).double()(mix.double()))
    torch.save(model.state_dict(), out / f"{name}.th")
    config = dict(sources=spec.get("stems", STEMS), audio_channels=spec["audio"], samplerate=spec["rate"],
                  segment=0.125, **spec.get("extra", {"bands": len(spec["edges"]) - 1}),
                  **spec["arguments"])
    info = {"case": name, "class": spec["name"], "reference": "this script",
            "torch": torch.__version__, "seed": 1,
            "parameters": sum(p.numel() for p in model.state_dict().values() if p.dim()),
            "float_noise": float(f"{noise:.2g}"), "tolerance": 1e-5, "config": config}
    write_files(out, name, info, mix, output)
    print(f"{name}: output {list(output.shape)} deviation {output.std():.3f} float noise "
          f"{noise:.1e} parameters {info['parameters']}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("tests/golden"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    for name, spec in CASES.items():
        write_case(name, spec, args.out)


if __name__ == "__main__":
    main()
