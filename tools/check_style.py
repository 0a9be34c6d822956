#!/usr/bin/env python3
"""Fail on what the project keeps short: functions of more than 60 lines, files of more
than 600, two sources of one name, marks of unfinished work."""
import pathlib
import re
import sys

MAX_FUNCTION, MAX_FILE = 60, 600
ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src", "include", "apps", "examples", "tests", "bench")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|#\s*if 0\b")


def problems(path: pathlib.Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    if len(lines) > MAX_FILE:
        yield f"{path}: {len(lines)} lines, at most {MAX_FILE}"
    start = 0
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number - 1
        elif line == "}" and start:
            if number - start + 1 > MAX_FUNCTION:
                yield f"{path}:{start}: a function of {number - start + 1} lines, at most {MAX_FUNCTION}"
            start = 0
        if UNFINISHED.search(line):
            yield f"{path}:{number}: {line.strip()}"


def main() -> int:
    bad, seen = 0, {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.[ch]")):
            found = list(problems(path))
            if path.name in seen:
                found.append(f"{path}: same name as {seen[path.name]}")
            seen[path.name] = path
            for text in found:
                print(text)
            bad += len(found)
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
