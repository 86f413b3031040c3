# SPDX-License-Identifier: Apache-2.0
"""Compares exported packages with the engine, stage by stage on the engine's own inputs.

  python check_numbers.py --koe build/release/koe --onnx DIR [--seconds 3,...] [--tokens 128,...]
  python check_numbers.py --koe build/release/koe --coreml DIR --precision fp16 [--evaluators A,B]

DIR is what `koe export` wrote. Gates: float32 at least 100 dB; float16 at least 45 dB for F0, N, x_pre and the waveform, both
evaluators within 2 dB of each other; durations differ by at most one frame on at most 1 % of the tokens (not at all in
float32). --contamination: the same utterance in every bucket, at least 80 dB and a level of 1.00 in float32.
Exit status: 0 within the gates, 1 with the lines that are not.
"""
import argparse
import os
import sys

import cases

FLOAT32_DB, FLOAT16_DB, CONTAMINATION_DB, EVALUATORS_DB = 100, 45, 80, 2
GATED = {"F0_pred", "N_pred", "x_pre", "waveform"}


def gate_db(name, precision, contamination):
    if contamination:
        return CONTAMINATION_DB
    if precision == "fp32":
        return FLOAT32_DB
    return FLOAT16_DB if name in GATED else None


def judge(case, outputs, precision, contamination):
    """[(output, text, is good)]"""
    rows = []
    for name, value in case.compare(outputs).items():
        if name == "pred_dur":
            count, largest = value
            tokens = case.expected["pred_dur"].size
            good = largest <= 1 and count <= (tokens // 100 + (tokens % 100 > 0) if precision == "fp16" else 0)
            rows.append((name, f"{count} of {tokens} differ, by at most {largest}", good))
            continue
        gate = gate_db(name, precision, contamination)
        text, good = f"{value:.1f} dB", gate is None or value >= gate
        if name == "waveform":
            level = case.level(outputs, name)
            text += f", level {level:.4f}"
            good = good and (not contamination or abs(level - 1) < 0.005)
        rows.append((name, text, good))
    return rows


def evaluators(arguments):
    """[(name, suffix, run(path, inputs))]"""
    if arguments.onnx:
        import onnx_run
        return [("ort", ".onnx", onnx_run.evaluate)]
    found = []
    if "A" in arguments.evaluators:
        import mil_eval
        short = "f16" if arguments.precision == "fp16" else "f32"
        found.append(("A", ".mlpackage", lambda path, inputs: mil_eval.evaluate(path, inputs, precision=short)))
    if "B" in arguments.evaluators:
        import pymil_eval
        found.append(("B", ".mlpackage", pymil_eval.evaluate))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--koe", required=True)
    parser.add_argument("--onnx")
    parser.add_argument("--coreml")
    parser.add_argument("--precision", choices=["fp16", "fp32"], default="fp32")
    parser.add_argument("--seconds", default="3")
    parser.add_argument("--tokens", default="128")
    parser.add_argument("--evaluators", default="A,B")
    parser.add_argument("--stages", default=",".join(cases.STAGES))
    parser.add_argument("--contamination", action="store_true")
    arguments = parser.parse_args()
    tensors = cases.dump(arguments.koe)
    failed = False
    for stage in arguments.stages.split(","):
        for size in (arguments.tokens if stage == "duration" else arguments.seconds).split(","):
            case = cases.Case(stage, tensors, int(size))
            results = {}
            for name, suffix, run in evaluators(arguments):
                path = os.path.join(arguments.onnx or arguments.coreml, cases.package_name(stage, int(size)) + suffix)
                outputs = run(path, case.inputs)
                results[name] = case.compare(outputs)
                for output, text, good in judge(case, outputs, arguments.precision, arguments.contamination):
                    failed |= not good
                    print(f"{'ok  ' if good else 'FAIL'} {name:3} {cases.package_name(stage, int(size))} fill {case.fill:.2f} "
                          f"{output}: {text}", flush=True)
            for output in GATED & set(case.expected) if len(results) == 2 and arguments.precision == "fp16" else ():
                apart = abs(results["A"][output] - results["B"][output])
                failed |= apart > EVALUATORS_DB
                print(f"{'ok  ' if apart <= EVALUATORS_DB else 'FAIL'} A-B {output}: {apart:.2f} dB apart", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
