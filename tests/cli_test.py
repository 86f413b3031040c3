# SPDX-License-Identifier: Apache-2.0
"""The contract of the command line: exit codes, messages, files, JSON.

--fake PROGRAM: over tests/fake_engine.cc, where every failure can be had at will.
--koe PROGRAM: the real program. What needs a bundle ($KOE_BUNDLE, else models/kokoro-82m) is skipped without one;
the exit code is 77 then.
"""

import argparse
import json
import os
import pty
import re
import select
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import wave

OK, USAGE, BAD_INPUT, BAD_BUNDLE, IO, CANCELLED, INTERNAL = 0, 2, 3, 4, 5, 6, 70
FORMATS = "wav, flac, mp3, ogg, opus or raw"

program = ""  # set by main
source_dir = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class CliTestCase(unittest.TestCase):
    """Runs the program in an empty folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="koe_cli_test_")
        self.addCleanup(shutil.rmtree, self.folder)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8", "TERM": "xterm"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def path(self, name):
        return os.path.join(self.folder, name)

    def files(self):
        return sorted(name for name in os.listdir(self.folder) if name != "bundle")

    def write(self, name, data):
        with open(self.path(name), "wb") as file:
            file.write(data)

    def run_koe(self, *arguments, stdin=b"", env=None, stdout=subprocess.PIPE, timeout=120):
        """Standard input is a pipe or file, never a terminal."""
        result = subprocess.run([program, *arguments], input=stdin, stdout=stdout, stderr=subprocess.PIPE,
                                cwd=self.folder, env={**self.env, **(env or {})}, timeout=timeout, check=False)
        result.err = result.stderr.decode()
        return result

    def succeed(self, *arguments, **options):
        result = self.run_koe(*arguments, **options)
        self.assertEqual(result.returncode, OK, result.err)
        return result

    def fail_with(self, code, message, *arguments, **options):
        """Exactly one line on standard error, nothing on standard output. `message` may be a pattern."""
        result = self.run_koe(*arguments, **options)
        self.assertEqual(result.returncode, code, result.err)
        self.assertRegex(result.err, r"\Akoe: error: [^\n]*\n\Z")
        text = result.err[len("koe: error: "):-1]
        if isinstance(message, str):
            self.assertEqual(text, message)
        else:
            self.assertRegex(text, message)
        if options.get("stdout", subprocess.PIPE) == subprocess.PIPE:
            self.assertEqual(result.stdout, b"")
        return result

    def run_on_terminal(self, *arguments, env=None, interrupt_after=None):
        """Standard error is a terminal. Returns (exit code, what it showed)."""
        master, slave = pty.openpty()
        with subprocess.Popen([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=slave,
                              cwd=self.folder, env={**self.env, **(env or {})}) as process:
            os.close(slave)
            shown, start = b"", time.monotonic()
            while True:
                ready, _, _ = select.select([master], [], [], 0.05)
                if ready:
                    try:
                        block = os.read(master, 65536)
                    except OSError:  # how Linux says that the other side is closed
                        block = b""
                    if not block:
                        break
                    shown += block
                if interrupt_after is not None and time.monotonic() - start > interrupt_after:
                    process.send_signal(signal.SIGINT)
                    interrupt_after = None
            os.close(master)
            return process.wait(timeout=60), shown.decode()


class UsageTest(CliTestCase):
    """Needs no bundle: whatever is wrong with the line is told before one is looked for."""

    def test_help(self):
        for arguments in (["help"], ["--help"], ["-h"]):
            text = self.succeed(*arguments).stdout.decode()
            for word in ("say", "phonemize", "voices", "info", "bench", "bundle", "dump", "export", "Examples:", "Exit codes:", "KOE_BUNDLE"):
                self.assertIn(word, text)
        for command in (["say"], ["phonemize"], ["dump"], ["voices"], ["info"], ["bench"], ["export"], ["bundle", "build"],
                        ["bundle", "validate"], ["bundle", "info"], ["bundle", "fetch"], ["bundle", "gc"],
                        ["bundle", "diff"], ["bundle", "publish"], ["bundle", "keygen"], ["bundle", "sign"],
                        ["bundle", "verify"]):
            text = self.succeed(*command, "--help").stdout.decode()
            self.assertIn("Usage: koe " + " ".join(command), text)
            self.assertIn("Examples:", text)
            self.assertEqual(text[-1], "\n")
            self.assertLessEqual(max(len(line) for line in text.splitlines()), 115)
            self.assertEqual(self.succeed("help", *command).stdout.decode(), text)

    def test_version(self):
        self.assertRegex(self.succeed("--version").stdout.decode(), r"\Akoe \d+\.\d+\.\d+\S*\n\Z")

    def test_commands(self):
        self.fail_with(USAGE, "command: none: needs one of batch, bench, bundle, completions, dump, export, info, man, phonemize, say, voices (see koe help)")
        self.fail_with(USAGE, "command: 'sya': unknown (nearest: 'say')", "sya", "hello")
        self.fail_with(USAGE, re.compile("^command: 'bundle': needs one of build, diff, fetch, gc, info, keygen, publish, sign, validate, verify"),
                       "bundle")
        self.fail_with(USAGE, "command: 'bundle biuld': unknown (nearest: 'build')", "bundle", "biuld")

    def test_options(self):
        self.fail_with(USAGE, "option: '--vioce': unknown (nearest: '--voice')", "say", "x", "--vioce", "af_heart")
        self.fail_with(USAGE, "option: '--voice': needs a value", "say", "x", "--voice")
        for value in (",", "3,", ",3"):
            self.fail_with(USAGE, "buckets: '': must be a whole number, 1 to 120", "export", "--buckets", value, "-o", "x")
        self.fail_with(USAGE, "stage: 'all ': must be all, duration, f0ntrain, decoder_pre or decoder_har_post (nearest: 'all')", "export", "--stage",
                       "duration,all ", "-o", "x")
        self.fail_with(USAGE, re.compile("^argument: 'world': one too many"), "say", "hello", "world")
        self.fail_with(USAGE, "threads: '257': must be a whole number, 0 to 256", "say", "x", "-t", "257")
        self.fail_with(USAGE, "threads: '-1': must be a whole number, 0 to 256", "info", "-t", "-1")
        self.fail_with(USAGE, re.compile("^seed: 'x': must be a whole number"), "say", "x", "--seed", "x")
        self.fail_with(USAGE, "repeat: '0': must be a whole number, 1 to 10000", "say", "x", "--repeat", "0")

    def test_text_options(self):
        for command in ("say", "phonemize"):
            self.fail_with(USAGE, "oov: 'spel': must be neural, espeak or spell (nearest: 'spell')", command, "x", "--oov",
                           "spel")
            self.fail_with(USAGE, "oov: '': must be neural, espeak or spell", command, "x", "--oov", "")
        self.fail_with(USAGE, "chunking: 'koko': must be sentences, kokoro, packed or paragraph (nearest: 'kokoro')", "say", "x",
                       "--chunking", "koko")
        self.fail_with(USAGE, "chunking: 'words': must be sentences, kokoro, packed or paragraph", "phonemize", "x", "--chunks", "--chunking",
                       "words")
        self.fail_with(USAGE, "option: '--chunking': needs --chunks", "phonemize", "x", "--chunking", "kokoro")
        self.fail_with(USAGE, "option: '--speed': needs --chunks", "phonemize", "x", "--speed", "2")
        self.fail_with(BAD_INPUT, "speed: '9': must be 0.25 to 4 (nearest: 4)", "phonemize", "x", "--chunks", "-s", "9")

    def test_precision_and_memory(self):
        for command in (["say", "x"], ["info"], ["dump", "--phonemes", "x", "-o", "d.safetensors"]):
            self.fail_with(USAGE, "precision: 'fst': must be exact, fast or low-memory (nearest: 'fast')", *command,
                           "--precision", "fst")
        self.fail_with(USAGE, "max-memory: '12X': must be a number of bytes, or of KiB, MiB or GiB (500M, 1.5GiB)",
                       "say", "x", "--max-memory", "12X")

    def test_speed(self):
        self.fail_with(BAD_INPUT, "speed: '9': must be 0.25 to 4 (nearest: 4)", "say", "x", "--speed", "9")
        self.fail_with(BAD_INPUT, "speed: '0': must be 0.25 to 4 (nearest: 0.25)", "say", "x", "-s", "0")
        self.fail_with(BAD_INPUT, "speed: '-1': must be 0.25 to 4 (nearest: 0.25)", "say", "x", "-s", "-1")
        self.fail_with(BAD_INPUT, "speed: 'nan': must be 0.25 to 4", "say", "x", "-s", "nan")
        self.fail_with(BAD_INPUT, "speed: 'quick': not a number (0.25 to 4)", "say", "x", "-s", "quick")
        self.fail_with(BAD_INPUT, "speed: 'inf': must be 0.25 to 4 (nearest: 4)", "dump", "--phonemes", "x", "-s", "inf",
                       "-o", "d.safetensors")

    def test_language(self):
        for command in ("say", "phonemize"):
            self.fail_with(BAD_INPUT, re.compile("^language: .*fr.*en-us.*en-gb"), command, "x", "--lang", "fr")

    def test_formats(self):
        self.fail_with(USAGE, f"output: 'a.txt': unknown ending; it must be {FORMATS}", "say", "x", "-o", "a.txt")
        self.fail_with(USAGE, f"output: 'a': no ending to tell the format by; it must be {FORMATS}", "say", "x", "-o", "a")
        self.fail_with(USAGE, f"format: 'aac': must be {FORMATS}", "say", "x", "--format", "aac")
        self.assertEqual(self.files(), [])

    def test_output_paths(self):
        os.mkdir(self.path("d.wav"))
        self.fail_with(IO, "output: 'd.wav': is a directory", "say", "x", "-o", "d.wav")
        self.fail_with(IO, "output: 'no/a.wav': No such file or directory", "say", "x", "-o", "no/a.wav")
        self.fail_with(IO, "output: '': the name is empty", "say", "x", "-o", "", "--format", "wav")
        self.write("locked.wav", b"old")
        os.chmod(self.path("locked.wav"), 0o444)
        if os.geteuid() != 0:
            self.fail_with(IO, "output: 'locked.wav': Permission denied", "say", "x", "-o", "locked.wav")
        self.assertEqual(self.files(), ["d.wav", "locked.wav"])

    def test_standard_output_is_for_one_thing(self):
        self.fail_with(USAGE, "output: '-': --json prints to standard output too; name a file", "say", "x", "-o", "-",
                       "--json")
        master, slave = pty.openpty()
        try:
            self.fail_with(USAGE, "output: '-': standard output is a terminal; redirect it or name a file", "say", "x",
                           "-o", "-", stdout=slave)
        finally:
            os.close(slave)
            os.close(master)

    def test_text(self):
        self.fail_with(BAD_INPUT, "text: '': nothing to say", "say", "")
        self.fail_with(BAD_INPUT, re.compile("^text: .*: nothing to say$"), "say", " \n\t ")
        self.fail_with(BAD_INPUT, "text: '': nothing to say", "say", stdin=b"")
        self.fail_with(BAD_INPUT, "text: byte 3: not valid UTF-8 (0xff)", "say", stdin=b"abc\xffdef")
        self.fail_with(BAD_INPUT, "text: byte 1: not valid UTF-8 (0xc3)", "say", os.fsdecode(b"a\xc3"))
        self.fail_with(USAGE, "text: 'x': give TEXT or --file, not both", "say", "x", "-f", "y")
        self.fail_with(BAD_BUNDLE, "file: 'no.txt': No such file or directory", "say", "-f", "no.txt")
        self.fail_with(IO, "text: '.': Is a directory", "say", "-f", ".")
        self.fail_with(BAD_INPUT, "text: standard input: longer than 10 MiB", "say", stdin=b"a " * (6 << 20))

    def test_a_terminal_is_not_read(self):
        master, slave = pty.openpty()
        result = subprocess.run([program, "say"], stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                cwd=self.folder, env=self.env, timeout=20, check=False)
        os.close(slave)
        os.close(master)
        self.assertEqual((result.returncode, result.stderr.decode()),
                         (USAGE, "koe: error: text: none: give TEXT, --file FILE, or pipe it in\n"))

    def test_dump_and_bundle_need_their_options(self):
        self.fail_with(USAGE, "output: none: give --output FILE.safetensors", "dump", "--phonemes", "x")
        self.fail_with(USAGE, "input: none: give --golden FILE or --phonemes P", "dump", "-o", "x.safetensors")
        self.fail_with(USAGE, re.compile("^golden: 'g': give --golden or --phonemes"), "dump", "-o", "x", "--golden", "g",
                       "--phonemes", "p")
        self.fail_with(USAGE, "har: 'gold': must be golden or own (nearest: 'golden')", "dump", "-o", "x", "--golden", "g",
                       "--har", "gold")
        self.fail_with(USAGE, "option: 'own': --har and --feed need --golden", "dump", "-o", "x", "--phonemes", "p",
                       "--har", "own")
        self.fail_with(USAGE, "weights: none: give --weights FILE", "bundle", "build", "-o", "b")
        self.fail_with(USAGE, "output: none: give --output DIR", "bundle", "build", "--weights", "w")
        self.fail_with(USAGE, "profile: 'ful': must be starter, full or custom (nearest: 'full')", "bundle", "build",
                       "--weights", "w", "-o", "b", "--profile", "ful")
        self.fail_with(USAGE, "profile: 'custom': needs --voice NAME", "bundle", "build", "--weights", "w", "-o", "b",
                       "--profile", "custom")
        self.assertEqual(self.files(), [])

    def test_closed_standard_output(self):
        with open("/dev/full", "wb") as full:
            self.fail_with(IO, "output: standard output: No space left on device", "help", stdout=full)


class FakeTest(CliTestCase):
    """Over the fake engine: 600 samples a byte of text, failures by words in the text."""

    def setUp(self):
        super().setUp()
        os.mkdir(self.path("bundle"))
        self.write("bundle/fake-bundle", b"full")
        self.env["KOE_BUNDLE"] = self.path("bundle")

    def test_say(self):
        result = self.succeed("say", "Hello world.")
        self.assertEqual(result.stdout, b"")
        self.assertRegex(result.err, r"\Akoe\.wav: 0\.300 s of speech in \d+\.\d\d s \(\d+\.\dx real time\), "
                                     r"voice af_heart\n\Z")
        with wave.open(self.path("koe.wav")) as audio:
            self.assertEqual(audio.getparams()[:4], (1, 2, 24000, 12 * 600))
        self.assertEqual(self.files(), ["koe.wav"])

    def test_bench(self):
        report = json.loads(self.succeed("bench", "--g2p", "--json", "--repeat", "3").stdout)
        self.assertEqual((report["mode"], report["language"], report["num_threads"]), ("g2p", "en-us", 1))
        self.assertGreaterEqual(report["prose_bytes"], 4000000)
        self.assertEqual(len(report["prose_seconds"]), 3)
        for name in ("megabytes_per_second", "slowest_megabytes_per_second", "fastest_megabytes_per_second"):
            self.assertAlmostEqual(report[name], 1, msg=name)  # the fake takes a microsecond a byte
        self.assertAlmostEqual(report["ns_per_word"]["all"], 4000, delta=1)
        self.assertAlmostEqual(sum(report["ns_per_word"].values()), 8000, delta=2)
        self.assertGreaterEqual(len(report["hostile"]), 12)
        for text in report["hostile"]:
            self.assertTrue(9999000 <= text["bytes"] <= 10000000, text)
        self.write("prose.txt", b"abcd" * 250)
        shown = self.succeed("bench", "-f", "prose.txt", "-l", "en-gb").stdout.decode()
        self.assertIn("en-gb", shown)
        self.assertRegex(shown, r"(?m)^throughput +1\.00 MB/s \(median of 5; 1\.00 to 1\.00\); 2\.00 MB a second of processor time$")
        self.assertRegex(shown, r"(?m)^tokenise +500$")
        self.assertRegex(shown, r"(?m)^\[\[\[\[ +10\.0 +10\.00 +5\.00 +1\.00 ")

    def test_bench_speech(self):
        report = json.loads(self.succeed("bench", "--speech", "--json", "--repeat", "3", "--seconds", "1,7.5", "-t", "2",
                                         "-v", "bf_emma").stdout)
        self.assertEqual((report["mode"], report["voice"], report["num_threads"]), ("speech", "bf_emma", 2))
        self.assertEqual((report["cpu"], report["simd_target"]), ("Fake CPU", "scalar"))
        self.assertEqual((report["commit"], report["compiler"], report["peak_flops"]), ("0123456789ab", "fake++ 1.0", 2e9))
        self.assertGreaterEqual(report["ready_seconds"], report["open_seconds"])
        self.assertEqual([(s["input"], s["wanted_seconds"]) for s in report["speech"]],
                         [("tokens", 1), ("text", 1), ("tokens", 7.5), ("text", 7.5), ("text", 600)])
        for speech in report["speech"]:
            if speech["input"] == "text":  # 40 bytes a second, cut after a word; the fake has no durations to cut phonemes by
                self.assertAlmostEqual(speech["audio_seconds"], speech["wanted_seconds"], delta=0.5)
            self.assertEqual(len(speech["wall_seconds"]), 1 if speech["wanted_seconds"] == 600 else 3)
            self.assertEqual(sorted(speech["wall_seconds"])[len(speech["wall_seconds"]) // 2], speech["median_seconds"])
            self.assertAlmostEqual(speech["realtime_factor"], speech["median_seconds"] / speech["audio_seconds"])
            self.assertEqual(speech["flops"], 4e6)  # of the fake's four frames
            self.assertEqual(speech["stage_seconds"], {"duration": 0.25, "generator": 0.5})
        self.assertEqual({mode: len(first["wall_seconds"]) for mode, first in report["first_audio"].items()},
                         {"fast": 3, "natural": 3})
        shown = self.succeed("bench", "--speech", "--quick").stdout.decode()
        self.assertRegex(shown, r"(?m)^first audio +fast: \d+\.\d+ s ")
        self.assertRegex(shown, r"(?m)^machine +Fake CPU, scalar, 2 threads; multiply-adds: 2 GFLOP/s$")
        self.assertRegex(shown, r"(?m)^text +10\.\d\d +1 ")
        self.assertNotRegex(shown, r"(?m)^text +[56]\d\d\.")

    def test_bench_kernels(self):
        report = json.loads(self.succeed("bench", "--kernels", "--json", "-t", "2").stdout)
        self.assertEqual((report["mode"], report["simd_target"], report["num_threads"]), ("kernels", "fake", 2))
        self.assertEqual(report["kernels"], [{"name": "conv", "plan": "fft34", "seconds": 0.01, "seconds_threads": 0.005,
                                              "product_flops": 9.2e10, "product_seconds": 0.008, "transform_seconds": 0.0015}])
        shown = self.succeed("bench", "--kernels").stdout.decode()
        self.assertRegex(shown, r"(?m)^conv +fft34 +10\.00 +92\.0 +92 % +80 % +15 % +5 % +2\.00x +transforms of the tiles$")
        self.fail_with(USAGE, "target: 'no_such': none", "bench", "--kernels", "--target", "no_such")
        # The rows of the target are replaced where they stand.
        self.write("table.inc", b"// about\n{Target::kOther, 1,},\n{Target::kFake, 5,},\n{Target::kLast, 1,},\n")
        self.succeed("bench", "--kernels", "--table", "table.inc")
        with open(self.path("table.inc")) as table:
            self.assertEqual(table.read().splitlines(), ["// about", "{Target::kOther, 1,},", "{Target::kFake, 3,},",
                                                         "{Target::kFake, 7,},", "{Target::kLast, 1,},"])

    def test_bench_fails_as_others_do(self):
        self.fail_with(USAGE, "seconds: '31': must be numbers from 0.5 to 30", "bench", "--seconds", "3,31")
        self.fail_with(USAGE, "seconds: 'x': must be numbers from 0.5 to 30", "bench", "--speech", "--seconds", "x")
        self.fail_with(BAD_INPUT, re.compile("^voice: 'af_hart'"), "bench", "-v", "af_hart")
        self.fail_with(USAGE, "repeat: '0': must be a whole number, 1 to 1000", "bench", "--repeat", "0")
        self.fail_with(BAD_INPUT, re.compile("^language: 'xx'"), "bench", "--g2p", "-l", "xx")
        self.write("blank.txt", b" \n")
        self.fail_with(BAD_INPUT, "file: 'blank.txt': nothing to read", "bench", "-f", "blank.txt")
        self.write("wait.txt", b"[cancel-wait]")
        code, _ = self.run_on_terminal("bench", "-f", "wait.txt", interrupt_after=0.5)
        self.assertEqual(code, CANCELLED)

    def test_say_options_reach_the_engine(self):
        self.succeed("say", "-q", "abcd", "--speed", "0.5", "-o", "slow.wav")
        self.assertEqual(os.path.getsize(self.path("slow.wav")), 44 + 2 * 8 * 600)
        for seed in ("0", "1"):
            self.succeed("say", "abcd", "--seed", seed, "-o", f"{seed}.raw")
        first, second = (open(self.path(f"{seed}.raw"), "rb").read() for seed in "01")
        self.assertNotEqual(first, second)
        self.assertEqual(struct.unpack("<h", first[2:4])[0], round(0.5 * 0.09983341664682815 * 32768))

    def test_text_from_everywhere(self):
        self.write("t.txt", b"from file")
        sizes = {}
        for name, arguments, stdin in (("text", ["from file"], b""), ("file", ["-f", "t.txt"], b"unread"),
                                       ("stdin", [], b"from file"), ("dash", ["-"], b"from file"),
                                       ("file_dash", ["-f", "-"], b"from file")):
            self.succeed("say", *arguments, "-o", name + ".raw", stdin=stdin)
            sizes[name] = os.path.getsize(self.path(name + ".raw"))
        self.assertEqual(set(sizes.values()), {2 * 600 * len("from file")})
        self.succeed("say", "--", "-v")

    def test_formats(self):
        magic = {"wav": b"RIFF", "flac": b"fLaC", "ogg": b"OggS", "opus": b"OggS", "mp3": b"", "raw": b""}
        for name, start in magic.items():
            self.succeed("say", "abcdefgh", "-o", "a." + name)
            with open(self.path("a." + name), "rb") as file:
                data = file.read()
            self.assertTrue(data.startswith(start) and data, name)
            piped = self.succeed("say", "abcdefgh", "-o", "-", "--format", name).stdout
            self.assertEqual(piped, data, name)
        self.succeed("say", "abcdefgh", "-o", "odd.name", "--format", "flac")
        with open(self.path("odd.name"), "rb") as file:
            self.assertEqual(file.read(4), b"fLaC")

    def test_pipe_carries_audio_alone(self):
        result = self.succeed("say", "abc", "-o", "-")
        self.assertEqual(len(result.stdout), 44 + 2 * 1800)
        self.assertEqual(struct.unpack("<I", result.stdout[40:44])[0], 2 * 1800)
        self.assertTrue(result.err.startswith("standard output: 0.075 s of speech"), result.err)
        self.assertEqual(self.files(), [])

    def test_quiet(self):
        self.assertEqual(self.succeed("say", "-q", "xyzzy [").err, "")

    def test_json(self):
        result = self.succeed("say", "Hello xyzzy", "--json", "--seed", "7", "-v", "bf_emma")
        report = json.loads(result.stdout)
        self.assertEqual(result.err, "koe: note: word: 'xyzzy': in no dictionary as it is written; read as ˈxyzzy\n")
        self.assertEqual({key: report[key] for key in ("output", "format", "voice", "language", "speed", "seed",
                                                       "sample_rate_hz", "samples", "unknown_words")},
                         {"output": "koe.wav", "format": "wav", "voice": "bf_emma", "language": "en-gb", "speed": 1.0,
                          "seed": 7, "sample_rate_hz": 24000, "samples": 6600, "unknown_words": 1})
        self.assertEqual(report["seconds"], 6600 / 24000)
        self.assertGreater(report["wall_seconds"], 0)
        self.assertAlmostEqual(report["realtime_factor"], report["wall_seconds"] / report["seconds"], places=6)
        self.assertAlmostEqual(report["speed_vs_realtime"], report["seconds"] / report["wall_seconds"], places=6)
        self.assertEqual(report["stages"], {"duration": 0.25, "generator": 0.5})
        self.assertEqual(report["chunks"], [{"text_offset": 0, "text_length": 11, "phonemes": "Hello xyzzy",
                                             "dropped_symbols": 0, "first_sample": 0, "num_samples": 6600,
                                             "tokens": [{"id": 0, "num_frames": 1}, {"id": 50, "num_frames": 2},
                                                        {"id": 0, "num_frames": 1}]}])
        self.assertEqual(report["words"][1], {"text": "xyzzy", "offset": 6, "length": 5, "phonemes": "ˈxyzzy",
                                              "tag": "NN", "source": "spelled", "confidence": 0, "whitespace": ""})
        self.assertGreaterEqual(report["load_seconds"], 0)

    def test_repeat(self):
        report = json.loads(self.succeed("say", "abc", "--json", "--repeat", "4").stdout)
        runs = report["run_seconds"]
        self.assertEqual(len(runs), 4)
        self.assertEqual(report["wall_seconds"], sorted(runs[1:])[1])
        self.assertIn("median of 4 runs after the first", self.succeed("say", "abc", "--repeat", "5").err)
        self.fail_with(INTERNAL, "repeat: run 2: other samples than the first run's", "say", "[random]", "--repeat", "2")

    def test_notes(self):
        err = self.succeed("say", "xyzzy [ xyzzy").err
        self.assertIn("koe: note: phonemes: 2: not in the model's vocabulary and left out\n", err)
        self.assertEqual(err.count("'xyzzy'"), 1)
        err = self.succeed("say", " ".join(f"xyzzy{i}" for i in range(12))).err
        self.assertEqual(err.count("; read as "), 10)
        self.assertIn("koe: note: words: 2 more\n", err)

    def test_voice(self):
        self.fail_with(BAD_INPUT, "voice: 'af_hart': not in this bundle (nearest: 'af_heart')", "say", "x", "-v", "af_hart")
        self.fail_with(BAD_INPUT, "voice: 'nobody': not in this bundle (koe voices lists what is)", "say", "x", "-v",
                       "nobody")
        self.fail_with(BAD_INPUT, "voice: '': not in this bundle (koe voices lists what is)", "say", "x", "-v", "")
        self.fail_with(BAD_INPUT, re.compile("nearest: 'bf_emma'"), "dump", "--phonemes", "x", "-v", "bf_ema", "-o", "d")
        self.assertEqual(self.files(), [])

    def test_engine_failures(self):
        self.fail_with(INTERNAL, "generator: frame 3: not finite", "say", "[internal]")
        self.fail_with(INTERNAL, "arena: 3 GB: not available", "say", "[memory]")
        self.fail_with(BAD_BUNDLE, "weights.safetensors: sha256: differs", "say", "[corrupt]")
        self.fail_with(IO, "weights.safetensors: read: input/output error", "say", "[io]")
        self.fail_with(INTERNAL, "internal: exception: as asked\\x0aby the test", "say", "[throw]")
        self.fail_with(INTERNAL, "memory: not enough", "say", "[bad-alloc]")
        self.fail_with(INTERNAL, "audio: sample 7: not a finite number", "say", "[nan]")
        self.fail_with(INTERNAL, "audio: no samples: the engine returned none", "say", "[none]")
        self.assertEqual(self.files(), [])

    def test_bundle_failures(self):
        self.fail_with(BAD_BUNDLE, re.compile("^bundle: not found: looked in "), "say", "x", "--bundle", "nowhere")
        self.fail_with(BAD_BUNDLE, "bundle: '.': no manifest", "say", "x", "--bundle", ".")
        self.fail_with(USAGE, "SIMD target: neon: this CPU has scalar", "info", env={"KOE_TARGET": "neon"})
        self.write("bundle/newer", b"")
        self.fail_with(BAD_BUNDLE, "bundle: schema 9: newer than this build", "info")

    def test_write_failures(self):
        self.write("old.wav", b"old")
        self.fail_with(IO, "output: '/dev/full': No space left on device", "say", "x", "-o", "/dev/full", "--format", "wav")
        self.assertTrue(stat.S_ISCHR(os.stat("/dev/full").st_mode))
        with open("/dev/full", "wb") as full:
            self.fail_with(IO, "output: standard output: No space left on device", "say", "x", "-o", "-", stdout=full)
        # A limit on the size of files cuts the write off in the middle, as a full disk does.
        limited = ["sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh", program]
        for name in ("old.wav", "new.wav"):
            result = subprocess.run([*limited, "say", "a" * 100, "-o", name], stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, cwd=self.folder, env=self.env, timeout=60, check=False)
            self.assertEqual((result.returncode, result.stderr.decode()),
                             (IO, f"koe: error: output: '{name}': File too large\n"))
        self.assertEqual(self.files(), ["old.wav"])
        with open(self.path("old.wav"), "rb") as file:
            self.assertEqual(file.read(), b"old")

    def test_reader_that_leaves(self):
        with subprocess.Popen([program, "say", "a" * 2000, "-o", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              cwd=self.folder, env=self.env) as process:
            process.stdout.close()
            err = process.stderr.read().decode()
            self.assertEqual((process.wait(60), err), (IO, "koe: error: output: standard output: Broken pipe\n"))

    def interrupt(self, signal_number, *arguments):
        with subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, cwd=self.folder, env=self.env) as process:
            time.sleep(0.4)
            start = time.monotonic()
            process.send_signal(signal_number)
            code = process.wait(30)
            self.assertLess(time.monotonic() - start, 2)
            return code, process.stderr.read().decode()

    def test_interrupt(self):
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            self.assertEqual(self.interrupt(signal_number, "say", "[cancel-wait]", "-o", "a.wav"),
                             (CANCELLED, "koe: error: synthesis: cancelled in generator\n"))
        self.assertEqual(self.interrupt(signal.SIGINT, "say"),
                         (CANCELLED, "koe: error: interrupted while reading standard input\n"))
        self.assertEqual(self.interrupt(signal.SIGINT, "phonemize"),
                         (CANCELLED, "koe: error: interrupted while reading standard input\n"))
        self.write("slow.onnx", b"")
        self.assertEqual(self.interrupt(signal.SIGINT, "bundle", "build", "--weights", "slow.onnx", "-o", "b"),
                         (CANCELLED, "koe: error: bundle: cancelled\n"))
        self.assertEqual(self.files(), ["slow.onnx"])

    def test_progress_on_a_terminal(self):
        code, shown = self.run_on_terminal("say", "[slow]")
        self.assertEqual(code, OK)
        self.assertRegex(shown, r"\r\x1b\[K *\d+%  generator, part [12] of 2  \d+ s left")
        self.assertRegex(shown, r"\r\x1b\[Kkoe: note: ")  # erased before anything else is said
        self.assertRegex(shown, r"\nkoe\.wav: [^\r\n]*\r\n\Z")

    def test_no_progress(self):
        for arguments, env in ((["-q"], {}), ([], {"TERM": "dumb"}), ([], {"TERM": ""})):
            code, shown = self.run_on_terminal("say", "[slow]", *arguments, env=env)
            self.assertEqual(code, OK)
            self.assertNotIn("%", shown)
            self.assertNotIn("\x1b", shown)
        self.assertNotIn("%", self.run_on_terminal("say", "short")[1])
        self.assertNotIn("%", self.succeed("say", "[slow]").err)

    def test_colours(self):
        self.assertEqual(self.run_on_terminal("say", "[internal]")[1],
                         "koe: \x1b[1;31merror:\x1b[0m generator: frame 3: not finite\r\n")
        self.assertEqual(self.run_on_terminal("say", "[internal]", env={"NO_COLOR": "1"})[1],
                         "koe: error: generator: frame 3: not finite\r\n")

    def test_interrupt_erases_progress(self):
        code, shown = self.run_on_terminal("say", "[cancel-wait]", interrupt_after=1.2)
        self.assertEqual(code, CANCELLED)
        self.assertRegex(shown, r"s left\r\x1b\[Kkoe: [^\r\n]*cancelled in generator\r\n\Z")

    def test_phonemize(self):
        result = self.succeed("phonemize", "one two\nthree")
        self.assertEqual((result.stdout.decode(), result.err), ("ˈone ˈtwo\nˈthree\n", ""))
        self.assertEqual(self.succeed("phonemize", stdin=b"one\r\n\r\n\ntwo").stdout.decode(), "ˈone\n\n\nˈtwo\n")
        self.assertEqual(self.succeed("phonemize", "-l", "en-gb", "one").stdout.decode(), "ˈoneː\n")
        self.fail_with(BAD_INPUT, "text: '': empty", "phonemize", stdin=b"")
        self.assertIn("note: word: 'xyzzy'", self.succeed("phonemize", "a xyzzy").err)

    def test_phonemize_stops_at_a_bad_line(self):
        result = self.run_koe("phonemize", stdin=b"one\ntwo\xff\nthree\n")
        self.assertEqual(result.returncode, BAD_INPUT)
        self.assertEqual(result.stdout.decode(), "ˈone\n")
        self.assertEqual(result.err, "koe: error: text: line 2, byte 3: not valid UTF-8 (0xff)\n")

    def test_phonemize_answers_line_by_line(self):
        with subprocess.Popen([program, "phonemize"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=self.folder,
                              env=self.env) as process:
            for word in ("one", "two"):
                process.stdin.write(word.encode() + b"\n")
                process.stdin.flush()
                self.assertEqual(process.stdout.readline().decode(), f"ˈ{word}\n")
            process.stdin.close()
            self.assertEqual(process.wait(30), OK)

    def test_phonemize_explain(self):
        self.assertEqual(self.succeed("phonemize", "--explain", "one xyzzy\ntwo").stdout.decode(),
                         "word   offset  tag  source   confidence  phonemes\n"
                         "one    0       NN   gold     1.00        ˈone\n"
                         "xyzzy  4       NN   spelled  0.00        ˈxyzzy\n"
                         "\n"
                         "word  offset  tag  source  confidence  phonemes\n"
                         "two   0       NN   gold    1.00        ˈtwo\n")
        # Columns stay aligned whatever the words take on a terminal.
        self.assertEqual(self.succeed("phonemize", "--explain", "日本 one").stdout.decode().splitlines()[1:],
                         ["日本  0       NN   gold    1.00        ˈ日本", "one   7       NN   gold    1.00        ˈone"])
        self.assertEqual(self.succeed("phonemize", "--explain", "one [x\n[y").err,
                         "koe: note: symbols: 4: neither spoken nor punctuation; left out\n")

    def test_phonemize_json(self):
        lines = self.succeed("phonemize", "--json", "é one\r\ntwo").stdout.decode().splitlines()
        first, second = (json.loads(line) for line in lines)
        self.assertEqual((first["line"], first["text_offset"], first["text"]), (1, 0, "é one"))
        self.assertEqual((second["line"], second["text_offset"], second["text"]), (2, 8, "two"))
        self.assertEqual([word["offset"] for word in first["words"]], [0, 3])
        self.assertEqual((second["phonemes"], second["unknown_words"], second["dropped_symbols"]), ("ˈtwo", 0, 0))
        self.fail_with(USAGE, re.compile("^option: '--explain'"), "phonemize", "--json", "--explain", "x")

    def test_lexicon(self):
        self.write("a,b.tsv", "# names\nkoe\tkˈOA\none\twˈʌn\n".encode())
        self.write("two.tsv", "koe\tkˈɔɪ\r\n".encode())
        result = self.succeed("phonemize", "--lexicon", "a,b.tsv", "koe one two")
        self.assertEqual(result.stdout.decode(), "kˈOA wˈʌn ˈtwo\n")
        result = self.succeed("phonemize", "--lexicon", "a,b.tsv", "--lexicon", "two.tsv", "koe one", "--explain")
        self.assertRegex(result.stdout.decode(), r"\nkoe +0 +NN +lexicon +1\.00 +kˈɔɪ\none +4 +NN +lexicon +1.00 +wˈʌn\n")
        report = json.loads(self.succeed("say", "--lexicon", "two.tsv", "koe one", "--json").stdout)
        self.assertEqual([word["source"] for word in report["words"]], ["lexicon", "gold"])

    def test_lexicon_that_is_wrong(self):
        self.write("bad.tsv", "koe\tkˈOA\n\ngas\tgˈæs\n".encode())
        self.write("latin1.tsv", "caf\xe9\tk".encode("latin-1"))
        for command in (["phonemize", "x"], ["say", "x"]):
            self.fail_with(BAD_BUNDLE, "lexicon: bad.tsv:3: phonemes: 'gˈæs': 'g' (U+0067) is no phoneme symbol: "
                                       "use ɡ (U+0261)", *command, "--lexicon", "bad.tsv")
            self.fail_with(BAD_BUNDLE, "lexicon: latin1.tsv:1: byte 3: not valid UTF-8", *command, "--lexicon",
                           "latin1.tsv")
            self.fail_with(BAD_BUNDLE, "lexicon: 'no.tsv': No such file or directory", *command, "--lexicon", "no.tsv")
            self.fail_with(IO, "lexicon: '.': Is a directory", *command, "--lexicon", ".")
            self.fail_with(USAGE, "option: '--lexicon': needs a value", *command, "--lexicon")

    def test_oov(self):
        for how, row in (("neural", r"neural +0\.25"), ("espeak", r"espeak +0\.50"), ("spell", r"spelled +0\.00")):
            self.assertRegex(self.succeed("phonemize", "--explain", "--oov", how, "xyzzy").stdout.decode(), row)
        self.assertEqual(self.succeed("phonemize", "--oov", "neural", "xyzzy").err,
                         "koe: note: word: 'xyzzy': in no dictionary as it is written; guessed as ˈxyzzy (confidence 0.25)\n")
        self.assertEqual(self.succeed("say", "-q", "--oov", "espeak", "xyzzy").err, "")
        self.assertIn("guessed as ˈxyzzy by espeak-ng (confidence 0.50)", self.succeed("say", "--oov", "espeak", "xyzzy").err)
        self.write("bundle/no-espeak", b"")
        for command in ("say", "phonemize"):
            self.fail_with(BAD_BUNDLE, "espeak: libespeak-ng: not found (libespeak-ng.so.1)", command, "x", "--oov",
                           "espeak")

    def test_misaki_quirks(self):
        self.assertEqual(self.succeed("phonemize", "--misaki-quirks", "one").stdout.decode(), "ˈoneq\n")
        self.succeed("say", "--misaki-quirks", "one")

    def test_chunks(self):
        text = "One two. Three\nfour."
        self.assertEqual(self.succeed("phonemize", "--chunks", text).stdout.decode(), "ˈOne two.\nˈThree\nfour.\n")
        self.assertEqual(self.succeed("phonemize", "--chunks", "--chunking", "kokoro", stdin=text.encode()).stdout.decode(),
                         "ˈ" + text + "\n")
        lines = self.succeed("phonemize", "--chunks", "--json", text).stdout.decode().splitlines()
        second = json.loads(lines[1])
        self.assertEqual((second["chunk"], second["text_offset"], second["text"]), (1, 9, "Three\nfour."))
        self.assertEqual([word["text"] for word in second["words"]], ["Three", "four."])
        self.assertEqual(self.succeed("phonemize", "--chunks", "--explain", text).stdout.decode().count("word "), 2)
        report = json.loads(self.succeed("say", "--chunking", "kokoro", "one", "--json").stdout)
        self.assertEqual(report["chunks"][0]["phonemes"], "onek")
        self.fail_with(BAD_INPUT, "text: ' ': empty", "phonemize", "--chunks", " ")

    def test_voices(self):
        self.assertEqual(self.succeed("voices").stdout.decode(),
                         "af_heart  en-us  female  (default)\nam_adam   en-us  male\nbf_emma   en-gb  female\n"
                         "jf_alpha  ja     female\n")
        self.assertEqual(self.succeed("voices", "--lang", "en-gb").stdout.decode(), "bf_emma  en-gb  female\n")
        self.assertEqual(json.loads(self.succeed("voices", "--json", "-l", "en-us").stdout),
                         {"voices": [{"id": "af_heart", "language": "en-us", "gender": "female", "default": True},
                                     {"id": "am_adam", "language": "en-us", "gender": "male", "default": False}]})
        self.fail_with(BAD_INPUT, "language: 'en_gb': no voice here speaks it (nearest: 'en-gb')", "voices", "-l", "en_gb")

    def test_info(self):
        text = self.succeed("info", "-t", "3").stdout.decode()
        self.assertRegex(text, r"bundle +\S*bundle \(full\)\n")
        self.assertRegex(text, r"simd +scalar \(this CPU has scalar\)\n")
        self.assertRegex(text, r"\nstage +device +precision +threads\nduration +cpu +exact +3\n")
        report = json.loads(self.succeed("info", "--json").stdout)
        self.assertEqual((report["num_threads"], report["num_voices"], report["simd_target"]), (2, 4, "scalar"))
        self.assertEqual(report["plan"][0], {"stage": "duration", "device": "cpu", "precision": "exact",
                                             "num_threads": 2})

    def test_dump(self):
        self.write("g.safetensors", b"")
        result = self.succeed("dump", "--golden", "g.safetensors", "--har", "own", "--feed", "stage", "-o", "d")
        self.assertEqual(result.err, "d: written\n")
        with open(self.path("d"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "g.safetensors 01  af_heart 1")
        self.succeed("dump", "--phonemes", "hə", "-v", "bf_emma", "-s", "2", "-o", "d")
        with open(self.path("d"), encoding="utf-8") as file:
            self.assertEqual(file.read(), " 10 hə bf_emma 2")
        self.fail_with(BAD_BUNDLE, re.compile("^golden: 'no': No such file"), "dump", "--golden", "no", "-o", "e")
        self.fail_with(INTERNAL, re.compile("^generator: "), "dump", "--phonemes", "[internal]", "-o", "e")
        self.assertEqual(self.files(), ["d", "g.safetensors"])

    def test_bundle_of_core_ml_packages(self):
        self.write("w.onnx", b"")
        self.succeed("bundle", "build", "--weights", "w.onnx", "-o", "source")

        def build(*options):
            return ("bundle", "build", "--kind", "coreml", "--bundle", "source", *options)
        result = self.succeed(*build("-o", "sdk"))
        self.assertEqual(result.err, "sdk: 1 package, 4 files, 1.5 MB, 1 voice; inputs not verified, which the seed's SDK refuses\n")
        self.assertEqual(self.succeed("bundle", "validate", "sdk").err, "sdk: valid, 4 files, 1.5 MB, 1 package\n")
        self.assertEqual(json.loads(self.succeed("bundle", "validate", "--json", "sdk").stdout)["kind"], "coreml")
        self.succeed(*build("-o", "more", "--voice", "af_heart", "--buckets", "3,7"))  # custom without being asked
        self.fail_with(USAGE, "output: none: give --output DIR", *build())
        self.fail_with(USAGE, "profile: 'custom': needs --voice NAME and --buckets SECONDS", *build("-o", "b", "--buckets", "3"))
        self.fail_with(USAGE, "profile: 'starter': takes neither --voice nor --buckets; only custom does",
                       *build("-o", "b", "--profile", "starter", "--buckets", "3", "--voice", "af_heart"))
        self.fail_with(USAGE, re.compile("^buckets: '121': "), *build("-o", "b", "--voice", "af_heart", "--buckets", "121"))
        self.fail_with(USAGE, "kind: 'coreml': is made from --bundle DIR; what makes a koe bundle is not taken",
                       *build("-o", "b", "--weights", "w.onnx"))
        self.fail_with(USAGE, "deep: 'sdk': Core ML packages run on Apple's machines only", "bundle", "validate", "--deep", "sdk")
        self.write("sdk/flipped", b"")
        self.fail_with(BAD_BUNDLE, "file: voices/a.bin: SHA-256 is another", "bundle", "validate", "sdk")

    def test_bundle(self):
        self.write("w.onnx", b"")
        result = self.succeed("bundle", "build", "--weights", "w.onnx", "--voice", "af_heart,bf_emma", "-o", "made")
        self.assertEqual(result.err, "made: 1 files, 1.5 MB, 4 voices, languages en-us, en-gb\n")
        self.assertIn("profile    custom\n", self.succeed("bundle", "info", "made").stdout.decode())
        self.assertEqual(self.succeed("bundle", "validate", "made").err, "made: valid, 1 files, 1.5 MB, 3 tensors\n")
        self.assertEqual(json.loads(self.succeed("bundle", "info", "--json", "--bundle", "made").stdout)["num_bytes"],
                         1500000)
        self.write("made/flipped", b"")
        self.fail_with(BAD_BUNDLE, "bundle: weights.safetensors: sha256 differs", "bundle", "validate", "made")
        self.fail_with(BAD_BUNDLE, re.compile("^weights: 'no.onnx': "), "bundle", "build", "--weights", "no.onnx", "-o", "b")
        self.fail_with(USAGE, "precision: 'int7': must be int8, fp16 or fp32 (nearest: 'int8')", "bundle", "build",
                       "--weights", "w.onnx", "-o", "b", "--precision", "int7")
        self.fail_with(USAGE, re.compile("^serial: '-1': must be a whole number"), "bundle", "build", "--weights",
                       "w.onnx", "-o", "b", "--serial", "-1")
        self.fail_with(USAGE, "kind: 'onnx': must be koe or coreml", "bundle", "build", "--kind", "onnx", "-o", "b")
        self.fail_with(USAGE, "kind: 'koe': takes neither --bundle nor --buckets; only coreml does", "bundle", "build", "--weights",
                       "w.onnx", "--buckets", "3", "-o", "b")
        self.write("unknown-form.onnx", b"")
        self.fail_with(BAD_BUNDLE, "weights: opset 99: unknown", "bundle", "build", "--weights", "unknown-form.onnx", "-o",
                       "b")


    def test_publishing(self):
        self.write("w.onnx", b"")
        for name in ("a", "b"):
            self.succeed("bundle", "build", "--weights", "w.onnx", "-o", name)
        self.assertEqual(self.succeed("bundle", "validate", "--deep", "a").err, "a: valid, 1 files, 1.5 MB, 3 tensors, speaks\n")
        self.write("a/mute", b"")
        self.succeed("bundle", "validate", "a")
        self.fail_with(BAD_BUNDLE, "bundle: 'a': no speech", "bundle", "validate", "--deep", "a")
        self.assertEqual(self.succeed("bundle", "diff", "a", "a").stdout, b"")
        self.assertEqual(self.succeed("bundle", "diff", "a", "b").stdout.decode(),
                         "changed  serial        1 -> 2\nadded    voices/x.bin  4 bytes\nremoved  voices/y.bin  5 bytes\n")
        changes = json.loads(self.succeed("bundle", "diff", "--json", "a", "b").stdout)["changes"]
        self.assertEqual([change["kind"] for change in changes], ["field", "added", "removed"])
        self.fail_with(USAGE, "bundles: two are compared: give A and B", "bundle", "diff", "a")
        self.fail_with(BAD_BUNDLE, re.compile("."), "bundle", "diff", "a", "none")

        self.assertEqual(self.succeed("bundle", "keygen", "-o", "k").stdout.decode(), "a" * 64 + "\n")
        self.fail_with(USAGE, "key: 'k.key': there already", "bundle", "keygen", "-o", "k")
        self.fail_with(USAGE, "key: none: give --key FILE", "bundle", "sign", "b")
        self.fail_with(BAD_BUNDLE, "file: none: missing", "bundle", "sign", "b", "--key", "none")
        self.fail_with(BAD_BUNDLE, "signature: b: missing", "bundle", "verify", "b", "--key", "k.pub")
        self.assertEqual(self.succeed("bundle", "sign", "b", "--key", "k.key").err, "b/HostedManifest.json.sig: written\n")
        self.assertEqual(self.succeed("bundle", "verify", "b", "--key", "k.pub").err, "b: signed by this key\n")
        self.fail_with(USAGE, "path: none: give a bundle or a file", "bundle", "verify", "--key", "k.pub")

        self.fail_with(USAGE, "output: none: give --output SITE", "bundle", "publish", "b")
        self.fail_with(USAGE, "bundle: none: give DIR", "bundle", "publish", "-o", "site")
        result = self.succeed("bundle", "publish", "b", "-o", "site")
        self.assertIn("site: serial 1, revision r1, profiles starter", result.err)
        self.assertIn("b" * 64, result.err)
        report = json.loads(self.succeed("bundle", "publish", "b", "-o", "site2", "--serial", "7", "--json").stdout)
        self.assertEqual(report["serial"], 7)
        self.fail_with(IO, re.compile("^site: "), "bundle", "publish", "b", "-o", "site")


class RealTest(CliTestCase):
    """The program as built, without a bundle."""

    def test_missing_bundle_lists_the_places(self):
        places = ["models/kokoro-82m", "koe/kokoro-82m", "/usr/share/koe/kokoro-82m"]
        result = self.fail_with(BAD_BUNDLE, re.compile("^bundle: "), "say", "Hello.")
        for place in places:
            self.assertIn(place, result.err)
        for command in (["voices"], ["info"], ["phonemize", "x"], ["bundle", "info"], ["bundle", "validate"]):
            self.fail_with(BAD_BUNDLE, re.compile("^bundle: "), *command)
        self.assertIn("nowhere", self.fail_with(BAD_BUNDLE, re.compile("bundle"), "say", "x", "-b", "nowhere").err)

    def test_damaged_bundle(self):
        os.mkdir(self.path("b"))
        for manifest in (b"", b"{", b"[]", b"{}", b"\xff" * 100):
            self.write("b/RuntimeManifest.json", manifest)
            for command in (["info", "-b", "b"], ["bundle", "validate", "b"], ["bundle", "info", "b"]):
                self.fail_with(BAD_BUNDLE, re.compile("."), *command)

    def test_weights_that_are_none(self):
        for data in (b"", b"x", b"\x08\x07" * 50, b"PK\x03\x04", b"\xff" * 1000):
            for ending in (".onnx", ".pth", ".safetensors"):
                self.write("w" + ending, data)
                os.makedirs(self.path("voices"), exist_ok=True)
                self.fail_with(BAD_BUNDLE, re.compile("."), "bundle", "build", "--weights", "w" + ending, "--voices",
                               "voices", "-o", "b")
                os.remove(self.path("w" + ending))
        self.write("w.txt", b"x")
        self.fail_with(USAGE, re.compile("w.txt.*onnx, .pth or .safetensors"), "bundle", "build", "--weights", "w.txt",
                       "-o", "b")
        self.write("voices/kept", b"")
        for ending in (".onnx", ".pth"):
            self.write("w" + ending, b"")
            self.fail_with(USAGE, re.compile("^output directory: '[^']*voices': "), "bundle", "build", "--weights",
                           "w" + ending, "-o", "voices")
        self.assertEqual(self.files(), ["voices", "w.onnx", "w.pth", "w.txt"])
        self.assertEqual(os.listdir(self.path("voices")), ["kept"])


class BundleTest(CliTestCase):
    """The program as built, with the model."""

    bundle = os.environ.get("KOE_BUNDLE") or os.path.join(source_dir, "models", "kokoro-82m")

    def setUp(self):
        super().setUp()
        if not os.path.exists(os.path.join(self.bundle, "RuntimeManifest.json")):
            self.skipTest(f"no bundle at {self.bundle}")
        self.env["KOE_BUNDLE"] = os.path.abspath(self.bundle)

    def test_hello_world(self):
        result = self.succeed("say", "Hello world.", "-o", "hello.wav", "--json")
        report = json.loads(result.stdout)
        self.assertEqual((report["samples"], report["seconds"]), (37800, 1.575))
        self.assertEqual(sum(token["num_frames"] for token in report["chunks"][0]["tokens"]) * 600, 37800)
        self.assertEqual(report["unknown_words"], 0)
        self.assertEqual([word["text"] for word in report["words"]], ["Hello", "world", "."])
        for stage in ("tokens", "duration", "alignment", "prosody", "decoder", "harmonic_source", "generator"):
            self.assertIn(stage, report["stages"])
        with wave.open(self.path("hello.wav")) as audio:
            self.assertEqual(audio.getparams()[:4], (1, 2, 24000, 37800))
            samples = struct.unpack("<37800h", audio.readframes(37800))
        peak = max(map(abs, samples)) / 32768
        self.assertTrue(0.05 < peak < 1, peak)

    def test_same_bytes_for_any_number_of_threads(self):
        first = self.succeed("say", "Good morning.", "-o", "-", "-t", "1").stdout
        self.assertEqual(self.succeed("say", "Good morning.", "-o", "-", "-t", "3").stdout, first)
        self.assertNotEqual(self.succeed("say", "Good morning.", "-o", "-", "--seed", "1").stdout, first)

    def test_phonemes_are_taken_back(self):
        phonemes = self.succeed("phonemize", "Good morning.").stdout.decode().strip()
        spoken = self.succeed("say", "Good morning.", "-o", "-").stdout
        self.assertEqual(self.succeed("say", "--phonemes", phonemes, "-o", "-").stdout, spoken)
        piped = self.succeed("say", "--phonemes", "-o", "-", stdin=phonemes.encode() + b"\n").stdout
        self.assertEqual(piped, spoken)

    def test_voice_names(self):
        voices = json.loads(self.succeed("voices", "--json").stdout)["voices"]
        self.assertIn({"id": "af_heart", "language": "en-us", "gender": "female", "default": True}, voices)
        self.fail_with(BAD_INPUT, "voice: 'af_hart': not in this bundle (nearest: 'af_heart')", "say", "x", "-v", "af_hart")

    def test_phonemize(self):
        result = self.succeed("phonemize", "Hello world.\n\nRead 12 lines.")
        self.assertEqual(len(result.stdout.decode().splitlines()), 3)
        self.assertEqual(result.stdout.decode().splitlines()[0], "həlˈO wˈɜɹld.")
        line = json.loads(self.succeed("phonemize", "--json", "Hello world.").stdout)
        for word in line["words"]:
            self.assertEqual(line["text"].encode()[word["offset"]:word["offset"] + word["length"]].decode(), word["text"])
        self.assertRegex(self.succeed("phonemize", "--explain", "Hello world.").stdout.decode(),
                         r"\Aword +offset +tag +source +confidence +phonemes\nHello +0 +UH +gold +1\.00 ")

    def test_phonemes_without_any_in_the_vocabulary(self):
        self.fail_with(BAD_INPUT, re.compile("."), "say", "--phonemes", "€€")

    def test_info(self):
        self.assertIn("af_heart", json.loads(self.succeed("bundle", "info", "--json").stdout)["voices"])
        targets = json.loads(self.succeed("info", "--json").stdout)["supported_targets"]
        for target in targets:
            info = json.loads(self.succeed("info", "--json", env={"KOE_TARGET": target}).stdout)
            self.assertEqual(info["simd_target"], target)
        for target in ({"scalar", "avx2", "avx512", "neon"} - set(targets)) | {"sse9"}:
            self.fail_with(USAGE, re.compile(target), "info", env={"KOE_TARGET": target})

    def test_dump(self):
        self.succeed("dump", "--phonemes", "həlˈO wˈɜɹld.", "-o", "d.safetensors")
        with open(self.path("d.safetensors"), "rb") as file:
            header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        self.assertEqual(header["pred_dur"]["dtype"], "I32")
        self.assertEqual(header["waveform"]["dtype"], "F32")
        for name in ("F0_pred", "N_pred", "asr", "x_pre", "har"):
            self.assertIn(name, header)

    def test_times_of_a_stream(self):
        text = "Wait. [pause:0.3s]Now then, it is the time of which we spoke."
        times = []
        for flags in (["-o", "whole.wav"], ["--stream", "-o", "-"]):
            self.succeed("say", text, "-s", "4", *flags, "--times", "times.json", "--srt", "cues.srt")
            with open(self.path("times.json"), encoding="utf-8") as file:
                times.append(json.load(file))
            with open(self.path("cues.srt"), encoding="utf-8") as file:
                self.assertIn("Now then, it is the\ntime of which we spoke.", file.read())
        for key in ("words", "sentences"):  # a stream's first chunk is cut shorter: only the samples differ
            places = [[(item["offset"], item["length"]) for item in one[key]] for one in times]
            self.assertEqual(places[0], places[1])
        starts = [word["first_sample"] for word in times[1]["words"]]
        self.assertEqual(starts, sorted(starts))

    def test_memory_that_the_user_does_not_allow(self):
        self.fail_with(BAD_INPUT, re.compile(r"memory: \d+ bytes for the model and one second of speech: 104857600 are allowed"),
                       "say", "Hello.", "--max-memory", "100M", "-o", "hello.wav")
        self.assertEqual(self.files(), [])

    def test_interrupt(self):
        with subprocess.Popen([program, "say", "This sentence takes a while. " * 200, "-o", "long.wav"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=self.folder,
                              env=self.env) as process:
            time.sleep(1.5)
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(60), CANCELLED)
            self.assertRegex(process.stderr.read().decode(), r"\Akoe: error: [^\n]*\n\Z")
        self.assertEqual(self.files(), [])


def main():
    global program
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--fake", help="program linked with the fake engine")
    group.add_argument("--koe", help="the real program")
    parser.add_argument("tests", nargs="*", help="names of tests, e.g. FakeTest.test_say")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.fake or arguments.koe)
    classes = [UsageTest, FakeTest] if arguments.fake else [UsageTest, RealTest, BundleTest]
    loader = unittest.defaultTestLoader
    if arguments.tests:
        suite = loader.loadTestsFromNames(arguments.tests, sys.modules[__name__])
    else:
        suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in classes)
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    if not result.wasSuccessful():
        return 1
    return 77 if result.skipped else 0


if __name__ == "__main__":
    sys.exit(main())
