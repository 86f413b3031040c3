# SPDX-License-Identifier: Apache-2.0
"""Fetches killed (SIGKILL) at random moments: python tests/fetch_kill_test.py --koe PROGRAM [--kills N] [--seed S]

Two versions of a bundle take turns in one store. After every kill the current version is whole (the old one or the new
one), nothing wrong stands under a final name, and the next run asks the server for exactly the bytes that are not on the
disk: a finished file is not asked for, a part is continued at its length. $KOE_KILLS sets N (default 25).
"""
import argparse
import os
import random
import shutil
import sys
import tempfile
import time

import hosting_behaviours
import hosting_server
from fetch_testing import Koe, Store, kill, make_site, sha256, site_id

# Room for what the server has handed to its socket and the client has not read: both kernel buffers of each of the four
# connections (the sender's is set, the receiver's at most tcp_rmem[2]) and one of libcurl's.
SEND_BUFFER = 64 << 10


def receive_buffer():
    try:
        with open("/proc/sys/net/ipv4/tcp_rmem", encoding="ascii") as f:
            return int(f.read().split()[2])
    except OSError:
        return 6 << 20


class Kills:
    def __init__(self, program, seed):
        self.random = random.Random(seed)
        self.folder = tempfile.mkdtemp(prefix="koe-kill-")
        self.store = Store(os.path.join(self.folder, "store"))
        self.sites = [make_site("a", serial=1), make_site("b", serial=1, weights_bytes=900_000)]
        self.server = hosting_server.Server(hosting_behaviours.BEHAVIOURS, send_buffer=SEND_BUFFER)
        self.server.block_seconds = 0.012
        self.koe = Koe(program)
        self.kills = self.finished = self.resumed = self.resumed_bytes = self.lost = 0

    def start(self, site):
        self.server.site = site
        return self.koe.start("fetch", f"{self.server.url}/good/HostedManifest.json", "--allow-http", "--sha256",
                              sha256(site["HostedManifest.json"]), "--store", self.store.folder, "--quiet")

    def check(self, old, new):
        allowed = [site for site in (old, new) if site is not None]
        current = self.store.current()
        if current is None:
            assert old is None, "the old version is gone"
        else:
            whole = [s for s in allowed if site_id(s) == current and self.store.holds(self.store.version_dir(), s)]
            assert whole, f"current {current}: neither the old version whole nor the new one"
        wrong = self.store.wrong_files(self.sites)
        assert not wrong, wrong

    def check_requests(self, start, site, parts, finished):
        """What the run that began at request `start` asked for, against what the kill before it left."""
        seen = set()
        for target, offset, _ in self.server.requests(start):
            path = target.partition("/good/")[2]
            if path not in site or path == "HostedManifest.json" or path in seen:
                continue
            seen.add(path)
            assert path not in finished, f"{path}: finished, and asked for again"
            if path in parts:
                assert parts[path] < len(site[path]), f"{path}: all of it was there, and it was asked for"
                assert offset == parts[path], f"{path}: {parts[path]} bytes there, asked for from {offset}"
                self.resumed += 1
                self.resumed_bytes += offset
            else:
                assert offset == 0, path

    def wait_for_moment(self, process, new, old):
        """A tenth of the kills come before the first payload byte, a third after the last, the others between."""
        missing = sum(len(d) for p, d in new.items() if old is None or old.get(p) != d)
        missing -= sum(len(new[p]) for p in self.store.finished(new)) + sum(self.store.parts(new).values())
        share, before = self.random.uniform(-0.1, 1.5), self.server.sent
        if share < 0:
            deadline = time.monotonic() + self.random.uniform(0, 0.05)
        else:
            target = before + min(share, 1) * max(0, missing - 2000)
            while self.server.sent < target and process.poll() is None:
                time.sleep(0.001)
            deadline = time.monotonic() + (self.random.uniform(0, 0.05) if share > 1 else 0)
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.001)

    def cycle(self, old, new, budget):
        """Kills fetches of `new` until one ends or the budget of kills is spent; then one runs to its end."""
        parts, finished, cycle_start, kills = {}, set(), len(self.server.requests()), 0
        while True:
            start = len(self.server.requests())
            process = self.start(new)
            if kills < budget:
                self.wait_for_moment(process, new, old)
            if kills >= budget or process.poll() is not None:
                _, error = process.communicate(timeout=120)
                assert process.returncode == 0, error
                self.finished += 1
                break
            kill(process)
            kills += 1
            self.check(old, new)
            if self.store.current() == site_id(new):
                break  # killed after the commit
            self.check_requests(start, new, parts, finished)
            parts, finished = self.store.parts(new), self.store.finished(new)
        self.check(old, new)
        self.kills += kills
        if self.store.current() == site_id(new):
            self.check_requests(start, new, parts, finished)
        sent = sum(r[2] for r in self.server.requests(cycle_start) if not r[0].endswith("HostedManifest.json"))
        # Files that both sites have are linked, not fetched.
        payload = sum(len(d) for p, d in new.items() if p != "HostedManifest.json" and (old is None or old.get(p) != d))
        lost = sent - payload
        assert lost <= kills * 4 * (SEND_BUFFER * 2 + receive_buffer() + (256 << 10)), f"{lost} bytes sent twice"
        self.lost += max(0, lost)

    def run(self, count):
        old, turn, began = None, 0, time.monotonic()
        while self.kills < count:
            new = self.sites[turn % 2]
            self.cycle(old, new, min(count - self.kills, self.random.randrange(1, 8)))
            if self.store.current() != site_id(new):  # killed to the last: the same version once more
                continue
            old, turn = new, turn + 1
            if turn % 4 == 0:
                code, _, error = self.koe.run("gc", "--store", self.store.folder)
                assert code == 0, error
            if turn % 50 == 0:
                print(f"{self.kills} kills, {time.monotonic() - began:.0f} s", flush=True)
        process = self.start(old)
        assert process.wait(120) == 0
        process.communicate()
        self.check(old, old)
        print(f"{self.kills} kills, {self.finished} runs that ended, {self.resumed} files continued "
              f"({self.resumed_bytes} bytes not fetched again); {self.lost} bytes were on their way when killed")

    def close(self):
        self.server.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--koe", required=True)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("KOE_KILLS", "25")))
    parser.add_argument("--seed", type=int, default=4711)
    arguments = parser.parse_args()
    kills = Kills(os.path.abspath(arguments.koe), arguments.seed)
    try:
        kills.run(arguments.kills)
    finally:
        kills.close()
    sys.exit(0)


if __name__ == "__main__":
    main()
