# SPDX-License-Identifier: Apache-2.0
"""What only a Mac can tell of exported packages: that Core ML compiles and opens them, computes what the engine computed, and where.

  python mac_run.py --packages DIR --dump FILE.safetensors [--seconds 3,...] [--tokens 128,...] [--units cpu,gpu,ane,all]
                    [--multifunction DIR] [--gate DB] [--report FILE.json]

FILE is what `koe dump` wrote (on any machine): each stage gets the engine's own inputs and is compared with its outputs. Every package
is compiled once and opened with every choice of processors; printed are the decibels, the median of five runs after the first, and on
which processors Core ML plans the operations (each kind of operation in the report). --multifunction: packages with a function for each
size, of which the first size that is named is run. A line that is not "ok" makes the exit status 1. 77: not on a Mac.

The gate, 40 dB, is what the published packages reach on devices less a margin: 42 to 71 dB (F0, N, x_pre and the waveform, the Neural
Engine included). Durations may differ by one frame on 1 % of the tokens.
"""
import argparse
import collections
import json
import os
import statistics
import sys
import time

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases  # noqa: E402

UNITS = ("cpu", "gpu", "ane", "all")
GATED = {"F0_pred", "N_pred", "x_pre", "waveform"}
RUNS = 5


class CoreMl:
    """coremltools as this script uses it; tests put another in its place."""

    def __init__(self):
        import coremltools
        from coremltools.models.compute_plan import MLComputePlan
        self._ct, self._plan = coremltools, MLComputePlan
        names = coremltools.ComputeUnit
        self._units = {"cpu": names.CPU_ONLY, "gpu": names.CPU_AND_GPU, "ane": names.CPU_AND_NE, "all": names.ALL}

    def compile(self, package):
        return self._ct.models.utils.compile_model(package)

    def open(self, compiled, units, function):
        return self._ct.models.CompiledMLModel(compiled, compute_units=self._units[units], function_name=function)

    def plan(self, compiled, units, function):
        """{processor: {kind of operation: how many}}; constants are left out."""
        plan = self._plan.load_from_path(compiled, compute_units=self._units[units])
        counts = collections.defaultdict(collections.Counter)
        for operation in plan.model_structure.program.functions[function or "main"].block.operations:
            usage = plan.get_compute_device_usage_for_mlprogram_operation(operation)
            if usage is not None:
                processor = type(usage.preferred_compute_device).__name__.removeprefix("ML").removesuffix("ComputeDevice")
                counts[processor][operation.operator_name.rsplit(".", 1)[-1]] += 1
        return {processor: dict(kinds) for processor, kinds in counts.items()}


def judge(case, outputs, gate):
    """[(output, text, is good)]"""
    rows = []
    for name, value in case.compare(outputs).items():
        if name == "pred_dur":
            count, largest = value
            tokens = case.expected["pred_dur"].size
            rows.append((name, f"{count} of {tokens} differ, by at most {largest}", largest <= 1 and count <= max(1, tokens // 100)))
        else:
            rows.append((name, f"{value:.1f} dB", bool(np.isfinite(value) or value > 0) and (name not in GATED or value >= gate)))
    return rows


def try_units(runtime, compiled, units, case, gate, function):
    """One row of the report."""
    start = time.monotonic()
    model = runtime.open(compiled, units, function)
    row = {"units": units, "open_seconds": round(time.monotonic() - start, 3)}
    inputs = {name: np.ascontiguousarray(value) for name, value in case.inputs.items()}
    start = time.monotonic()
    outputs = model.predict(inputs)
    row["first_seconds"] = round(time.monotonic() - start, 4)
    times = []
    for _ in range(RUNS):
        start = time.monotonic()
        model.predict(inputs)
        times.append(time.monotonic() - start)
    row["median_seconds"] = round(statistics.median(times), 4)
    row["outputs"] = [{"name": name, "text": text, "good": good} for name, text, good in judge(case, outputs, gate)]
    row["plan"] = runtime.plan(compiled, units, function)
    return row


def check_package(runtime, path, case, units, gate, function=None):
    """The report of one package; whatever Core ML refuses is a line of it."""
    name = os.path.basename(path) + (f" {function}" if function else "")
    report = {"package": name, "fill": round(case.fill, 3), "rows": []}
    try:
        start = time.monotonic()
        compiled = runtime.compile(path)
        report["compile_seconds"] = round(time.monotonic() - start, 3)
    except Exception as error:  # pylint: disable=broad-except  # coremltools raises whatever Core ML says
        report["error"] = f"compile: {error}"
        return report
    for name in units:
        try:
            report["rows"].append(try_units(runtime, compiled, name, case, gate, function))
        except Exception as error:  # pylint: disable=broad-except
            report["rows"].append({"units": name, "error": str(error)})
    return report


def is_good(report):
    return "error" not in report and bool(report["rows"]) and all(
        "error" not in row and all(output["good"] for output in row["outputs"]) for row in report["rows"])


def show(report):
    if "error" in report:
        print(f"FAIL {report['package']}: {report['error']}", flush=True)
        return
    print(f"     {report['package']}: fill {report['fill']:.2f}, compiled in {report['compile_seconds']:.2f} s", flush=True)
    for row in report["rows"]:
        if "error" in row:
            print(f"FAIL   {row['units']:3} {row['error']}", flush=True)
            continue
        text = ", ".join(f"{output['name']} {output['text']}" for output in row["outputs"])
        plan = ", ".join(f"{sum(kinds.values())} {name}" for name, kinds in sorted(row["plan"].items()))
        word = "ok  " if all(output["good"] for output in row["outputs"]) else "FAIL"
        print(f"{word}   {row['units']:3} {1000 * row['median_seconds']:.1f} ms (open {row['open_seconds']:.2f} s, first "
              f"{1000 * row['first_seconds']:.1f} ms); {text}; plan: {plan}", flush=True)


def check_all(runtime, packages, tensors, seconds, tokens, units, gate):
    """Reports of every stage and size whose package is there; a stage without any is an error of its own."""
    reports = []
    for stage in cases.STAGES:
        for size in tokens if stage == "duration" else seconds:
            path = os.path.join(packages, cases.package_name(stage, size) + ".mlpackage")
            if not os.path.isdir(path):
                reports.append({"package": os.path.basename(path), "rows": [], "error": "missing"})
            else:
                reports.append(check_package(runtime, path, cases.Case(stage, tensors, size), units, gate))
            show(reports[-1])
    return reports


def function_name(stage, size):
    """Of a multifunction package, as `koe export` names them (docs/export.md)."""
    return {"duration": f"t{size}", "f0ntrain": f"t{40 * size}"}.get(stage, f"bucket_{size}s")


def check_multifunction(runtime, packages, tensors, seconds, tokens, units, gate):
    """One function of each stage's package."""
    reports = []
    for stage in cases.STAGES:
        size = tokens if stage == "duration" else seconds
        path = os.path.join(packages, f"kokoro_{stage}_multifunction.mlpackage")
        if not os.path.isdir(path):
            reports.append({"package": os.path.basename(path), "rows": [], "error": "missing"})
        else:
            reports.append(check_package(runtime, path, cases.Case(stage, tensors, size), units, gate, function_name(stage, size)))
        show(reports[-1])
    return reports


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", required=True)
    parser.add_argument("--dump", required=True)
    parser.add_argument("--seconds", default="3,7,10,15,30")
    parser.add_argument("--tokens", default="64,128,256,320,384,512")
    parser.add_argument("--units", default=",".join(UNITS))
    parser.add_argument("--multifunction")
    parser.add_argument("--gate", type=float, default=40)
    parser.add_argument("--report")
    arguments = parser.parse_args()
    units = arguments.units.split(",")
    if not set(units) <= set(UNITS):
        parser.error(f"--units: {arguments.units}: not of {', '.join(UNITS)}")
    if sys.platform != "darwin":
        print("skipped: Core ML runs on Apple's machines only")
        return 77
    tensors = {name: np.array(array) for name, array in cases.safetensors_file.read(arguments.dump).items()}
    seconds, tokens = ([int(size) for size in sizes.split(",")] for sizes in (arguments.seconds, arguments.tokens))
    reports = check_all(CoreMl(), arguments.packages, tensors, seconds, tokens, units, arguments.gate)
    if arguments.multifunction:
        reports += check_multifunction(CoreMl(), arguments.multifunction, tensors, seconds[0], tokens[0], units, arguments.gate)
    if arguments.report:
        with open(arguments.report, "w", encoding="utf-8") as file:
            json.dump(reports, file, indent=1)
    bad = [report["package"] for report in reports if not is_good(report)]
    print(f"{len(reports)} packages, {len(bad)} not as they should be{': ' + ', '.join(bad) if bad else ''}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
