#!/usr/bin/env python3
"""`ravel bench` on a network that takes no time: what it prints adds up, and what it refuses.

    test_bench.py PATH_OF_RAVEL SOURCE_FOLDER
"""
import json
import sys
import unittest

from cli_case import CliCase


class Bench(CliCase):
    def bench(self, *args, **more):
        return self.run_ravel("bench", *args, "-j", 1, **more)

    def test_bench(self):
        short = ("conv_tasnet_speech", "--seconds", 0.1, "--repeat", 1, "--profile")
        text = self.bench(*short, "--layers", 3).stdout
        for part in ("times as fast", "ceiling", "memory", "GB/s", " linear\n", " layer\n"):
            self.assertIn(part, text)
        found = json.loads(self.bench(*short, "--layers", 1, "--json").stdout)
        self.assertEqual((found["network"], found["threads"]), ("conv_tasnet_speech", 1))
        self.assertAlmostEqual(found["audio_seconds"], 0.1)
        for key in ("seconds", "processor_seconds", "ceiling", "ceiling_all", "peak_bytes"):
            self.assertGreater(found[key], 0, key)
        for rows in found["kinds"], found["layers"]:
            self.assertAlmostEqual(sum(r["operations"] for r in rows) / found["operations"], 1)
            self.assertEqual(len({r["name"] for r in rows}), len(rows))
            self.assertEqual(sorted(rows, key=lambda r: -r["seconds"]), rows)
        self.assertIn("separator", " ".join(r["name"] for r in found["layers"]))
        calls = {r["name"]: r["calls"] for r in found["kinds"]}
        self.assertGreater(calls["linear"], 10)
        self.assertEqual(calls["overlap_add"], 1)

    def test_precision(self):
        short = ("conv_tasnet_speech", "--seconds", 0.1, "--repeat", 1, "--json")
        whole, half = (json.loads(self.bench(*short, "--precision", p).stdout)["weight_bytes"]
                       for p in ("float32", "int16"))
        self.assertLess(half, 0.65 * whole)

    def test_bench_refused(self):
        self.complaint(self.bench("htdemucs", "--precision", "int4", code=2), "float32|int16")
        self.complaint(self.bench(code=2), "one network")
        self.complaint(self.bench("htdemuc", code=2), "did you mean 'htdemucs'")
        self.complaint(self.bench("htdemucs", "--seconds", 3600, code=1), "htdemucs does not take")
        self.complaint(self.bench("htdemucs", "--repeat", 0, code=2), "repeat")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
