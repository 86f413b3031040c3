# SPDX-License-Identifier: Apache-2.0
"""koe bundle fetch against a hostile web: python tests/fetch_test.py --koe PROGRAM

hosting_behaviours.py has what servers do. After each: the exit code and message, no file under its final name that is not
what the manifest says, the old version still whole and current unless the new one is, and a good server mends it all.
"""
import argparse
import concurrent.futures
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import hosting_behaviours
import hosting_server
from fetch_testing import PAYLOAD, Koe, Store, make_release, make_site, sha256, site_id

PROGRAM = None
OLD, NEW = make_site("old", serial=1), make_site("new", serial=2)
REDIRECTS = {name for name in hosting_behaviours.TABLE if name.startswith("redirect")}
FAST = ["--backoff-ms", "10", "--stall-timeout", "1"]


class FetchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="koe-fetch-")
        cls.certificates = hosting_server.make_certificates(cls.folder)
        cls.http = hosting_server.Server(hosting_behaviours.BEHAVIOURS)
        cls.https = hosting_server.Server(hosting_behaviours.BEHAVIOURS, cls.certificates["good"])
        cls.https.http_port = cls.http.port
        cls.http.site = cls.https.site = NEW
        cls.koe = Koe(PROGRAM)
        cls.old_store = os.path.join(cls.folder, "old-store")
        cls.old_site = os.path.join(cls.folder, "old-site")
        for path, data in OLD.items():
            os.makedirs(os.path.dirname(os.path.join(cls.old_site, path)), exist_ok=True)
            with open(os.path.join(cls.old_site, path), "wb") as f:
                f.write(data)
        code, _, err = cls.koe.run("fetch", f"file://{cls.old_site}/HostedManifest.json", "--sha256",
                                   sha256(OLD["HostedManifest.json"]), "--store", cls.old_store)
        assert code == 0, err

    @classmethod
    def tearDownClass(cls):
        cls.http.close()
        cls.https.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def new_store(self, name, empty=False):
        folder = os.path.join(self.folder, name)
        if not empty:
            shutil.copytree(self.old_store, folder)
        return Store(folder)

    def fetch(self, server, behaviour, store, *options, site=NEW):
        secure = ["--ca", self.certificates["ca"]] if server is self.https else ["--allow-http"]
        return self.koe.run("fetch", f"{server.url}/{behaviour}/HostedManifest.json", "--sha256",
                            sha256(site["HostedManifest.json"]), "--store", store.folder, "--json", *secure, *FAST,
                            *options)

    def check_whole(self, store, site):
        self.assertEqual(store.current(), site_id(site))
        self.assertTrue(store.holds(store.version_dir(), site))

    def check_behaviour(self, name):
        outcome, message = hosting_behaviours.TABLE[name]
        server = self.https if name in REDIRECTS else self.http
        store = self.new_store(f"behaviour-{name}")
        tries = ["--tries", "2"] if name in ("silent", "slow-drip") else []
        code, _, err = self.fetch(server, name, store, *tries)
        outcomes = outcome if isinstance(outcome, tuple) else (outcome,)
        self.assertIn(code, outcomes, f"{name}: {err}")
        self.assertIn(message, err, name)
        self.assertEqual(store.wrong_files([OLD, NEW]), [], name)
        self.check_whole(store, NEW if code == 0 else OLD)
        if code != 0:
            self.assertRegex(err, r"\Akoe: error: [^\n]+\n\Z", name)
            code, _, err = self.fetch(server, "good", store)
            self.assertEqual(code, 0, f"{name}, then good: {err}")
            self.check_whole(store, NEW)
            self.assertEqual(store.wrong_files([OLD, NEW]), [], name)
        shutil.rmtree(store.folder)

    def test_behaviours(self):
        self.assertGreaterEqual(len(hosting_behaviours.TABLE), 50)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            checks = {pool.submit(self.check_behaviour, name): name for name in hosting_behaviours.TABLE}
            for check in concurrent.futures.as_completed(checks):
                with self.subTest(checks[check]):
                    check.result()

    def test_resume_asks_for_the_rest_only(self):
        store = self.new_store("resume", empty=True)
        server = hosting_server.Server(hosting_behaviours.BEHAVIOURS)
        server.site = NEW
        code, out, err = self.fetch(server, "reset-once", store)
        self.assertEqual(code, 0, err)
        asked = [r for r in server.requests() if r[0].endswith(PAYLOAD)]
        server.close()
        self.assertEqual(len(asked), 2, asked)
        self.assertGreater(asked[1][1], 0)
        payload = sum(len(data) for path, data in NEW.items() if path != "HostedManifest.json")
        self.assertEqual(json.loads(out)["bytes_transferred"], payload)

    def test_files_of_the_old_version_are_not_fetched_again(self):
        store = self.new_store("adopt")
        start = len(self.http.requests())
        self.assertEqual(self.fetch(self.http, "good", store)[0], 0)
        asked = [r[0] for r in self.http.requests(start)]
        self.assertFalse([t for t in asked if "/voices/" in t], asked)
        again = len(self.http.requests())
        code, out, _ = self.fetch(self.http, "good", store)
        self.assertEqual((code, json.loads(out)["was_current"]), (0, True))
        self.assertEqual(len(self.http.requests(again)), 1)  # the manifest

    def test_damage_is_mended(self):
        store = self.new_store("damage")
        self.assertEqual(self.fetch(self.http, "good", store)[0], 0)
        path = os.path.join(store.version_dir(), PAYLOAD)
        with open(path, "r+b") as f:
            f.write(b"damage")
        self.assertEqual(self.fetch(self.http, "good", store)[0], 0)
        self.check_whole(store, NEW)
        os.remove(path)
        self.assertEqual(self.fetch(self.http, "good", store)[0], 0)
        self.check_whole(store, NEW)

    def test_rollback_is_refused(self):
        store = self.new_store("rollback")
        self.assertEqual(self.fetch(self.http, "good", store)[0], 0)
        old = ["fetch", f"file://{self.old_site}/HostedManifest.json", "--sha256", sha256(OLD["HostedManifest.json"]),
               "--store", store.folder]
        code, _, err = self.koe.run(*old)
        self.assertEqual(code, 4)
        self.assertIn("older than 2", err)
        self.check_whole(store, NEW)
        self.assertEqual(self.koe.run(*old, "--allow-rollback")[0], 0)
        self.check_whole(store, OLD)

    def test_hostile_manifests(self):
        def with_files(change):
            site = dict(NEW)
            manifest = json.loads(site["HostedManifest.json"])
            change(manifest["files"])
            site["HostedManifest.json"] = json.dumps(manifest).encode()
            return site

        def set_path(path):
            return lambda files: files[0].update(path=path)
        cases = {
            "no JSON": ({**NEW, "HostedManifest.json": b"<html>"}, 4, ""),
            "empty": ({**NEW, "HostedManifest.json": b""}, 4, ""),
            "climbs": (with_files(set_path("../../evil")), 4, "not a path"),
            "absolute": (with_files(set_path("/evil")), 4, "not a path"),
            "backslash": (with_files(set_path("a\\b")), 4, "not a path"),
            "dot file": (with_files(set_path(".koe-bundle")), 4, "not a path"),
            "part name": (with_files(set_path("A.part")), 4, "reserved"),
            "manifest name": (with_files(set_path("HostedManifest.json")), 4, "reserved"),
            "twice": (with_files(lambda f: f.insert(0, f[0])), 4, "twice"),
            "513 files": (with_files(lambda f: f.extend(dict(f[-1], path=f"z{i:04}") for i in range(513))), 4, ""),
            "1 GiB and a byte": (with_files(lambda f: f[0].update(bytes=(1 << 30) + 1)), 4, ""),
            "6 files of 1 GiB": (with_files(lambda f: f.extend(dict(f[-1], path=f"z{i}", bytes=1 << 30) for i in range(6))), 4, ""),
            "negative": (with_files(lambda f: f[0].update(bytes=-1)), 4, ""),
            "no digest": (with_files(lambda f: f[0].update(sha256="0")), 4, ""),
            "no runtime manifest": (with_files(lambda f: f.pop(0)), 4, "RuntimeManifest.json"),
        }
        for name, (site, expected, message) in cases.items():
            with self.subTest(name):
                server = hosting_server.Server(hosting_behaviours.BEHAVIOURS)
                server.site = site
                store = self.new_store(f"manifest-{name.replace(' ', '-')}")
                code, _, err = self.fetch(server, "good", store, site=site)
                server.close()
                self.assertEqual(code, expected, err)
                self.assertIn(message, err)
                self.check_whole(store, OLD)
                self.assertFalse(os.path.exists(os.path.join(self.folder, "evil")))

    def test_limits_are_settable(self):
        store = self.new_store("limits", empty=True)
        for option, value in (("--max-file-bytes", "699999"), ("--max-total-bytes", "800000"), ("--max-files", "3"),
                              ("--max-manifest-bytes", "200")):
            code, _, err = self.fetch(self.http, "good", store, option, value)
            self.assertEqual(code, 4, f"{option}: {err}")
        self.assertEqual(self.fetch(self.http, "good", store)[0], 0)

    def test_what_vouches(self):
        url = f"{self.http.url}/good/HostedManifest.json"
        store = ["--store", os.path.join(self.folder, "vouch")]
        digest = ["--sha256", sha256(NEW["HostedManifest.json"])]
        for arguments, message in (
                ([url, *digest], "http is not secure"), ([url, "--allow-http"], "needs the manifest's SHA-256"),
                (["ftp://h/x", *digest], "neither https"), ([url.replace("://", "://me:pw@"), "--allow-http", *digest], "name or password"),
                (["file://elsewhere/x", *digest], "not file:///"), ([url, "--allow-http", "--sha256", "AB"], "sha256")):
            code, _, err = self.koe.run("fetch", *arguments, *store)
            self.assertEqual(code, 2, err)
            self.assertIn(message, err)
            self.assertNotIn("pw@", err)

    def test_tls(self):
        for name, works in (("good", True), ("other-host", False), ("self-signed", False)):
            server = hosting_server.Server(hosting_behaviours.BEHAVIOURS, self.certificates[name])
            server.site = NEW
            store = self.new_store(f"tls-{name}", empty=True)
            url = [f"{server.url}/good/HostedManifest.json", "--sha256", sha256(NEW["HostedManifest.json"])]
            code, _, err = self.koe.run("fetch", *url, "--store", store.folder, "--ca", self.certificates["ca"], *FAST)
            self.assertEqual(code, 0 if works else 5, err)
            if works:  # the system does not know the CA, and is asked where none is given
                code, _, err = self.koe.run("fetch", *url, "--store", store.folder + "2", *FAST)
                self.assertEqual(code, 5, err)
                self.assertNotIn("tries", err)
            server.close()

    def test_nobody_listens(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        code, _, err = self.koe.run("fetch", f"http://127.0.0.1:{port}/x", "--allow-http", "--sha256", sha256(b""),
                                    "--store", self.new_store("nobody").folder, *FAST)
        self.assertEqual(code, 5)
        self.assertIn("after 3 tries", err)

    def test_a_missing_manifest_is_told_with_its_place(self):
        code, _, err = self.koe.run("fetch", f"{self.http.url}/good/sub", "--allow-http", "--sha256", sha256(b""), "--store",
                                    self.new_store("missing").folder, *FAST)
        self.assertEqual(code, 4)
        self.assertIn(f"HostedManifest.json at {self.http.url}/good/sub: the server's answer is 404", err)

    def test_redirect_to_http_is_not_followed(self):
        start = len(self.http.requests())
        self.fetch(self.https, "redirect-to-http", self.new_store("to-http", empty=True))
        self.assertEqual(self.http.requests(start), [])

    def test_interrupt_leaves_what_can_be_resumed(self):
        server = hosting_server.Server(hosting_behaviours.BEHAVIOURS)
        server.site, server.block_seconds = NEW, 0.2
        store = self.new_store("interrupt", empty=True)
        process = self.koe.start("fetch", f"{server.url}/good/HostedManifest.json", "--allow-http", "--sha256",
                                 sha256(NEW["HostedManifest.json"]), "--store", store.folder)
        deadline = time.time() + 30
        while not store.parts(NEW) and time.time() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 6, err)
        self.assertIn("the same command goes on", err)
        parts = store.parts(NEW)
        self.assertTrue(parts)
        self.assertIsNone(store.current())
        server.block_seconds, start = 0, len(server.requests())
        self.assertEqual(self.fetch(server, "good", store)[0], 0)
        for target, offset, _ in server.requests(start):
            path = target.partition("/good/")[2]
            if 0 < parts.get(path, 0) < len(NEW[path]):
                self.assertEqual(offset, parts[path], path)
        self.check_whole(store, NEW)
        server.close()

    def test_many_processes_share_a_store(self):
        store = self.new_store("shared")
        start = len(self.http.requests())
        arguments = ["fetch", f"{self.http.url}/good/HostedManifest.json", "--allow-http", "--sha256",
                     sha256(NEW["HostedManifest.json"]), "--store", store.folder]
        processes = [self.koe.start(*arguments) for _ in range(5)]
        for process in processes:
            _, err = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, err)
        self.check_whole(store, NEW)
        payload = [r for r in self.http.requests(start) if r[0].endswith(PAYLOAD)]
        self.assertEqual(len(payload), 1)  # one fetched, four found it

    def test_gc(self):
        store = self.new_store("gc")
        self.assertEqual(self.fetch(self.http, "reset-always", store)[0], 5)
        self.assertEqual(self.fetch(self.http, "good", store)[0], 0)
        os.makedirs(os.path.join(store.folder, "incoming", "f" * 32))
        held = os.open(os.path.join(store.folder, "versions", site_id(OLD)), os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_SH)  # as an engine that has it open
        code, out, err = self.koe.run("gc", "--store", store.folder, "--json")
        self.assertEqual((code, json.loads(out)["in_use"]), (0, 1), err)
        self.assertEqual(len(os.listdir(os.path.join(store.folder, "versions"))), 2)
        os.close(held)
        code, out, _ = self.koe.run("gc", "--store", store.folder, "--json")
        self.assertEqual(json.loads(out)["removed"], [site_id(OLD)])
        self.assertGreater(json.loads(out)["bytes"], 600_000)
        self.assertEqual(os.listdir(os.path.join(store.folder, "incoming")), [])
        self.check_whole(store, NEW)
        self.assertEqual(self.koe.run("gc", "--store", self.folder)[0], 4)

    def test_foreign_folders_are_left_alone(self):
        folder = os.path.join(self.folder, "foreign")
        os.makedirs(folder)
        with open(os.path.join(folder, "mine"), "w", encoding="ascii") as f:
            f.write("mine")
        link = os.path.join(self.folder, "link")
        os.symlink(self.old_store, link)
        for place in (folder, link, os.path.join(folder, "mine"), "/"):
            code, _, err = self.fetch(self.http, "good", Store(place))
            self.assertIn(code, (2, 5), err)
        self.assertEqual(os.listdir(folder), ["mine"])

    def test_links_in_the_store_are_not_followed(self):
        store = self.new_store("links", empty=True)
        outside = os.path.join(self.folder, "outside")
        with open(outside, "wb") as f:
            f.write(b"outside")
        self.assertEqual(self.fetch(self.http, "reset-always", store)[0], 5)
        incoming = os.path.join(store.folder, "incoming", site_id(NEW))
        for name in (PAYLOAD + ".part", PAYLOAD + ".part-etag", "vocab.json"):
            path = os.path.join(incoming, name)
            if os.path.lexists(path):
                os.remove(path)
            os.symlink(outside, path)
        self.assertEqual(self.fetch(self.http, "good", store)[0], 0)
        self.check_whole(store, NEW)
        with open(outside, "rb") as f:
            self.assertEqual(f.read(), b"outside")

    def test_official_repository(self):
        """The paths and redirects of the official host, over TLS: large files lie behind a redirect."""
        files = {"kokoro-v1_0.pth": os.urandom(300_000), "voices/af_heart.pt": os.urandom(5_000)}
        revision = "f3ff3571791e39611d31c381e3a41a3af07b4987"
        server = hosting_server.Server({}, self.certificates["good"])
        server.site = {f"blob/{sha256(d)}": d for d in files.values()}

        def repository(request):
            path = request.path.removeprefix(f"Kokoro-82M/resolve/{revision}/")
            if path not in files:
                return request.status(404)
            return request.status(302, [("Location", f"{server.url}/cdn/blob/{sha256(files[path])}?token=1"),
                                        ("X-Linked-Etag", '"' + sha256(files[path]) + '"'), ("ETag", '"pointer"')])

        server.behaviours = {"hexgrad": repository,
                             "cdn": lambda r: r.good(send=None if r.count > 1 else len(r.body) // 2)}
        pins = os.path.join(self.folder, "pins.json")
        listed = [{"path": p, "bytes": len(d), "sha256": sha256(d)} for p, d in sorted(files.items())]
        manifest = {"schema_version": 1, "repo_id": "hexgrad/Kokoro-82M", "revision": revision,
                    "generated_at": "2026-11-22T12:00:00Z", "allow_patterns": [], "files": listed}
        with open(pins, "w", encoding="utf-8") as f:
            json.dump(manifest, f)
        output, written = os.path.join(self.folder, "official"), os.path.join(self.folder, "written.json")
        arguments = ["fetch", f"{server.url}/hexgrad/Kokoro-82M", "--from", "huggingface", "--pins", pins, "-o", output,
                     "--ca", self.certificates["ca"], *FAST]
        code, _, err = self.koe.run(*arguments, "--manifest-out", written)
        self.assertEqual(code, 0, err)
        for path, data in files.items():
            with open(os.path.join(output, path), "rb") as f:
                self.assertEqual(f.read(), data)
        with open(written, encoding="utf-8") as f:
            self.assertEqual(json.load(f)["files"], listed)
        start = len(server.requests())
        self.assertEqual(self.koe.run(*arguments)[0], 0)
        self.assertEqual(server.requests(start), [])  # all there
        code, _, err = self.koe.run(*arguments, "--file", "config.json")
        self.assertEqual(code, 2, err)
        listed[0]["sha256"] = sha256(b"other")
        with open(pins, "w", encoding="utf-8") as f:
            json.dump(manifest, f)
        code, _, err = self.koe.run(*arguments)
        self.assertEqual(code, 4, err)
        with open(os.path.join(output, "kokoro-v1_0.pth"), "rb") as f:  # what was there stays until there is better
            self.assertEqual(f.read(), files["kokoro-v1_0.pth"])
        server.close()

    def test_releases(self):
        full, custom = make_site("full", profile="full"), make_site("custom")
        published = make_release({"full": full, "custom": custom})
        manifest = "sdk/SDKReleaseManifest.json"
        digest = ["--sha256", sha256(published[manifest])]
        swapped = {**published, "sdk/full/HostedManifest.json": custom["HostedManifest.json"]}
        cases = (  # what is hosted, options, exit code, part of the message, the version
            (published, ["--revision", "v1"], 0, "", full), (published, digest, 0, "", full),
            (published, ["--revision", "v2"], 4, "revision: it is 'v1'", None),
            (published, ["--sha256", sha256(b"x")], 4, "SHA-256 is", None), (published, [], 2, "needs a revision", None),
            (swapped, digest, 4, "the release says", None))
        for number, (site, options, expected, message, version) in enumerate(cases):
            server = hosting_server.Server(hosting_behaviours.BEHAVIOURS, self.certificates["good"])
            server.site = site
            for url in (f"{server.url}/good", f"{server.url}/good/", f"{server.url}/good/{manifest}"):
                store = self.new_store(f"release-{number}-{len(url)}", empty=True)
                code, _, err = self.koe.run("fetch", "--release", url, "--profile", "full", "--store", store.folder, "--ca",
                                            self.certificates["ca"], *FAST, *options)
                self.assertEqual(code, expected, err)
                self.assertIn(message, err)
                if version:
                    self.check_whole(store, version)
            server.close()
        # Over http a revision vouches for nothing.
        server = hosting_server.Server(hosting_behaviours.BEHAVIOURS)
        server.site = published
        store = self.new_store("release-http", empty=True)
        arguments = ["fetch", "--release", f"{server.url}/good", "--store", store.folder, "--allow-http"]
        self.assertEqual(self.koe.run(*arguments, "--profile", "full", "--revision", "v1")[0], 2)
        self.assertEqual(self.koe.run(*arguments, "--profile", "custom", *digest)[0], 0)
        self.check_whole(store, custom)
        code, _, err = self.koe.run(*arguments, "--profile", "starter", *digest)
        self.assertEqual(code, 4, err)
        self.assertIn("there are: custom, full", err)
        server.close()

    def test_signatures(self):
        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)
        openssl("genpkey", "-algorithm", "ed25519", "-out", "sign.key")
        openssl("pkey", "-in", "sign.key", "-pubout", "-out", "sign.pub")
        with open(os.path.join(self.folder, "to-sign"), "wb") as f:
            f.write(NEW["HostedManifest.json"])
        openssl("pkeyutl", "-sign", "-rawin", "-inkey", "sign.key", "-in", "to-sign", "-out", "signature")
        with open(os.path.join(self.folder, "signature"), "rb") as f:
            signature = f.read()
        for name, sig, expected in (("signed", signature, 0), ("forged", bytes(64), 4), ("short", signature[:10], 4),
                                    ("unsigned", None, 4)):
            server = hosting_server.Server(hosting_behaviours.BEHAVIOURS)
            server.site = NEW if sig is None else {**NEW, "HostedManifest.json.sig": sig}
            store = self.new_store(f"key-{name}")
            code, _, err = self.koe.run("fetch", f"{server.url}/good/HostedManifest.json", "--allow-http", "--key",
                                        os.path.join(self.folder, "sign.pub"), "--store", store.folder, *FAST)
            self.assertEqual(code, expected, f"{name}: {err}")
            self.check_whole(store, NEW if expected == 0 else OLD)
            server.close()


def main():
    global PROGRAM
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--koe", required=True)
    arguments, rest = parser.parse_known_args()
    PROGRAM = os.path.abspath(arguments.koe)
    if shutil.which("openssl") is None:
        print("openssl: not installed")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
