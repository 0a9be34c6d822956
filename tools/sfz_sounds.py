#!/usr/bin/env python3
"""Sounds of an SFZ instrument as what `ravel dataset render` plays: a soundfont, or a drum kit.

    sfz_sounds.py bass.sfz bass.sf2 --presets 33 34 --keys 20-67 --license "CC0-1.0, who made it"
    sfz_sounds.py kit.sfz kits/Kit --license "CC BY 4.0, who made it"        # Hydrogen's drumkit.xml

Every note is put together as a player would with all controls where the file sets them: its microphones
are summed, once for each layer of velocity and, for drums, each take of it (round robin or random).
Of SFZ (https://sfzformat.com) that takes: #include, #define, headers, keys, velocities, takes, volume,
amplitude, pan, tune, offset, delay, and what controls do to these. Filters, envelopes other than the
release, and sounds of letting go are left out. Needs NumPy and soundfile.
"""
import argparse
import os
import re
import struct
import sys
from xml.sax.saxutils import escape

import numpy as np
import soundfile

LEVELS = ["control", "global", "master", "group", "region"]
NAMES = {  # General MIDI percussion, as Hydrogen's kits call it
    35: "Kick 2", 36: "Kick", 37: "Side Stick", 38: "Snare", 39: "Clap", 40: "Snare Rimshot", 41: "Tom Floor 2",
    42: "Hat Closed", 43: "Tom Floor 1", 44: "Hat Pedal", 45: "Tom Low", 46: "Hat Open", 47: "Tom Mid 2",
    48: "Tom Mid 1", 49: "Crash", 50: "Tom High", 51: "Ride", 52: "China", 53: "Ride Bell", 55: "Splash",
    56: "Cowbell", 57: "Crash 2", 59: "Ride 2"}
NOTES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
SILENCE = 1e-4  # of the peak: what is below at the end is cut off


# Text to regions ---------------------------------------------------------------------------------


def read_text(path, top, defines):
    """The file with what it includes, constants filled in."""
    with open(path, encoding="utf-8", errors="replace") as f:
        text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
    out = []
    for line in text.splitlines():
        line = re.sub(r"//.*", "", line)
        for piece in re.split(r'(#include\s+"[^"]+"|#define\s+\$\w+\s+\S+)', line):
            words = piece.split(None, 2)
            if piece.startswith("#define"):
                defines[words[1]] = words[2].strip()
            elif piece.startswith("#include"):
                name = fill(piece.split('"')[1], defines).replace("\\", "/")
                out.append(read_text(os.path.join(top, name), top, defines))
            else:
                out.append(fill(piece, defines))
        out.append("\n")
    return "".join(out)


def fill(text, defines):
    for name in sorted(defines, key=len, reverse=True) if "$" in text else ():
        text = text.replace(name, defines[name])
    return text


def number(text):
    """A number, or a note by its name (c4 is 60)."""
    note = re.fullmatch(r"([a-g])([#b]?)(-?\d)", text.strip().lower())
    if note:
        return NOTES[note[1]] + {"#": 1, "b": -1, "": 0}[note[2]] + 12 * (int(note[3]) + 1)
    return float(text)


def read_regions(path, defines):
    """([region], {control: 0 to 1}); a region has all that its headers say."""
    text = read_text(path, os.path.dirname(path) or ".", defines)
    state = {level: {} for level in LEVELS}
    regions, controls, level = [], {7: 100 / 127, 10: 0.5, 11: 1.0}, "global"
    for header, body in re.findall(r"<(\w+)>([^<]*)", text):
        if header not in LEVELS:
            continue
        level = header
        for inner in LEVELS[LEVELS.index(level):]:
            if level != "control" or inner == "control":
                state[inner] = {} if inner != "control" else dict(state["control"])
        for key, value in re.findall(r"(\w+)=(.*?)(?=\s+\w+=|\s*$)", body, flags=re.M):
            state[level][key] = value.strip()
            setting = re.fullmatch(r"set_(hd)?cc(\d+)", key)
            if setting:
                controls[int(setting[2])] = float(value) / (1 if setting[1] else 127)
        if level == "region":
            region = {}
            for each in LEVELS:
                region.update(state[each])
            regions.append(region)
    return regions, controls


# What a region does ------------------------------------------------------------------------------


def curve(index, x):
    """The curves that players have built in."""
    return {1: 2 * x - 1, 2: 1 - x, 3: 1 - 2 * x, 4: x * x, 5: x ** 0.5, 6: (1 - x) ** 0.5}.get(index, x)


class Region:
    def __init__(self, values, controls):
        self.values, self.controls = values, controls
        key = values.get("key")
        self.low = int(number(values.get("lokey", key or "0")))
        self.high = int(number(values.get("hikey", key or "127")))
        self.centre = int(number(values.get("pitch_keycenter", key or "60")))
        self.least = int(self.get("lovel", 1))
        self.most = int(self.get("hivel", 127))

    def get(self, name, default=0.0):
        return number(self.values[name]) if name in self.values else default

    def moved(self, name):
        """[(what a control adds at most, times where its curve is)] of name_cc12=..., name_oncc12=..."""
        for key, value in self.values.items():
            found = re.fullmatch(name + r"_?(?:on)?cc(\d+)", key)
            if found:
                bend = self.get(f"{name}_curvecc{found[1]}", 0)
                yield float(value) * curve(int(bend), self.controls.get(int(found[1]), 0.0))

    def is_played(self):
        """Struck with the controls as they are, and a file."""
        if "sample" not in self.values or self.values["sample"].startswith("*"):
            return False
        if self.values.get("trigger", "attack") != "attack" or self.gain() <= 0:
            return False
        for key, value in self.values.items():
            found = re.fullmatch(r"(lo|hi|on_lo|on_hi)cc(\d+)", key)
            if found and found[1].startswith("on"):
                return False
            if found and found[1] == "lo" and self.controls.get(int(found[2]), 0) * 127 < float(value):
                return False
            if found and found[1] == "hi" and self.controls.get(int(found[2]), 0) * 127 > float(value) + 0.999:
                return False
        return self.get("sw_last", -1) in (-1, self.get("sw_default", self.get("sw_lokey", -1)))

    def fades(self):
        """Share that cross-fades of controls leave."""
        share = 1.0
        for key in self.values:
            found = re.fullmatch(r"xf(in|out)_locc(\d+)", key)
            if found:
                low, high = float(self.values[key]), self.get(f"xf{found[1]}_hicc{found[2]}")
                at = np.clip((self.controls.get(int(found[2]), 0) * 127 - low) / max(high - low, 1e-9), 0, 1)
                share *= (at if found[1] == "in" else 1 - at) ** 0.5
        return share

    def gain(self):
        """At the velocity whose layer this is the top of."""
        gain = 10 ** ((self.get("volume") + self.get("group_volume") + sum(self.moved("volume"))) / 20)
        if "amplitude" in self.values:
            gain *= (self.get("amplitude") + sum(self.moved("amplitude"))) / 100
        else:
            gain *= float(np.prod([part / 100 for part in self.moved("amplitude")]))
        if f"amp_velcurve_{self.most}" in self.values or self.get("amp_veltrack", 100) == 0:
            return gain * self.fades()
        return gain * self.fades() * (self.most / 127) ** 2

    def takes(self, take, takes):
        """Whether it is one of those that sound in a take, of a number of takes."""
        length, position = int(self.get("seq_length", 1)), int(self.get("seq_position", 1))
        chance = (take + 0.5) / takes
        return take % length == position - 1 and self.get("lorand", 0) <= chance < self.get("hirand", 1)

    def path(self, top):
        name = self.values.get("default_path", "") + self.values["sample"]
        path = os.path.join(top, name.replace("\\", "/"))
        if os.path.exists(path):
            return path
        base = os.path.splitext(path)[0]
        return next((base + end for end in (".flac", ".wav", ".ogg") if os.path.exists(base + end)), None)


def count_takes(regions):
    most = [int(r.get("seq_length", 1)) for r in regions]
    chances = {r.get("lorand", 0) for r in regions}
    return max(most + [len(chances)])


# Sound -------------------------------------------------------------------------------------------


def read_sound(region, top, rate, cents):
    """x [frames, 2] at its gain, pan and tuning, `cents` higher; None: the file is missing."""
    path = region.path(top)
    if not path:
        return None
    x, file_rate = soundfile.read(path, dtype="float64", always_2d=True)
    x = x[int(region.get("offset") + sum(region.moved("offset"))):, :2]
    x = np.repeat(x, 2, 1) if x.shape[1] == 1 else x
    cents += region.get("tune") + 100 * region.get("transpose") + sum(region.moved("tune"))
    ratio = file_rate / rate * 2 ** (cents / 1200)
    if abs(ratio - 1) > 1e-6 and len(x):
        at = np.arange(int(len(x) / ratio)) * ratio
        x = np.stack([np.interp(at, np.arange(len(x)), x[:, c]) for c in range(2)], 1)
    pan = np.clip((region.get("pan") + sum(region.moved("pan"))) / 100, -1, 1)
    x = x * region.gain() * 2 ** 0.5 * np.array([np.cos((pan + 1) * np.pi / 4), np.sin((pan + 1) * np.pi / 4)])
    late = int((region.get("delay") + sum(region.moved("delay"))) * rate)
    return np.concatenate([np.zeros((max(late, 0), 2)), x])


def mix(regions, top, rate, seconds, centre):
    """All that sounds at once, cut where it ends; None: no file is there."""
    sounds = [read_sound(r, top, rate, 100 * (centre - r.centre) if centre is not None else 0) for r in regions]
    sounds = [s for s in sounds if s is not None and len(s)]
    if not sounds:
        return None
    total = np.zeros((max(map(len, sounds)), 2))
    for s in sounds:
        total[: len(s)] += s
    total = total[: int(seconds * rate)]
    heard = np.nonzero(np.abs(total).max(1) > SILENCE * np.abs(total).max())[0]
    total = total[: heard[-1] + 1 if len(heard) else 1]
    fade = min(len(total), int(0.01 * rate))
    total[len(total) - fade:] *= np.linspace(1, 0, fade)[:, None]
    return total


def layers_of(regions):
    """[(lowest velocity, highest, the regions)]"""
    edges = sorted({r.least for r in regions} | {r.most + 1 for r in regions})
    for low, after in zip(edges, edges[1:]):
        inside = [r for r in regions if r.least <= low and r.most >= after - 1]
        if inside:
            yield low, after - 1, inside


# Drum kits ---------------------------------------------------------------------------------------


def write_kit(regions, top, out, args):
    """A folder with drumkit.xml; takes are layers of the same velocities, played in turn."""
    made = {}
    for key in sorted(NAMES):
        here = [r for r in regions if r.low <= key <= r.high]
        for low, high, inside in layers_of(here):
            for take in range(min(count_takes(inside), args.takes)):
                sounding = [r for r in inside if r.takes(take, count_takes(inside))]
                x = mix(sounding, top, args.rate, args.seconds, None)
                if x is not None and np.abs(x).max() > 0:
                    # Hydrogen plays a hit at velocity / 127 of a sample that here is as loud as at `high`
                    made.setdefault(key, []).append((low, high, x * 127 / high))
    if not made:
        sys.exit(f"{args.sfz}: no drum sounds with the controls as the file sets them")
    name = args.name or os.path.basename(out.rstrip("/"))
    loudest = max(np.abs(x).max() for layers in made.values() for _, _, x in layers)
    os.makedirs(out, exist_ok=True)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<drumkit_info>",
             f"<name>{escape(name)}</name>",
             f"<license>{escape(args.license)}</license>", "<instrumentList>"]
    for index, key in enumerate(sorted(made)):
        lines += ["<instrument>", f"<id>{index}</id>", f"<name>{NAMES[key]}</name>",
                  f"<midiOutNote>{key}</midiOutNote>", f"<muteGroup>{0 if key in (42, 44, 46) else -1}</muteGroup>",
                  "<sampleSelectionAlgo>ROUND_ROBIN</sampleSelectionAlgo>"]
        for n, (low, high, x) in enumerate(made[key]):
            file = f"{key}-{n}.flac"
            soundfile.write(os.path.join(out, file), 0.95 * x / loudest, args.rate, subtype="PCM_24")
            lines += ["<layer>", f"<filename>{file}</filename>", f"<min>{max(low - 1, 0) / 127:.6f}</min>",
                      f"<max>{high / 127:.6f}</max>", "<gain>1</gain>", "</layer>"]
        lines.append("</instrument>")
    with open(os.path.join(out, "drumkit.xml"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines + ["</instrumentList>", "</drumkit_info>", ""]))
    print(f"{name}: {len(made)} pieces, {sum(map(len, made.values()))} samples")


# Soundfonts (SoundFont 2.04, E-mu 2006) ----------------------------------------------------------


def chunk(name, body):
    return name.encode() + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def text_of(value, size=0):
    raw = value.encode("ascii", "replace")
    return raw[: size - 1].ljust(size, b"\0") if size else raw + b"\0" * (2 - len(raw) % 2)


def find_zones(regions, top, args):
    """[(keys, velocities, root, release, x)], one for each note that was recorded; the lowest and the
    highest are stretched to the ends of the keys."""
    low, high = map(int, args.keys.split("-"))
    by_key = {}
    inside = [r for r in regions if r.low <= high and r.high >= low]
    if not inside:
        return
    ends = min(r.low for r in inside), max(r.high for r in inside)
    for key in range(low, high + 1):
        played = min(max(key, ends[0]), ends[1])
        here = [r for r in regions if r.low <= played <= r.high]
        for least, most, inside in layers_of(here):
            sounding = tuple(id(r) for r in inside if r.takes(args.take % count_takes(inside), count_takes(inside)))
            by_key.setdefault((least, most, sounding), []).append(key)
    known = {id(r): r for r in regions}
    for (least, most, ids), keys in sorted(by_key.items(), key=lambda item: (item[1][0], item[0][0])):
        sounding = [known[i] for i in ids]
        x = mix(sounding, top, args.rate, args.seconds, sounding[0].centre) if sounding else None
        if x is not None and np.abs(x).max() > 0:
            # the default curve of soundfonts plays a velocity at (velocity / 127)^2
            x = x * (127 / most) ** 2
            yield keys, (least, most), sounding[0].centre, sounding[0].get("ampeg_release", 0.05), x


def write_soundfont(regions, top, out, args):
    zones = list(find_zones(regions, top, args))
    if not zones:
        sys.exit(f"{args.sfz}: no sounds between these keys with the controls as the file sets them")
    loudest = max(np.abs(z[4]).max() for z in zones)
    data, headers, bags, gens = [], [], [], []
    at = 0
    for keys, velocities, root, release, x in zones:
        for c in range(2):
            pcm = np.round(x[:, c] / loudest * 32000).astype("<i2")
            number_here = len(headers)
            headers.append(text_of(f"{root}-{velocities[1]}-{'LR'[c]}", 20) + struct.pack(
                "<IIIIIBbHH", at, at + len(pcm), at, at + len(pcm), args.rate, root, 0,
                number_here + (1, -1)[c], (4, 2)[c]))
            data.append(pcm.tobytes() + b"\0" * 92)  # 46 zeros end a sample
            at += len(pcm) + 46
            bags.append(len(gens))
            release_cents = round(1200 * np.log2(max(release, 0.001)))
            gens += [(43, keys[0] | keys[-1] << 8), (44, velocities[0] | velocities[1] << 8),
                     (17, (-500, 500)[c] & 0xFFFF), (38, release_cents & 0xFFFF), (53, number_here)]
    presets = sorted(set(args.presets))
    table = {
        "phdr": b"".join(text_of(f"program {p}", 20) + struct.pack("<HHHIII", p, 0, i, 0, 0, 0)
                         for i, p in enumerate(presets + [0])),
        "pbag": b"".join(struct.pack("<HH", i, 0) for i in range(len(presets) + 1)),
        "pmod": bytes(10),
        "pgen": b"".join(struct.pack("<HH", 41, 0) for _ in presets) + bytes(4),
        "inst": text_of("sounds", 20) + struct.pack("<H", 0) + text_of("EOI", 20) + struct.pack("<H", len(bags)),
        "ibag": b"".join(struct.pack("<HH", g, 0) for g in bags + [len(gens)]),
        "imod": bytes(10),
        "igen": b"".join(struct.pack("<HH", *g) for g in gens) + bytes(4),
        "shdr": b"".join(headers) + text_of("EOS", 20) + bytes(26),
    }
    name = os.path.splitext(os.path.basename(out))[0]
    info = chunk("ifil", struct.pack("<HH", 2, 4)) + chunk("isng", text_of("EMU8000")) + chunk("INAM", text_of(name))
    info += chunk("ICOP", text_of(args.license)) if args.license else b""
    body = b"sfbk" + chunk("LIST", b"INFO" + info) + chunk("LIST", b"sdta" + chunk("smpl", b"".join(data)))
    body += chunk("LIST", b"pdta" + b"".join(chunk(k, v) for k, v in table.items()))
    with open(out + ".part", "wb") as f:
        f.write(chunk("RIFF", body))
    os.replace(out + ".part", out)
    print(f"{out}: {len(zones)} notes, {at / args.rate / 2:.0f} s, presets {presets}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("sfz")
    p.add_argument("out", help="FILE.sf2, or the folder of a drum kit")
    p.add_argument("--presets", type=int, nargs="+", default=[0], help="programs that the soundfont plays")
    p.add_argument("--keys", default="0-127", help="that are notes")
    p.add_argument("--license", default="", help="and who made it, for lists of credits")
    p.add_argument("--define", nargs="+", default=[], metavar="$NAME=VALUE", help="constants that the file lacks")
    p.add_argument("--name", help="of a drum kit (default: that of its folder)")
    p.add_argument("--take", type=int, default=0, help="of each note, for soundfonts, which have one")
    p.add_argument("--takes", type=int, default=4, help="of each hit, at most")
    p.add_argument("--seconds", type=float, default=6, help="of each note, at most")
    p.add_argument("--rate", type=int, default=44100)
    args = p.parse_args()
    values, controls = read_regions(args.sfz, dict(d.split("=", 1) for d in args.define))
    regions = [r for r in (Region(v, controls) for v in values) if r.is_played()]
    write = write_soundfont if args.out.endswith(".sf2") else write_kit
    write(regions, os.path.dirname(args.sfz) or ".", args.out, args)


if __name__ == "__main__":
    main()
