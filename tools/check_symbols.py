#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the object code of the static libraries.

  python tools/check_symbols.py LIB.a...

1. A library must not print or end its host: no reference to abort, exit, printf and its kin, puts, cout, cerr, stdout.
   Allowed, because the compiler or the C++ run time puts them there: std::terminate and __assert_fail (assertions are off
   in a release build), and what EXCEPTIONS lists.
2. No object holds AVX code in a function that the linker may pick for the whole program: in every weak (inline or template)
   function outside the SIMD namespaces (N_AVX2, N_AVX3, ... as Highway names them) no instruction may be VEX or EVEX coded.
   Otherwise the copy that was made for a new CPU can replace the one that an old CPU runs.
Exit status: 0 clean, 1 with a line per finding. Needs nm and objdump.
"""
import argparse
import os
import re
import subprocess
import sys

FORBIDDEN = re.compile(
    r"^(abort|exit|_exit|_Exit|quick_exit|printf|fprintf|vprintf|vfprintf|dprintf|puts|fputs|putchar|fputc|putc|perror|"
    r"__printf_chk|__fprintf_chk|__vprintf_chk|__vfprintf_chk|stdout|stderr|"
    r"_ZSt4cout|_ZSt4cerr|_ZSt4clog|_ZSt5wcout|_ZSt5wcerr)$")
# (object file, symbol) -> reason.
EXCEPTIONS = {}
SIMD_NAMESPACE = re.compile(r"\bN_(SSE\d?|SSSE3|AVX2|AVX3|AVX3_DL|AVX3_ZEN4|NEON|EMU128|SCALAR)::")
VECTOR_INSTRUCTION = re.compile(r"^v[a-z0-9]+$")
FUNCTION = re.compile(r"^[0-9a-f]+ <(.*)>:$")


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def members(library):
    """[(object name, [line of nm])]"""
    name, lines = "", []
    for line in output_of("nm", library).split("\n"):
        if line.endswith(".o:"):
            name = line[:-1]
        elif line.strip():
            lines.append((name, line))
    return lines


def check_host(library, nm_lines):
    for name, line in nm_lines:
        kind, symbol = line.split()[-2:]
        symbol = symbol.split("@")[0]
        if kind == "U" and FORBIDDEN.match(symbol) and (name, symbol) not in EXCEPTIONS:
            yield f"{os.path.basename(library)}: {name}: refers to {symbol}"


def demangle(symbols):
    result = subprocess.run(["c++filt"], input="\n".join(symbols), capture_output=True, text=True, check=True)
    return dict(zip(symbols, result.stdout.split("\n")))


def check_vector_code(library, nm_lines):
    weak = {(name, line.split()[-1]) for name, line in nm_lines if line.split()[-2] in "WVu"}
    names = demangle(sorted({symbol for _, symbol in weak}))
    suspects = {(name, symbol) for name, symbol in weak if not SIMD_NAMESPACE.search(names[symbol])}
    if not suspects:
        return
    process = subprocess.Popen(["objdump", "-d", "--no-show-raw-insn", library], stdout=subprocess.PIPE, text=True)
    name, symbol, reported = "", "", set()
    for line in process.stdout:
        if line.endswith("file format elf64-x86-64\n"):
            name = line.split(":")[0]
        elif line[0] == "0":
            match = FUNCTION.match(line.rstrip())
            symbol = match.group(1) if match else ""
        elif (name, symbol) in suspects and (name, symbol) not in reported:
            fields = line.split("\t")
            if len(fields) > 1 and VECTOR_INSTRUCTION.match(fields[1].split(" ")[0].strip()):
                reported.add((name, symbol))
                yield f"{os.path.basename(library)}: {name}: AVX code in the weak function {names[symbol]}: {fields[1].strip()}"
    process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("libraries", nargs="+", metavar="LIB.a")
    args = parser.parse_args()
    findings = []
    for library in args.libraries:
        nm_lines = members(library)
        if not nm_lines:
            findings.append(f"{library}: no symbols")
        findings += check_host(library, nm_lines)
        findings += check_vector_code(library, nm_lines)
    print("\n".join(findings + [f"{len(args.libraries)} libraries, {len(findings)} findings"]))
    sys.exit(1 if findings else 0)


if __name__ == "__main__":
    main()
