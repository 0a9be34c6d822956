#!/usr/bin/env python3
"""Sum up Meson's JUnit reports: print the failures and `N passed, N failed`.

Exits with 1 if a test failed or none ran.
"""
import sys
import xml.etree.ElementTree as ET


def main(paths) -> int:
    passed = failed = skipped = 0
    for path in paths:
        for case in ET.parse(path).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
                print(f"failed: {case.get('classname')} {case.get('name')} ({path})")
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    tail = f", {skipped} skipped" if skipped else ""
    print(f"{passed} passed, {failed} failed{tail}")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
