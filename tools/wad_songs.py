#!/usr/bin/env python3
"""Write the songs of a WAD file (Freedoom's levels) as MIDI files, each content once.

    wad_songs.py FILE.wad OUT

A WAD is "IWAD" or "PWAD", the number of its lumps and the offset of their directory (int32), which
has for each lump offset, size and eight characters of name.
"""
import pathlib
import struct
import sys


def lumps(wad):
    kind, count, directory = struct.unpack_from("<4sii", wad)
    if kind not in (b"IWAD", b"PWAD"):
        sys.exit(f"{sys.argv[1]}: not a WAD file")
    for i in range(count):
        offset, size, name = struct.unpack_from("<ii8s", wad, directory + 16 * i)
        yield name.rstrip(b"\0").decode("ascii").lower(), wad[offset:offset + size]


def main():
    wad, out = pathlib.Path(sys.argv[1]).read_bytes(), pathlib.Path(sys.argv[2])
    out.mkdir(parents=True, exist_ok=True)
    seen = set()
    for name, content in lumps(wad):
        if content.startswith(b"MThd") and content not in seen:
            seen.add(content)
            (out / f"{name}.mid").write_bytes(content)


if __name__ == "__main__":
    main()
