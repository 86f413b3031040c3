#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands of README.md (or the files given) as a reader would.

  python tests/readme_test.py [FILE.md ...] [--list]

Every block fenced as ```sh is run, in order, by `bash -e` in one scratch folder that looks like the root of the tree (links
to everything in it), so that what a command writes does not land in the tree. A block that must not run carries the reason
in a comment on the line before its fence: <!-- not run: REASON -->. Exits 77 (skipped) when the program is not built.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FENCE = re.compile(r"^(?:<!-- not run: (?P<reason>[^\n]+?) -->\n)?```sh\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(text):
    """[(line number, commands, reason for not running or None)]"""
    return [(text.count("\n", 0, m.start()) + 1, m["body"], m["reason"]) for m in FENCE.finditer(text)]


def run_file(path, folder):
    with open(path, encoding="utf-8") as f:
        found = blocks(f.read())
    ok = True
    for line, commands, reason in found:
        where = f"{os.path.relpath(path, ROOT)}:{line}"
        if reason:
            print(f"{where}: not run: {reason}")
            continue
        start = time.monotonic()
        # A terminal is not there, and nothing may wait for input.
        result = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=folder, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        good = result.returncode == 0
        print(f"{where}: {'ok' if good else f'FAILED with {result.returncode}'} in {time.monotonic() - start:.1f} s", flush=True)
        if not good:
            print(commands + "--- printed:\n" + result.stdout)
        ok = ok and good
    return ok, len(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", default=[os.path.join(ROOT, "README.md")])
    parser.add_argument("--list", action="store_true", help="say what would run")
    args = parser.parse_args()
    if args.list:
        for path in args.files:
            with open(path, encoding="utf-8") as f:
                for line, commands, reason in blocks(f.read()):
                    print(f"{path}:{line}: " + (f"not run: {reason}" if reason else "") + "\n" + commands)
        return
    if not os.path.exists(os.path.join(ROOT, "build", "release", "koe")):
        print("skipped: build/release/koe is absent")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        for name in os.listdir(ROOT):
            if name != ".git":
                os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
        results = [run_file(os.path.abspath(path), folder) for path in args.files]
    if not sum(count for _, count in results):
        sys.exit("no ```sh blocks found")
    sys.exit(0 if all(ok for ok, _ in results) else 1)


if __name__ == "__main__":
    main()
