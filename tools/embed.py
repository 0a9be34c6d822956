#!/usr/bin/env python3
"""Write the files of a page as C arrays:   embed.py OUT.c FILE..."""
import pathlib
import sys

ROW = 20


def array(number: int, data: bytes) -> str:
    rows = (",".join(str(b) for b in data[i:i + ROW]) for i in range(0, len(data), ROW))
    return f"static const unsigned char file{number}[] = {{\n" + ",\n".join(rows) + "\n};\n"


def main() -> int:
    out, files = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    text = '#include "report/report_embedded.h"\n\n'
    text += "".join(array(i, path.read_bytes()) for i, path in enumerate(files))
    text += "\nconst rv_embedded rv_report_embedded[] = {\n"
    text += "".join(f'    {{ "{path.name}", file{i}, sizeof file{i} }},\n' for i, path in enumerate(files))
    out.write_text(text + "    { NULL, NULL, 0 },\n};\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
