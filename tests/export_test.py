#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`koe export` with the real weights: ONNX models in onnxruntime against the engine, sizes, bytes, digests.

  python tests/export_test.py --koe PATH [--bundle DIR] [--long]

3 s and 128 tokens; --long takes every bucket and size: the whole sets in at most 30 s each, the same utterance through every
bucket. Exits 77 (skipped) without a bundle, numpy or onnxruntime. Core ML packages are linted and evaluated by
tools/export_check, whose Python packages are not the tests'.
"""
import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "export_check"))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


try:
    import cases
    import numpy as np
    import onnx_run
except ImportError as error:
    skip(str(error))

FLOAT32_DB = 100
TOKENS = [32, 64, 128, 256, 320, 384, 512]
SECONDS = [3, 7, 10, 15, 30]
# SHA-256 of the compact JSON with sorted keys, of Kokoro v1.0's vocabulary and harmonic weights, as kokoro-coreml states them.
VOCABULARY_SHA256 = "c888d4ef5abac125fcd45201e54aa6bf512722bcc4213f76bb053edb056923de"
HARMONICS_SHA256 = "25a471a6fc81fc9c5ff7c46e4be9d9ec3710dbbfea6e121a99fac75e4a97ad99"


class Checker:
    def __init__(self, koe, bundle):
        self.koe, self.bundle, self.failures = koe, bundle, 0

    def expect(self, condition, text):
        print("ok  " if condition else "FAIL", text, flush=True)
        self.failures += not condition

    def export(self, folder, *options):
        run = subprocess.run([self.koe, "export", "--bundle", self.bundle, "--json", "-o", folder, *options], capture_output=True,
                             text=True)
        if run.returncode != 0:
            sys.exit(f"koe export {options}: {run.returncode}: {run.stderr}")
        return json.loads(run.stdout)


def canonical_sha256(path):
    with open(path, encoding="utf-8") as f:
        value = json.load(f)
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def check_digests(checker, folder, report):
    """Every file is what the report says, and the trees' digests follow from the files'."""
    good = True
    for package in report["packages"]:
        text = b""
        for file in sorted(package["files"], key=lambda f: f["path"]):
            path = os.path.join(folder, package["path"])
            path = os.path.join(path, file["path"]) if os.path.isdir(path) else path
            with open(path, "rb") as f:
                data = f.read()
            good &= len(data) == file["bytes"] and hashlib.sha256(data).hexdigest() == file["sha256"]
            text += b"\0".join([file["path"].encode(), str(file["bytes"]).encode(), file["sha256"].encode(), b""])
        good &= hashlib.sha256(text).hexdigest() == package["tree_sha256"]
    checker.expect(good, f"digests of {len(report['packages'])} packages")
    checker.expect(canonical_sha256(os.path.join(folder, "runtime", "kokoro-vocab.json")) == VOCABULARY_SHA256, "vocabulary")
    checker.expect(canonical_sha256(os.path.join(folder, "runtime", "hnsf_weights.json")) == HARMONICS_SHA256, "harmonics")


def check_numbers(checker, folder, tensors, tokens, seconds):
    for stage in cases.STAGES:
        for size in tokens if stage == "duration" else seconds:
            case = cases.Case(stage, tensors, size)
            outputs = onnx_run.evaluate(os.path.join(folder, cases.package_name(stage, size) + ".onnx"), case.inputs)
            for name, value in case.compare(outputs).items():
                if name == "pred_dur":
                    checker.expect(value == (0, 0), f"{stage} {size}: durations: {value[0]} differ")
                else:
                    checker.expect(value >= FLOAT32_DB, f"{stage} {size}, fill {case.fill:.2f}: {name}: {value:.1f} dB (>= {FLOAT32_DB})")
                if name == "waveform":
                    level = case.level(outputs, name)
                    checker.expect(abs(level - 1) < 0.005, f"{stage} {size}: level {level:.4f} (1.00)")


def check_default_mask(checker, folder, tensors):
    """Without the mask every frame is real: the same as a mask of ones."""
    case = cases.Case("decoder_pre", tensors, 3)
    path = os.path.join(folder, "kokoro_decoder_pre_3s.onnx")
    ones = onnx_run.evaluate(path, dict(case.inputs, mask=np.ones_like(case.inputs["mask"])))["x_pre"]
    left_out = onnx_run.evaluate(path, {k: v for k, v in case.inputs.items() if k != "mask"})["x_pre"]
    masked = onnx_run.evaluate(path, case.inputs)["x_pre"]
    checker.expect(np.array_equal(ones, left_out), "a mask that is left out is all ones")
    checker.expect(not np.array_equal(ones, masked), "the mask matters")


def check_card(checker, current, card, tensors):
    """On a full bucket the contract without masks computes the same."""
    for stage in cases.STAGES[1:]:
        case = cases.Case(stage, tensors, 3)
        inputs = {name: value for name, value in case.inputs.items() if name != "mask"}
        name = cases.package_name(stage, 3) + ".onnx"
        want = onnx_run.evaluate(os.path.join(current, name), inputs)
        if "har" in inputs:  # twice the length, of which the second half is not read
            inputs["har"] = np.concatenate([inputs["har"], np.full((1, 22, inputs["har"].shape[-1] - 1), 7, np.float32)], -1)
        got = onnx_run.evaluate(os.path.join(card, name), inputs)
        for output, value in got.items():
            db = cases.snr_db(value, want[output])
            checker.expect(db >= FLOAT32_DB, f"card: {stage}: {output}: {db:.1f} dB")


def check_packages(checker, folder, long):
    few = [] if long else ["--buckets", "3", "--tokens", "128"]
    start = time.monotonic()
    report = checker.export(os.path.join(folder, "coreml"), *few)
    seconds = time.monotonic() - start
    check_digests(checker, os.path.join(folder, "coreml"), report)
    again = checker.export(os.path.join(folder, "again"), *few, "--stage", "f0ntrain")
    first = {p["path"]: p["tree_sha256"] for p in report["packages"]}
    checker.expect(all(first[p["path"]] == p["tree_sha256"] for p in again["packages"]), "the same bytes again")
    if not long:
        checker.expect(len(report["packages"]) == 4, "four packages")
        return
    checker.expect(len(report["packages"]) == 22, f"{len(report['packages'])} packages in {seconds:.1f} s")
    checker.expect(seconds <= 30, f"the whole set takes {seconds:.1f} s (<= 30)")
    start = time.monotonic()
    card = checker.export(os.path.join(folder, "card"), "--contract", "card")
    seconds = time.monotonic() - start
    checker.expect(len(card["packages"]) == 23, f"the card's set: {len(card['packages'])} packages")
    checker.expect(seconds <= 30, f"the card's set takes {seconds:.1f} s (<= 30)")
    multi = checker.export(os.path.join(folder, "multi"), "--multifunction")
    for package in multi["packages"]:
        weights = [f["bytes"] for f in package["files"] if f["path"].endswith("weight.bin")][0]
        single = max(f["bytes"] for p in report["packages"] if p["stage"] == package["stage"] for f in p["files"])
        checker.expect(weights <= 1.03 * single, f"{package['path']}: {weights} bytes of weights, {single} alone")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--koe", required=True)
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m"))
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    if not os.path.isdir(arguments.bundle):
        skip(f"no bundle at {arguments.bundle}")
    os.environ["KOE_BUNDLE"] = arguments.bundle
    checker = Checker(arguments.koe, arguments.bundle)
    tensors = cases.dump(arguments.koe)
    tokens, seconds = (TOKENS[1:], SECONDS) if arguments.long else ([128], [3])
    with tempfile.TemporaryDirectory() as folder:
        onnx = os.path.join(folder, "onnx")
        checker.export(onnx, "--format", "onnx", "--precision", "fp32", "--tokens", ",".join(map(str, tokens)), "--buckets",
                       ",".join(map(str, seconds)))
        check_numbers(checker, onnx, tensors, tokens, seconds)
        check_default_mask(checker, onnx, tensors)
        card = os.path.join(folder, "onnx_card")
        checker.export(card, "--format", "onnx", "--precision", "fp32", "--buckets", "3", "--contract", "card", "--stage",
                       "f0ntrain,decoder_pre,decoder_har_post")
        check_card(checker, onnx, card, tensors)
        check_packages(checker, folder, arguments.long)
    sys.exit(1 if checker.failures else 0)


if __name__ == "__main__":
    main()
