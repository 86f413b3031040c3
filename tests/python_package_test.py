#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`pip wheel .`, installed into a fresh virtual environment, and what the package does there.

  python tests/python_package_test.py --build DIR [--bundle DIR]
  python tests/python_package_test.py --inside BUNDLE      (in the environment)

Nothing is fetched: numpy is lent by the interpreter that runs this. Exit status 77: numpy, pip or the bundle is absent.
"""
import argparse
import glob
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEXT = "Hello world. Zoë sells shells."
LONG = "The old house stood at the end of the lane, and nobody had lived in it for many years. " * 40
FAST = 4.0  # a quarter of the work
engine = None


class WithoutModel(unittest.TestCase):
    def test_errors(self):
        with self.assertRaises(FileNotFoundError) as caught:
            koe.Engine("/no/such/bundle")
        self.assertIsInstance(caught.exception, koe.NotFoundError)
        self.assertEqual(caught.exception.code, 2)
        self.assertIn("/no/such/bundle", str(caught.exception))
        for options in ({"unknown_words": "no"}, {"precision": "no"}):
            with self.assertRaises(koe.InvalidArgumentError, msg=str(options)):
                koe.Engine(**options)
        with self.assertRaises(ValueError):
            koe.Lexicon.parse("word\t\n")

    def test_codes_are_those_of_c(self):
        import re
        with open(os.path.join(ROOT, "include", "koe", "koe_c.h"), encoding="utf-8") as f:
            codes = dict(re.findall(r"KOE_ERR_(\w+) = (\d+)", f.read()))
        classes = {kind.code: kind for kind in koe.KoeError.__subclasses__()}
        self.assertEqual(len(codes), 9)
        self.assertEqual(set(map(int, codes.values())), set(classes))
        for name, code in codes.items():
            words = "".join(word.capitalize() for word in name.split("_"))
            self.assertEqual(classes[int(code)].__name__, ("File" if words == "Io" else words) + "Error")

    def test_audio_files(self):
        samples = np.array([0, 0.5, -2], dtype=np.float64)
        self.assertEqual(koe.encode(samples, "raw"), b"\0\0\0\x40\0\x80")
        with self.assertRaises(koe.InvalidArgumentError):
            koe.encode(np.zeros((2, 2), dtype=np.float32))
        with self.assertRaises(OSError):
            koe.save(samples, "/no/such/folder/a.wav")

    def test_stub_says_what_is_there(self):
        import ast
        stub = os.path.join(os.path.dirname(koe.__file__), "_koe.pyi")
        with open(stub, encoding="utf-8") as f:
            tree = ast.parse(f.read())
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                kind = getattr(koe._koe, node.name)
                for item in node.body:
                    name = item.target.id if isinstance(item, ast.AnnAssign) else item.name
                    self.assertTrue(hasattr(kind, name), f"{node.name}.{name}")
            elif isinstance(node, ast.FunctionDef):
                self.assertTrue(hasattr(koe._koe, node.name), node.name)
        self.assertTrue(os.path.exists(os.path.join(os.path.dirname(stub), "py.typed")))
        for name in koe.__all__:
            self.assertTrue(hasattr(koe, name), name)


class WithModel(unittest.TestCase):
    def setUp(self):
        if engine is None:
            self.skipTest("no bundle")

    def test_synthesize(self):
        fractions = []
        audio = engine.synthesize(TEXT, speed=FAST, progress=lambda fraction, *_: fractions.append(fraction))
        self.assertEqual(audio.samples.dtype, np.float32)
        self.assertGreater(audio.seconds, 0.5)
        self.assertGreater(float(np.std(audio.samples)), 0.01)
        self.assertEqual(sorted(fractions), fractions)
        self.assertGreater(len(fractions), 2)
        self.assertEqual([audio.text[w.offset:w.offset + w.length] for w in audio.words],
                         ["Hello", "world", ".", "Zoë", "sells", "shells", "."])
        self.assertTrue(all(0 <= w.start <= w.end <= audio.seconds + 1e-6 for w in audio.words))
        self.assertEqual(len(audio.sentences), 2)
        self.assertIn("Zoë sells shells.", audio.srt())
        self.assertTrue(audio.vtt().startswith("WEBVTT"))
        self.assertEqual(len(audio.times()["words"]), 7)
        samples, rate = audio
        self.assertEqual(rate, koe.SAMPLE_RATE)
        self.assertEqual(audio.encode()[:4], b"RIFF")
        prepared = engine.prepare(TEXT, speed=FAST)
        self.assertEqual([chunk.text for chunk in prepared], ["Hello world.", "Zoë sells shells."])
        self.assertEqual(prepared[0].voice_row.shape, (256,))
        np.testing.assert_array_equal(engine.synthesize_prepared(prepared, TEXT).samples, samples)

    def test_streams(self):
        whole = engine.synthesize(TEXT, speed=FAST).samples
        chunks = list(engine.stream(TEXT, speed=FAST, first_audio="natural"))
        np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in chunks]), whole)
        self.assertEqual([chunk.is_last for chunk in chunks], [False, True])
        pieces = engine.stream((letter for letter in TEXT), speed=FAST, first_audio="natural")
        np.testing.assert_array_equal(np.concatenate([chunk.samples for chunk in pieces]), whole)
        self.assertGreater(pieces.statistics()["first_audio_seconds"], 0)
        self.assertEqual(len(pieces.sentences()), 2)

        def broken():
            yield "Hello world. And"
            raise RuntimeError("the model stopped")

        with self.assertRaisesRegex(RuntimeError, "the model stopped"):
            list(engine.stream(broken()))
        with engine.stream(LONG, speed=FAST) as stream:
            self.assertGreater(len(next(stream).samples), 0)
            self.assertIsNotNone(stream.peek())
        with self.assertRaises(koe.CancelledError):
            next(stream)

    def test_phonemize_and_lexicon(self):
        self.assertEqual(str(engine.phonemize("Hello world.")), "həlˈO wˈɜɹld.")
        words = engine.phonemize("Hello Koe.", lexicon={"Koe": "kˈOˌA"}).words
        self.assertEqual((words[1].phonemes, words[1].source), ("kˈOˌA", "lexicon"))

    def test_bad_arguments(self):
        for options in ({"voice": "nobody"}, {"speed": 9.0}, {"chunking": "no"}, {"seed": 1, "pauses": koe.Pauses(word=11)}):
            with self.assertRaises(koe.InvalidArgumentError, msg=str(options)):
                engine.synthesize("Hello.", **options)
        with self.assertRaises(TypeError):
            engine.synthesize("Hello.", loudness=3)
        with self.assertRaises(koe.InvalidArgumentError):
            engine.synthesize("")

    def test_threads_get_equal_samples(self):
        expected = engine.synthesize("Hello world.", speed=FAST).samples
        results = [None] * 4

        def speak(i):
            results[i] = engine.synthesize("Hello world.", speed=FAST).samples

        threads = [threading.Thread(target=speak, args=(i,)) for i in range(len(results))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for samples in results:
            np.testing.assert_array_equal(samples, expected)

    def test_gil_is_released(self):
        count = 0
        done = threading.Event()
        thread = threading.Thread(target=lambda: (engine.synthesize(LONG[:180], speed=FAST), done.set()))
        thread.start()
        while not done.is_set():
            count += 1
            time.sleep(0.002)
        thread.join()
        self.assertGreater(count, 10)

    def interrupted(self, call):
        started = time.monotonic()
        timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
        timer.start()
        with self.assertRaises(KeyboardInterrupt):
            call()
        timer.join()
        return time.monotonic() - started - 0.3

    def test_keyboard_interrupt(self):
        # 100 ms of the engine, 20 ms of waiting; the rest is for a busy machine.
        self.assertLess(self.interrupted(lambda: engine.synthesize(LONG)), 1.0)
        self.assertLess(self.interrupted(lambda: list(engine.stream(LONG))), 1.0)
        self.assertGreater(engine.synthesize("Hello.").seconds, 0.3)

    def test_cancel(self):
        cancel = koe.Cancel()
        threading.Timer(0.2, cancel.cancel).start()
        with self.assertRaises(koe.CancelledError):
            engine.synthesize(LONG, cancel=cancel)

        def stop(*_):
            raise RuntimeError("enough")

        with self.assertRaisesRegex(RuntimeError, "enough"):
            engine.synthesize(LONG, progress=stop)

    def test_values_show_themselves(self):
        audio = engine.synthesize("Hi there.", speed=4.0)
        self.assertRegex(repr(audio.words[0]), r"\AWord\('Hi', 0\.\d+ to \d\.\d+ s\)\Z")
        self.assertRegex(repr(audio.sentences[0]), r"\ASentence\(3 words, 0\.\d+ to \d\.\d+ s\)\Z")
        self.assertRegex(repr(audio.chunks[0]), r"\AChunkInfo\('h.* to \d\.\d+ s\)\Z")
        self.assertRegex(repr(engine.prepare("Hi there.")[0]), r"\APreparedChunk\('Hi there\.', about \d\.\d s\)\Z")
        self.assertRegex(repr(engine.phonemize("Hi there.").words[0]), r"\AWordInfo\('Hi', 'h.*', gold\)\Z")

    def test_text_is_a_str(self):
        for call in (engine.synthesize, engine.phonemize, engine.prepare):
            with self.assertRaisesRegex(TypeError, r"\Atext: must be a str, not bytes\Z"):
                call(b"Hi.")

    def test_engine(self):
        self.assertIn("af_heart", [voice.id for voice in engine.voices])
        self.assertEqual(len(engine.info["weights_sha256"]), 64)
        self.assertIn("syntheses", engine.diagnostics)
        with self.assertRaises(koe.InvalidArgumentError):
            koe.Engine(engine.info["bundle_path"], unload_after=-1)
        small = koe.Engine(engine.info["bundle_path"], threads=2, precision="low-memory", max_memory=10 << 20)
        with self.assertRaisesRegex(koe.TooLongError, "memory: .* are allowed"):
            small.synthesize("Hello.")
        self.assertTrue(small.unload())
        self.assertFalse(small.unload())


def outside(args):
    try:
        import numpy
        import pip  # noqa: F401
    except ImportError as error:
        print(f"skipped: {error}")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        pip_command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip_command, "wheel", ROOT, "--no-deps", "--no-index", "--wheel-dir", folder], check=True,
                       env=dict(os.environ, KOE_CMAKE_BUILD_DIR=args.build))
        wheel, = glob.glob(os.path.join(folder, "koe-*.whl"))
        print(os.path.basename(wheel), os.path.getsize(wheel), "bytes")
        venv = os.path.join(folder, "venv")
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
        python = os.path.join(venv, "bin", "python")
        site = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_paths()['platlib'])"], check=True,
                              capture_output=True, text=True).stdout.strip()
        subprocess.run([*pip_command, "install", "--no-deps", "--no-index", "--target", site, wheel], check=True)
        lent = os.path.join(folder, "lent")  # numpy alone, not all that lies beside it
        os.mkdir(lent)
        beside = os.path.dirname(os.path.dirname(numpy.__file__))
        for name in os.listdir(beside):
            if name.startswith("numpy"):
                os.symlink(os.path.join(beside, name), os.path.join(lent, name))
        with open(os.path.join(site, "lent.pth"), "w") as f:
            f.write(lent + "\n")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        result = subprocess.run([python, os.path.abspath(__file__), "--inside", args.bundle], cwd=folder, env=environment)
    sys.exit(result.returncode or (0 if os.path.isdir(args.bundle) else 77))


def main():
    global koe, np, engine
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build")
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE", os.path.join(ROOT, "models", "kokoro-82m")))
    parser.add_argument("--inside")
    args = parser.parse_args()
    if args.inside is None:
        outside(args)
    import numpy as np
    import koe
    if os.path.isdir(args.inside):
        engine = koe.Engine(args.inside, threads=2)
    unittest.main(argv=[sys.argv[0], "-v"])


if __name__ == "__main__":
    main()
