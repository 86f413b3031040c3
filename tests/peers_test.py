#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of bench/peers without any peer: order, statistics, results files, tables, the gate, and workers that are scripts."""
import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(ROOT, "bench", "peers")
FIXTURE = os.path.join(ROOT, "tests", "data", "peers_results.json")
sys.path.insert(0, PEERS)

import protocol  # noqa: E402
import report  # noqa: E402
from session import Session, Worker, WorkerError  # noqa: E402

# Speaks the workers' protocol: 24 samples for each phoneme, a thousandth of a second each; dies at the voice "bad".
FAKE = """
import json, sys
print(json.dumps({"version": "fake 1", "create_seconds": 0.5, "create_cpu_seconds": 0.25, "prewarm_seconds": 0.125}), flush=True)
for line in sys.stdin:
    voice, phonemes = line.rstrip("\\n").split("\\t")
    if voice == "bad":
        print("first\\nthe reason", file=sys.stderr)
        sys.exit(3)
    n = len(phonemes)
    print(json.dumps({"wall_seconds": n / 1000, "cpu_seconds": n / 500, "samples": 24 * n}), flush=True)
"""
CASE = {"name": "3s", "voice": "af_heart", "phonemes": "hɛlˈO."}


def fixture():
    with open(FIXTURE, encoding="utf-8") as f:
        return json.load(f)


class InputsTest(unittest.TestCase):
    def test_the_projects_inputs(self):
        with open(os.path.join(PEERS, "inputs.tsv"), encoding="utf-8") as f:
            inputs = protocol.parse_inputs(f.read())
        self.assertEqual([i["name"] for i in inputs], ["3s", "7s", "10s", "15s", "30s"])

    def test_what_is_wrong_is_named(self):
        for text, message in (("a\tb\n", "inputs:1: not name"), ("# only\n", "no inputs"), ("a\tv\tx\na\tv\ty\n", "inputs:2: a: there"),
                              ("a\tv\t" + "x" * 511, "511 phonemes"), ("a\t\tx", "inputs:1")):
            with self.assertRaisesRegex(ValueError, message):
                protocol.parse_inputs(text)

    def test_presets(self):
        self.assertEqual(protocol.parse_preset("fast:--precision fast"), ("fast", ["--precision", "fast"]))
        self.assertEqual(protocol.parse_preset("exact"), ("exact", []))
        for text in ("", ":--x", "a b:"):
            with self.assertRaises(ValueError):
                protocol.parse_preset(text)


class OrderTest(unittest.TestCase):
    SYSTEMS = {"3s": ["a", "b", "c"], "10s": ["a", "b"]}

    def order(self, number, seed=1):
        return protocol.round_order(seed, number, list(self.SYSTEMS), self.SYSTEMS)

    def test_every_job_once_and_an_inputs_systems_together(self):
        for number in range(6):
            jobs = self.order(number)
            self.assertEqual(sorted(jobs), sorted((s, n) for n, systems in self.SYSTEMS.items() for s in systems))
            changes = sum(jobs[i][1] != jobs[i - 1][1] for i in range(1, len(jobs)))
            self.assertEqual(changes, 1)

    def test_seeded_and_shuffled(self):
        self.assertEqual(self.order(2), self.order(2))
        self.assertGreater(len({tuple(self.order(2 * k)) for k in range(12)}), 3)
        self.assertNotEqual([self.order(k) for k in range(0, 8, 2)], [self.order(k, seed=2) for k in range(0, 8, 2)])

    def test_counterbalanced(self):
        before = {}
        for number in range(8):
            jobs = [s for s, n in self.order(number) if n == "3s"]
            for i, first in enumerate(jobs):
                for second in jobs[i + 1:]:
                    before[first, second] = before.get((first, second), 0) + 1
        self.assertEqual(set(before.values()), {4})


class StatisticsTest(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(protocol.spread([3.0, 1.0, 2.0]), {"median": 2.0, "lowest": 1.0, "highest": 3.0, "count": 3})
        with self.assertRaises(ValueError):
            protocol.spread([])

    def test_ratios_are_taken_within_rounds(self):
        rows = {(r["system"], r["input"]): r for r in protocol.summarise(fixture()["measurements"], "koe exact")}
        ours, theirs = rows["koe exact", "3s"], rows["onnxruntime fp32", "3s"]
        self.assertIsNone(ours["ratio"])
        # 0.3, 0.4, 0.2 against 1.2, 1.2, 1.0: ratios 4, 3, 5. The ratio of the medians is 4 too, their range is not.
        self.assertAlmostEqual(theirs["ratio"]["median"], 4.0)
        self.assertAlmostEqual(theirs["ratio"]["lowest"], 3.0)
        self.assertAlmostEqual(theirs["ratio"]["highest"], 5.0)
        self.assertAlmostEqual(ours["ms_per_second"], 100.0)
        self.assertAlmostEqual(ours["realtime_factor"], 0.1)
        self.assertAlmostEqual(ours["core_per_second"], 0.2)

    def test_a_repeated_run_replaces_the_first(self):
        measurements = fixture()["measurements"]
        again = {**measurements[0], "wall_seconds": 9.0}
        rows = {(r["system"], r["input"]): r for r in protocol.summarise(measurements + [again])}
        self.assertEqual(rows[again["system"], again["input"]]["wall"]["highest"], 9.0)
        self.assertEqual(rows[again["system"], again["input"]]["wall"]["count"], 3)

    def test_time_left(self):
        self.assertAlmostEqual(protocol.remaining_seconds([("a", "3s"), ("b", "3s")], {("a", "3s"): 2.0}, 0.5), 5.0)
        self.assertEqual([protocol.clock(s) for s in (0, 65, 3725.4, -1)], ["0:00", "1:05", "1:02:05", "0:00"])


class ResultsTest(unittest.TestCase):
    def test_fixture_is_valid(self):
        self.assertEqual(protocol.load_results(FIXTURE)["format"], protocol.FORMAT)

    def test_wrong_files_are_refused(self):
        def without(path, value=None):
            results = fixture()
            at = results
            for key in path[:-1]:
                at = at[key]
            if value is None:
                del at[path[-1]]
            else:
                at[path[-1]] = value
            return results

        cases = [([], "not a results file"), (without(["format"]), "format"), (without(["machine"]), "machine"),
                 (without(["systems"], {}), "systems"), (without(["measurements", 1, "samples"]), r"measurements\[1\]: no samples"),
                 (without(["measurements", 0, "protocol"], "hot"), "protocol 'hot'"),
                 (without(["measurements", 0, "system"], "other"), "'other' is not in systems"),
                 (without(["measurements", 2, "wall_seconds"], -1.0), r"measurements\[2\]: times")]
        for results, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                protocol.check_results(results)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.json")
            with open(path, "w", encoding="utf-8") as f:
                f.write("{")
            done = subprocess.run([sys.executable, os.path.join(PEERS, "report.py"), path, "--print"], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("x.json", done.stderr)


class ReportTest(unittest.TestCase):
    def test_tables(self):
        text = report.markdown(fixture())
        self.assertIn("| koe exact | 3.000 | 0.300 (0.200 to 0.400) | 100.0 | 0.600 | 0.200 | 0.100 | 1 | 3 |", text)
        self.assertIn("| onnxruntime fp32 | 3.000 | 1.200 (1.000 to 1.200) | 400.0 | 2.100 | 0.700 | 0.400 | 4.00 (3.00 to 5.00) | 3 |", text)
        self.assertIn("| koe exact | 100.0 |\n| onnxruntime fp32 | 400.0 (4.00x) |", text)
        self.assertLess(text.index("| koe exact | 3.000"), text.index("| onnxruntime fp32 | 3.000"))
        self.assertIn("| koe exact | 0.50 (0.50 to 0.50) | 0.25 (0.25 to 0.25) | 0.400 (0.400 to 0.400) | 600 | 1 |", text)
        self.assertIn("| onnxruntime fp32 | 2.00 (2.00 to 2.00) | - | 1.500 (1.500 to 1.500) | 746 | 1 |", text)
        self.assertIn("- vox-tts: no module named vox", text)
        # 234 ms for 2.8 s: 84 ms per second; by the nominal 3 s: 78. Ours: 0.3 s for 3 s.
        self.assertIn("| kokoro-coreml, M1 Mini, 16 GB | CPU + GPU + Neural Engine | 234 (84; 78) | 686 (71; 69) | 1959 (72; 65) |", text)
        self.assertIn("| koe exact, Test CPU | 2 CPU threads | 300 (100) | not measured | not measured |", text)
        self.assertIn("not finished", report.markdown({**fixture(), "finished": False}))

    def test_files_of_before_prewarm_was_told_apart(self):
        results = fixture()
        for m in results["measurements"]:
            m.pop("prewarm_seconds", None)
        text = report.markdown(protocol.check_results(results))
        self.assertIn("| koe exact | 0.50 (0.50 to 0.50) | in ready | 0.400", text)
        self.assertIn("| onnxruntime fp32 | 2.00 (2.00 to 2.00) | - |", text)

    def test_a_busy_machine_is_told(self):
        results = fixture()
        self.assertNotIn("not to be quoted", report.markdown(results))
        for m in results["measurements"]:
            m["busy"] = True
        self.assertIn("not to be quoted", report.markdown(results))

    def test_only_the_part_between_the_markers_changes(self):
        with tempfile.TemporaryDirectory() as folder:
            docs, image = os.path.join(folder, "b.md"), os.path.join(folder, "images", "p.svg")
            for text in ("no markers\n", f"{report.END}\n{report.BEGIN}\n", f"{report.BEGIN}\n{report.BEGIN}\n{report.END}\n"):
                with open(docs, "w", encoding="utf-8") as f:
                    f.write(text)
                with self.assertRaisesRegex(ValueError, "b.md: needs the lines"):
                    report.write_docs(fixture(), docs, image)
            with open(docs, "w", encoding="utf-8") as f:
                f.write(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
            written = report.write_docs(fixture(), docs, image)
            with open(docs, encoding="utf-8") as f:
                first = f.read()
            self.assertTrue(first.startswith(f"before\n{report.BEGIN}\n") and first.endswith(f"{report.END}\nafter\n"))
            self.assertNotIn("old", first)
            self.assertIn("koe exact", first)
            self.assertEqual(image in written, os.path.exists(image))
            report.write_docs(fixture(), docs, image)
            with open(docs, encoding="utf-8") as f:
                self.assertEqual(f.read(), first)


class SessionTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.fake = [sys.executable, "-c", FAKE]
        self.machine = fixture()["machine"]
        quiet = contextlib.redirect_stderr(io.StringIO())
        quiet.__enter__()
        self.addCleanup(quiet.__exit__, None, None, None)

    def session(self, **changes):
        values = {"rounds": 2, "fresh": 1, "fresh_input": "3s", "threads": 2, "seed": 1, "max_load": 0.3, "pause": 0.0, "busy_ok": True,
                  "some_inputs": [], "full": True, "wait": 0.0, "retries": 2, "resume": False, "restart": False,
                  "json": os.path.join(self.folder.name, "r.json"), **changes}
        return Session(argparse.Namespace(**values), dict(self.machine), [CASE])

    def worker(self):
        worker = Worker(self.fake)
        self.addCleanup(worker.close)
        return worker

    def test_worker_answers_and_gives_its_reason(self):
        worker = self.worker()
        self.assertEqual(worker.hello["version"], "fake 1")
        self.assertEqual(worker.speak(CASE)["samples"], 24 * 6)
        with self.assertRaisesRegex(WorkerError, "^the reason$"):
            worker.speak({**CASE, "voice": "bad"})
        with self.assertRaisesRegex(WorkerError, "answered 'hm'"):
            Worker([sys.executable, "-c", "print('hm')"])
        with self.assertRaisesRegex(WorkerError, "no such module"):
            Worker([sys.executable, "-c", "print('{\"error\": \"no such module\"}')"])
        with self.assertRaisesRegex(WorkerError, "status 7"):
            Worker([sys.executable, "-c", "raise SystemExit(7)"])

    def test_worker_script_refuses_a_model_that_is_not_there(self):
        command = [sys.executable, os.path.join(PEERS, "worker.py"), "onnxruntime", "--model", "none.onnx", "--bundle", "none",
                   "--threads", "1"]
        with self.assertRaises(WorkerError):
            Worker(command)

    def test_measurements_are_kept_and_resumed(self):
        session, worker = self.session(), self.worker()
        session.available("koe exact", worker.hello)
        session.measure_warm({"koe exact": worker}, 0, "koe exact", CASE, [])
        session.measure_fresh(self.fake, 0, "koe exact", CASE)
        path = session.args.json
        kept = protocol.load_results(path)
        self.assertEqual([m["protocol"] for m in kept["measurements"]], ["warm", "fresh"])
        self.assertEqual(kept["measurements"][0]["wall_seconds"], 0.006)
        self.assertEqual(kept["measurements"][1]["create_seconds"], 0.5)
        self.assertEqual(kept["measurements"][1]["prewarm_seconds"], 0.125)
        self.assertEqual(kept["systems"], [{"name": "koe exact", "version": "fake 1"}])
        self.assertGreater(kept["measurements"][1]["peak_kib"], 1000)
        with self.assertRaisesRegex(ValueError, "is unfinished"):
            self.session()
        with self.assertRaisesRegex(ValueError, "settings differ in rounds"):
            self.session(resume=True, rounds=3)
        self.machine["worker_sha256"] = "another"
        with self.assertRaisesRegex(ValueError, "machine differ in worker_sha256"):
            self.session(resume=True)
        self.machine = {**fixture()["machine"], "commit": "another"}  # of the same program
        again = self.session(resume=True)
        self.assertTrue(again.has("warm", 0, "koe exact", "3s"))
        self.assertFalse(again.has("warm", 1, "koe exact", "3s"))
        again.finish()
        self.assertTrue(protocol.load_results(path)["finished"])
        self.session()  # a finished one is replaced

    def test_a_worker_that_ends_is_listed_and_the_rest_goes_on(self):
        session, workers = self.session(), {"koe exact": self.worker()}
        session.available("koe exact", workers["koe exact"].hello)
        session.measure_warm(workers, 0, "koe exact", {**CASE, "voice": "bad"}, [])
        self.assertEqual(workers, {})
        self.assertEqual(session.results["unavailable"], [{"name": "koe exact", "reason": "the reason"}])

    def test_reasons_name_no_folders_of_this_machine(self):
        session = self.session()
        session.unavailable("a", f"{os.path.join(ROOT, 'build', 'x')}: no such file")
        session.unavailable("b", os.path.expanduser("~/y: no such file"))
        self.assertEqual([u["reason"] for u in session.results["unavailable"]],
                         [os.path.join("build", "x") + ": no such file", "~/y: no such file"])

    def test_time_of_the_fresh_processes(self):
        session = self.session(fresh=2)
        session.estimates = {("a", "3s"): 4.0, ("b", "3s"): 100.0}
        self.assertAlmostEqual(session.fresh_seconds({"a": self.worker()}), 2 * (2 * (0.5 + 0.125) + 1.5 * 4.0 + 2))

    def test_the_gate(self):
        session = self.session(busy_ok=False, pause=0.01)
        session.busy.seconds = iter(range(100)).__next__  # a second of use in a hundredth: a hundred cores
        with self.assertRaisesRegex(TimeoutError, "not idle"):
            session.wait_until_idle()
        session.busy.seconds = lambda: 5.0
        self.assertEqual(session.wait_until_idle(), 0.0)

    def test_a_run_beside_others_is_repeated(self):
        session, worker = self.session(busy_ok=False, wait=60.0), self.worker()
        session.available("koe exact", worker.hello)
        # before pause, after it, at the start, at the end: idle before, then 9 core-seconds beside the run, then none
        looks = iter([0.0, 0.0, 0.0, 9.0, 9.0, 9.0, 9.0, 9.0])
        session.busy.seconds = lambda: next(looks)
        session.measure_warm({"koe exact": worker}, 0, "koe exact", CASE, [])
        [kept] = protocol.load_results(session.args.json)["measurements"]
        self.assertEqual((kept["attempts"], kept["busy"], kept["cores_beside"]), (2, False, 0.0))


if __name__ == "__main__":
    unittest.main()
