#!/usr/bin/env python3
"""The page of `ravel report` in a headless Chromium: does it draw, play, and keep off the network.

    test_page.py PATH_OF_RAVEL [FOLDER]     screenshots go to FOLDER

Exits with 77, which counts as skipped, where there is no Chromium.
"""
import json
import math
import struct
import subprocess
import sys
import tempfile
import unittest
import wave
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
from browser import Browser, find_chromium  # noqa: E402

RAVEL = Path(sys.argv[1]).resolve()
SHOTS = Path(sys.argv[2]) if len(sys.argv) > 2 else None
EVIL = "a </script><script>bad=1</script><!-- \"'& b"
EVIL = EVIL.replace("/", "\u2215")  # no slash in the name of a file, but all else
STEMS = {"vocals": 440, "drums": 900, "bass": 110, "other": 1500}
PAGES = {}


def write_wav(path, hertz, seconds=3.0, rate=16000):
    """A tone that is silent in its first second."""
    path.parent.mkdir(parents=True, exist_ok=True)
    n = int(seconds * rate)
    samples = [0.3 * math.sin(2 * math.pi * hertz * i / rate) if i > rate else 0 for i in range(n)]
    with wave.open(str(path), "wb") as f:
        f.setnchannels(1)
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes(struct.pack(f"<{n}h", *(int(32767 * x) for x in samples)))


def write_figures(path, better):
    frames = [{"time": t, "duration": 1, "metrics": {"SDR": None if t == 0 else 3.0 + t + better}} for t in range(3)]
    targets = [{"name": stem, "frames": frames, "metrics": {"SI-SDR": i + better}} for i, stem in enumerate(STEMS)]
    tracks = [{"name": name, "split": "", "targets": targets} for name in (EVIL, "second", "unheard")]
    path.write_text(json.dumps({"tracks": tracks, "new": [1]}))


def write_methods(path):
    """As ravel eval writes several methods (docs/evaluation.md)."""
    target = {"name": "vocals", "frames": [], "metrics": {"LSD": 2.0}}
    methods = [{"name": name, "kind": "model", "tracks": [{"name": "song", "split": "", "targets": [
        dict(target, metrics={"LSD": value})]}]} for name, value in (("worse", 3.0), ("better", 2.0))]
    stems = {"vocals": {"LSD": {"songs": 9, "mean": 1.0, "median": 0.9, "low": 0.5, "high": 1.5, "better": "better"}}}
    path.write_text(json.dumps({"schema": "ravel-eval/1", "methods": methods,
                                "metrics": {"LSD": {"about": "a distance", "better": "lower"}},
                                "differences": {"confidence": 0.95, "pairs": [
                                    {"first": "worse", "second": "better", "stems": stems}]}}))


def write_run(folder):
    folder.mkdir()
    lines = [{"kind": "train", "step": 10 * i, "epoch": 0, "loss": 1 / i, "lr": 1e-3} for i in range(1, 50)]
    lines += [{"kind": "valid", "step": 100 * i, "epoch": 0, "loss": 1.5 / i, "si_sdr": i - 2} for i in range(1, 5)]
    (folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "recipe.yaml").write_text("model:\n  name: </script><b>x</b>\n")


def make_pages(folder):
    for model in ("one", "two"):
        for song in (EVIL, "second"):
            for stem, hertz in STEMS.items():
                write_wav(folder / model / song / f"{stem}.wav", hertz)
                write_wav(folder / "refs" / song / f"{stem}.wav", hertz)
        write_figures(folder / f"{model}.json", model == "two")
    write_run(folder / "run")
    write_methods(folder / "methods.json")
    (folder / "card.md").write_text("---\nlicense: mit\n---\n# Card\n\nWith **all** `kinds`\nof text.\n\n- a\n- b\n  c\n\n"
                                    "| x | y |\n|---|---|\n| 1 | 2 |\n\n> said\n\n<script>bad=1</script> [link](javascript:bad) "
                                    "[paper](https://arxiv.org/abs/1)\n")
    calls = {
        "all": ["one", "two", "--references", "refs", "--eval", "one.json", "two.json", "--run", "run", "--card",
                "card.md", "--title", EVIL],
        "stems": ["one/second", "--audio", "flac", "--start", "1", "--max-seconds", "1"],
        "figures": ["--eval", "one.json"],
        "methods": ["--eval", "methods.json"],
        "silent": ["one/second", "--no-audio"],
    }
    for name, args in calls.items():
        PAGES[name] = folder / f"{name}.html"
        subprocess.run([RAVEL, "report", *args, "-o", PAGES[name]], cwd=folder, check=True, stdout=subprocess.DEVNULL)


class Page(unittest.TestCase):
    def open(self, name, **size):
        browser.open(PAGES[name], **size)
        self.assertEqual(browser.complaints(), [])

    def ask(self, expression):
        return browser.evaluate(expression)

    def heard(self):
        return self.ask("lanes.player.gains.map((g, i) => (g ? lanes.label(lanes.song.lanes[i]) : '')).filter(Boolean)")

    def test_sections(self):
        self.open("all")
        self.assertEqual(self.ask("[...document.querySelectorAll('h2')].slice(0, -1).map((e) => e.textContent)"),
                         ["Listen", "Scores", "Training", "Model", "About this page"])
        self.assertEqual(self.ask("document.querySelectorAll('.lane').length"), 13)
        self.assertEqual(self.ask("document.title"), EVIL)
        self.assertEqual(self.ask("typeof bad"), "undefined")
        self.assertEqual(self.ask("document.querySelector('.prose a').href"), "https://arxiv.org/abs/1")
        self.assertEqual(self.ask("document.querySelectorAll('.prose a').length"), 1)
        self.assertEqual(self.ask("document.querySelectorAll('.curve path.line').length"), 4)
        self.assertIn("best 2 at step 400", self.ask("document.querySelectorAll('.readout')[1].textContent"))
        self.assertNotIn("[object", self.ask("document.body.innerText"))
        self.assertNotIn("NaN", self.ask("document.getElementById('main').innerHTML"))

    def test_pictures_show_the_sound(self):
        self.open("stems")
        bright = """(() => { const c = document.querySelectorAll('canvas.spectrogram')[0], x = c.getContext('2d');
            const rows = (part) => { const d = x.getImageData(Math.floor(c.width * part), 0, 1, c.height).data;
              let best = 0, at = -1; for (let y = 0; y < c.height; y++) { const dark = 765 - d[4*y] - d[4*y+1] - d[4*y+2];
                if (dark > best) { best = dark; at = y / c.height; } } return at; }; return [rows(0.1), rows(0.8)]; })()"""
        silence, tone = self.ask(bright)
        self.assertEqual(silence, -1)
        self.assertAlmostEqual(tone, 1 - 6.6 / 46, delta=0.06)  # 440 Hz on the mel scale up to 8 kHz
        self.assertEqual(self.ask("document.querySelectorAll('.shade').length"), 2)

    def test_sound_is_decoded_in_place(self):
        # Of Vorbis, Chromium leaves out the end of the last block: 256 frames at this rate.
        for name, start, length, missing in (("all", 1.0, 3.0, 256 / 16000), ("stems", 0.0, 1.0, 0)):
            self.open(name)
            self.ask("lanes.player.load()")
            first, frames, rate = self.ask("""(() => { const b = lanes.player.buffers[1], x = b.getChannelData(0);
                return [x.findIndex((v) => Math.abs(v) > 0.05), b.length, b.sampleRate]; })()""")
            self.assertAlmostEqual(first / rate, start, delta=0.003)
            self.assertAlmostEqual(frames / rate, length - missing, delta=0.003)

    def test_solo_and_mute(self):
        self.open("all")
        estimates = ["vocals, one", "drums, one", "bass, one", "other, one"]
        self.assertEqual(self.heard(), estimates)
        browser.press("2")
        self.assertEqual(self.heard(), ["vocals, one"])
        browser.press("4")
        self.assertEqual(self.heard(), ["vocals, one", "vocals, Reference"])
        browser.press("m")
        self.assertEqual(self.heard(), ["vocals, one"])
        self.assertEqual(self.ask("document.querySelectorAll('.lane .mute')[3].getAttribute('aria-pressed')"), "true")
        browser.press("0")
        self.assertEqual(self.heard(), estimates)
        browser.press("g")
        self.assertEqual(self.heard(), [f"{stem}, two" for stem in ("vocals", "drums", "bass", "other")])
        self.ask("document.querySelectorAll('.lane .solo')[0].click()")
        self.assertEqual(self.heard(), ["mix"])

    def test_playing(self):
        self.open("all")
        browser.press(" ")
        browser.until("lanes.player.playing && lanes.player.now() > 0.2")
        self.assertEqual(self.ask("document.getElementById('play').getAttribute('aria-label')"), "Pause")
        self.assertEqual(self.ask("lanes.player.sources.filter(Boolean).length"), 13)
        browser.press(" ")
        self.assertEqual(self.ask("lanes.player.playing"), False)
        self.ask("lanes.player.seek(0)")
        browser.press("ArrowRight")
        self.assertEqual(self.ask("lanes.player.now()"), 3)  # its end
        browser.press("ArrowLeft")
        self.assertEqual(self.ask("lanes.player.now()"), 0)
        x, y = self.ask("(() => { const b = document.querySelector('.lane .body').getBoundingClientRect(); "
                        "return [b.left + b.width / 2, b.top + 5]; })()")
        browser.click(x, y)
        self.assertAlmostEqual(self.ask("lanes.player.now()"), 1.5, delta=0.02)
        self.assertAlmostEqual(float(self.ask("document.querySelector('.seek').value")), 1.5, delta=0.1)
        self.ask("lanes.player.seek(2.9)")
        browser.press(" ")
        browser.until("!lanes.player.playing && !lanes.player.loading && lanes.player.now() === 0")
        browser.press("]")
        self.assertEqual(self.ask("lanes.song.name"), "second")
        self.assertEqual(self.ask("lanes.player.buffers"), None)

    def test_focus_keeps_its_keys(self):
        self.open("all")
        self.ask("document.querySelector('#song').focus()")
        browser.press("m")
        self.assertEqual(self.ask("lanes.states.some((s) => s.mute)"), False)
        self.ask("document.querySelectorAll('.name')[0].focus()")
        browser.press("ArrowDown")
        self.assertEqual(self.ask("lanes.selected"), 1)

    def test_names_for_all_controls(self):
        self.open("all")
        nameless = """[...document.querySelectorAll('button, input, select, canvas, svg[role=img], a')].filter((e) =>
            !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.closest('[role=img]'))).length"""
        self.assertEqual(self.ask(nameless), 0)

    def test_scores(self):
        self.open("all")
        self.ask("document.querySelector('input[name=metric][value=\"SI-SDR\"]').click()")
        self.assertEqual(self.ask("[...document.querySelectorAll('td.best')].map((e) => e.textContent)"),
                         ["1.00", "2.00", "3.00", "4.00"])
        self.assertEqual(self.ask("document.querySelectorAll('.tracks tbody tr').length"), 3)
        self.ask("document.querySelectorAll('.tracks .link')[1].click()")
        self.assertEqual(self.ask("lanes.song.name"), "second")
        self.open("figures")
        self.assertEqual(self.ask("document.querySelectorAll('#listen').length"), 0)
        self.assertEqual(self.ask("document.querySelector('.columns tbody td').textContent"), "4.50")  # of 4 and 5

    def test_methods_are_compared(self):
        self.open("methods")
        self.assertEqual(self.ask("[...document.querySelectorAll('.columns thead th')].map((e) => e.textContent)"),
                         ["Stem", "worse", "better"])
        self.assertEqual(self.ask("document.querySelector('.columns td.best').textContent"), "2.00")
        self.assertEqual(self.ask("[...document.querySelectorAll('.differences td')].map((e) => e.textContent)"),
                         ["worse", "better", "1.00", "0.90", "0.50 to 1.50", "better"])

    def test_themes(self):
        background = "getComputedStyle(document.body).backgroundColor"
        self.open("stems", dark=False)
        light = self.ask(background)
        browser.press("t")
        dark = self.ask(background)
        self.assertNotEqual(light, dark)
        self.open("stems", dark=True)
        self.assertEqual(self.ask(background), dark)

    def test_contrast(self):
        ratio = """(() => { const lum = (c) => { const [r, g, b] = c.match(/[0-9.]+/g).map(Number).map((v) => v / 255)
              .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
            const of = (n) => lum(resolveColour(`var(--${n})`)); const pair = (a, b) => { const [x, y] = [of(a), of(b)].sort();
              return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05); };
            return Math.min(pair('text', 'card'), pair('muted', 'card'), pair('muted', 'raised'), pair('accent', 'card'), pair('on-accent', 'accent')); })()"""
        for dark in (False, True):
            self.open("all", dark=dark)
            self.assertGreaterEqual(self.ask(ratio), 4.5)

    def test_small_screens(self):
        for name in PAGES:
            for width in (360, 768, 1280):
                self.open(name, width=width, height=800)
                self.assertLessEqual(self.ask("document.documentElement.scrollWidth"), width, f"{name} at {width}")

    def test_without_sound(self):
        self.open("silent")
        browser.press(" ")
        self.assertEqual(self.ask("lanes.player.playing || lanes.player.loading"), False)
        self.assertEqual(self.ask("document.getElementById('play').hidden"), True)

    @classmethod
    def tearDownClass(cls):
        if not SHOTS:
            return
        SHOTS.mkdir(parents=True, exist_ok=True)
        for name, width, dark in (("light", 1280, False), ("dark", 1280, True), ("narrow", 360, False)):
            browser.open(PAGES["all"], width=width, dark=dark)
            browser.screenshot(SHOTS / f"{name}.png")


if __name__ == "__main__":
    program = find_chromium()
    if not program:
        print("skipped: no Chromium found; install it to test the page of ravel report")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as place:
        make_pages(Path(place))
        browser = Browser(program)
        try:
            done = unittest.main(argv=[sys.argv[0]], exit=False, verbosity=2).result
        finally:
            browser.close()
    sys.exit(not done.wasSuccessful())
