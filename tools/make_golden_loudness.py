#!/usr/bin/env python3
"""Print the loudness that tests/test_loudness.c expects, as pyloudnorm 0.2.0 measures it.

The signals are formulas (in the test, too): a tone whose level changes every second, so that both
gates of BS.1770 have something to leave out, beside a second tone of another frequency.
"""
import numpy as np
import pyloudnorm

LEVELS_DB = (-20, -60, -14, -45, -30, -90, -8, -26)
CASES = ((44100, 300, 1000, 2), (48000, 60, 5000, 2), (44100, 2500, 0, 1), (96000, 440, 9000, 2))


def signal(rate, left_hz, right_hz, channels):
    t = np.arange(rate * len(LEVELS_DB))
    level = 10 ** (np.array(LEVELS_DB)[t // rate] / 20)
    planes = [level * np.sin(2 * np.pi * hz * t / rate) for hz in (left_hz, right_hz)[:channels]]
    return np.stack(planes, axis=1)


for case in CASES:
    rate = case[0]
    value = pyloudnorm.Meter(rate).integrated_loudness(signal(*case))
    print(f"    {{ {', '.join(map(str, case))}, {value:.4f} }},")
