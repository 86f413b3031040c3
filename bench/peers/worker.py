#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One peer as a process of its own. run_peers.py starts it; koe_worker.cc speaks the same protocol.

  python bench/peers/worker.py SYSTEM --model PATH --bundle DIR --threads N

First answer, once the system is ready: {"version", "create_seconds", "create_cpu_seconds", ...}. create_seconds runs from
after the imports to the end of the system's own loading. What speaks a first short text by itself before it is ready (Koe)
tells that time apart, as "prewarm_seconds" and "prewarm_cpu_seconds". Then for each line "voice<TAB>phonemes" one synthesis and one line
{"wall_seconds", "cpu_seconds", "samples"}: phonemes in, all samples in memory; cpu_seconds is user + system time of all
threads of the process. What cannot go on says why in {"error"} and ends with status 1.
"""
import argparse
import json
import os
import resource
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system")
    parser.add_argument("--model", required=True)
    parser.add_argument("--bundle", required=True)
    parser.add_argument("--threads", type=int, required=True)
    args = parser.parse_args()
    # Libraries print to standard output; the answers keep it to themselves.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def answer(values):
        print(json.dumps(values), file=answers, flush=True)

    try:
        import systems
        system = systems.SYSTEMS[args.system](args.model, args.bundle, args.threads)
        system.load_library()
        wall, cpu = time.perf_counter(), cpu_seconds()
        system.create()
        answer({"version": system.version, "threads": args.threads, "create_seconds": time.perf_counter() - wall,
                "create_cpu_seconds": cpu_seconds() - cpu})
        for line in sys.stdin:
            voice, phonemes = line.rstrip("\n").split("\t")
            job = system.prepare(voice, phonemes)
            wall, cpu = time.perf_counter(), cpu_seconds()
            samples = system.run(job)
            answer({"wall_seconds": time.perf_counter() - wall, "cpu_seconds": cpu_seconds() - cpu, "samples": int(samples)})
    except Exception as error:  # whatever a peer throws becomes the reason in the report
        answer({"error": f"{type(error).__name__}: {error}".split("\n")[0][:300]})
        sys.exit(1)


if __name__ == "__main__":
    main()
