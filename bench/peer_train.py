#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch training the reference implementation, to compare Ravel with: the work of
bench_train.

    peer_train.py [--threads N] [--repeat N] [--batch N] [--v2 PATH] MODEL

MODEL is one of bench_train. A step is forward, mean absolute error, backward and Adam. Prints one
line of JSON. Conv-TasNet needs --v2, the folder of branch v2 of the reference; what is of the DDSP
family is put together here from torch's modules: the autoencoder's loss is that of magnitudes and
their logarithms at six sizes of STFT, and what it does in each step is what ddsp_pytorch does. Exits with 77, the status that test runners count as
skipped, when PyTorch or the reference is missing.
"""
import argparse
import json
import os
import resource
import statistics
import sys
import time
from pathlib import Path

SKIPPED = 77
MODELS = {
    "conv_tasnet": dict(seconds=4, batch=4, config=dict(
        sources=["speaker1", "speaker2"], N=128, L=16, B=256, H=512, P=3, X=8, R=1,
        audio_channels=1, samplerate=16000)),
    "ddsp_decoder": dict(seconds=4, batch=8, config=dict(
        rate=250, hidden=512, layers=3, harmonics=100, bands=65)),
    "ddsp_autoencoder": dict(seconds=4, batch=16, config=dict(
        sample_rate=16000, hop=160, hidden=512, layers=3, harmonics=100, bands=65)),
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--v2", type=Path)
    parser.add_argument("model", metavar="MODEL", choices=MODELS)
    return parser.parse_args()


def conv_tasnet(spec, v2):
    """The model in training mode and a batch: mix [B,C,T], target [B,S,C,T]."""
    import torch
    if not v2:
        raise ImportError("conv_tasnet needs --v2, the folder of the reference's branch v2")
    sys.path.insert(0, str(v2))
    from demucs.tasnet import ConvTasNet
    torch.manual_seed(1)
    model = ConvTasNet(**spec["config"]).train()
    config = spec["config"]
    shape = config["audio_channels"], spec["seconds"] * config["samplerate"]
    mix = torch.rand(spec["batch"], *shape) - 0.5
    return model, mix, torch.rand(spec["batch"], len(config["sources"]), *shape) - 0.5


def decoder_of(config):
    """The decoder: pitch beside loudness [B,F,2] -> [B,F,1 + harmonics + bands]."""
    import torch
    from torch import nn
    width = config["hidden"]

    def mlp(inputs):
        parts = []
        for _ in range(config["layers"]):
            parts += [nn.Linear(inputs, width), nn.LayerNorm(width), nn.LeakyReLU()]
            inputs = width
        return nn.Sequential(*parts)

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.in_mlps = nn.ModuleList([mlp(1), mlp(1)])
            self.gru = nn.GRU(2 * width, width, batch_first=True)
            self.out_mlp = mlp(width + 2)
            self.proj_matrices = nn.ModuleList([nn.Linear(width, config["harmonics"] + 1),
                                                nn.Linear(width, config["bands"])])

        def forward(self, features):
            seen = torch.cat([part(x) for part, x in zip(self.in_mlps, features.split(1, -1))], -1)
            hidden = self.out_mlp(torch.cat([self.gru(seen)[0], features], -1))
            return torch.cat([head(hidden) for head in self.proj_matrices], -1)

    return Decoder()


def ddsp_decoder(spec, _):
    """The decoder and a batch: pitch beside loudness [B,F,2], target [B,F,O]."""
    import torch
    config = spec["config"]
    torch.manual_seed(1)
    shape = spec["batch"], spec["seconds"] * config["rate"]
    outputs = config["harmonics"] + 1 + config["bands"]
    return decoder_of(config), torch.rand(*shape, 2) - 0.5, torch.rand(*shape, outputs) - 0.5


def spectral_distance(got, want):
    """Of magnitudes and their logarithms, mean absolute, summed over six sizes."""
    import torch
    total = 0
    for size in (4096, 2048, 1024, 512, 256, 128):
        window = torch.hann_window(size)
        a, b = (torch.stft(x, size, size // 4, size, window, normalized=True,
                           return_complex=True).abs() for x in (got, want))
        total = total + (a - b).abs().mean() + (torch.log(a + 1e-7) - torch.log(b + 1e-7)).abs().mean()
    return total


def ddsp_autoencoder(spec, _):
    """The whole model, and a batch: pitch beside loudness [B,F,2], sound [B,T]."""
    import math
    import torch
    from torch import nn
    config = spec["config"]
    rate, hop, harmonics = config["sample_rate"], config["hop"], config["harmonics"]

    def convolve(x, response):
        """As long as x, both [...,N]."""
        n = x.shape[-1]
        product = torch.fft.rfft(x, 2 * n) * torch.fft.rfft(response, 2 * n)
        return torch.fft.irfft(product, 2 * n)[..., :n]

    def positive(x):
        return 2 * torch.sigmoid(x) ** math.log(10) + 1e-7

    def held(x):
        """[B,F,C] -> [B,F hop,C]"""
        return nn.functional.interpolate(x.transpose(1, 2), scale_factor=hop).transpose(1, 2)

    class Autoencoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.decoder = decoder_of(config)
            self.room_noise = nn.Parameter(torch.rand(rate) * 2 - 1)
            self.room_decay = nn.Parameter(torch.tensor(5.0))
            self.room_wet = nn.Parameter(torch.tensor(0.0))
            self.register_buffer("room_time", torch.arange(rate) / rate)

        def tones(self, pitch, controls):
            numbers = torch.arange(1, harmonics + 1)
            below = (pitch * numbers < rate / 2).float() + 1e-4
            shares = controls[..., 1:] * below
            amplitudes = held(shares / shares.sum(-1, keepdim=True) * controls[..., :1])
            phase = torch.cumsum(2 * math.pi * held(pitch) / rate, 1)
            return (torch.sin(phase * numbers) * amplitudes).sum(-1)

        def hiss(self, magnitudes):
            response = torch.fft.irfft(torch.complex(magnitudes, torch.zeros_like(magnitudes)))
            size = response.shape[-1]
            response = response.roll(size // 2, -1) * torch.hann_window(size)
            response = nn.functional.pad(response, (0, hop - size)).roll(-(size // 2), -1)
            return convolve(torch.rand(*response.shape) * 2 - 1, response).flatten(1)

        def room(self, x):
            fall = torch.exp(-nn.functional.softplus(-self.room_decay) * self.room_time * 500)
            response = self.room_noise * fall * torch.sigmoid(self.room_wet)
            response = torch.cat([torch.ones(1), response[1:]])
            return convolve(x, nn.functional.pad(response, (0, x.shape[-1] - rate)))

        def forward(self, features):
            heads = self.decoder(features)
            tones = self.tones(features[..., :1], positive(heads[..., :harmonics + 1]))
            return self.room(tones + self.hiss(positive(heads[..., harmonics + 1:] - 5)))

    torch.manual_seed(1)
    frames = spec["seconds"] * rate // hop
    pitch = 240 + 400 * torch.rand(spec["batch"], frames, 1)
    features = torch.cat([pitch, 2 * torch.rand(spec["batch"], frames, 1) - 1], -1)
    sound = 0.6 * torch.rand(spec["batch"], frames * hop) - 0.3
    return Autoencoder(), features, sound, spectral_distance


def measure(model, mix, target, loss, repeat):
    """Wall and processor seconds of each step, after one to warm up. On a machine that is
    busy with other work the processor seconds of one thread still compare."""
    import torch
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    wall, processor = [], []
    for _ in range(repeat + 1):
        start = time.perf_counter(), time.process_time()
        optimiser.zero_grad()
        loss(model(mix), target).backward()
        optimiser.step()
        wall.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    return wall[1:], processor[1:]


def main():
    args = parse()
    # PyTorch does not pass its number of threads on to OpenBLAS, which reads it when loaded.
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = str(args.threads)
    try:
        import torch
        torch.set_num_threads(args.threads)
        spec = dict(MODELS[args.model])
        spec["batch"] = args.batch or spec["batch"]
        model, mix, target, *loss = globals()[args.model](spec, args.v2)
        loss = loss[0] if loss else torch.nn.functional.l1_loss
    except ImportError as error:
        print(f"peer_train: skipped: {error}", file=sys.stderr)
        sys.exit(SKIPPED)
    load = os.getloadavg()[0]
    seconds, processor = measure(model, mix, target, loss, args.repeat)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({
        "model": args.model, "threads": args.threads, "torch": torch.__version__,
        "batch": len(mix), "audio_seconds": MODELS[args.model]["seconds"],
        "parameters": sum(p.numel() for p in model.parameters()),
        "seconds": round(statistics.median(seconds), 3),
        "steps_per_second": round(1 / statistics.median(seconds), 3),
        "all": [round(s, 3) for s in seconds],
        "processor_seconds": round(statistics.median(processor), 3),
        "peak_rss_mb": round(peak), "load_before": round(load, 2)}))


if __name__ == "__main__":
    main()
