#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""koe say --stream and --play, koe batch, koe completions, koe man, with the engine of tests/fake_engine.cc.

  python tests/cli_extras_test.py --koe PROGRAM --alsa LIBRARY      (of tests/fake_alsa.c)
"""
import argparse
import ctypes
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

koe = alsa = None


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.bundle = self.path("bundle")
        os.mkdir(self.bundle)
        open(os.path.join(self.bundle, "fake-bundle"), "w").close()

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_koe(self, *arguments, text=None, env=None):
        environment = dict(os.environ, KOE_BUNDLE=self.bundle, **(env or {}))
        result = subprocess.run([koe, *arguments], input=text.encode() if text is not None else None, env=environment,
                                stdin=subprocess.DEVNULL if text is None else None, capture_output=True, timeout=60, cwd=self.folder)
        return result.returncode, result.stdout, result.stderr.decode()


class Streams(Case):
    def test_standard_output(self):
        _, whole, _ = self.run_koe("say", "Hello.", "-o", "-", "--format", "raw")
        status, raw, _ = self.run_koe("say", "Hello.", "--stream", "-o", "-", "--format", "raw")
        self.assertEqual((status, raw), (0, whole))
        status, wave, message = self.run_koe("say", "Hello.", "--stream", "-o", "-")
        self.assertEqual((status, wave[44:]), (0, whole), message)
        self.assertEqual(struct.unpack("<4sI4s4sIHHIIHH4sI", wave[:44]),
                         (b"RIFF", 0xFFFFFFFF, b"WAVE", b"fmt ", 16, 1, 1, 24000, 48000, 2, 16, b"data", 0xFFFFFFFF))

    def test_player(self):
        _, whole, _ = self.run_koe("say", "Hello.", "-o", "-", "--format", "raw")
        for flags in (["--play"], ["--stream"]):
            status, out, message = self.run_koe("say", "Hello.", *flags, env={"KOE_PLAYER": "cat > heard"})
            self.assertEqual((status, out), (0, b""), message)
            with open(self.path("heard"), "rb") as f:
                self.assertEqual(f.read(), whole)
        status, _, message = self.run_koe("say", "Hello.", "--play", env={"KOE_PLAYER": "cat > /dev/null; exit 3"})
        self.assertEqual(status, 5)
        self.assertIn("exit status 3", message)
        status, _, message = self.run_koe("say", "Hello. " * 2000, "--play", env={"KOE_PLAYER": "true"})
        self.assertEqual(status, 5, message)

    def test_no_player(self):
        nothing = {"PATH": self.folder, "KOE_PLAYER": "", "ALSA_CONFIG_PATH": self.path("none")}  # a library without a device, if any
        status, _, message = self.run_koe("say", "Hello.", "--play", env=nothing)
        self.assertEqual(status, 2)
        self.assertIn("alsa-utils", message)
        self.assertEqual(len(message.splitlines()), 1, message)
        status, _, message = self.run_koe("say", "Hello.", "--play", env={"KOE_ALSA_LIBRARY": self.path("none.so")})
        self.assertEqual(status, 2)
        self.assertIn("none.so: cannot be loaded", message)
        status, _, message = self.run_koe("say", "Hello.", "--play", env={"KOE_ALSA_LIBRARY": "libc.so.6"})
        self.assertEqual(status, 2)
        self.assertIn("not ALSA's library", message)

    def play(self, text, **env):
        """What the library was given. A text is long enough for many pieces."""
        heard = self.path("heard")
        outcome = self.run_koe("say", text, "--play", env={"KOE_ALSA_LIBRARY": alsa, "FAKE_ALSA_OUTPUT": heard, **env})
        with open(heard, "rb") as f:
            return outcome, f.read()

    def test_alsa_library(self):
        _, whole, _ = self.run_koe("say", "Hello. " * 30, "-o", "-", "--format", "raw")
        for failure in ("", "underrun"):
            outcome, heard = self.play("Hello. " * 30, FAKE_ALSA_FAIL=failure)
            self.assertEqual(outcome[:2], (0, b""), outcome[2])
            self.assertEqual(heard, b"default:" + whole + b":drained")
        _, heard = self.play("Hello.", KOE_ALSA_DEVICE="hw:1")
        self.assertTrue(heard.startswith(b"hw:1:"))
        for failure, status in (("params", 2), ("write", 5), ("drain", 5)):
            outcome, heard = self.play("Hello.", FAKE_ALSA_FAIL=failure)
            self.assertEqual(outcome[0], status, outcome[2])
            self.assertIn("ALSA", outcome[2])
        self.assertEqual(self.play("Hello.", FAKE_ALSA_FAIL="write")[1], b"default::dropped")
        status, _, message = self.run_koe("say", "Hello.", "--play",
                                          env={"KOE_ALSA_LIBRARY": alsa, "FAKE_ALSA_FAIL": "open", "KOE_ALSA_DEVICE": "none"})
        self.assertEqual(status, 2)
        self.assertIn("device 'none'", message)

    def test_alsa_itself(self):
        try:
            ctypes.CDLL("libasound.so.2")
        except OSError:
            self.skipTest("libasound2 is absent")
        _, whole, _ = self.run_koe("say", "Hello. " * 30, "-o", "-", "--format", "raw")
        with open(self.path("asound.conf"), "w") as f:
            f.write(f'pcm.file {{ type file slave.pcm "null" file "{self.path("heard")}" format "raw" }}\npcm.null {{ type null }}\n')
        status, _, message = self.run_koe("say", "Hello. " * 30, "--play",
                                          env={"ALSA_CONFIG_PATH": self.path("asound.conf"), "KOE_ALSA_DEVICE": "file"})
        self.assertEqual(status, 0, message)
        with open(self.path("heard"), "rb") as f:
            heard = f.read()
        self.assertEqual(heard[:len(whole)], whole)
        self.assertFalse(any(heard[len(whole):]))  # a period is filled with silence

    def test_what_does_not_go_together(self):
        for arguments in (["--play", "-o", "a.wav"], ["--stream", "-o", "a.wav"], ["--stream", "-o", "-", "--format", "mp3"],
                          ["--stream", "-o", "-", "--repeat", "2"], ["--play", "--json"]):
            self.assertEqual(self.run_koe("say", "Hello.", *arguments)[0], 2, arguments)


class Batches(Case):
    def batch(self, lines, *arguments):
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
        status, out, message = self.run_koe("batch", "-", "-o", "out", *arguments, text=text)
        return status, [json.loads(line) for line in out.decode().splitlines()], message

    def test_one_bad_line_loses_nothing(self):
        lines = [{"text": "One."}, "{no json", {"text": "Two.", "id": "two", "speed": 2}, {"id": "three"}, {"text": "x", "id": "../up"},
                 {"text": "Again.", "id": "two"}, {"text": 5}, {"text": "y", "colour": "red"}, "", {"text": "Last."}]
        status, report, message = self.batch(lines)
        self.assertEqual(status, 3)
        self.assertIn("6 of 10 lines failed", message)
        self.assertEqual([(r["line"], r["status"]) for r in report],
                         [(1, "ok"), (2, "error"), (3, "ok"), (4, "error"), (5, "error"), (6, "error"), (7, "error"), (8, "error"),
                          (10, "ok")])
        self.assertEqual(sorted(os.listdir(self.path("out"))), ["000001.wav", "000010.wav", "report.jsonl", "two.wav"])
        self.assertEqual({r["code"] for r in report if r["status"] == "error"}, {"invalid_argument"})

    def test_resumes(self):
        lines = [{"text": "One.", "id": "a"}, {"text": "Two.", "id": "b"}, {"text": "Three.", "id": "c"}]
        self.assertEqual([r["status"] for r in self.batch(lines[:2])[1]], ["ok", "ok"])
        before = os.stat(self.path("out/a.wav")).st_mtime_ns
        self.assertEqual([r["status"] for r in self.batch(lines)[1]], ["kept", "kept", "ok"])
        self.assertEqual(os.stat(self.path("out/a.wav")).st_mtime_ns, before)
        os.remove(self.path("out/b.wav"))
        lines[2]["text"] = "Edited."
        self.assertEqual([r["status"] for r in self.batch(lines)[1]], ["kept", "ok", "ok"])
        self.assertEqual([r["status"] for r in self.batch(lines, "-s", "2")[1]], ["ok", "ok", "ok"])
        with open(self.path("out/report.jsonl"), "a") as f:
            f.write('{"line": 1, "id": "a", "sta')  # cut off by a crash
        self.assertEqual([r["status"] for r in self.batch(lines, "-s", "2")[1]], ["kept", "kept", "kept"])

    def test_what_changes_the_speech_is_spoken_again(self):
        lines = [{"text": "One.", "id": "a"}]
        self.batch(lines)
        with open(self.path("names.tsv"), "w", encoding="utf-8") as f:
            f.write("One\tw\u02C8\u028Cn\n")
        for arguments in (["--precision", "fast"], ["--max-memory", "1G"], ["--lexicon", "names.tsv"], ["--chunking", "packed"]):
            for status in ("ok", "kept"):
                self.assertEqual([r["status"] for r in self.batch(lines, *arguments)[1]], [status], arguments)
        with open(self.path("names.tsv"), "a", encoding="utf-8") as f:
            f.write("Two\tt\u02C8u\n")
        self.assertEqual([r["status"] for r in self.batch(lines, "--lexicon", "names.tsv")[1]], ["ok"])

    def test_usage(self):
        self.assertEqual(self.run_koe("batch", "-", text="")[0], 2)
        self.assertEqual(self.run_koe("batch", "-", "-o", "out", "--max-memory", "none", text="{}")[0], 2)
        self.assertEqual(self.run_koe("batch", "none.jsonl", "-o", "out")[0], 4)
        self.assertEqual(self.run_koe("batch", "-", "-o", "/dev/null/x", text="{}")[0], 5)
        self.assertEqual(self.batch([])[0], 0)


class Reference(Case):
    def script(self, shell):
        status, out, message = self.run_koe("completions", shell)
        self.assertEqual(status, 0, message)
        path = self.path("script")
        with open(path, "wb") as f:
            f.write(out)
        if not shutil.which(shell):
            self.skipTest(shell + " is absent")
        result = subprocess.run([shell, "-n", path], capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return path

    def complete(self, path, *words):
        quoted = " ".join(f"'{word}'" for word in words)
        command = (f"source {path}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _koe; "
                   "printf '%s\\n' \"${COMPREPLY[@]}\"")
        return subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=self.folder).stdout.split()

    def test_bash(self):
        path = self.script("bash")
        self.assertEqual(self.complete(path, "koe", "sa"), ["say"])
        self.assertIn("validate", self.complete(path, "koe", "bundle", ""))
        self.assertEqual(self.complete(path, "koe", "say", "--spe"), ["--speed"])
        self.assertEqual(self.complete(path, "koe", "bundle", "build", "--wei"), ["--weights"])
        self.assertEqual(self.complete(path, "koe", "say", "--bundle", "bun"), ["bundle"])
        self.assertEqual(self.complete(path, "koe", "say", "--speed", ""), [])

    def test_zsh(self):
        self.script("zsh")

    def test_fish(self):
        path = self.script("fish")
        result = subprocess.run(["fish", "-c", f"source {path}; complete -C 'koe say --spe'"], capture_output=True, text=True)
        self.assertTrue(result.stdout.startswith("--speed"), result.stdout + result.stderr)

    def test_unknown_shell(self):
        self.assertEqual(self.run_koe("completions", "tcsh")[0], 2)
        self.assertEqual(self.run_koe("completions")[0], 2)

    def test_manual(self):
        status, page, _ = self.run_koe("man")
        self.assertEqual(status, 0)
        for text in (b".SH NAME", b"koe bundle build", b"\\fB\\-\\-speed\\fR", b"KOE_BUNDLE"):
            self.assertIn(text, page)
        if not shutil.which("groff"):
            self.skipTest("groff is absent")
        result = subprocess.run(["groff", "-man", "-Tutf8", "-Kutf8", "-ww"], input=page, capture_output=True)
        self.assertEqual(result.stderr.decode(), "")
        self.assertIn("--speed", result.stdout.decode().replace("\u2010", "-"))


def main():
    global koe, alsa
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--koe", required=True)
    parser.add_argument("--alsa", required=True)
    args, rest = parser.parse_known_args()
    koe, alsa = os.path.abspath(args.koe), os.path.abspath(args.alsa)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
