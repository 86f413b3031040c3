#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-format-14 over every C and C++ file of the tree and names those it would change.

  python tools/check_format.py [--fix]

Exit status: 0 clean, 1 files differ, 77 (skipped) without clang-format-14.
"""
import argparse
import os
import shutil
import subprocess
import sys

from check_layers import source_files

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fix", action="store_true", help="rewrite the files")
    args = parser.parse_args()
    if not shutil.which("clang-format-14"):
        print("skipped: clang-format-14 is absent")
        sys.exit(77)
    files = list(source_files(ROOT))
    different = []
    for start in range(0, len(files), 40):
        command = ["clang-format-14", "-i" if args.fix else "--dry-run", *files[start:start + 40]]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        lines = [line for line in result.stderr.split("\n") if "[-Wclang-format-violations]" in line]
        different += sorted({line.split(":")[0] for line in lines})
        if result.returncode != 0 or (result.stderr and not lines):
            sys.exit(f"clang-format-14: {result.stderr}")
    print("\n".join(different + [f"{len(files)} files, {len(different)} to format (tools/check_format.py --fix)"]))
    sys.exit(1 if different or not files else 0)


if __name__ == "__main__":
    main()
