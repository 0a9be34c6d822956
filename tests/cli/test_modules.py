#!/usr/bin/env python3
"""FFmpeg and FluidSynth are loaded when they are first needed, from one folder only.

    test_modules.py PATH_OF_RAVEL SOURCE_FOLDER PATH_OF_LIBRAVEL MODULES...
"""
import os
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from cli_case import CliCase, RAVEL, SOURCE, write_wav

LIBRARY = Path(sys.argv[3]).resolve()
MODULES = {Path(name).stem: Path(name).resolve() for name in sys.argv[4:]}
CORPUS = SOURCE / "tests" / "fuzz" / "corpus" / "audio"


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Linking(unittest.TestCase):
    def test_what_is_loaded_at_once(self):
        needed = output("readelf", "-d", RAVEL) + output("readelf", "-d", LIBRARY)
        self.assertIn("libsndfile", needed)
        for name in ("libav", "libsw", "libfluid"):
            self.assertNotIn(name, needed)

    def test_modules_need_what_the_library_does_not(self):
        for name, first in (("ravel_libav", "libavformat"), ("ravel_fluidsynth", "libfluidsynth")):
            if name in MODULES:
                self.assertIn(first, output("readelf", "-d", MODULES[name]))

    def test_modules_export_one_symbol(self):
        for path in MODULES.values():
            names = {line.split()[-1] for line in output("nm", "-D", "--defined-only", path).splitlines()}
            of_ravel = {name for name in names if not name.startswith("_")}  # others are the tools'
            self.assertEqual(of_ravel, {"rv_module"})


@unittest.skipUnless("ravel_libav" in MODULES, "built without FFmpeg")
class Reading(CliCase):
    """A copy of the program and its library elsewhere, which knows nothing of the build."""

    def setUp(self):
        super().setUp()
        self.program = self.folder / "ravel"
        self.library = self.folder / "src"  # where the built program looks for it
        self.modules = self.library / "ravel"
        self.modules.mkdir(parents=True)
        shutil.copy(RAVEL, self.program)
        shutil.copy(LIBRARY, self.library / "libravel.so.0")
        self.module = self.modules / "ravel_libav.so"

    def read(self, path, program=None, code=0, **env):
        outside = {key: value for key, value in os.environ.items() if key != "LD_LIBRARY_PATH"}
        done = subprocess.run([program or self.program, "separate", "-m", "classic", "-j", "1", "--overwrite",
                               "-o", self.out, path],
                              capture_output=True, text=True, cwd=self.folder, timeout=100,
                              env={**outside, **env})
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def put_module(self, at):
        at.parent.mkdir(exist_ok=True)
        shutil.copy(MODULES["ravel_libav"], at)

    def test_files_that_need_it(self):
        for path in (CORPUS / "tone.m4a", CORPUS / "tone.mp3", SOURCE / "tests" / "golden" / "tones.stem.mp4"):
            done = self.read(path, RAVEL)
            self.assertEqual(len(done.stdout.split()), 4, "names of stems")

    def test_beside_the_library(self):
        self.put_module(self.module)
        self.read(CORPUS / "tone.m4a")

    def test_missing(self):
        done = self.read(CORPUS / "tone.m4a", code=1)
        self.complaint(done, "tone.m4a", "FFmpeg cannot be loaded", self.module, "No such file", "install")

    def test_not_looked_for_elsewhere(self):
        for folder in (self.folder, self.folder / "lib", self.library, self.folder / "ravel_modules"):
            self.put_module(folder / "ravel_libav.so")
        done = self.read(CORPUS / "tone.m4a", code=1, LD_LIBRARY_PATH=str(self.folder / "lib"))
        self.complaint(done, self.module, "No such file")

    def test_broken(self):
        self.module.write_text("not a library\n" * 100)
        self.complaint(self.read(CORPUS / "tone.m4a", code=1), "FFmpeg cannot be loaded", self.module, "invalid")

    @unittest.skipUnless("ravel_fluidsynth" in MODULES, "built without FluidSynth")
    def test_of_another_build(self):
        shutil.copy(MODULES["ravel_fluidsynth"], self.module)
        self.complaint(self.read(CORPUS / "tone.m4a", code=1), self.module, "not a module of Ravel 0.1.0")

    def test_files_that_do_not_need_it(self):
        self.read(write_wav(self.folder / "a.wav"))
        self.read(CORPUS / "tone.mp3")  # by libsndfile


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
