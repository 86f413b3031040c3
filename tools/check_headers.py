#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone: public ones with nothing but include/ in the search path, the C API as C11 too.

  python tools/check_headers.py [--compiler g++] [--jobs N]

Left out: Highway's per-target bodies (*-inl.h, *_body.h), which are made to be included from their own source file, and
tests/apple_stubs, which is Objective-C++ and compiled by coreml_syntax_test.
Exit status: 0 clean, 1 with the compiler's words per header.
"""
import argparse
import concurrent.futures
import glob
import os
import subprocess
import sys
import sysconfig

from check_layers import is_testing, source_files

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHON_INCLUDES = [sysconfig.get_path("include"), *glob.glob("/usr/include/python3.*")]  # of the binding: any will do
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror", "-fsyntax-only"]


def commands(compiler, path):
    cxx = [compiler, "-std=c++20", "-x", "c++"]
    if path.startswith("include/"):
        if path.endswith("_c.h"):
            yield [compiler, "-std=c11", "-x", "c", "-pedantic", "-Iinclude"]
        yield [*cxx, "-pedantic", "-Iinclude"]
    else:
        folders = path.split("/")[:-1]
        yield [*cxx, "-Iinclude", "-Isrc", *(word for depth in range(1, min(len(folders), 2) + 1)
                                             for word in ("-iquote", os.path.join(*folders[:depth]))),
               *(["-iquote", "tests"] if is_testing(path) else []),
               *(f"-isystem{path}" for path in PYTHON_INCLUDES if folders[0] == "python")]


def check(job):
    command, path = job
    # Through an including file: a header given as the main file would be allowed to lack its guard.
    source = f'#include "{path}"\n#include "{path}"\n'
    language = command.index("-x")
    result = subprocess.run([*command, *WARNINGS, "-iquote", ".", "-"], cwd=ROOT, input=source, capture_output=True, text=True)
    return path, command[language + 1], result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    headers = [p for p in source_files(ROOT) if p.endswith(".h") and not p.endswith(("-inl.h", "_body.h"))
               and not p.startswith("tests/apple_stubs/")]
    jobs = [(command, path) for path in headers for command in commands(args.compiler, path)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for path, language, result in pool.map(check, jobs):
            if result.returncode != 0:
                failed += 1
                print(f"{path} as {language}:\n{result.stderr}")
    print(f"{len(headers)} headers, {failed} do not compile alone")
    sys.exit(1 if failed or not headers else 0)


if __name__ == "__main__":
    main()
