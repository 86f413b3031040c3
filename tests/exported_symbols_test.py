#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What libkoe.so exports is what include/koe/koe_c.h declares: versioned names that start with koe_, nothing else.

  python tests/exported_symbols_test.py LIBKOE.so
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    lines = subprocess.run(["nm", "-D", "--defined-only", sys.argv[1]], capture_output=True, text=True, check=True).stdout
    exported = {line.split()[-1] for line in lines.splitlines() if line.split()[-2] != "A"}  # A: the versions' own names
    with open(os.path.join(ROOT, "include", "koe", "koe_c.h"), encoding="utf-8") as f:
        declared = set(re.findall(r"^KOE_C_EXPORT\b[^;{]*?\b(koe_\w+)\(", f.read(), re.MULTILINE))
    findings = [f"{name}: not versioned" for name in sorted(exported) if not re.fullmatch(r"\w+@@KOE_\d+", name)]
    names = {name.split("@")[0] for name in exported}
    findings += [f"{name}: does not start with koe_" for name in sorted(names) if not name.startswith("koe_")]
    findings += [f"{name}: exported, not declared" for name in sorted(names - declared)]
    findings += [f"{name}: declared, not exported" for name in sorted(declared - names)]
    print("\n".join(findings + [f"{len(names)} symbols, {len(findings)} findings"]))
    sys.exit(1 if findings or not names else 0)


if __name__ == "__main__":
    main()
