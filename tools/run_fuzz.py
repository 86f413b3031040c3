#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the fuzz targets for long, and grows their corpora by what is new.

  cmake --preset asan -DKOE_FUZZ=ON && cmake --build --preset asan
  python tools/run_fuzz.py --build build/asan [--runs 10000000 | --seconds 600] [--jobs N] [--grow] [TARGET ...]
  python tools/run_fuzz.py --build build/asan --kept DIR --runs 10000000 --slice 20

Each target starts from fuzz/corpus/TARGET with fuzz/dict/TARGET.dict. --runs divides nothing: it is for each target. --grow
merges inputs of at most 4 KiB that reach new code into the corpus, smallest first. What fails is left in --artifacts.
Prints for each target how often it ran and whether there was a finding. Exit status: 0 without a finding.

With --kept, DIR keeps what was found on the way and, in counts.json, how often each target has run: the targets take turns of
--slice seconds until each has its --runs, this time's and earlier ones' together. SIGINT or SIGTERM ends any run early, with
its counts; the same command goes on. A target with a finding has no more turns.
"""
import argparse
import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MAX_BYTES = 4096
INTERRUPTED = 72  # libFuzzer's exit status, which is no finding

running = set()
stopped = False


def stop(*_):
    """libFuzzer ends at SIGINT with its counts."""
    global stopped
    stopped = True
    for process in list(running):
        process.send_signal(signal.SIGINT)


def fuzz(target, options, runs, seconds, found):
    """(executions, exit status, the end of what it said) of one process."""
    if stopped:
        return 0, 0, ""
    corpus = os.path.join(ROOT, "fuzz", "corpus", target)
    dictionary = os.path.join(ROOT, "fuzz", "dict", f"{target}.dict")
    command = [os.path.join(options.build, target), "-rss_limit_mb=1024", "-timeout=10", f"-max_len={MAX_BYTES}",
               "-print_final_stats=1", f"-artifact_prefix={options.artifacts}/{target}-", f"-runs={runs}",
               f"-max_total_time={seconds}", f"-seed={options.seed}"]
    if os.path.exists(dictionary):
        command.append(f"-dict={dictionary}")
    # A session of its own: a terminal's Ctrl-C reaches this program alone, which passes it on once.
    with subprocess.Popen([*command, found, corpus], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          errors="replace", start_new_session=True) as process:
        running.add(process)
        if stopped:
            process.send_signal(signal.SIGINT)
        output = process.communicate()[1]
        running.discard(process)
    ran = re.findall(r"stat::number_of_executed_units:\s*(\d+)", output)
    code = process.returncode
    if stopped and code in (INTERRUPTED, -signal.SIGINT):  # the latter: before it was caught
        code = 0
    return int(ran[-1]) if ran else 0, code, output[-3000:]


def grow(target, options, found):
    program = os.path.join(options.build, target)
    corpus = os.path.join(ROOT, "fuzz", "corpus", target)
    with tempfile.TemporaryDirectory(prefix="koe-merged-") as merged:
        # The corpus first: what it reaches already is not taken twice.
        subprocess.run([program, "-merge=1", f"-max_len={MAX_BYTES}", merged, corpus, found], capture_output=True, check=False)
        kept = {open(os.path.join(corpus, name), "rb").read() for name in os.listdir(corpus)}
        for name in os.listdir(merged):
            with open(os.path.join(merged, name), "rb") as file:
                if file.read() not in kept:
                    shutil.copy(os.path.join(merged, name), os.path.join(corpus, name[:16]))


def search(target, options):
    with tempfile.TemporaryDirectory(prefix="koe-fuzz-") as found:
        ran, code, output = fuzz(target, options, options.runs, options.seconds, found)
        if code == 0 and options.grow:
            grow(target, options, found)
    return ran, code, output


class Counts:
    """counts.json of --kept; written beside and renamed, so that a kill leaves the last whole one."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "counts.json")
        try:
            with open(self.path, encoding="utf-8") as file:
                self.runs = json.load(file)
        except FileNotFoundError:
            self.runs = {}

    def add(self, target, runs):
        self.runs[target] = self.runs.get(target, 0) + runs
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.runs, file, indent=1, sort_keys=True)
        os.replace(self.path + ".new", self.path)


def take_turns(targets, options, report):
    counts = Counts(options.kept)
    waiting = list(targets)
    while waiting and not stopped:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            def turn(target):
                found = os.path.join(options.kept, target)
                os.makedirs(found, exist_ok=True)
                left = options.runs - counts.runs.get(target, 0) if options.runs > 0 else -1
                return target, *(fuzz(target, options, left, options.slice, found) if left else (0, 0, ""))
            done = []
            for target, ran, code, output in pool.map(turn, waiting):
                counts.add(target, ran)
                if code:
                    report(target, ran, code, output)
                if code or 0 < options.runs <= counts.runs[target]:
                    done.append(target)
        waiting = [target for target in waiting if target not in done]
    for target in targets:
        print(f"{target}: {counts.runs.get(target, 0):,} runs", flush=True)
    return sum(counts.runs.get(target, 0) for target in targets)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--build", required=True)
    parser.add_argument("--runs", type=int, default=-1)
    parser.add_argument("--seconds", type=int, default=0, help="0: no limit")
    parser.add_argument("--kept", metavar="DIR", help="keep counts and findings; go on where they end")
    parser.add_argument("--slice", type=int, default=60, help="seconds of a turn with --kept")
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--artifacts", default=".")
    options = parser.parse_args()
    if options.runs < 0 and options.seconds == 0 and not options.kept:
        sys.exit("give --runs, --seconds or --kept")
    if options.kept and (options.grow or options.seconds):
        sys.exit("--kept goes with --runs and --slice")
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    targets = options.targets or sorted(os.listdir(os.path.join(ROOT, "fuzz", "corpus")))
    findings = total = 0

    def report(target, ran, code, output):
        nonlocal findings
        findings += code != 0
        print(f"{target}: {ran:,} runs, {'FINDING' if code else 'no finding'}", flush=True)
        if code:
            print(output, flush=True)

    if options.kept:
        total = take_turns(targets, options, report)
    else:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for target, (ran, code, output) in zip(targets, pool.map(lambda name: search(name, options), targets)):
                total += ran
                report(target, ran, code, output)
    print(f"{total:,} runs, {findings} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
