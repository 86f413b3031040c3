#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks in tools/ find what they are for: each is run over a small tree or object with one fault."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = os.path.join(ROOT, "tools")
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def put(self, path, text):
        full = os.path.join(self.folder.name, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)
        return full

    def run_tool(self, tool, *arguments):
        result = subprocess.run([sys.executable, os.path.join(TOOLS, tool), *arguments], capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr


class LayersTest(Tree):
    def setUp(self):
        super().setUp()
        self.put("include/koe/result.h", SPDX)
        self.put("include/koe/koe.h", SPDX + '#include "koe/result.h"\n')
        for module in ("base", "kernels", "nn", "bundle", "stages/decoder", "stages/prosody", "pipeline", "api"):
            self.put(f"src/{module}/x.h", SPDX + "#include <vector>\n")
        self.put("src/stages/shapes.h", SPDX)
        self.put("src/base/x_test.cc", SPDX + '#include <gtest/gtest.h>\n\n#include "pipeline/x.h"\n')

    def findings(self):
        return self.run_tool("check_layers.py", "--root", self.folder.name)

    def test_clean_tree(self):
        self.put("src/pipeline/y.cc", SPDX + '#include "koe/koe.h"\n#include "nn/x.h"\n#include "stages/decoder/x.h"\n')
        self.put("src/stages/decoder/y.cc", SPDX + '#include "base/x.h"\n#include "stages/shapes.h"\n')
        self.put("apps/cli/main.cc", SPDX + "#include <cstdio>\n" + '#include "koe/koe.h"\n')
        status, text = self.findings()
        self.assertEqual(status, 0, text)

    def test_faults(self):
        for path, line, words in (
                ("src/base/y.cc", '#include "kernels/x.h"', "base must not include kernels"),
                ("src/kernels/y.cc", '#include "bundle/x.h"', "kernels must not include bundle"),
                ("src/nn/y.cc", '#include "koe/koe.h"', "nn must not include include"),
                ("src/stages/decoder/y.cc", '#include "stages/prosody/x.h"', "must not include stages/prosody"),
                ("src/bundle/y.cc", '#include "pipeline/x.h"', "bundle must not include pipeline"),
                ("apps/cli/y.cc", '#include "base/x.h"', "apps/cli must not include base"),
                ("src/nn/y.cc", "#include <gtest/gtest.h>", "GoogleTest outside tests"),
                ("src/bundle/y.h", "#include <nlohmann/json.hpp>", "nlohmann-json in a header"),
                ("src/nn/y.cc", "#include <boost/any.hpp>", "belongs to no library"),
                ("src/nn/y.cc", '#include "nn/absent.h"', "is no file"),
                ("src/nn/y.cc", "// TODO: later", "TODO without an issue"),
                ("src/nn/y.cc", "\tint x;", "tab"),
                ("src/nn/y.cc", "\n" * 801, "no reason")):
            with self.subTest(path=path, line=line[:40]):
                full = self.put(path, SPDX + line + "\n")
                status, text = self.findings()
                os.remove(full)
                self.assertEqual(status, 1)
                self.assertIn(words, text)

    def test_no_spdx_line(self):
        self.put("src/nn/y.cc", "int x;\n")
        self.assertIn("no SPDX line", self.findings()[1])

    def test_a_library_in_two_files(self):
        self.put("src/bundle/y.cc", SPDX + "#include <zip.h>\n")
        self.assertEqual(self.findings()[0], 0)
        self.put("src/api/y.cc", SPDX + "#include <zip.h>\n")
        self.assertIn("libzip is included by 2 source files", self.findings()[1])


class DocsTest(Tree):
    def setUp(self):
        super().setUp()
        self.put("src/base/arena.h", SPDX)
        self.put("docs/numerics.md", "Back to [the start](../README.md).\n")

    def findings(self, text):
        self.put("README.md", text)
        return self.run_tool("check_docs.py", "--root", self.folder.name)

    def test_clean(self):
        status, text = self.findings("See `src/base/arena.h`, `src/base/*.h`, `src/{base}/<name>.h`, [n](docs/numerics.md#x), "
                                     "`build/release/koe`, `[word](/sound/)`.\n```sh\nls src/base\n```\n")
        self.assertEqual(status, 0, text)

    def test_faults(self):
        for text, words in (("`src/base/gone.h`\n", "src/base/gone.h: no such file"), ("[x](docs/gone.md)\n", "no such file"),
                            ("```sh\npython tools/gone.py\n```\n", "tools/gone.py: no such file"),
                            ("`src/base/{arena,gone}.h`\n", "src/base/gone.h"),
                            ("from https:" + "//example.com/x\n", "names a network host")):
            with self.subTest(text=text):
                status, found = self.findings(text)
                self.assertEqual(status, 1)
                self.assertIn(words, found)


class SymbolsTest(Tree):
    def library(self, source):
        path, lib = self.put("x.cc", source), os.path.join(self.folder.name, "libx.a")
        obj = os.path.join(self.folder.name, "x.o")
        subprocess.run(["g++", "-std=c++20", "-O1", "-c", path, "-o", obj], check=True)
        if os.path.exists(lib):
            os.remove(lib)
        subprocess.run(["ar", "rc", lib, obj], check=True)
        return self.run_tool("check_symbols.py", lib)

    def test_quiet_library(self):
        status, text = self.library("#include <string>\nstd::string F(int x) { return std::to_string(x); }\n")
        self.assertEqual(status, 0, text)

    def test_printing_and_ending(self):
        for source, symbol in (("#include <cstdio>\nvoid F(int x) { std::printf(\"%d\", x); }\n", "printf"),
                               ("#include <cstdlib>\nvoid F() { std::abort(); }\n", "abort"),
                               ("#include <iostream>\nvoid F(int x) { std::cerr << x; }\n", "_ZSt4cerr")):
            status, text = self.library(source)
            self.assertEqual(status, 1)
            self.assertIn(f"refers to {symbol}", text)

    @unittest.skipUnless(os.uname().machine == "x86_64", "AVX is of x86")
    def test_vector_code_in_a_weak_function(self):
        # A template made inside the AVX2 region, as a std:: algorithm would be by per-file flags.
        source = ("#pragma GCC push_options\n#pragma GCC target(\"avx2\")\nnamespace {ns} {{ template <int N> "
                  "__attribute__((noinline)) void Scale(float* x) {{ for (int i = 0; i < N; ++i) x[i] *= 2; }} }}\n"
                  "void F(float* x) {{ {ns}::Scale<64>(x); }}\n#pragma GCC pop_options\n")
        status, text = self.library(source.format(ns="shared"))
        self.assertEqual(status, 1)
        self.assertIn("AVX code in the weak function", text)
        self.assertEqual(self.library(source.format(ns="N_AVX2"))[0], 0)


class DriftTest(Tree):
    PLACES = ("CMakeLists.txt", "ARCHITECTURE.md", "CHANGELOG.md", "docs", "include", "apps/cli", "data/official",
              "python/koe/__init__.py", "src/pipeline/plan.cc", "src/bundle", "src/download", "src/export/sdk_bundle.cc")

    def setUp(self):
        super().setUp()
        for place in self.PLACES:
            source, target = os.path.join(ROOT, place), os.path.join(self.folder.name, place)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            (shutil.copytree if os.path.isdir(source) else shutil.copy)(source, target)

    def drift(self):
        return self.run_tool("check_drift.py", "--root", self.folder.name)

    def test_faults(self):
        self.assertEqual(self.drift()[0], 0, self.drift()[1])
        for path, there, instead, words in (
                ("src/bundle/limits.h", "kMaxBundleFiles = 512", "kMaxBundleFiles = 513", "513"),
                ("src/bundle/limits.h", "kMaxManifestBytes = 2 << 20", "kMaxManifestBytes = 3 << 20", "MiB"),
                ("docs/bundle_format.md", "522,240 bytes", "522,241 bytes", "522241"),
                ("docs/bundle_format.md", "starter (the voice af_heart)", "starter (the voice af_bella)", "af_bella"),
                ("docs/schemas/HostedManifest.schema.json", '"serial"', '"number"', "fields of HostedManifest"),
                ("src/bundle/manifests/release.cc", 'root.Set("serial"', 'root.Set("number"', "fields of ReleaseManifest"),
                ("docs/schemas/DownloadManifest.schema.json", "1073741824", "1073741823", "bytes of a file"),
                ("src/bundle/manifests/sdk.cc", 'root.Set("buckets"', 'root.Set("seconds"', "fields of KokoroRuntimeManifest"),
                ("docs/export.md", "`minimum_platforms`", "`platforms`", "minimum_platforms"),
                ("include/koe/common.h", "kSampleRateHz = 24000", "kSampleRateHz = 48000", "48000"),
                ("ARCHITECTURE.md", "at most 512 tokens", "at most 510 tokens", "512"),
                ("docs/publishing.md", "`allow_patterns`", "`patterns`", "allow_patterns"),
                ("src/pipeline/plan.cc", "buckets() const override { return {}; }", "buckets() const override { return {{32}}; }",
                 "plan.cc"),
                ("include/koe/export.h", "{3, 7, 10, 15, 30}", "{3, 7, 10, 15, 45}", "1800"),
                ("src/bundle/build.cc", 'wanted = {"af_heart"}', 'wanted = {"af_bella"}', "default voice"),
                ("include/koe/download.h", "int tries = 3", "int tries = 4", "tries: three, the code has four"),
                ("src/download/curl_transport.cc", "kMaxRedirects = 5", "kMaxRedirects = 8", "redirects"),
                ("CMakeLists.txt", "VERSION 0.1.0", "VERSION 0.2.0", "version: 0.1.0")):
            full = os.path.join(self.folder.name, path)
            with open(full, encoding="utf-8") as file:
                sound = file.read()
            self.assertIn(there, sound, path)
            with open(full, "w", encoding="utf-8") as file:
                file.write(sound.replace(there, instead))
            status, text = self.drift()
            with open(full, "w", encoding="utf-8") as file:
                file.write(sound)
            self.assertEqual(status, 1, f"{path}: {instead}")
            self.assertIn(words, text, path)


class ReadmeTest(Tree):
    def test_blocks(self):
        sys.path.insert(0, os.path.join(ROOT, "tests"))
        import readme_test
        text = "a\n```sh\necho 1\necho 2\n```\n<!-- not run: needs a network -->\n```sh\nclone\n```\n```cpp\nx\n```\n"
        self.assertEqual(readme_test.blocks(text), [(2, "echo 1\necho 2\n", None), (6, "clone\n", "needs a network")])


if __name__ == "__main__":
    unittest.main()
