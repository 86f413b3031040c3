#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Koe and its peers in one sitting: the same phonemes, weights and threads; makes docs/benchmarks.md's table and plot.

  python bench/peers/run_peers.py                 everything, about 25 minutes on two cores that have nothing else to do
  python bench/peers/run_peers.py --quick         three minutes, writes nothing into the tree
  python bench/peers/run_peers.py --resume        go on after an interruption

Two protocols, kept apart:
  warm   Every system lives in a process of its own with everything loaded and each input spoken once. A round then measures
         every system on its inputs, one run each, in a seeded order whose reverse is the next round's. Before each run the
         machine must be idle (cores in use, by anyone, over --pause seconds <= --max-load; the load average is recorded but
         cannot be the gate, because our own runs make it); a run beside which something else used more than that is repeated.
  fresh  A new process: how long until the system is ready, the first run, the highest resident memory up to there.
A measurement is written to the results file as soon as it is taken. A system that cannot run is listed with the reason.
Needs what requirements.txt names, a build of Koe and its bundle; README.md says more.
"""
import argparse
import os
import random
import signal
import subprocess
import sys

import machine
import prepare
import protocol
import report
from session import Session, Worker, WorkerError

ROOT = prepare.ROOT
DEFAULT_RESULTS = os.path.join(ROOT, "bench", "peers", "results", "peers.json")
PRESETS = ["exact:", "fast:--precision fast", "low-memory:--precision low-memory"]
FP32 = "onnxruntime fp32"
# name: (system of systems.py, what of prepare.py it needs, file in that folder)
PEERS = {
    "onnxruntime fp32": ("onnxruntime", "onnx", None),  # the faster of the two exports
    "onnxruntime int8": ("onnxruntime", None, None),
    "OpenVINO": ("openvino", "onnx", "fp32_in.onnx"),
    "PyTorch": ("pytorch", "pytorch", ""),
    "sherpa-onnx": ("sherpa", "sherpa", ""),
    "vox-tts": ("vox", "vox", "kokoro.tmod"),
}
EXPORTS = ("fp32_in.onnx", "fp32.onnx")
EVERYWHERE = (FP32, "onnxruntime int8")  # besides Koe; the others on --some-inputs only, unless --full


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    prepare.add_arguments(parser)
    parser.add_argument("--build", default=os.path.join(ROOT, "build", "release"), help="Koe's build folder")
    parser.add_argument("--no-build", action="store_true", help="take koe_peer_worker as it is there")
    parser.add_argument("--koe-preset", action="append", metavar="NAME:ARGS", help=f"default: {', '.join(PRESETS)}")
    parser.add_argument("--systems", nargs="+", metavar="NAME", help="only these peers (none: Koe alone): " + ", ".join(PEERS))
    parser.add_argument("--only", nargs="+", metavar="INPUT", help="only these inputs")
    parser.add_argument("--some-inputs", nargs="+", default=["3s", "10s"], metavar="INPUT",
                        help="inputs of the peers besides onnxruntime (default: 3s 10s)")
    parser.add_argument("--full", action="store_true", help="every system on every input (about an hour)")
    parser.add_argument("--quick", action="store_true", help="3 rounds, 3s and 10s, Koe and onnxruntime")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--fresh", type=int, default=2, metavar="N", help="fresh processes of each system (default 2)")
    parser.add_argument("--fresh-input", default="15s", metavar="INPUT")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of the order")
    parser.add_argument("--max-load", type=float, default=0.3, metavar="CORES")
    parser.add_argument("--wait", type=float, default=600, metavar="SECONDS", help="for an idle machine, then give up")
    parser.add_argument("--busy-ok", action="store_true", help="measure on a busy machine; the results say so")
    parser.add_argument("--pause", type=float, default=0.5, metavar="SECONDS", help="before each run")
    parser.add_argument("--retries", type=int, default=2, help="of a run beside which the machine was busy")
    parser.add_argument("--json", metavar="FILE", help=f"results (default {os.path.relpath(DEFAULT_RESULTS, ROOT)}; build/peers_part.json and no docs with --quick, "
                        "--only or --systems)")
    parser.add_argument("--resume", action="store_true", help="go on with an unfinished results file")
    parser.add_argument("--restart", action="store_true", help="replace an unfinished results file")
    parser.add_argument("--no-docs", action="store_true", help="do not touch docs/")
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.fresh, args.fresh_input = 3, 1, "3s"
        args.only, args.systems = args.only or ["3s", "10s"], args.systems or list(EVERYWHERE)
    if not args.json and (args.only or args.systems):  # a part of the comparison does not replace the whole
        args.json, args.no_docs = os.path.join(ROOT, "build", "peers_part.json"), True
    args.json = args.json or DEFAULT_RESULTS
    unknown = [s for s in args.systems or [] if s not in PEERS and s != "none"]
    if unknown:
        parser.error(f"no system {unknown[0]!r}: {', '.join(PEERS)} or none")
    if min(args.rounds, args.threads) < 1 or args.fresh < 0:
        parser.error("--rounds and --threads must be at least 1")
    return args


def koe_worker(args):
    """Its path, built from the tree as it is."""
    worker = os.path.join(args.build, "koe_peer_worker")
    if not args.no_build:
        done = subprocess.run(["cmake", "--build", args.build, "--target", "koe_peer_worker"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"building koe_peer_worker in {args.build} failed:\n" + "\n".join(done.stdout.strip().split("\n")[-15:]))
    if not os.path.exists(worker):
        sys.exit(f"{worker}: no such file (cmake --preset release && cmake --build --preset release)")
    return worker


def koe_commands(args, worker):
    """{name: command} of Koe's presets."""
    commands = {}
    for text in args.koe_preset or PRESETS:
        name, extra = protocol.parse_preset(text)
        commands["koe " + name] = [worker, "--bundle", args.bundle, "--threads", str(args.threads), *extra]
    return commands


def peer_command(name, args, export=EXPORTS[0]):
    system, files, path = PEERS[name]
    if name == "onnxruntime int8":
        model = args.int8
        if not os.path.exists(model):
            raise WorkerError(f"{model}: no such file (scripts/quickstart fetches it; --int8)")
    else:
        model = os.path.join(prepare.need(files, args), export if path is None else path)
    return [sys.executable, os.path.join(prepare.HERE, "worker.py"), system, "--model", model, "--bundle", args.bundle,
            "--threads", str(args.threads)]


def choose_export(session, args, case):
    """onnxruntime's commands for both fp32 exports, three runs of each in turn: the faster one's command."""
    commands = {e: peer_command(FP32, args, e) for e in EXPORTS}
    workers = {e: Worker(c) for e, c in commands.items()}
    times = {e: [] for e in EXPORTS}
    try:
        for _ in range(4):  # the first is the warm-up
            for export, worker in workers.items():
                session.wait_until_idle()
                times[export].append(worker.speak(case)["wall_seconds"])
    finally:
        for worker in workers.values():
            worker.close()
    medians = {e: sorted(t[1:])[1] for e, t in times.items()}
    chosen = min(medians, key=medians.get)
    session.results["export_choice"] = {"input": case["name"], "median_seconds": medians, "chosen": chosen}
    session.say(f"onnxruntime: {chosen} is the faster export ({', '.join(f'{e} {m:.3f} s' for e, m in medians.items())})")
    return commands[chosen]


def start_systems(session, args, inputs, commands):
    """{name: command} of what runs, and {name: Worker}; the rest is written down with its reason."""
    middle = next((i for i in inputs if i["name"] == "10s"), inputs[0])
    wanted = [n for n in PEERS if args.systems is None or n in args.systems]
    for name in wanted:
        try:
            chosen = session.results.get("export_choice", {}).get("chosen")
            if name == FP32 and not chosen:
                commands[name] = choose_export(session, args, middle)
            else:
                commands[name] = peer_command(name, args, chosen or EXPORTS[0])
        except TimeoutError:  # of the gate
            raise
        except Exception as error:  # packages or files that are not there
            session.unavailable(name, str(error) or type(error).__name__)
    workers = {}
    for name, command in list(commands.items()):
        try:
            workers[name] = Worker(command)
            session.available(name, workers[name].hello)
        except WorkerError as error:
            session.unavailable(name, str(error))
            del commands[name]
    return commands, workers


def inputs_of(name, args, inputs):
    names = [i["name"] for i in inputs]
    if args.full or name.startswith("koe ") or name in EVERYWHERE:
        return names
    return [n for n in names if n in args.some_inputs] or names[:1]


def run_warm(session, args, workers, inputs):
    cases = {i["name"]: i for i in inputs}
    systems_of = {n: [s for s in workers if n in inputs_of(s, args, inputs)] for n in cases}
    session.say("warm-up: every system speaks its inputs once")
    for name in [n for n in workers]:
        for case in [c for c in inputs if name in systems_of[c["name"]]]:
            session.warm_up(workers, name, case)
    if machine.available_mib() < 1024:
        session.say(f"warning: {machine.available_mib()} MiB of memory are left with every system loaded; --systems measures fewer")
    orders = [protocol.round_order(args.seed, r, list(cases), systems_of) for r in range(args.rounds)]
    todo = [(r, s, n) for r, jobs in enumerate(orders) for s, n in jobs if not session.has("warm", r, s, n)]
    for position, (number, system, name) in enumerate(todo):
        if system in workers:
            left = [(s, n) for _, s, n in todo[position:] if s in workers]
            session.measure_warm(workers, number, system, cases[name], left)


def run_fresh(session, args, commands, case):
    order = random.Random(f"{args.seed}:fresh")
    for number in range(args.fresh):
        names = list(commands)
        order.shuffle(names)
        for name in names:
            if not session.has("fresh", number, name, case["name"]):
                session.measure_fresh(commands[name], number, name, case)


def main():
    args = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell started this in the background, ignoring the first
        signal.signal(number, signal.default_int_handler)
    try:
        inputs = prepare.read_inputs(args.inputs)
        unknown = [n for n in (args.only or []) if n not in [i["name"] for i in inputs]]
        if unknown:
            raise ValueError(f"no input {unknown[0]!r} in {args.inputs}")
        inputs = [i for i in inputs if not args.only or i["name"] in args.only]
        worker = koe_worker(args)
        session = Session(args, machine.record(ROOT, args.build, args.threads, worker), inputs)
        commands, workers = start_systems(session, args, inputs, koe_commands(args, worker))
    except (ValueError, OSError, WorkerError) as error:
        sys.exit(f"run_peers: {error}")
    except KeyboardInterrupt:
        sys.exit("\ninterrupted before anything was measured")
    try:
        try:
            run_warm(session, args, workers, inputs)
        finally:
            for worker in workers.values():
                worker.close()
        fresh_case = next((i for i in inputs if i["name"] == args.fresh_input), inputs[-1])
        run_fresh(session, args, {n: c for n, c in commands.items() if not session.is_unavailable(n)}, fresh_case)
        session.finish()
    except KeyboardInterrupt:
        print(f"\ninterrupted: {len(session.results['measurements'])} measurements are in {args.json}; go on with --resume",
              file=sys.stderr)
        sys.exit(130)
    except TimeoutError as error:
        sys.exit(f"run_peers: {error}; what was measured is in {args.json}, go on with --resume")
    print(report.markdown(session.results))
    if not args.no_docs:
        print("\n".join("wrote " + p for p in report.write_docs(session.results)), file=sys.stderr)


if __name__ == "__main__":
    main()
