#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which lines of each parser its fuzz corpus reaches, measured with clang's source coverage.

  python tools/fuzz_coverage.py --build DIR [--built] [--jobs N] [--lines] [TARGET ...]

Configures and builds in DIR (not with --built: the targets there have clang's coverage already), runs each target once over its corpus and prints the share of lines of each file of PARSERS.
--lines lists those that are not reached. Exit status: 1 where a parser is below 95 %.
"""
import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEAST = 95.0
B, G, D, M = "src/bundle/", "src/g2p/", "src/download/", "src/bundle/manifests/"
MANIFESTS = [f"manifest_{name}_fuzz" for name in ("runtime", "hosted", "release", "download")]
# File of a parser -> the targets whose corpora are for it. Writers within them (ToJson) count: targets write what they have read.
PARSERS = {
    M + "runtime.cc": ["manifest_runtime_fuzz"],
    M + "hosted.cc": ["manifest_hosted_fuzz"],
    M + "release.cc": ["manifest_release_fuzz"],
    M + "download.cc": ["manifest_download_fuzz"],
    M + "fields.cc": MANIFESTS,
    M + "file_record.cc": MANIFESTS,
    B + "json.cc": ["bundle_json_fuzz"],
    B + "vocab.cc": ["bundle_vocab_fuzz"],
    B + "safetensors.cc": ["bundle_safetensors_fuzz"],
    B + "weights_file.cc": ["bundle_safetensors_fuzz"],
    B + "onnx_reader.cc": ["bundle_onnx_fuzz"],
    B + "import_onnx.cc": ["bundle_onnx_fuzz"],
    B + "zip_reader.cc": ["bundle_zip_fuzz"],
    B + "pickle.cc": ["bundle_pickle_fuzz"],
    B + "torch_file.cc": ["bundle_torch_fuzz"],
    B + "state_dict.cc": ["bundle_torch_fuzz", "bundle_safetensors_fuzz"],
    B + "import_voice.cc": ["bundle_voice_fuzz"],
    B + "tensor_data.cc": ["bundle_onnx_fuzz", "bundle_safetensors_fuzz"],
    D + "head_parser.cc": ["download_head_fuzz"],
    D + "url.cc": ["download_head_fuzz"],
    G + "lexicon.cc": ["lexicon_fuzz"],
    G + "lexicon_compiler.cc": ["dictionary_json_fuzz"],
    G + "user_lexicon.cc": ["user_lexicon_fuzz"],
    G + "tagger_file.cc": ["tagger_file_fuzz"],
    G + "letter_to_sound/model_file.cc": ["letter_to_sound_file_fuzz"],
}


# Functions in these files that parse nothing: file -> the end of the line with which each begins.
APART = {
    B + "zip_reader.cc": ["MakeCrcTables() {"],  # run by the compiler
    B + "weights_file.cc": ["Weights::Open(const std::string& path, const std::vector<TensorSpec>& table) {"],  # opens the file
    G + "user_lexicon.cc": ["UserLexicon::Load(const std::string& path) {"],  # reads the file
}


def run(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    return result.stdout


def unreached(programs, profile, path):
    """(lines with code, those of them that no input reaches)."""
    objects = [programs[0], *(f"-object={program}" for program in programs[1:])]
    text = run(["llvm-cov-14", "export", *objects, f"-instr-profile={profile}", os.path.join(ROOT, path)])
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
    for begin in APART.get(path, []):
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            source = file.read().splitlines()
        first = next(i for i, line in enumerate(source, 1) if line.endswith(begin))
        for number in range(first, source.index("}", first) + 2):
            lines.pop(number, None)
    return len(lines), sorted(number for number, count in lines.items() if count == 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--build", required=True)
    parser.add_argument("--built", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--lines", action="store_true")
    options = parser.parse_args()
    parsers = {path: targets for path, targets in PARSERS.items() if not options.targets or set(options.targets) & set(targets)}
    targets = sorted({target for chosen in parsers.values() for target in chosen})
    if not options.built:
        run(["cmake", "-S", ROOT, "-B", options.build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug",
             "-DCMAKE_CXX_COMPILER=clang++-14", "-DCMAKE_C_COMPILER=clang-14", "-DKOE_BUILD_BENCHES=OFF", "-DKOE_BUILD_TESTS=OFF",
             "-DKOE_BUILD_FUZZERS=ON", "-DCMAKE_CXX_FLAGS=-fprofile-instr-generate -fcoverage-mapping -O1"])
        run(["ninja", "-C", options.build, f"-j{options.jobs}", *targets])
    profiles = {}
    for target in targets:
        program = os.path.join(options.build, target)
        raw = f"{program}.profraw"
        run([program, "-runs=0", os.path.join(ROOT, "fuzz", "corpus", target)],
            env={**os.environ, "LLVM_PROFILE_FILE": raw})
        profiles[target] = raw
    below = 0
    profile = os.path.join(options.build, "of_parser.profdata")
    for path, chosen in parsers.items():
        run(["llvm-profdata-14", "merge", "-sparse", *(profiles[target] for target in chosen), "-o", profile])
        total, missed = unreached([os.path.join(options.build, target) for target in chosen], profile, path)
        share = 100.0 * (total - len(missed)) / total if total else 0.0
        below += share < LEAST
        print(f"{share:5.1f} % of {total:4} lines  {path}  ({', '.join(chosen)})")
        if options.lines and missed:
            with open(os.path.join(ROOT, path), encoding="utf-8") as file:
                source = file.read().splitlines()
            for number in missed:
                print(f"        {number}: {source[number - 1].strip()}")
    print(f"{len(parsers) - below} of {len(parsers)} parsers at {LEAST:.0f} % or above")
    return 0 if below == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
