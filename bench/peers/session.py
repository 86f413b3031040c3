# SPDX-License-Identifier: Apache-2.0
"""One sitting: the living workers, the gate before each run, the results file."""
import json
import os
import resource
import subprocess
import sys
import threading
import time

import machine
import protocol

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Between a sitting and its continuation: what is measured is the same program (worker_sha256), whatever was committed since.
MAY_DIFFER = ("created_utc", "changed_sources", "commit")
PER_START = ("create", "prewarm")  # of a first answer: what that start took, not what the system is
ANSWER_SECONDS = 600  # a worker that is silent for longer is ended


def children_cpu_seconds():
    """Of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class WorkerError(Exception):
    pass


class Worker:
    """A process that speaks worker.py's protocol. WorkerError has the reason it gave, else the end of its standard error."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        encoding="utf-8", start_new_session=True)
        self.errors = []
        self.reader = threading.Thread(target=self._read_errors, daemon=True)
        self.reader.start()
        try:
            self.hello = self._answer()
        except WorkerError:
            self.close()
            raise

    def _read_errors(self):
        for line in self.process.stderr:
            if line.strip():
                self.errors = [*self.errors[-20:], line.strip()]

    def _answer(self):
        timer = threading.Timer(ANSWER_SECONDS, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line:
            self.process.wait()
            self.reader.join(5)  # its last words
            raise WorkerError(self.errors[-1] if self.errors else f"ended with status {self.process.returncode} and no word")
        try:
            answer = json.loads(line)
        except json.JSONDecodeError:
            raise WorkerError(f"answered {line.strip()[:200]!r}") from None
        if "error" in answer:
            raise WorkerError(answer["error"])
        return answer

    def speak(self, case):
        try:
            self.process.stdin.write(f"{case['voice']}\t{case['phonemes']}\n")
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended; the answer says why
        return self._answer()

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(20)
        except (OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()


class Session:
    def __init__(self, args, record, inputs):
        self.args, self.busy, self.estimates, self.last_round = args, machine.Busy(), {}, None
        settings = {"rounds": args.rounds, "fresh": args.fresh, "fresh_input": args.fresh_input, "threads": args.threads,
                    "seed": args.seed, "max_load": args.max_load, "pause": args.pause, "busy_ok": args.busy_ok,
                    "inputs": [i["name"] for i in inputs], "some_inputs": args.some_inputs, "full": args.full}
        self.results = {"format": protocol.FORMAT, "finished": False, "settings": settings, "machine": record, "systems": [],
                        "unavailable": [], "measurements": []}
        if os.path.exists(args.json):
            old = protocol.load_results(args.json)
            if args.resume:
                self._resume(old)
            elif not old.get("finished") and not args.restart and old["measurements"]:
                raise ValueError(f"{args.json} is unfinished: --resume goes on with it, --restart replaces it")
        elif args.resume:
            raise ValueError(f"{args.json}: nothing to resume")

    def _resume(self, old):
        for key in ("settings", "machine"):
            new = self.results[key]
            differs = [k for k in new if k not in MAY_DIFFER and new[k] != old[key].get(k)]
            if differs:
                raise ValueError(f"{self.args.json}: cannot go on: {key} differ in {', '.join(differs)}")
        self.results = {**old, "unavailable": [], "finished": False}

    def save(self):
        os.makedirs(os.path.dirname(os.path.abspath(self.args.json)), exist_ok=True)
        part = self.args.json + ".part"
        with open(part, "w", encoding="utf-8") as f:
            head = {k: v for k, v in self.results.items() if k != "measurements"}
            text = json.dumps(head, indent=1, ensure_ascii=False)
            rows = ",\n".join("  " + json.dumps(m, ensure_ascii=False) for m in self.results["measurements"])
            f.write(text[:-2] + ',\n "measurements": [\n' + rows + "\n ]\n}\n")  # one line per measurement
        os.replace(part, self.args.json)

    def say(self, text, passing=False):
        """passing: overwritten by the next, on a terminal only."""
        if not sys.stderr.isatty():
            if not passing:
                print(text, file=sys.stderr, flush=True)
            return
        print(f"\r\x1b[K{text}", end="" if passing else "\n", file=sys.stderr, flush=True)

    def available(self, name, hello):
        known = [s for s in self.results["systems"] if s["name"] != name]
        self.results["systems"] = [*known, {"name": name, **{k: v for k, v in hello.items() if not k.startswith(PER_START)}}]

    def unavailable(self, name, reason):
        reason = reason.removeprefix("koe: error: ").replace(ROOT + os.sep, "").replace(os.path.expanduser("~"), "~")
        self.say(f"{name}: not measured: {reason}")
        self.results["unavailable"].append({"name": name, "reason": reason})

    def is_unavailable(self, name):
        return any(u["name"] == name for u in self.results["unavailable"])

    def has(self, kind, number, system, name):
        return any(m["protocol"] == kind and m["round"] == number and m["system"] == system and m["input"] == name
                   for m in self.results["measurements"])

    def wait_until_idle(self):
        """Cores in use over the pause before the run, once they are few enough."""
        deadline, is_first = time.monotonic() + self.args.wait, True
        while True:
            start, before = time.monotonic(), self.busy.seconds()
            time.sleep(self.args.pause)
            cores = (self.busy.seconds() - before) / (time.monotonic() - start)
            if cores <= self.args.max_load or self.args.busy_ok:
                return cores
            if time.monotonic() > deadline:
                raise TimeoutError(f"the machine was not idle for {self.args.wait:.0f} s ({cores:.1f} cores in use by others)")
            self.say(f"waiting for an idle machine: {cores:.1f} cores in use (limit {self.args.max_load})", passing=not is_first)
            is_first = False

    def _observed(self, act):
        """act()'s answer with what else the machine did: before it, beside it."""
        before_cores, load = self.wait_until_idle(), os.getloadavg()[0]
        start, busy, steal = time.monotonic(), self.busy.seconds(), self.busy.steal()
        answer = act()
        elapsed = time.monotonic() - start
        beside = max(0.0, self.busy.seconds() - busy - answer["total_cpu_seconds"]) / elapsed
        return {**answer, "cores_before": round(before_cores, 3), "cores_beside": round(beside, 3), "load1": round(load, 2),
                "steal_seconds": round(self.busy.steal() - steal, 3), "busy": before_cores > self.args.max_load or
                beside > self.args.max_load}

    def _repeated(self, act, identity):
        """Measured again while something else runs beside it; the last one counts."""
        for attempt in range(self.args.retries + 1):
            answer = self._observed(act)
            if not answer["busy"] or self.args.busy_ok:
                break
        answer.pop("total_cpu_seconds")
        self.results["measurements"].append({**identity, **answer, "attempts": attempt + 1})
        self.save()
        return answer

    def _lost(self, workers, name, error):
        """A worker that ended in the middle: its rounds so far stay, the reason is listed."""
        self.unavailable(name, str(error))
        workers.pop(name).close()

    def warm_up(self, workers, name, case):
        if name not in workers:
            return
        self.say(f"warm-up: {name} {case['name']}", passing=True)
        try:
            self.estimates[name, case["name"]] = workers[name].speak(case)["wall_seconds"]
        except WorkerError as error:
            self._lost(workers, name, error)

    def fresh_seconds(self, workers):
        """What the fresh processes will take: start, loading, a first run that may be longer than any so far."""
        seconds = 0.0
        for name, worker in workers.items():
            longest = max((t for (system, _), t in self.estimates.items() if system == name), default=5.0)
            start = worker.hello["create_seconds"] + worker.hello.get("prewarm_seconds", 0)
            seconds += self.args.fresh * (2 * start + 1.5 * longest + 2 + self.args.pause)
        return seconds

    def measure_warm(self, workers, number, system, case, left):
        def act():
            answer = workers[system].speak(case)
            return {**answer, "total_cpu_seconds": answer["cpu_seconds"]}

        eta = protocol.remaining_seconds(left, self.estimates, self.args.pause) + self.fresh_seconds(workers)
        self.say(f"round {number + 1} of {self.args.rounds}, {system} {case['name']}, about {protocol.clock(eta)} left",
                 passing=self.last_round == number)
        self.last_round = number
        try:
            answer = self._repeated(act, {"protocol": "warm", "round": number, "system": system, "input": case["name"]})
            self.estimates[system, case["name"]] = answer["wall_seconds"]
        except WorkerError as error:
            self._lost(workers, system, error)

    def measure_fresh(self, command, number, system, case):
        def act():
            before = children_cpu_seconds()
            worker = Worker(command)
            try:
                answer = worker.speak(case)
                peak = machine.peak_kib(worker.process.pid)
            finally:
                worker.close()
            start = {k: v for k, v in worker.hello.items() if k.startswith(PER_START)}
            return {**start, **answer, "peak_kib": peak, "total_cpu_seconds": children_cpu_seconds() - before}

        self.say(f"fresh process {number + 1} of {self.args.fresh}: {system}", passing=True)
        try:
            self._repeated(act, {"protocol": "fresh", "round": number, "system": system, "input": case["name"]})
        except WorkerError as error:
            self.unavailable(system, str(error))

    def finish(self):
        self.results["finished"] = True
        self.save()
        self.say(f"results: {self.args.json}")
