#!/usr/bin/env python3
"""Fail if a file includes a header of a layer that its own layer may not use.

The table is the architecture (docs/architecture.md): a layer may use itself,
the public headers and the layers listed for it. Programs see public headers only.
"""
import pathlib
import re
import sys

MAY_USE = {
    "base":   set(),
    "kern":   {"base"},
    "core":   {"base", "kern"},
    "dsp":    {"base", "kern"},
    "io":     {"base"},
    "data":   {"base", "kern", "dsp", "io"},
    "nn":     {"base", "core"},
    "ddsp":   {"base", "kern", "core", "nn", "dsp"},
    "models": {"base", "core", "nn", "ddsp"},
    "train":  {"base", "core", "nn", "ddsp", "models", "io", "dsp", "data", "infer"},
    "eval":   {"base", "kern", "dsp", "io", "data", "infer"},
    "report": {"base", "dsp", "io", "data"},
    "infer":  {"base", "core", "models", "nn", "ddsp", "dsp", "io"},
    "api":    {"base", "kern", "core", "nn", "ddsp", "models", "train", "eval", "report", "infer", "dsp", "io", "data"},
}

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([a-z]+)/[a-z0-9_]+(?:_impl)?\.h[>"]', re.M)
LAYERS = set(MAY_USE) | {"ravel"}


def violations(path: pathlib.Path, layer: str, allowed: set) -> int:
    bad = 0
    for used in INCLUDE.findall(path.read_text(encoding="utf-8")):
        if used in LAYERS and used not in allowed:
            print(f"{path}: {layer} may not use {used}")
            bad += 1
    return bad


def main() -> int:
    bad = 0
    for path in sorted((ROOT / "src").rglob("*.[ch]")):
        layer = path.relative_to(ROOT / "src").parts[0]
        bad += violations(path, layer, MAY_USE[layer] | {layer, "ravel"})
    for folder in ("apps", "examples"):
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            bad += violations(path, folder, {"ravel"})
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
