#!/usr/bin/env python3
"""Write melodies for one instrument, one note at a time, as MIDI files: phrases in a key with
rests between them, swells, and vibrato on long notes.

    melodies.py OUT NAME PROGRAM LOWEST HIGHEST [SONGS [SECONDS [SEED]]]
    melodies.py midi violin 40 55 93 16 60

PROGRAM counts from 0; LOWEST and HIGHEST are MIDI notes.
"""
import math
import pathlib
import random
import struct
import sys

TICKS = 480  # of a quarter note, at 120 to the minute: 960 in a second
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 2, 4, 7, 9))
LENGTHS = (120, 240, 240, 360, 480, 480, 720, 960, 1440, 1920)
CHANNEL = 0


def variable_length(n):
    out = [n & 127]
    while n := n >> 7:
        out.insert(0, 128 | n & 127)
    return bytes(out)


def chunk(events):
    """[(tick, bytes)] -> a track of a MIDI file."""
    body, now = b"", 0
    for tick, message in sorted(events, key=lambda e: e[0]):
        body += variable_length(tick - now) + message
        now = tick
    body += b"\0\xff\x2f\0"
    return b"MTrk" + struct.pack(">I", len(body)) + body


def control(number, value):
    return bytes((0xB0 | CHANNEL, number, max(0, min(127, round(value)))))


def bend(semitones):
    value = max(0, min(16383, round(8192 + 4096 * semitones)))
    return bytes((0xE0 | CHANNEL, value & 127, value >> 7))


def vibrato(dice, start, length):
    """Grows after a quarter of the note; two semitones are the range of a synthesiser's bend."""
    rate, depth = dice.uniform(4.5, 6.5), dice.uniform(0.05, 0.35)
    for tick in range(start, start + length, 20):
        grown = min(1, max(0, (tick - start) / length * 2 - 0.5))
        yield tick, bend(depth * grown * math.sin(2 * math.pi * rate * (tick - start) / 960))
    yield start + length, bend(0)


def swell(dice, start, length):
    """Loudness from one level to another over a note or a phrase."""
    one, other = dice.uniform(50, 127), dice.uniform(50, 127)
    for tick in range(start, start + length, 40):
        yield tick, control(11, one + (other - one) * (tick - start) / length)


def phrase(dice, notes, at):
    events, place = [], dice.randrange(len(notes))
    first = at
    for _ in range(dice.randint(3, 12)):
        length = dice.choice(LENGTHS)
        held = max(60, round(length * dice.choice((0.5, 0.9, 0.98, 1))))
        place += dice.choice((-4, -2, -2, -1, -1, -1, 0, 1, 1, 1, 2, 2, 4))
        place = min(len(notes) - 1, max(0, place))
        velocity = dice.randint(45, 120)
        events.append((at, bytes((0x90 | CHANNEL, notes[place], velocity))))
        events.append((at + held - 1, bytes((0x80 | CHANNEL, notes[place], 0))))
        if length >= 480 and dice.random() < 0.7:
            events += vibrato(dice, at, held - 1)
        at += length
    events += swell(dice, first, at - first)
    return events, at


def melody(dice, program, lowest, highest, seconds):
    key, scale = dice.randrange(12), dice.choice(SCALES)
    notes = [n for n in range(lowest, highest + 1) if (n - key) % 12 in scale]
    events, at = [(0, bytes((0xC0 | CHANNEL, program)))], TICKS
    while at < seconds * 960:
        more, at = phrase(dice, notes, at)
        events += more
        at += dice.choice((240, 480, 960))
    tempo = (0, b"\xff\x51\x03" + (500000).to_bytes(3, "big"))
    header = b"MThd" + struct.pack(">IHHH", 6, 1, 2, TICKS)
    return header + chunk([tempo]) + chunk(events)


def main():
    if len(sys.argv) < 6:
        sys.exit(__doc__)
    out, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    program, lowest, highest = (int(x) for x in sys.argv[3:6])
    songs, seconds, seed = (int(a) for a in (sys.argv[6:] + ["16", "60", "0"][len(sys.argv) - 6:]))
    out.mkdir(parents=True, exist_ok=True)
    for i in range(songs):
        dice = random.Random(f"{name} {seed} {i}")
        (out / f"{name}{i:03d}.mid").write_bytes(melody(dice, program, lowest, highest, seconds))


if __name__ == "__main__":
    main()
