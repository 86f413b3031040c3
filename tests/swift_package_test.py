#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Swift package against what it wraps, where there is no Swift compiler: include/koe/koe_c.h, docs/errors.md, its own paths.

  python tests/swift_package_test.py

Each check is tried on damaged sources too, and must find the damage. With tree-sitter-swift (tests/requirements.txt) every source
is parsed for real; without, that one test is skipped.
"""
import glob
import os
import re
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SWIFT = os.path.join(ROOT, "swift")
MODULES = {"AVFoundation", "CKoe", "Dispatch", "Foundation", "KokoroTTS", "PackageDescription", "XCTest"}


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources():
    paths = glob.glob(os.path.join(SWIFT, "**", "*.swift"), recursive=True)
    return {os.path.relpath(path, SWIFT): read(path) for path in sorted(paths) if "/.build/" not in path}


def without_comments_and_strings(text):
    """Comments and the text of string literals as spaces; what is interpolated stays."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|"""(?:\\.|[^\\])*?"""|"(?:\\\((?:[^()]|\([^()]*\))*\)|\\.|[^"\\\n])*"', re.S)

    def blank(match):
        inner = re.findall(r"\\\((?:[^()]|\([^()]*\))*\)", match.group()) if match.group().startswith('"') else []
        return '""' + " ".join(inner).replace("\\", "")
    return pattern.sub(blank, text)


class Header:
    """Names of koe_c.h with the number of parameters of each function and the fields of each struct."""

    def __init__(self, text):
        text = re.sub(r"//[^\n]*", "", text)
        self.functions = {}
        for name, parameters in re.findall(r"KOE_C_EXPORT[^;(]*?\b(koe_\w+)\(([^)]*)\)", text):
            self.functions[name] = 0 if parameters.strip() == "void" else parameters.count(",") + 1
        self.structs = {}
        for body, name in re.findall(r"typedef struct koe_\w+ \{(.*?)\} (koe_\w+);", text, re.S):
            fields = re.findall(r"(?:\(\*(\w+)\)\([^)]*\)|(\w+)(?:\[\d+\])?);", body)
            self.structs[name] = {a or b for a, b in fields}
        self.handles = set(re.findall(r"typedef struct (koe_\w+) koe_\w+;", text))
        self.types = self.handles | set(self.structs) | {"koe_status", "koe_progress", "koe_chunk_callback"}
        self.constants = set(re.findall(r"\b(KOE_[A-Z0-9_]+)(?: = \d+)?(?=[,\s}])", "".join(re.findall(r"enum \{.*?\}", text, re.S))))
        self.constants |= set(re.findall(r"#define (KOE_\w+) \d+", text))  # Swift sees no other macros


HEADER = Header(read(os.path.join(ROOT, "include", "koe", "koe_c.h")))


def arguments(text, start):
    """The number of arguments of the call whose opening bracket is at `start`; closures count as one."""
    depth, count, empty = 0, 1, True
    for position in range(start, len(text)):
        c = text[position]
        if c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
            if depth == 0:
                return 0 if empty else count
        elif c == "," and depth == 1:
            count += 1
        empty = empty and (position == start or c.isspace())
    return -1


def check_names(files):
    for path, text in files.items():
        code = without_comments_and_strings(text)
        for match in re.finditer(r"\b(koe_\w+|KOE_\w+)\b(\()?", code):
            name, call = match.groups()
            if name in HEADER.functions:
                if not call:
                    yield f"{path}: {name} is not called"
                elif arguments(code, match.end() - 1) != HEADER.functions[name]:
                    yield f"{path}: {name}: {arguments(code, match.end() - 1)} arguments, koe_c.h has {HEADER.functions[name]}"
            elif call and name in HEADER.structs:
                if arguments(code, match.end() - 1) != 0:
                    yield f"{path}: {name}(...): only the empty form is used here"
            elif name not in HEADER.types and name not in HEADER.constants and name != "koe_shim":
                yield f"{path}: {name}: not in koe_c.h"


def field_accesses(files):
    """(path, struct, field) of variables and parameters whose type is a struct of the header."""
    for path, text in files.items():
        code = without_comments_and_strings(text)
        variables = set(re.findall(r"\bvar (\w+) = (koe_\w+)\(\)", code)) | set(re.findall(r"\b(\w+): (?:inout )?(koe_\w+)\b", code))
        if "withC(" in code:
            variables.add(("inC", "koe_engine_options" if "koe_engine_open" in code else "koe_synthesis_options"))
        for variable, struct in variables:
            if struct in HEADER.structs:
                for field in re.findall(rf"(?<![.\w]){variable}\.(\w+)", code):
                    yield path, struct, field


def check_fields(files):
    for path, struct, field in field_accesses(files):
        if field not in HEADER.structs[struct]:
            yield f"{path}: {struct} has no field {field}"


def check_sizes(files):
    """Every struct's size is set before it is used, and is that of its own type."""
    for path, text in files.items():
        code = without_comments_and_strings(text)
        made = re.findall(r"\bvar (\w+) = (koe_\w+)\(\)\s*(.*)", code)
        for variable, struct, rest in made:
            if f"koe_struct_init(&{variable}, MemoryLayout<{struct}>.stride)" != rest.strip():
                yield f"{path}: {variable}: its size is not set on the next line"


def check_handles(files):
    """What a function gives out as OpaquePointer is freed somewhere."""
    code = "\n".join(without_comments_and_strings(text) for path, text in files.items() if path.startswith("Sources"))
    makers = {"koe_engine_open": "koe_engine_free", "koe_cancel_create": "koe_cancel_free", "koe_stream_open": "koe_stream_free",
              "koe_stream_next": "koe_chunk_free", "koe_synthesize": "koe_audio_free", "koe_synthesize_prepared": "koe_audio_free",
              "koe_prepare": "koe_prepared_free", "koe_lexicon_load": "koe_lexicon_free", "koe_lexicon_parse": "koe_lexicon_free"}
    for maker, free in makers.items():
        if f"{maker}(" in code and f"{free}(" not in code:
            yield f"{maker}: nothing calls {free}"


def camel(name):
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def check_errors(files, table=None):
    table = table or read(os.path.join(ROOT, "docs", "errors.md"))
    expected = {camel(name): int(number) for number, name in re.findall(r"^\| (\d+) \| `k\w+` \| `(\w+)` \|", table, re.M)}
    text = files["Sources/KokoroTTS/KokoroError.swift"]
    cases = set(re.findall(r"^    case `?(\w+)`?\(String\)", text, re.M))
    if cases != set(expected):
        yield f"KokoroError: cases {sorted(cases ^ set(expected))} differ from docs/errors.md"
    codes = {name: int(number) for name, number in re.findall(r"case \.(\w+): return (\d+)", text)}
    if codes != expected:
        yield f"KokoroError.code: {codes}, docs/errors.md has {expected}"
    mapped = dict(re.findall(r"case Int\(KOE_ERR_(\w+)\): self = \.(\w+)\(message\)", text))
    mapped["INTERNAL"] = "internal" if "default: self = .internal(message)" in text else ""
    if {camel(name.lower()): case for name, case in mapped.items()} != {name: name for name in expected}:
        yield f"KokoroError.init: {mapped}"


def check_policy(files):
    """KokoroComputePolicy names what src/devices/coreml takes, and its default is that one's."""
    code = read(os.path.join(ROOT, "src/devices/coreml/compute_policy.cc"))
    units = re.findall(r"ComputeUnits::k(\w+)", re.search(r"kUnits = \{(.*?)\}", code, re.S).group(1))
    words = dict(zip(units, re.findall(r'"(\w+)"', re.search(r"kNames = \{(.*?)\}", code).group(1))))
    header = read(os.path.join(ROOT, "src/devices/coreml/compute_policy.h"))
    defaults = re.findall(r"ComputeUnits::k(\w+)", re.search(r"kDefaultPolicy = \{(.*?)\}", header, re.S).group(1))
    text = files[POLICY]
    named = dict(re.findall(r'case (\w+) = "(\w+)"', text))
    if {name.lower(): word for name, word in named.items()} != {name.lower(): word for name, word in words.items()}:
        yield f"KokoroComputePolicy.Units: {named}, compute_policy.cc has {words}"
    given = re.search(r"gistDefault = KokoroComputePolicy\((.*?)\)", text, re.S)
    found = re.findall(r"\.(\w+)", given.group(1)) if given else []
    if [name.lower() for name in found] != [name.lower() for name in defaults]:
        yield f"KokoroComputePolicy.gistDefault: {found}, compute_policy.h has {defaults}"
    stages = re.findall(r'\("(\w+)", (\w+)\)', text)
    if stages != [("duration", "duration"), ("prosody", "f0ntrain"), ("decoder", "decoderPre"), ("generator", "generator")]:
        yield f"KokoroComputePolicy.places: {stages}"


def check_paths(files, root=SWIFT):
    package = files["Package.swift"]
    if not package.startswith("// swift-tools-version:5."):
        yield "Package.swift: the first line names no version of the tools"
    targets = dict(re.findall(r'\.(?:systemLibrary|target|testTarget)\(\s*name: "(\w+)",.*?path: "([^"]+)"', package))
    if set(targets) != {"CKoe", "KokoroTTS", "KokoroTTSTests"}:
        yield f"Package.swift: targets {sorted(targets)}"
    for name, path in targets.items():
        wanted = "module.modulemap" if name == "CKoe" else "*.swift"
        if not glob.glob(os.path.join(root, path, wanted)):
            yield f"Package.swift: {name}: no {wanted} in {path}"
    for names in re.findall(r"(?:dependencies|targets): \[((?:\"\w+\",? ?)+)\]", package):
        for name in re.findall(r'"(\w+)"', names):
            if name not in targets:
                yield f"Package.swift: {name} is no target"
    for path, text in files.items():
        for module in re.findall(r"^(?:@testable )?import (\w+)", text, re.M):
            if module not in MODULES:
                yield f"{path}: import {module}"
        if "SPDX-License-Identifier: Apache-2.0" not in text:
            yield f"{path}: no SPDX line"
    folder = os.path.join(root, targets.get("CKoe", ""))
    headers = re.findall(r'header "([^"]+)"', read(os.path.join(folder, "module.modulemap")))
    for header in headers:
        included = re.findall(r'#include "([^"]+)"', read(os.path.join(folder, header)))
        if [os.path.realpath(os.path.join(folder, path)) for path in included] != [os.path.join(os.path.realpath(ROOT), "include/koe/koe_c.h")]:
            yield f"{header}: includes {included}"
    if len(headers) != 1 or "module CKoe" not in read(os.path.join(folder, "module.modulemap")):
        yield "module.modulemap: not the module CKoe of one header"


def check_brackets(files):
    for path, text in files.items():
        stack = []
        for c in without_comments_and_strings(text):
            if c in "([{":
                stack.append(c)
            elif c in ")]}" and (not stack or "([{".index(stack.pop()) != ")]}".index(c)):
                yield f"{path}: a {c} too many"
                break
        if stack:
            yield f"{path}: {stack[-1]} is not closed"


TTS, ERROR, HANDLES = (f"Sources/KokoroTTS/{name}.swift" for name in ("KokoroTTS", "KokoroError", "Handles"))
POLICY = "Sources/KokoroTTS/KokoroComputePolicy.swift"
# check, then damages that it must find: (path, from, to)
CHECKS = [
    (check_names, [(TTS, "koe_synthesize(", "koe_synthesise("), (TTS, "start, length, &inC, nil, &made", "start, &inC, nil, &made"),
                   (ERROR, "KOE_ERR_IO", "KOE_ERR_DISK"), (TTS, "koe_voice_info()", "koe_voice_infos()")]),
    (check_fields, [(TTS, "inC.num_threads", "inC.threads"), (TTS, "info.gender", "info.sex"), (ERROR, "error.message", "error.text"),
                    ("Sources/KokoroTTS/KokoroAudio.swift", "word.first_sample", "word.start"),
                    ("Sources/KokoroTTS/KokoroSynthesisOptions.swift", "options.voice_blend", "options.blend")]),
    (check_sizes, [(TTS, "MemoryLayout<koe_voice_info>", "MemoryLayout<koe_error>"),
                   (ERROR, "koe_struct_init(&error, MemoryLayout<koe_error>.stride)", "")]),
    (check_handles, [(HANDLES, "koe_stream_free", "koe_stream_cancel"), (HANDLES, "koe_engine_free(pointer)", "")]),
    (check_errors, [(ERROR, "    case tooLong(String)\n", ""), (ERROR, "case .io: return 6", "case .io: return 7"),
                    (ERROR, "self = .notFound(message)", "self = .corruptBundle(message)")]),
    (check_paths, [("Package.swift", '"Sources/KokoroTTS"', '"Sources/Kokoro"'), ("Package.swift", '["CKoe"]', '["CKo"]'),
                   (TTS, "import CKoe", "import Koe"), (TTS, "// SPDX-License-Identifier: Apache-2.0", "//")]),
    (check_policy, [(POLICY, 'cpuAndNeuralEngine = "ane"', 'cpuAndNeuralEngine = "npu"'), (POLICY, "decoderPre: .cpuAndNeuralEngine", "decoderPre: .all"),
                    (POLICY, '("prosody", f0ntrain)', '("f0ntrain", f0ntrain)')]),
    (check_brackets, [(TTS, "private init(_ engine: EngineHandle) {", "private init(_ engine: EngineHandle)"), (ERROR, "switch self {", "switch self")]),
]


class SwiftPackageTest(unittest.TestCase):
    def test_the_header_is_understood(self):
        self.assertGreater(len(HEADER.functions), 50)
        self.assertEqual(HEADER.functions["koe_stream_open"], 7)
        self.assertEqual(HEADER.functions["koe_version"], 0)
        self.assertEqual(HEADER.structs["koe_prewarm_options"],
                         {"struct_size", "text", "voice", "cancel", "progress", "user_data"})
        self.assertLessEqual({"KOE_OK", "KOE_ERR_INTERNAL", "KOE_CHUNKING_PACKED", "KOE_SAMPLE_RATE_HZ"}, HEADER.constants)
        self.assertNotIn("KOE_NUL_TERMINATED", HEADER.constants)  # a cast, which Swift does not see

    def test_sources_are_sound(self):
        files = sources()
        self.assertGreater(len(files), 10)
        self.assertGreater(len(list(field_accesses(files))), 50)
        for check, _ in CHECKS:
            self.assertEqual(list(check(files)), [], check.__name__)

    def test_damage_is_found(self):
        for check, damages in CHECKS:
            for path, before, after in damages:
                files = sources()
                self.assertIn(before, files[path])
                files[path] = files[path].replace(before, after, 1)
                self.assertTrue(list(check(files)), f"{check.__name__}: {path}: '{before}' became '{after}'")

    def test_a_new_code_is_missed(self):
        table = read(os.path.join(ROOT, "docs", "errors.md")).replace("| 9 | `kInternal`", "| 10 | `kNew` | `new` |\n| 9 | `kInternal`")
        self.assertTrue(list(check_errors(sources(), table)))

    def test_sources_parse(self):
        try:
            import tree_sitter
            import tree_sitter_swift
        except ImportError:
            self.skipTest("no tree-sitter-swift")
        parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_swift.language()))

        def errors(node):
            if node.type == "ERROR" or node.is_missing:
                yield node.start_point[0] + 1
            for child in node.children:
                yield from errors(child)
        for path, text in sources().items():
            self.assertEqual(list(errors(parser.parse(text.encode()).root_node)), [], path)
        damaged = sources()[TTS].replace("guard let threads", "guard threads let", 1)
        self.assertTrue(list(errors(parser.parse(damaged.encode()).root_node)))


if __name__ == "__main__":
    unittest.main()
