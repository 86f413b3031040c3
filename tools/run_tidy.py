#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy-14 (.clang-tidy) over the sources of the library and the programs.

  python tools/run_tidy.py BUILD_DIR [--jobs N]

BUILD_DIR holds compile_commands.json of a clang build. Tests, benches and Highway's per-target files are left out. A file
that passed is not looked at again until what the compiler sees of it (its preprocessed text, the flags) or .clang-tidy
changes: BUILD_DIR/tidy remembers. Exit status: 0 clean, 1 findings, 77 (skipped) without clang-tidy-14.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys

from check_layers import is_testing

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def is_checked(path):
    if not path.startswith(("src/", "apps/")) or is_testing(path):
        return False
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return "foreach_target.h" not in f.read()


def compiler_sees(entry):
    """Digest of the preprocessed file; None when it does not compile (clang-tidy will say why)."""
    command = shlex.split(entry["command"])
    if "ccache" in os.path.basename(command[0]):
        command = command[1:]
    output = command.index("-o")
    command = [a for i, a in enumerate(command) if i not in (output, output + 1) and a != "-c"] + ["-E", "-P"]
    result = subprocess.run(command, cwd=entry["directory"], capture_output=True)
    return hashlib.sha256(result.stdout + " ".join(command).encode()).hexdigest() if result.returncode == 0 else None


def check(job):
    entry, path, stamps, config = job
    seen = compiler_sees(entry)
    stamp = os.path.join(stamps, hashlib.sha256((path + config + (seen or "")).encode()).hexdigest())
    if seen and os.path.exists(stamp):
        return path, None
    result = subprocess.run(["clang-tidy-14", "--quiet", "-p", os.path.dirname(stamps), path], cwd=ROOT, capture_output=True,
                            text=True)
    if result.returncode == 0:
        open(stamp, "w").close()
        return path, ""
    return path, result.stdout or result.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build_dir")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    if not shutil.which("clang-tidy-14"):
        print("skipped: clang-tidy-14 is absent")
        sys.exit(77)
    build_dir = os.path.abspath(args.build_dir)
    with open(os.path.join(build_dir, "compile_commands.json"), encoding="utf-8") as f:
        entries = {os.path.relpath(e["file"], ROOT): e for e in json.load(f)}
    stamps = os.path.join(build_dir, "tidy")
    os.makedirs(stamps, exist_ok=True)
    with open(os.path.join(ROOT, ".clang-tidy"), encoding="utf-8") as f:
        config = f.read()
    jobs = [(entry, path, stamps, config) for path, entry in sorted(entries.items()) if is_checked(path)]
    failed = checked = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for path, report in pool.map(check, jobs):
            checked += report is not None
            if report:
                failed += 1
                print(f"{path}:\n{report}", flush=True)
    print(f"{len(jobs)} files, {checked} looked at, {failed} with findings")
    sys.exit(1 if failed or not jobs else 0)


if __name__ == "__main__":
    main()
