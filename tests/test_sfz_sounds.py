"""tools/sfz_sounds.py: what becomes of a small SFZ instrument, as a drum kit and as a soundfont."""
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as xml

try:
    import numpy as np
    import soundfile
except ImportError:
    print("NumPy or soundfile is missing")
    sys.exit(77)

TOOL = os.path.join(os.path.dirname(__file__), "..", "tools", "sfz_sounds.py")
RATE = 8000
KIT = """// a kit of two microphones, one of which stands far away
#define $SNARE 38
<control> default_path=wav/ set_cc20=127 set_cc21=0
<global> amplitude_oncc20=100
<master> pan=-100
#include "snare.sfzh"
<master> pan=100 volume=-6.0206 delay=0.01
#include "snare.sfzh"
<master> amplitude_oncc21=100 /* off */
#include "snare.sfzh"
<master>
<group> key=42
<region> sample=b.wav locc20=100
<region> sample=a.wav hicc20=100
<region> sample=a.wav trigger=release
"""
SNARE = """<group> key=$SNARE seq_length=2
<region> sample=a.wav hivel=63 seq_position=1 amp_velcurve_63=1
<region> sample=b.wav hivel=63 seq_position=2 amp_velcurve_63=1
<region> sample=a.wav lovel=64 seq_position=1
<region> sample=b.wav lovel=64 seq_position=2
"""
BASS = """<group> lokey=30 hikey=33 pitch_keycenter=e1 ampeg_release=0.5
<region> sample=wav\\a.wav hivel=63
<region> sample=wav\\b.wav lovel=64
<group> lokey=34 hikey=40 pitch_keycenter=36
<region> sample=wav/c.wav
<group> lokey=90 hikey=90
<region> sample=wav/a.wav
"""


class Sounds(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        os.mkdir(self.at("wav"))
        t = np.arange(RATE // 4) / RATE
        for name, level in (("a", 0.5), ("b", 0.25)):
            soundfile.write(self.at(f"wav/{name}.wav"), level * np.cos(2 * np.pi * 100 * t), RATE)
        soundfile.write(self.at("wav/c.flac"), 0.125 * np.cos(2 * np.pi * 100 * t), RATE)  # asked for as .wav
        for name, text in (("kit.sfz", KIT), ("snare.sfzh", SNARE), ("bass.sfz", BASS)):
            with open(self.at(name), "w", encoding="utf-8") as f:
                f.write(text)

    def tearDown(self):
        self.folder.cleanup()

    def at(self, name):
        return os.path.join(self.folder.name, name)

    def convert(self, *arguments):
        return subprocess.run([sys.executable, TOOL, *arguments, "--rate", str(RATE)], capture_output=True, text=True,
                              check=False)

    def kit(self):
        done = self.convert(self.at("kit.sfz"), self.at("Kit"), "--license", "CC0 <me>")
        self.assertEqual(done.returncode, 0, done.stderr)
        return xml.parse(self.at("Kit/drumkit.xml")).getroot()

    def layers(self, instrument):
        return [(round(127 * float(x.find("min").text)), round(127 * float(x.find("max").text)),
                 soundfile.read(self.at("Kit/" + x.find("filename").text))[0]) for x in instrument.iter("layer")]

    def test_kit_has_pieces_and_takes(self):
        root = self.kit()
        self.assertEqual(root.find("license").text, "CC0 <me>")
        pieces = list(root.iter("instrument"))
        self.assertEqual([p.find("midiOutNote").text for p in pieces], ["38", "42"])
        self.assertEqual([(low, high) for low, high, _ in self.layers(pieces[0])],
                         [(0, 63), (0, 63), (63, 127), (63, 127)])
        self.assertEqual(len(self.layers(pieces[1])), 1)

    def test_kit_sums_microphones(self):
        snare, hat = (self.layers(p) for p in self.kit().iter("instrument"))
        x = snare[2][2]
        late = RATE // 100
        left, right = np.abs(x[:late, 0]).max(), np.abs(x[:late, 1]).max()
        self.assertLess(right, 1e-5)
        far = np.abs(x[late:, 1]).max()
        self.assertAlmostEqual(far / left, 0.5, delta=0.005)
        self.assertAlmostEqual(np.abs(snare[3][2]).max() / np.abs(x).max(), 0.5, delta=0.005)
        # a hit at 63 plays the lower layer at 63 / 127, and shall be as loud as the samples are
        self.assertAlmostEqual(np.abs(snare[0][2]).max() / np.abs(x).max(), 127 / 63, delta=0.01)
        self.assertAlmostEqual(np.abs(hat[0][2]).max() / np.abs(x).max(), 0.5 / 2 ** 0.5, delta=0.01)

    def chunks(self, data):
        at, found = 0, {}
        while at < len(data):
            name, size = data[at:at + 4].decode(), struct.unpack("<I", data[at + 4:at + 8])[0]
            body = data[at + 8:at + 8 + size]
            found[body[:4].decode() if name == "LIST" else name] = body
            at += 8 + size + size % 2
        return found

    def test_soundfont(self):
        done = self.convert(self.at("bass.sfz"), self.at("bass.sf2"), "--presets", "34", "33", "--keys", "28-50",
                            "--license", "CC0-1.0")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.at("bass.sf2"), "rb") as f:
            parts = self.chunks(f.read()[12:])
        tables = self.chunks(parts["pdta"][4:])
        self.assertEqual(self.chunks(parts["INFO"][4:])["ICOP"].rstrip(b"\0"), b"CC0-1.0")
        self.assertEqual([struct.unpack("<H", tables["phdr"][i + 20:i + 22])[0] for i in (0, 38)], [33, 34])
        gens = list(struct.iter_unpack("<HH", tables["igen"]))
        ranges = {(value & 255, value >> 8) for kind, value in gens if kind == 43}
        self.assertEqual(ranges, {(28, 33), (34, 50)})  # stretched to the ends of the keys
        self.assertEqual({(value & 255, value >> 8) for kind, value in gens if kind == 44},
                         {(1, 63), (64, 127), (1, 127)})
        roots = [tables["shdr"][i + 40] for i in range(0, len(tables["shdr"]) - 46, 46)]
        self.assertEqual(roots, [28, 28, 28, 28, 36, 36])
        pcm = np.frombuffer(parts["smpl"] if "smpl" in parts else self.chunks(parts["sdta"][4:])["smpl"], "<i2")
        self.assertEqual(np.abs(pcm).max(), 32000)

    def test_complains(self):
        done = self.convert(self.at("bass.sfz"), self.at("none.sf2"), "--keys", "1-5")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no sounds between these keys", done.stderr)
        self.assertFalse(os.path.exists(self.at("none.sf2")))


if __name__ == "__main__":
    unittest.main()
