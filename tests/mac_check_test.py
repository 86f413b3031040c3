#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/check_mac and tools/export_check/mac_run.py as far as they go without a Mac.

  python tests/mac_check_test.py

The script is read by bash and, where it is installed, shellcheck, and refuses to start here. The Python part runs over a Core ML of
our own that answers with the engine's outputs, near them, or not at all. Skipped parts: numpy, shellcheck absent.
"""
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCRIPT = os.path.join(ROOT, "scripts", "check_mac")
sys.path.insert(0, os.path.join(ROOT, "tools", "export_check"))
try:
    import cases
    import mac_run
    import numpy as np
except ImportError:
    np = None


class ScriptTest(unittest.TestCase):
    def test_is_a_sound_script(self):
        subprocess.run(["bash", "-n", SCRIPT], check=True)
        with open(SCRIPT, encoding="utf-8") as file:
            text = file.read()
        steps = next(line for line in text.splitlines() if line.startswith("ALL_STEPS=")).split('"')[1].split()
        for step in steps:
            self.assertIn(f"step_{step}() {{", text)
            self.assertIn(f"    {step}) step_{step} ;;", text)
            self.assertIn(f"\n  {step} ", text)  # in the usage
        for word in ("mapfile", "declare -A", "${STEPS,,}", "readarray"):  # newer than macOS's bash
            self.assertNotIn(word, text)

    def test_shellcheck(self):
        if shutil.which("shellcheck") is None:
            self.skipTest("no shellcheck")
        subprocess.run(["shellcheck", SCRIPT], check=True)

    def test_help_and_refusals(self):
        def run(*arguments):
            return subprocess.run([SCRIPT, *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(run("--help").returncode, 0)
        self.assertIn("usage: scripts/check_mac", run("--help").stdout)
        self.assertIn("bogus: not of facts", run("bogus").stderr)
        self.assertIn("names no folder", run("--bundle").stderr)
        if platform.system() != "Darwin":
            self.assertEqual(run().returncode, 2)
            self.assertIn("Apple's systems only", run("facts").stderr)


def random_tensors(tokens=20, frames=48):
    random = np.random.default_rng(7)

    def values(*shape):
        return random.standard_normal(shape).astype(np.float32)
    return {"token_ids": random.integers(1, 170, tokens).astype(np.int32), "ref_s": values(1, 256), "speed": np.ones(1, np.float32),
            "pred_dur": random.integers(1, 5, tokens).astype(np.int32), "d": values(tokens, 640), "t_en": values(512, tokens),
            "en": values(640, frames), "asr": values(512, frames), "F0_pred": values(2 * frames), "N_pred": values(2 * frames),
            "x_pre": values(512, 2 * frames), "har": values(22, 120 * frames + 1), "waveform": values(600 * frames)}


class FakeCoreMl:
    """Answers with what the engine computed, in the bucket's shapes, and noise on the processors named in `noise`."""

    def __init__(self, tensors, noise=None, refuses_compile="", refuses_units=""):
        self.tensors, self.noise = tensors, noise or {}
        self.refuses_compile, self.refuses_units = refuses_compile, refuses_units
        self.functions = []

    def compile(self, package):
        if self.refuses_compile and self.refuses_compile in package:
            raise RuntimeError("the compiler says no")
        return package

    def open(self, compiled, units, function):
        if units == self.refuses_units:
            raise RuntimeError("no such processor")
        self.package, self.units = os.path.basename(compiled), units
        self.functions.append(function)
        return self

    def predict(self, inputs):
        stage = next(stage for stage in sorted(cases.STAGES, key=len, reverse=True) if self.package.startswith(f"kokoro_{stage}_"))
        size = {"duration": 32}.get(stage, 3)
        case = cases.Case(stage, self.tensors, size)
        assert set(inputs) == set(case.inputs), (stage, set(inputs))
        outputs = {}
        for name, want in case.expected.items():
            level = self.noise.get(self.units, 0)
            noise = np.random.default_rng(1).standard_normal(want.shape) * level
            outputs[name] = want if name == "pred_dur" else want + noise.astype(np.float32)
            if name == "pred_dur" and level > 0.1:
                outputs[name] = want + 2
        return outputs

    def plan(self, compiled, units, function):
        return {"CPU": {"lstm": 3}, "GPU": {"conv": 4}} if units != "cpu" else {"CPU": {"lstm": 3, "conv": 4}}


@unittest.skipIf(np is None, "no numpy")
class MacRunTest(unittest.TestCase):
    def run_all(self, units=mac_run.UNITS if np is not None else (), missing=(), **fake):
        tensors = random_tensors()
        with tempfile.TemporaryDirectory() as folder:
            for stage, size in (("duration", 32), ("f0ntrain", 3), ("decoder_pre", 3), ("decoder_har_post", 3)):
                if stage not in missing:
                    os.mkdir(os.path.join(folder, cases.package_name(stage, size) + ".mlpackage"))
            return mac_run.check_all(FakeCoreMl(tensors, **fake), folder, tensors, [3], [32], units, 40)

    def test_equal_outputs_are_good(self):
        reports = self.run_all()
        self.assertEqual(len(reports), 4)
        self.assertTrue(all(map(mac_run.is_good, reports)))
        self.assertEqual([row["units"] for row in reports[0]["rows"]], ["cpu", "gpu", "ane", "all"])
        self.assertEqual(reports[0]["rows"][1]["plan"], {"CPU": {"lstm": 3}, "GPU": {"conv": 4}})

    def test_one_function_of_each_multifunction_package(self):
        tensors = random_tensors()
        runtime = FakeCoreMl(tensors)
        with tempfile.TemporaryDirectory() as folder:
            for stage in cases.STAGES[:-1]:
                os.mkdir(os.path.join(folder, f"kokoro_{stage}_multifunction.mlpackage"))
            reports = mac_run.check_multifunction(runtime, folder, tensors, 3, 32, ["cpu"], 40)
        self.assertEqual([mac_run.is_good(report) for report in reports], [True, True, True, False])
        self.assertEqual(runtime.functions, ["t32", "t120", "bucket_3s"])
        self.assertIn("missing", reports[3]["error"])

    def test_noise_is_measured_and_gated(self):
        near = self.run_all(noise={"ane": 10 ** (-46 / 20)})
        self.assertTrue(all(map(mac_run.is_good, near)))
        outputs = {output["name"]: output["text"] for output in near[2]["rows"][2]["outputs"]}
        self.assertAlmostEqual(float(outputs["x_pre"].split()[0]), 46, delta=0.2)
        far = self.run_all(noise={"ane": 10 ** (-34 / 20)})
        self.assertFalse(any(map(mac_run.is_good, far[1:])))
        self.assertTrue(all(output["good"] for output in far[1]["rows"][0]["outputs"]))  # the CPU's is still good

    def test_durations_are_gated(self):
        self.assertFalse(mac_run.is_good(self.run_all(noise={"gpu": 1})[0]))

    def test_what_is_refused_is_reported(self):
        reports = self.run_all(refuses_compile="f0ntrain")
        self.assertEqual([mac_run.is_good(report) for report in reports], [True, False, True, True])
        self.assertIn("the compiler says no", reports[1]["error"])
        reports = self.run_all(refuses_units="ane")
        self.assertFalse(any(map(mac_run.is_good, reports)))
        self.assertEqual(len(reports[0]["rows"]), 4)  # the other processors are tried all the same

    def test_a_missing_package_is_an_error(self):
        reports = self.run_all(missing=("decoder_pre",))
        self.assertEqual([mac_run.is_good(report) for report in reports], [True, True, False, True])

    def test_elsewhere_it_is_skipped(self):
        if platform.system() == "Darwin":
            self.skipTest("this is a Mac")
        run = subprocess.run([sys.executable, os.path.join(ROOT, "tools/export_check/mac_run.py"), "--packages", "x", "--dump", "y"],
                             capture_output=True, text=True, check=False)
        self.assertEqual(run.returncode, 77)


if __name__ == "__main__":
    unittest.main()
