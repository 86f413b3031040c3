#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which lines of each parser its fuzz corpus reaches, measured with clang's source coverage.

  python tools/fuzz_coverage.py --build DIR [--jobs N] [--lines] [TARGET ...]

Configures and builds in DIR, runs each target once over its corpus and prints the share of lines of each file of PARSERS.
--lines lists those that are not reached. Exit status: 1 where a parser is below 95 %.
"""
import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEAST = 95.0
B, G = "src/bundle/", "src/g2p/"
# Target -> files of its parser. Writers within them (ToJson) count: targets write what they have read.
PARSERS = {
    "manifest_runtime_fuzz": [B + "manifests/runtime.cc"],
    "manifest_hosted_fuzz": [B + "manifests/hosted.cc"],
    "manifest_release_fuzz": [B + "manifests/release.cc"],
    "manifest_download_fuzz": [B + "manifests/download.cc"],
    "bundle_json_fuzz": [B + "json.cc"],
    "bundle_vocab_fuzz": [B + "vocab.cc"],
    "bundle_safetensors_fuzz": [B + "safetensors.cc", B + "weights_file.cc"],
    "bundle_onnx_fuzz": [B + "onnx_reader.cc", B + "import_onnx.cc"],
    "bundle_zip_fuzz": [B + "zip_reader.cc"],
    "bundle_pickle_fuzz": [B + "pickle.cc"],
    "bundle_torch_fuzz": [B + "torch_file.cc", B + "state_dict.cc"],
    "bundle_voice_fuzz": [B + "import_voice.cc"],
    "lexicon_fuzz": [G + "lexicon.cc"],
    "dictionary_json_fuzz": [G + "lexicon_compiler.cc"],
    "user_lexicon_fuzz": [G + "user_lexicon.cc"],
    "tagger_file_fuzz": [G + "tagger_file.cc"],
    "letter_to_sound_file_fuzz": [G + "letter_to_sound/model_file.cc"],
}


def run(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result.stdout


def unreached(program, profile, path):
    """(lines with code, those of them that no input reaches)."""
    text = run(["llvm-cov-14", "export", program, f"-instr-profile={profile}", os.path.join(ROOT, path)])
    lines = {}
    for entry in json.loads(text)["data"][0]["files"]:
        if not entry["filename"].endswith("/" + path):
            continue
        segments = entry["segments"]
        for (line, _, count, has_count, _, gap), after in zip(segments, segments[1:]):
            if not has_count or gap:
                continue
            # A segment reaches to the next one; a line counts once, as reached if any part of it is.
            last = after[0] if after[1] > 1 else after[0] - 1
            for number in range(line, max(last, line) + 1):
                lines[number] = max(lines.get(number, 0), count)
    return len(lines), sorted(number for number, count in lines.items() if count == 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help=", ".join(PARSERS))
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--lines", action="store_true")
    options = parser.parse_args()
    targets = options.targets or list(PARSERS)
    run(["cmake", "-S", ROOT, "-B", options.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
         "-DCMAKE_CXX_COMPILER=clang++-14", "-DCMAKE_C_COMPILER=clang-14", "-DKOE_BUILD_BENCHES=OFF", "-DKOE_BUILD_TESTS=OFF",
         "-DKOE_BUILD_FUZZERS=ON", "-DCMAKE_CXX_FLAGS=-fprofile-instr-generate -fcoverage-mapping -O1"])
    run(["ninja", "-C", options.build, f"-j{options.jobs}", *targets])
    worst = 100.0
    for target in targets:
        program = os.path.join(options.build, target)
        raw, profile = f"{program}.profraw", f"{program}.profdata"
        run([program, "-runs=0", os.path.join(ROOT, "fuzz", "corpus", target)],
            env={**os.environ, "LLVM_PROFILE_FILE": raw})
        run(["llvm-profdata-14", "merge", "-sparse", raw, "-o", profile])
        for path in PARSERS[target]:
            total, missed = unreached(program, profile, path)
            share = 100.0 * (total - len(missed)) / total if total else 0.0
            worst = min(worst, share)
            print(f"{share:5.1f} % of {total:4} lines  {path}  ({target})")
            if options.lines and missed:
                with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                    source = file.read().splitlines()
                for number in missed:
                    print(f"        {number}: {source[number - 1].strip()}")
    return 0 if worst >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
