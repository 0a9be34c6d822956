#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time PyTorch training the reference implementation, to compare Ravel with: the work of
bench_train.

    peer_train.py [--threads N] [--repeat N] [--v2 PATH] MODEL

MODEL is one of bench_train. A step is forward, mean absolute error, backward and Adam. Prints one
line of JSON. Conv-TasNet needs --v2, the folder of branch v2 of the reference; the DDSP decoder is
put together here from torch.nn's modules. Exits with 77, the status that test runners count as
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
}


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=3)
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


def ddsp_decoder(spec, _):
    """The decoder and a batch: pitch beside loudness [B,T,2], target [B,T,O]."""
    import torch
    from torch import nn
    config = spec["config"]
    width, outputs = config["hidden"], config["harmonics"] + 1 + config["bands"]

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

    torch.manual_seed(1)
    shape = spec["batch"], spec["seconds"] * config["rate"]
    return Decoder(), torch.rand(*shape, 2) - 0.5, torch.rand(*shape, outputs) - 0.5


def measure(model, mix, target, repeat):
    """Wall and processor seconds of each step, after one to warm up. On a machine that is
    busy with other work the processor seconds of one thread still compare."""
    import torch
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    wall, processor = [], []
    for _ in range(repeat + 1):
        start = time.perf_counter(), time.process_time()
        optimiser.zero_grad()
        torch.nn.functional.l1_loss(model(mix), target).backward()
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
        model, mix, target = globals()[args.model](MODELS[args.model], args.v2)
    except ImportError as error:
        print(f"peer_train: skipped: {error}", file=sys.stderr)
        sys.exit(SKIPPED)
    load = os.getloadavg()[0]
    seconds, processor = measure(model, mix, target, args.repeat)
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
