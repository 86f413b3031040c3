#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the include rules of ARCHITECTURE.md over every #include line, and a few rules about the files themselves.

  python tools/check_layers.py [--root DIR]

1. Modules: base <- kernels <- nn <- stages/X (never another stage) <- pipeline <- api <- c_api and apps; bundle and text see base; download sees
   bundle; g2p sees text, bundle, kernels and nn; audio sees base and kernels; apps see include/koe only. Tests, benches and fuzz targets
   see everything, and nothing but them includes their helpers.
2. Third-party headers stand in one source file each, never in a header; the exceptions are below, each with its reason.
3. Every source file has an SPDX line, at most 800 lines unless its first comment gives a reason in a line that starts with
   "Length:", no tab, and no TODO without an issue number.
Exit status: 0 clean, 1 with a line per finding.
"""
import argparse
import os
import re
import sys

FOUNDATION = {"base", "result"}
# What a module may include besides itself. "result" is include/koe/result.h, "include" the whole public folder: it depends
# on nothing, and the modules whose results a caller sees share its value types instead of copying them field by field.
MODULES = {
    "include": {"result"},
    "base": {"result"},
    "kernels": FOUNDATION,
    "nn": FOUNDATION | {"kernels"},
    "bundle": FOUNDATION | {"include"},
    "download": FOUNDATION | {"include", "bundle"},
    "export": FOUNDATION | {"include", "bundle"},
    "text": FOUNDATION,
    "g2p": FOUNDATION | {"include", "kernels", "nn", "text", "bundle"},  # tagger and letter-to-sound networks
    "stages": FOUNDATION | {"kernels", "nn", "bundle"},
    "stages/*": FOUNDATION | {"kernels", "nn", "bundle", "stages"},
    "audio": FOUNDATION | {"include", "kernels"},
    "pipeline": FOUNDATION | {"include", "kernels", "nn", "bundle", "text", "g2p", "stages", "stages/*", "audio"},
    "devices": FOUNDATION | {"include", "bundle", "kernels", "nn", "stages", "stages/*", "pipeline"},
    "api": FOUNDATION | {"include", "bundle", "download", "export", "text", "g2p", "audio", "pipeline", "devices"},
    "c_api": FOUNDATION | {"include", "api"},
    "apps/*": {"include", "result"},
    "python": {"include", "result"},
}
# Library -> how its headers begin.
LIBRARIES = {
    "Highway": ("hwy/",),
    "nlohmann-json": ("nlohmann/",),
    "CLI11": ("CLI/",),
    "spdlog": ("spdlog/", "fmt/"),
    "ICU": ("unicode/",),
    "RE2": ("re2/",),
    "OpenSSL": ("openssl/",),
    "libsndfile": ("sndfile.h", "sndfile.hh"),
    "libzip": ("zip.h",),
    "libcurl": ("curl/",),
    "pybind11": ("pybind11/",),
    "GoogleTest": ("gtest/", "gmock/"),
    "Google Benchmark": ("benchmark/",),
    "intrinsics": ("immintrin.h", "x86intrin.h", "arm_neon.h", "cpuid.h"),
}
TEST_LIBRARIES = {"GoogleTest", "Google Benchmark"}
# (library, file or folder) -> reason.
EXCEPTIONS = {
    ("OpenSSL", "src/bundle/signature.cc"): "signatures and digests are two things, each behind its own header",
    ("nlohmann-json", "apps/cli/json.cc"): "the program sees include/koe only, so not the library's json.h",
    ("pybind11", "python/"): "the binding is written on it; all of it is one extension module",
    ("intrinsics", "src/kernels/fixed_gemm/fixed_gemm.cc"): "Highway 1.0.3 lacks the 8-bit dot product",
    ("intrinsics", "src/kernels/fixed_planes/fixed_planes.cc"): "... and the 16-bit one that adds to its sum",
    ("Highway", "src/kernels/"): "the kernels are written on it; each SIMD body includes it once per target",
    ("nlohmann-json", "src/g2p/lexicon_compiler.cc"): "reads 90,000-entry dictionaries when a bundle is built; bundle/json.h is "
                                                      "a tree for manifests",
}
STANDARD = re.compile(r"^(c?(assert|ctype|errno|fenv|float|inttypes|limits|locale|math|setjmp|signal|stdarg|stddef|stdint|stdio|"
                      r"stdlib|string|time|uchar|wchar)(\.h)?|[a-z_]+)$")  # C++ headers have no dot
SYSTEM = re.compile(r"^(sys|linux|netinet|arpa)/[a-z_]+\.h$|^(unistd|fcntl|sched|pthread|poll|dlfcn|dirent|termios|signal|"
                    r"stdlib|string|stdio|time|errno|math|stdint|stddef|stdbool|limits)\.h$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
TESTING = re.compile(r"_(test|bench|testing|fuzz|check)(_[a-z0-9_]+)?\.(h|cc|c)$")
TEST_FOLDERS = ("tests/", "bench/", "fuzz/")


def is_testing(path):
    return path.startswith(TEST_FOLDERS) or "/testing/" in path or bool(TESTING.search(path))


def module_of(path):
    """"src/stages/decoder/decoder.h" -> "stages/decoder"; None outside the modules."""
    parts = path.split("/")
    if parts[0] in ("include", "python"):
        return parts[0]
    if parts[0] == "apps" and len(parts) > 2:
        return "apps/" + parts[1]
    if parts[0] == "src" and len(parts) > 2:
        return "stages/" + parts[2] if parts[1] == "stages" and len(parts) > 3 else parts[1]
    return None


def may_include(module, target, header):
    if target == module:
        return True
    pattern = module if module in MODULES else module.split("/")[0] + "/*"
    allowed = MODULES.get(pattern)
    if allowed is None:
        return False
    if target == "include":
        return "include" in allowed or (header == "koe/result.h" and "result" in allowed)
    return target in allowed or target.split("/")[0] + "/*" in allowed and "/" in target


def library_of(header):
    return next((name for name, starts in LIBRARIES.items() if header.startswith(starts)), None)


def source_files(root):
    for top in ("include", "src", "apps", "python", "tests", "bench", "fuzz"):
        for folder, _, names in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(names):
                if name.endswith((".h", ".cc", ".c")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def resolve(root, path, header):
    """The file that a quoted include names, from the root; None when there is none."""
    folders = [os.path.dirname(path), "src", "include", path.split("/")[0], os.path.join(*path.split("/")[:2])]
    for base in folders + ([".", "tests"] if is_testing(path) else []):
        candidate = os.path.normpath(os.path.join(base, header))
        if os.path.isfile(os.path.join(root, candidate)):
            return candidate
    return None


def check_includes(root, path, text, users):
    module = module_of(path)
    for number, line in enumerate(text.split("\n"), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quote, header = match.groups()
        where = f"{path}:{number}"
        library = library_of(header)
        if library:
            if library in TEST_LIBRARIES:
                if not is_testing(path):
                    yield f"{where}: {library} outside tests and benches"
            elif not is_testing(path):
                users.setdefault(library, {}).setdefault(path, where)
            continue
        if quote == "<":
            if not STANDARD.match(header) and not SYSTEM.match(header):
                yield f"{where}: <{header}> belongs to no library that tools/check_layers.py knows"
            continue
        target_path = resolve(root, path, header)
        if target_path is None:
            yield f'{where}: "{header}" is no file of this tree'
            continue
        if is_testing(path):
            continue
        if is_testing(target_path):
            yield f'{where}: "{header}" is for tests only'
            continue
        target = module_of(target_path)
        if target is None or module is None or not may_include(module, target, header):
            yield f'{where}: {module} must not include {target} ("{header}")'


def check_libraries(users):
    for library, files in sorted(users.items()):
        counted = []
        for path, where in sorted(files.items()):
            if any(library == name and path.startswith(place) for name, place in EXCEPTIONS):
                continue
            if path.endswith(".h"):
                yield f"{where}: {library} in a header"
            counted.append(path)
        if len(counted) > 1:
            yield f"{library} is included by {len(counted)} source files: {', '.join(counted)}"


def check_file(path, text):
    lines = text.split("\n")
    if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:3]):
        yield f"{path}:1: no SPDX line"
    first_comment = []
    for line in lines:
        if not line.startswith("//"):
            break
        first_comment.append(line)
    if len(lines) > 801 and not any(line.startswith("// Length:") for line in first_comment):
        yield f"{path}: {len(lines) - 1} lines and no reason (a line `// Length: ...` in the first comment)"
    for number, line in enumerate(lines, 1):
        if "\t" in line:
            yield f"{path}:{number}: tab"
        if re.search(r"\b(TODO|FIXME|XXX)\b(?!\(#?\d+\))", line):
            yield f"{path}:{number}: TODO without an issue number"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    root = parser.parse_args().root
    findings, users, count = [], {}, 0
    for path in source_files(root):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        count += 1
        findings += check_includes(root, path, text, users)
        findings += check_file(path, text)
    findings += check_libraries(users)
    print("\n".join(findings + [f"{count} files, {len(findings)} findings"]))
    sys.exit(1 if findings or not count else 0)


if __name__ == "__main__":
    main()
