#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the fuzz targets for long, and grows their corpora by what is new.

  cmake --preset asan -DKOE_FUZZ=ON && cmake --build --preset asan
  python tools/run_fuzz.py --build build/asan [--runs 10000000 | --seconds 600] [--jobs N] [--grow] [TARGET ...]

Each target starts from fuzz/corpus/TARGET with fuzz/dict/TARGET.dict. --runs divides nothing: it is for each target. --grow
merges inputs of at most 4 KiB that reach new code into the corpus, smallest first. What fails is left in --artifacts.
Prints for each target how often it ran and whether there was a finding. Exit status: 0 without a finding.
"""
import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAX_BYTES = 4096


def search(target, options):
    corpus = os.path.join(ROOT, "fuzz", "corpus", target)
    dictionary = os.path.join(ROOT, "fuzz", "dict", f"{target}.dict")
    program = os.path.join(options.build, target)
    with tempfile.TemporaryDirectory(prefix="koe-fuzz-") as found:
        command = [program, "-rss_limit_mb=1024", "-timeout=10", f"-max_len={MAX_BYTES}", "-print_final_stats=1",
                   f"-artifact_prefix={options.artifacts}/{target}-", f"-runs={options.runs}",
                   f"-max_total_time={options.seconds}", f"-seed={options.seed}"]
        if os.path.exists(dictionary):
            command.append(f"-dict={dictionary}")
        result = subprocess.run([*command, found, corpus], capture_output=True, text=True, errors="replace", check=False)
        runs = re.search(r"stat::number_of_executed_units:\s*(\d+)", result.stderr)
        if result.returncode == 0 and options.grow:
            with tempfile.TemporaryDirectory(prefix="koe-merged-") as merged:
                # The corpus first: what it reaches already is not taken twice.
                subprocess.run([program, "-merge=1", f"-max_len={MAX_BYTES}", merged, corpus, found], capture_output=True,
                               check=False)
                kept = {open(os.path.join(corpus, name), "rb").read() for name in os.listdir(corpus)}
                for name in os.listdir(merged):
                    with open(os.path.join(merged, name), "rb") as file:
                        if file.read() not in kept:
                            shutil.copy(os.path.join(merged, name), os.path.join(corpus, name[:16]))
        return target, int(runs[1]) if runs else 0, result.returncode, result.stderr[-3000:]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--build", required=True)
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--seconds", type=int, default=0, help="0: no limit")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--artifacts", default=".")
    options = parser.parse_args()
    if options.runs < 0 and options.seconds == 0:
        sys.exit("give --runs or --seconds")
    targets = options.targets or sorted(os.listdir(os.path.join(ROOT, "fuzz", "corpus")))
    findings = total = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for target, runs, code, output in pool.map(lambda name: search(name, options), targets):
            total += runs
            findings += code != 0
            print(f"{target}: {runs:,} runs, {'FINDING' if code else 'no finding'}", flush=True)
            if code:
                print(output)
    print(f"{total:,} runs, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
