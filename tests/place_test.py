#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`koe say --place`: the stages on exported models in onnxruntime speak what the native engine speaks.

  python tests/place_test.py --koe PATH [--bundle DIR] [--long]

Models of 3 s and 32 tokens; --long takes all sizes, 0.6 to 29.5 s of speech and what happens at 31 s. onnxruntime is the library
that $KOE_ONNXRUNTIME_LIBRARY names, else the one in the Python package. Exits 77 (skipped) without it, numpy or a bundle.
"""
import argparse
import glob
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools", "export_check"))


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


try:
    import cases
    import numpy as np
    import safetensors_file
except ImportError as error:
    skip(str(error))

MIN_DB = 85
WORDS = cases.PHONEMES
# name: phonemes, speed, least and most seconds
SHORT = {"0.6 s": ("hˈI.", 1.9, 0.5, 0.7), "2.9 s": (WORDS, 1.12, 2.8, 3.0)}
LONG = {"6.9 s": (" ".join([WORDS] * 2), 0.85, 6.7, 7.0), "14.8 s": (" ".join([WORDS] * 5), 1.02, 14.6, 15.0),
        "29.5 s": (" ".join([WORDS] * 9), 0.835, 29.2, 30.0)}
TOO_LONG = (" ".join([WORDS] * 9), 0.802)


def find_library():
    named = os.environ.get("KOE_ONNXRUNTIME_LIBRARY")
    if named:
        return named
    package = importlib.util.find_spec("onnxruntime")
    found = glob.glob(os.path.join(os.path.dirname(package.origin), "capi", "libonnxruntime.so.*")) if package else []
    return found[0] if found else skip("no onnxruntime: $KOE_ONNXRUNTIME_LIBRARY names one")


class Checker:
    def __init__(self, koe, bundle, folder, library):
        self.koe, self.bundle, self.folder, self.library, self.failures = koe, bundle, folder, library, 0
        self.models = os.path.join(folder, "models")

    def expect(self, condition, text):
        print("ok  " if condition else "FAIL", text, flush=True)
        self.failures += not condition

    def run(self, command, *options, places=(), models=None, library=None):
        environment = dict(os.environ, KOE_ONNXRUNTIME_LIBRARY=library or self.library)
        place = [x for p in places for x in ("--place", p)] + (["--models", models or self.models] if places else [])
        return subprocess.run([self.koe, command, "--bundle", self.bundle, "-q", *options, *place], env=environment, capture_output=True,
                              text=True)

    def export(self, folder, *options):
        run = self.run("export", "--format", "onnx", "-o", folder, *options)
        if run.returncode != 0:
            sys.exit(f"koe export: {run.returncode}: {run.stderr}")

    def dump(self, phonemes, speed, places=()):
        path = os.path.join(self.folder, "dump.safetensors")
        run = self.run("dump", "--phonemes", phonemes, "--speed", str(speed), "-o", path, places=places)
        if run.returncode != 0:
            sys.exit(f"koe dump {places}: {run.returncode}: {run.stderr}")
        return {name: np.array(value) for name, value in safetensors_file.read(path).items()}

    def say(self, phonemes, speed, places=()):
        """(report, samples of the WAV file)"""
        path = os.path.join(self.folder, "say.wav")
        run = self.run("say", "--phonemes", phonemes, "--speed", str(speed), "--json", "-o", path, places=places)
        if run.returncode != 0:
            sys.exit(f"koe say {places}: {run.returncode}: {run.stderr}")
        with open(path, "rb") as f:
            return json.loads(run.stdout), np.frombuffer(f.read()[44:], np.int16)

    def expect_failure(self, code, words, what, *options, **where):
        run = self.run("say", "--phonemes", "hˈI.", "-o", os.path.join(self.folder, "none.wav"), *options, **where)
        self.expect(run.returncode == code and words in run.stderr and not os.path.exists(os.path.join(self.folder, "none.wav")),
                    f"{what}: exit {run.returncode}: {run.stderr.strip()}")


def check_lengths(checker, utterances):
    for name, (phonemes, speed, least, most) in utterances.items():
        native = checker.dump(phonemes, speed)
        seconds = native["waveform"].size / 24000
        checker.expect(least <= seconds <= most, f"{name}: {seconds:.3f} s of speech")
        placed = checker.dump(phonemes, speed, ["all=onnx:cpu"])
        checker.expect(np.array_equal(native["pred_dur"], placed["pred_dur"]), f"{name}: equal durations")
        checker.expect(np.array_equal(native["F0_pred"], placed["F0_pred"]), f"{name}: the pitch is the native one")
        checker.expect(not np.array_equal(native["t_en"], placed["t_en"]) and not np.array_equal(native["N_pred"], placed["N_pred"]),
                       f"{name}: the rest is not")
        db = cases.snr_db(placed["waveform"], native["waveform"])
        checker.expect(db >= MIN_DB, f"{name}: all=onnx:cpu: waveform: {db:.1f} dB (>= {MIN_DB})")
        report, samples = checker.say(phonemes, speed, ["all=onnx:cpu"])
        native_report, native_samples = checker.say(phonemes, speed)
        # Rounded to 16 bits both are a step apart at most.
        apart = np.abs(samples.astype(int) - native_samples.astype(int)).max() if samples.shape == native_samples.shape else "?"
        checker.expect(samples.shape == native_samples.shape and apart <= 1, f"{name}: koe say: {apart} steps of 16 bits apart")
        stages = " ".join(f"{stage} {value:.2f}" for stage, value in report["stages"].items())
        print(f"     {name}: {report['wall_seconds']:.2f} s placed ({stages}), {native_report['wall_seconds']:.2f} s native")


def check_placements(checker, long):
    """One at a time (the last one, without --long), and the pitch by name."""
    phonemes, speed = SHORT["2.9 s"][:2]
    native = checker.dump(phonemes, speed)
    changed = {"duration": "t_en", "prosody": "N_pred", "decoder": "x_pre", "generator": "waveform"}
    for stage in changed if long else ["generator"]:
        placed = checker.dump(phonemes, speed, [f"{stage}=onnx:cpu"])
        db = cases.snr_db(placed["waveform"], native["waveform"])
        checker.expect(db >= MIN_DB, f"{stage}=onnx:cpu: waveform: {db:.1f} dB")
        for other, tensor in changed.items():
            comes_before = list(changed).index(other) < list(changed).index(stage)
            if other == stage or comes_before:
                checker.expect(np.array_equal(native[tensor], placed[tensor]) == comes_before,
                               f"{stage}=onnx:cpu: {tensor} {'is' if comes_before else 'is not'} the native one")
    both = checker.dump(phonemes, speed, ["all=onnx:cpu", "generator=cpu"])
    decoder = checker.dump(phonemes, speed, ["all=onnx:cpu"])
    checker.expect(np.array_equal(both["x_pre"], decoder["x_pre"]) and not np.array_equal(both["waveform"], decoder["waveform"]),
                   "all=onnx:cpu generator=cpu: all but the generator")
    placed = checker.dump(phonemes, speed, ["all=onnx:cpu", "pitch=onnx:cpu"])
    f0, wave = (cases.snr_db(placed[k], native[k]) for k in ("F0_pred", "waveform"))
    checker.expect(f0 >= 100 and wave < MIN_DB, f"pitch=onnx:cpu: F0 {f0:.1f} dB, and yet the waveform {wave:.1f} dB: it drifts")


def check_errors(checker, long):
    checker.expect_failure(4, "cannot be loaded", "no onnxruntime", places=["all=onnx:cpu"], library="/nowhere/libonnxruntime.so")
    checker.expect(checker.run("say", "--phonemes", "hˈI.", "-o", os.path.join(checker.folder, "native.wav"),
                               library="/nowhere/libonnxruntime.so").returncode == 0, "native stages need none")
    checker.expect_failure(2, "must be STAGE=onnx:cpu", "a device that is none", places=["all=tpu"])
    checker.expect_failure(2, "not with a limit of memory", "a limit of memory", "--max-memory", "2G", places=["all=onnx:cpu"])
    empty = os.path.join(checker.folder, "empty")
    os.makedirs(empty)
    checker.expect_failure(4, "none (see 'koe export", "a folder without models", places=["all=onnx:cpu"], models=empty)
    other = os.path.join(checker.folder, "other")
    shutil.copytree(checker.models, other, copy_function=os.link)
    manifest = os.path.join(other, "ExportManifest.json")
    with open(manifest, encoding="utf-8") as f:
        fields = json.load(f)
    os.remove(manifest)  # a link to the good one
    for change, words, code in ((("weights_sha256", "0" * 64), "were not exported from this bundle", 2),
                                (("precision", "fp16"), "must be of 'koe export", 4)):
        with open(manifest, "w", encoding="utf-8") as f:
            json.dump(dict(fields, **dict([change])), f)
        checker.expect_failure(code, words, f"models of another {change[0]}", places=["all=onnx:cpu"], models=other)
    # What an export with other options left beside the listed models would speak without masks, or with another voice.
    with open(manifest, "w", encoding="utf-8") as f:
        json.dump(fields, f)
    os.link(os.path.join(other, "kokoro_decoder_pre_3s.onnx"), os.path.join(other, "kokoro_decoder_pre_4s.onnx"))
    checker.expect_failure(2, "kokoro_decoder_pre_4s.onnx: not in ExportManifest.json", "a model that is not listed",
                           places=["all=onnx:cpu"], models=other)
    # Longer than the largest model.
    phonemes, speed = TOO_LONG if long else (WORDS, 1.0)
    words = " s in one part: the largest model has " + ("30 s" if long else "3 s")
    run = checker.run("say", "--phonemes", phonemes, "--speed", str(speed), "-o", os.path.join(checker.folder, "none.wav"),
                      places=["all=onnx:cpu"])
    checker.expect(run.returncode == 3 and words in run.stderr and not os.path.exists(os.path.join(checker.folder, "none.wav")),
                   f"too long: exit {run.returncode}: {run.stderr.strip()}")
    # Text is cut to fit by estimate.
    text = "The doctor said that she should rest for a week, and then come back to see him on a Monday, in the morning, at nine."
    run = checker.run("say", text, "--json", "-o", os.path.join(checker.folder, "cut.wav"), places=["decoder=onnx:cpu", "generator=onnx:cpu"])
    chunks = len(json.loads(run.stdout)["chunks"]) if run.returncode == 0 else 0
    checker.expect(chunks > (0 if long else 2), f"a long sentence: {chunks} chunks {run.stderr.strip()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--koe", required=True)
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m"))
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    if not os.path.isdir(arguments.bundle):
        skip(f"no bundle at {arguments.bundle}")
    with tempfile.TemporaryDirectory() as folder:
        checker = Checker(arguments.koe, arguments.bundle, folder, find_library())
        sizes = [] if arguments.long else ["--tokens", "32,64", "--buckets", "3"]
        checker.export(checker.models, "--precision", "fp32", *sizes)
        check_lengths(checker, dict(SHORT, **LONG) if arguments.long else SHORT)
        check_placements(checker, arguments.long)
        check_errors(checker, arguments.long)
    sys.exit(1 if checker.failures else 0)


if __name__ == "__main__":
    main()
