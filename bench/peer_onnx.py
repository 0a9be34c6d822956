#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Time ONNX Runtime running a reference network on one segment, to compare Ravel with.

    peer_onnx.py [--threads N] [--repeat N] [--v2 PATH] MODEL

MODEL and the options are those of peer_demucs.py. The network is exported to a temporary file
by another process, so that the memory is that of ONNX Runtime alone. torch.onnx cannot export
complex numbers, so of the hybrid networks all between the transforms runs there, and the STFT and
its inverse are outside and not counted, which favours ONNX Runtime.
Prints one line of JSON; exits with 77 where torch, the reference, onnx or onnxruntime is missing.
"""
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings

from peer_demucs import SKIPPED, build, parse


def core_of(model, mix):
    """What is exported, and its inputs."""
    import torch
    if not hasattr(model, "_spec"):
        return model, (mix,)
    with torch.no_grad():
        spectrum = model._magnitude(model._spec(mix))

    class Core(torch.nn.Module):
        """Between the transforms: the spectrum's part and the waveform's."""
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, spectrum, mix):
            left = []

            def keep(spectra, _length):
                left.append(spectra)
                return torch.zeros(())
            model._spec = lambda _mix: spectrum
            model._magnitude = lambda of: of
            model._mask = lambda _of, spectra: spectra
            model._ispec = keep
            wave = self.model(mix)
            return left[0], wave

    return Core().eval(), (spectrum, mix)


def eye(n, dtype=None, **_):
    """torch.eye(), which ONNX Runtime lacks for booleans."""
    import torch
    return (torch.arange(n)[:, None] == torch.arange(n)[None]).to(dtype or torch.get_default_dtype())


def export(model, inputs, path):
    """Write the network; the inputs by name."""
    import torch
    torch.eye = eye
    names = [f"input{i}" for i in range(len(inputs))]
    torch.backends.mha.set_fastpath_enabled(False)  # one operator that cannot be exported
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, inputs, path, input_names=names, opset_version=17, dynamo=False)
    return {name: value.numpy() for name, value in zip(names, inputs)}


def write_network(args, folder):
    """FOLDER/core.onnx and inputs.npz, with the seconds of audio in it."""
    import numpy
    model, mix = build(args)
    inputs = export(*core_of(model, mix), os.path.join(folder, "core.onnx"))
    numpy.savez(os.path.join(folder, "inputs.npz"), seconds=mix.shape[-1] / model.samplerate,
                **inputs)


def measure(session, inputs, repeat):
    """Wall and processor seconds of each run, after one to warm up."""
    wall, processor = [], []
    session.run(None, inputs)
    for _ in range(repeat):
        start = time.perf_counter(), time.process_time()
        session.run(None, inputs)
        wall.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    return wall, processor


def open_session(onnxruntime, path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def skip_where_missing(function, *args):
    try:
        return function(*args)
    except ImportError as error:
        print(f"peer_onnx: skipped: {error}", file=sys.stderr)
        sys.exit(SKIPPED)


def libraries():
    import onnx  # noqa: F401, what torch.onnx writes with
    import onnxruntime
    return onnxruntime


def run(args, folder, onnxruntime):
    import numpy
    with numpy.load(os.path.join(folder, "inputs.npz")) as file:
        arrays = dict(file)
    audio = float(arrays.pop("seconds"))
    session = open_session(onnxruntime, os.path.join(folder, "core.onnx"), args.threads)
    seconds, processor = measure(session, arrays, args.repeat)
    print(json.dumps({
        "model": args.model, "threads": args.threads, "onnxruntime": onnxruntime.__version__,
        "audio_seconds": round(audio, 3), "seconds": round(statistics.median(seconds), 3),
        "all": [round(s, 3) for s in seconds],
        "processor_seconds": round(statistics.median(processor), 3),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)}))


def main():
    if sys.argv[1:2] == ["--export"]:
        folder = sys.argv[2]
        del sys.argv[1:3]
        skip_where_missing(write_network, parse(), folder)
        return
    args = parse()
    onnxruntime = skip_where_missing(libraries)
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([sys.executable, __file__, "--export", folder, *sys.argv[1:]],
                              stdout=sys.stderr, check=False)
        if done.returncode:
            sys.exit(done.returncode)
        run(args, folder, onnxruntime)


if __name__ == "__main__":
    main()
