#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The built program against PyTorch: `koe dump` of every golden file, compared by tools/compare_dump.py.

  python tests/golden_test.py --koe PATH [--bundle DIR] [--golden DIR] [--targets] [GOLDEN.safetensors ...]

Each golden runs with every stage fed the golden's inputs (each tensor >= 100 dB) and from tokens to waveform with the
golden's har (waveform >= 90 dB). --targets instead compares the other SIMD targets of this machine with the best one:
durations equal, waveform >= 90 dB. Exits 77 (skipped) without goldens or bundle. Needs numpy.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


try:
    import numpy as np
    from compare_dump import snr_db
    import safetensors_file
except ImportError as error:
    skip(str(error))

MIN_TARGET_SNR_DB = 90


def dump(args, golden, out, feed, target=None):
    environment = dict(os.environ, **({"KOE_TARGET": target} if target else {}))
    result = subprocess.run([args.koe, "dump", "--bundle", args.bundle, "--golden", golden, "--feed", feed, "-o", out],
                            env=environment, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"koe dump ended with {result.returncode}: {result.stderr}")
    return out


def against_pytorch(args, golden, folder):
    ok = True
    for feed in ("stage", "chain"):
        print(f"--- {os.path.basename(golden)}, {feed}", flush=True)
        out = dump(args, golden, os.path.join(folder, "out.safetensors"), feed)
        compared = subprocess.run([sys.executable, os.path.join(ROOT, "tools", "compare_dump.py"), golden, out, "--feed", feed])
        ok = ok and compared.returncode == 0
    return ok


def between_targets(args, golden, folder):
    info = json.loads(subprocess.run([args.koe, "info", "--bundle", args.bundle, "--json"], capture_output=True, text=True,
                                     check=True).stdout)
    targets = info["supported_targets"]
    best = safetensors_file.read(dump(args, golden, os.path.join(folder, "best"), "chain", targets[0]))
    ok = True
    for target in targets[1:]:
        other = safetensors_file.read(dump(args, golden, os.path.join(folder, "other"), "chain", target))
        equal = np.array_equal(other["pred_dur"], best["pred_dur"])
        ratio = snr_db(other["waveform"], best["waveform"]) if equal else -np.inf
        good = ratio >= MIN_TARGET_SNR_DB
        print(f"{'    ' if good else 'FAIL'} {os.path.basename(golden)}: {target} to {targets[0]}: durations "
              f"{'equal' if equal else 'DIFFER'}, waveform {ratio:.1f} dB", flush=True)
        ok = ok and good
    return ok


def main():
    shared = os.environ.get("KOE_SHARED") or os.path.join(ROOT, "..", "shared")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="GOLDEN.safetensors")
    parser.add_argument("--koe", default=os.path.join(ROOT, "build", "release", "koe"))
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m"))
    parser.add_argument("--golden", default=os.path.join(shared, "golden"), metavar="DIR")
    parser.add_argument("--targets", action="store_true")
    args = parser.parse_args()
    files = args.files or sorted(glob.glob(os.path.join(args.golden, "*.safetensors")))
    if not files:
        skip(f"no goldens in {args.golden}")
    if not os.path.exists(args.bundle):
        skip(f"{args.bundle} is absent")
    with tempfile.TemporaryDirectory() as folder:
        if args.targets:  # the scalar target is slow: one short utterance says it
            results = [between_targets(args, min(files, key=lambda f: len(safetensors_file.read(f)["waveform"])), folder)]
        else:
            results = [against_pytorch(args, golden, folder) for golden in files]
    print(f"{len(results)} goldens, {results.count(False)} failed")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
