#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of tools/compare_dump.py and tools/plot_dump.py on small synthetic files, through their command lines."""
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOOLS = os.path.join(ROOT, "tools")
sys.path.insert(0, TOOLS)
sys.path.insert(0, os.path.join(ROOT, "tests"))

try:
    import numpy as np
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

import safetensors_file  # noqa: E402


def synthetic(seed=0):
    """Two seconds of a gliding tone with the tensors of a golden, at the right clocks."""
    random = np.random.default_rng(seed)
    durations = np.array([8, 20, 12, 30, 10], np.int32)
    frames = int(durations.sum())
    f0 = np.linspace(120, 200, 2 * frames).astype(np.float32)
    f0[:16] = 0
    waveform = 0.1 * np.sin(2 * np.pi * np.cumsum(np.repeat(f0, 300)) / 24000)
    magnitude = random.random((11, 120 * frames + 1))
    phase = random.uniform(-np.pi, np.pi, magnitude.shape)
    return {"token_ids": np.array([0, 50, 83, 54, 0], np.int32), "ref_s": np.zeros(256, np.float32),
            "speed": np.ones(1, np.float32), "pred_dur": durations, "F0_pred": f0,
            "x_pre": random.normal(size=(4, 2 * frames)).astype(np.float32),
            "har": np.concatenate([magnitude, phase]).astype(np.float32),
            "har_source": random.normal(size=600 * frames).astype(np.float32),
            "sine_clean": waveform.astype(np.float32), "waveform": waveform.astype(np.float32)}


def with_noise(tensor, db):
    noise = np.random.default_rng(1).normal(size=tensor.shape)
    noise *= np.sqrt(np.sum(tensor.astype(float) ** 2) / np.sum(noise**2)) * 10 ** (-db / 20)
    return (tensor + noise).astype(np.float32)


class ToolsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.golden = synthetic()

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def run_tool(self, tool, *arguments):
        return subprocess.run([sys.executable, os.path.join(TOOLS, tool), *arguments], capture_output=True, text=True)

    def compare(self, changes, *flags):
        safetensors_file.write(self.path("golden"), self.golden)
        dump = {k: v for k, v in {**self.golden, **changes}.items() if v is not None}
        safetensors_file.write(self.path("dump"), dump)
        return self.run_tool("compare_dump.py", self.path("golden"), self.path("dump"), *flags)

    def test_equal_files_hold(self):
        result = self.compare({})
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_thresholds(self):
        for tensor, db, flags, status in (
                ("x_pre", 101, ("--feed", "stage"), 0), ("x_pre", 99, ("--feed", "stage"), 1),
                ("x_pre", 20, ("--feed", "chain"), 0), ("waveform", 91, ("--feed", "chain"), 0),
                ("waveform", 89, ("--feed", "chain"), 1), ("waveform", 89, ("--feed", "chain", "--min-waveform", "85"), 0),
                ("sine_clean", 61, (), 0), ("sine_clean", 59, (), 1), ("sine_clean", 9, ("--feed", "chain"), 0),
                ("har_source", 3, (), 0)):
            with self.subTest(tensor=tensor, db=db, flags=flags):
                result = self.compare({tensor: with_noise(self.golden[tensor], db)}, *flags)
                self.assertEqual(result.returncode, status, result.stdout + result.stderr)

    def test_har_phase_counts_modulo_two_pi(self):
        har = self.golden["har"].astype(float)
        har[11:] += 2 * np.pi * np.random.default_rng(2).integers(-1, 2, har[11:].shape)
        self.assertEqual(self.compare({"har": har.astype(np.float32)}).returncode, 0)
        har[11:] += 0.01
        self.assertEqual(self.compare({"har": har.astype(np.float32)}).returncode, 1)

    def test_har_phase_of_nothing_does_not_count(self):
        self.golden["har"][:11, 5] = 0
        har = self.golden["har"].copy()
        har[11:, 5] += 1
        self.assertEqual(self.compare({"har": har}).returncode, 0)

    def test_one_other_duration_fails(self):
        durations = self.golden["pred_dur"].copy()
        durations[2] += 1
        for feed in ("stage", "chain"):
            result = self.compare({"pred_dur": durations}, "--feed", feed)
            self.assertEqual(result.returncode, 1)
            self.assertIn("differs at tokens [2]", result.stdout)

    def test_missing_shape_and_nan_fail(self):
        nan = self.golden["x_pre"].copy()
        nan[0, 0] = np.nan
        for change in (None, self.golden["x_pre"][:, 1:], nan):
            self.assertEqual(self.compare({"x_pre": change}).returncode, 1)

    def test_truncated_file_is_an_error(self):
        self.compare({})
        with open(self.path("dump"), "r+b") as f:
            f.truncate(100)
        self.assertEqual(self.run_tool("compare_dump.py", self.path("golden"), self.path("dump")).returncode, 1)

    def test_plot(self):
        try:
            import matplotlib  # noqa: F401
        except ImportError:
            self.skipTest("matplotlib is absent")
        safetensors_file.write(self.path("dump"), self.golden)
        result = self.run_tool("plot_dump.py", self.path("dump"), self.path("out.png"), "--title", "glide")
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.path("out.png"), "rb") as f:
            data = f.read()
        self.assertTrue(data.startswith(b"\x89PNG") and len(data) > 20000)

    def test_plot_refuses_clocks_that_disagree(self):
        self.golden["pred_dur"][0] += 1
        safetensors_file.write(self.path("dump"), self.golden)
        result = self.run_tool("plot_dump.py", self.path("dump"), self.path("out.png"))
        self.assertNotEqual(result.returncode, 0)
        self.assertFalse(os.path.exists(self.path("out.png")))

    def test_mel_filters_peak_where_the_tone_is(self):
        import plot_dump
        tone = np.sin(2 * np.pi * 1000 * np.arange(24000) / 24000)
        mel = plot_dump.log_mel(tone)
        centres = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + 12000 / 700), 82)[1:-1] / 2595) - 1)
        self.assertLess(abs(centres[np.argmax(mel[:, 40])] - 1000), 60)


class AsrTest(unittest.TestCase):
    """The pieces of tests/asr_test.py that decide its number."""

    def setUp(self):
        try:
            import asr_test
        except SystemExit:
            self.skipTest("pocketsphinx is absent")
        self.asr = asr_test

    def test_normalise(self):
        self.assertEqual(self.asr.normalise("It's 1,205 o'clock (read(2)); THEATRE!"),
                         "it's one thousand two hundred five o'clock read theater".split())

    def test_word_errors(self):
        for truth, found, errors in (("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b c", "a c", 1), ("a b", "x a b y", 2),
                                     ("a b c", "", 3)):
            self.assertEqual(self.asr.word_errors(truth.split(), found.split()), errors)

    def test_resampling_keeps_tones_and_drops_aliases(self):
        t = np.arange(24000) / 24000
        for hz, gain in ((440, 1), (7000, 1), (9500, 0), (11500, 0)):
            out = self.asr.to_16_khz(np.sin(2 * np.pi * hz * t))[1000:15000]
            wanted = np.sin(2 * np.pi * hz * (np.arange(1000, 15000) / 16000)) * gain
            self.assertEqual(self.asr.to_16_khz(t).size, 16000)
            self.assertLess(np.max(np.abs(out - wanted)), 1e-3, hz)


if __name__ == "__main__":
    unittest.main()
