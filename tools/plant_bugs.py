#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants 25 small bugs in the parsers, one at a time, and says which of them the fuzz targets notice.

  python tools/plant_bugs.py [--build DIR] [--only N,N] [--fuzz-seconds S] [--jobs N]

The sources are copied, so the tree is not touched. A bug is found when a fuzz target ends with a finding over its corpus or
within S seconds of search (each target of the bug has so long). --build keeps the copy's build (clang, ASan and UBSan, instrumented for libFuzzer)
for another run. Exit status: 0 when at least 24 of 25 (all but one of those asked for) are found.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

# As deep as the presets' build folders: what ccache has of theirs with the same flags is taken.
BUILD = os.path.join("build", "bugs")
B, M = "src/bundle/", "src/bundle/manifests/"
# (file, what stands there, what takes its place, targets that may notice)
BUGS = [
    # Sizes and places
    (B + "byte_reader.h", "if (count > remaining()) return false;", "if (count > remaining() + 1) return false;",
     ["bundle_zip_fuzz", "bundle_safetensors_fuzz"]),
    (B + "byte_reader.h", "return __builtin_mul_overflow(a, b, &product) ? std::nullopt : std::optional<size_t>(product);",
     "product = a * b;\n  return product;", ["bundle_safetensors_fuzz"]),
    (B + "byte_reader.h", "if (i == 9 && byte > 1) return false;", "", ["bundle_onnx_fuzz"]),
    (B + "safetensors.cc", "offsets[1] > data.size()", "offsets[1] > file.size()", ["bundle_safetensors_fuzz"]),
    (B + "safetensors.cc", "if (p.begin != expected)", "if (p.begin < expected)", ["bundle_safetensors_fuzz"]),
    (B + "safetensors.cc", "if (header_size > kMaxSafetensorsHeaderBytes)", "if (false)", ["bundle_safetensors_fuzz"]),
    (B + "zip_reader.cc", 'if (extents[i].first < extents[i - 1].second) return Corrupt("entries overlap");', "",
     ["bundle_zip_fuzz"]),
    (B + "zip_reader.cc", "if (locator_at < kEnd64Size || end64_at != locator_at - kEnd64Size)",
     "if (end64_at > file.size())", ["bundle_zip_fuzz"]),
    (B + "zip_reader.cc", 'if (part.empty() || part == "." || part == "..") return false;',
     'if (part.empty() || part == ".") return false;', ["bundle_zip_fuzz"]),
    (B + "zip_reader.cc", 'if (header.local_offset > limit) return Corrupt(shown + "out of place");', "",
     ["bundle_zip_fuzz"]),
    # The pickle's stack machine
    (B + "pickle.cc", "const size_t floor = marks_.empty() ? 0 : marks_.back();", "const size_t floor = 0;",
     ["bundle_pickle_fuzz"]),
    (B + "pickle.cc", "if (key >= memo_.size() || !memo_[key])", "if (key > memo_.size() || !memo_[key])",
     ["bundle_pickle_fuzz"]),
    (B + "pickle.cc", "target.kind != Kind::kDict || items.size() % 2 != 0", "target.kind != Kind::kDict",
     ["bundle_pickle_fuzz"]),
    (B + "pickle.cc", "id.kind != Kind::kTuple || id.items.size() != 5", "id.kind != Kind::kTuple",
     ["bundle_pickle_fuzz"]),
    (B + "pickle.cc", 'if (++visits_ > kMaxPickleMemo) return Corrupt("too many values in dictionaries");', "++visits_;",
     ["bundle_pickle_fuzz"]),
    # Limits
    (B + "onnx_reader.cc", "if (tensor->shape.size() == kMaxRank)", "if (tensor->shape.size() == kMaxRank + 1)",
     ["bundle_onnx_fuzz"]),
    (B + "onnx_reader.cc", "if (names->size() == kMaxOnnxNodeInputs)", "if (false)", ["bundle_onnx_fuzz"]),
    (B + "tensor_data.cc", "if (!(scales[i] > 0) || scales[i] > FLT_MAX / 256)", "if (scales[i] < 0)",
     ["bundle_safetensors_fuzz", "bundle_onnx_fuzz"]),
    (B + "json.cc", "if (open_.size() >= limits_.max_depth)", "if (open_.size() > limits_.max_depth)",
     ["bundle_json_fuzz"]),
    (B + "json.cc", "if (++num_values_ > limits_.max_values)", "if (++num_values_ > 2 * limits_.max_values)",
     ["bundle_json_fuzz"]),
    (B + "vocab.cc", "id.integer >= static_cast<int64_t>(num_rows)", "id.integer > static_cast<int64_t>(num_rows)",
     ["bundle_vocab_fuzz"]),
    (M + "file_record.cc", "if (file.bytes > limits.max_total_bytes - total)",
     "if (total + file.bytes > limits.max_total_bytes + 1)", ["manifest_hosted_fuzz"]),
    # Names, and what is believed
    (M + "fields.cc", "if (!IsSafePath(record.path))", "if (record.path.empty())", ["manifest_hosted_fuzz"]),
    (B + "files.cc", "if (c == '/' ? at_start : c == '.' ? at_start : !IsNameByte(c)) return false;",
     "if (c == '/' ? at_start : c == '.' ? false : !IsNameByte(c)) return false;", ["manifest_hosted_fuzz"]),
    (B + "signature.cc", "if (signature.size() != kMaxSignatureBytes) {", "if (signature.empty()) return {};\n  if (false) {",
     ["bundle_signature_fuzz"]),
]


def run(command, cwd, timeout=None):
    try:
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", "ran past its limit")


def copy_tree(root, target):
    shutil.copytree(root, target, dirs_exist_ok=True, symlinks=True,
                    ignore=lambda folder, names: {"build", "models", ".git"} & set(names) if folder == root else set())


def build(folder, targets, jobs):
    return run(["ninja", "-C", os.path.join(folder, BUILD), f"-j{jobs}", *targets], folder)


def notices(folder, names, seconds):
    """The first of `names` that ends badly, and how: corpora of all of them first, then the searches."""
    for search in (False, True):
        for name in names:
            corpus = os.path.join(folder, "fuzz", "corpus", name)
            dictionary = os.path.join(folder, "fuzz", "dict", f"{name}.dict")
            with tempfile.TemporaryDirectory() as scratch:
                command = [os.path.join(folder, BUILD, name), f"-artifact_prefix={scratch}/", "-rss_limit_mb=1024", "-timeout=5",
                           "-max_len=8192"]
                if os.path.exists(dictionary):
                    command.append(f"-dict={dictionary}")
                command += [f"-max_total_time={seconds}", "-seed=1", scratch] if search else ["-runs=0"]
                if run([*command, corpus], folder, seconds + 120).returncode != 0:
                    return name, f"search of at most {seconds} s" if search else "corpus"
    return None, "nothing"


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", help="folder of the copy; kept")
    parser.add_argument("--only", help="numbers of bugs, from 1")
    parser.add_argument("--fuzz-seconds", type=int, default=60)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    folder = options.build or tempfile.mkdtemp(prefix="koe-bugs-")
    chosen = [int(n) for n in options.only.split(",")] if options.only else list(range(1, len(BUGS) + 1))
    copy_tree(root, folder)
    configured = run(["cmake", "-S", folder, "-B", os.path.join(folder, BUILD), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
                      "-DCMAKE_CXX_COMPILER=clang++-14", "-DCMAKE_C_COMPILER=clang-14", "-DKOE_FUZZ=ON",
                      "-DKOE_SANITIZE=address,undefined,float-cast-overflow", "-DKOE_BUILD_BENCHES=OFF",
                      "-DKOE_BUILD_TESTS=OFF", "-DKOE_BUILD_FUZZERS=ON",
                      "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1 -UNDEBUG"], folder)
    if configured.returncode != 0:
        sys.exit(configured.stdout + configured.stderr)
    everything = sorted({name for number in chosen for name in BUGS[number - 1][3]})
    if build(folder, everything, options.jobs).returncode != 0:
        sys.exit("the tree does not build as it is")
    for name in everything:
        if notices(folder, [name], 1)[0]:
            sys.exit(f"{name} fails without a bug")
    found = 0
    for number in chosen:
        file, there, bug, names = BUGS[number - 1]
        path = os.path.join(folder, file)
        with open(path, encoding="utf-8") as source:
            sound = source.read()
        if sound.count(there) != 1:
            sys.exit(f"bug {number}: {file}: the place is there {sound.count(there)} times")
        start = time.monotonic()
        with open(path, "w", encoding="utf-8") as source:
            source.write(sound.replace(there, bug))
        try:
            built = build(folder, names, options.jobs)
            # A compiler that refuses it (an unused name, say) notices it as well, but that is no test of tests.
            if built.returncode != 0:
                who, how = None, "does not compile"
            else:
                who, how = notices(folder, names, options.fuzz_seconds)
        finally:
            with open(path, "w", encoding="utf-8") as source:
                source.write(sound)
        found += who is not None
        print(f"{number:2} {'found' if who else 'MISSED'} {file}: {who or '-'} ({how}), {time.monotonic() - start:.0f} s",
              flush=True)
    print(f"{found} of {len(chosen)} found")
    if not options.build:
        shutil.rmtree(folder)
    return 0 if found >= len(chosen) - 1 else 1


if __name__ == "__main__":
    sys.exit(main())
