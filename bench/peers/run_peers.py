#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole runs of koe and onnxruntime in the same sitting: tokens -> PCM, two threads each, interleaved in a seeded order.

  python bench/peers/run_peers.py --onnx FP32.onnx [FP32_INSTANCE_NORM.onnx ...] [--rounds 10] [--json OUT.json]

A round measures every system on every input once, in random order, with a pause before each so that no thread pool still
spins. One measurement is the median of --repeat warm runs in a process that has loaded its model: `koe say --phonemes
--json --repeat` for koe, one living worker process per ONNX file for onnxruntime (CPU provider, all graph optimisations).
Both get the same token ids and voice row; the audio length that each made is printed. Ratios are taken per round (koe and
peer under the same conditions), then the median and the spread (lowest to highest round) are reported.
Needs numpy, onnxruntime, a built koe and its bundle. The ONNX files are made by export_onnx_fp32.py.
"""
import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def read_inputs(path):
    with open(path, encoding="utf-8") as f:
        rows = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#") and line.strip()]
    return [{"name": name, "voice": voice, "phonemes": phonemes} for name, voice, phonemes in rows]


def worker(onnx_path, threads, bundle):
    """Reads one JSON job a line, answers with one line. Runs in a process of its own."""
    import numpy as np
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(onnx_path, options, providers=["CPUExecutionProvider"])
    with open(os.path.join(bundle, "vocab.json"), encoding="utf-8") as f:
        vocab = json.load(f)
    vocab = vocab.get("vocab", vocab)
    print(json.dumps({"version": onnxruntime.__version__}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        phonemes = job["phonemes"]
        rows = np.fromfile(os.path.join(bundle, "voices", job["voice"] + ".bin"), "<f4").reshape(510, 256)
        ids = [0, *[vocab[c] for c in phonemes if c in vocab], 0]
        feed = {"tokens": np.array([ids], np.int64), "style": rows[len(phonemes) - 1][None], "speed": np.ones(1, np.float32)}
        audio = session.run(["audio"], feed)[0]
        times = []
        for _ in range(job["repeat"]):
            start = time.perf_counter()
            session.run(["audio"], feed)
            times.append(time.perf_counter() - start)
        print(json.dumps({"wall_seconds": statistics.median(times), "samples": int(audio.size)}), flush=True)


class Onnxruntime:
    def __init__(self, path, args):
        self.name = "onnxruntime " + os.path.splitext(os.path.basename(path))[0]
        command = [sys.executable, os.path.abspath(__file__), "--worker", path, "--threads", str(args.threads),
                   "--bundle", args.bundle]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = json.loads(self.process.stdout.readline())["version"]

    def measure(self, case, repeat):
        self.process.stdin.write(json.dumps({**case, "repeat": repeat}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Koe:
    name = "koe"

    def __init__(self, args):
        self.args = args
        self.folder = tempfile.TemporaryDirectory()
        self.version = subprocess.run([args.koe, "--version"], capture_output=True, text=True).stdout.strip()

    def measure(self, case, repeat):
        # --repeat counts the cold run; the reported median is over the warm ones.
        command = [self.args.koe, "say", case["phonemes"], "--phonemes", "--voice", case["voice"], "--bundle", self.args.bundle,
                   "--threads", str(self.args.threads), "--repeat", str(repeat + 1), "--json",
                   "-o", os.path.join(self.folder.name, "koe.wav"), *self.args.koe_flags.split()]
        result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        return {"wall_seconds": result["wall_seconds"], "samples": result["samples"]}

    def close(self):
        self.folder.cleanup()


def cpu_name():
    with open("/proc/cpuinfo") as f:
        return next((line.split(":")[1].strip() for line in f if line.startswith("model name")), platform.machine())


def report(results, systems, cases):
    """One row per input and system: median, spread, real-time factor, and the peer's time over koe's, round by round."""
    table = []
    base = results.get("koe")
    for case in cases:
        for system in systems:
            runs = results[system.name][case["name"]]
            times = [r["wall_seconds"] for r in runs]
            seconds = runs[0]["samples"] / 24000
            row = {"input": case["name"], "system": system.name, "audio_seconds": seconds, "samples": runs[0]["samples"],
                   "median_seconds": statistics.median(times), "lowest": min(times), "highest": max(times),
                   "realtime_factor": statistics.median(times) / seconds}
            if base and system.name != "koe":
                ratios = [t / k["wall_seconds"] for t, k in zip(times, base[case["name"]])]
                row.update(ratio_to_koe=statistics.median(ratios), ratio_lowest=min(ratios), ratio_highest=max(ratios))
            table.append(row)
    print(f"{'input':6s} {'system':36s} {'audio s':>8s} {'median s':>9s} {'low..high s':>16s} {'RTF':>7s}  peer / koe (low..high)")
    for r in table:
        ratio = f"{r['ratio_to_koe']:.2f} ({r['ratio_lowest']:.2f}..{r['ratio_highest']:.2f})" if "ratio_to_koe" in r else ""
        spread = f"{r['lowest']:.3f}..{r['highest']:.3f}"
        print(f"{r['input']:6s} {r['system']:36s} {r['audio_seconds']:8.3f} {r['median_seconds']:9.3f} {spread:>16s} "
              f"{r['realtime_factor']:7.3f}  {ratio}")
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onnx", nargs="+", default=[], metavar="FILE")
    parser.add_argument("--koe", default=os.path.join(ROOT, "build", "release", "koe"))
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m"))
    parser.add_argument("--koe-flags", default="", help="more flags for koe, e.g. '--precision exact'")
    parser.add_argument("--no-koe", action="store_true", help="measure the peers only")
    parser.add_argument("--inputs", default=os.path.join(ROOT, "bench", "peers", "inputs.tsv"))
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these inputs only")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3, help="warm runs in one measurement")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pause", type=float, default=0.3, help="seconds before each measurement")
    parser.add_argument("--seed", type=int, default=1, help="of the order")
    parser.add_argument("--json", metavar="OUT")
    parser.add_argument("--worker", metavar="FILE", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        worker(args.worker, args.threads, args.bundle)
        return
    cases = [c for c in read_inputs(args.inputs) if not args.only or c["name"] in args.only]
    systems = ([] if args.no_koe else [Koe(args)]) + [Onnxruntime(path, args) for path in args.onnx]
    print(f"{cpu_name()}, {os.cpu_count()} processors, {args.threads} threads; load {os.getloadavg()[0]:.2f}; "
          + "; ".join(f"{s.name} ({s.version})" for s in systems), flush=True)
    results = {s.name: {c["name"]: [] for c in cases} for s in systems}
    order = random.Random(args.seed)
    for number in range(args.rounds):
        jobs = [(s, c) for s in systems for c in cases]
        order.shuffle(jobs)
        for system, case in jobs:
            time.sleep(args.pause)
            results[system.name][case["name"]].append(system.measure(case, args.repeat))
        print(f"round {number + 1} of {args.rounds}", file=sys.stderr, flush=True)
    for system in systems:
        system.close()
    table = report(results, systems, cases)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump({"cpu": cpu_name(), "processors": os.cpu_count(), "threads": args.threads, "seed": args.seed,
                       "rounds": args.rounds, "repeat": args.repeat, "versions": {s.name: s.version for s in systems},
                       "table": table, "rounds_raw": results}, f, indent=1)


if __name__ == "__main__":
    main()
