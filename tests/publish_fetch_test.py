# SPDX-License-Identifier: Apache-2.0
"""From a build to a reader's store and back out of it: python tests/publish_fetch_test.py --koe PROGRAM

Builds starter bundles from the weights and voices of $KOE_BUNDLE (default models/kokoro-82m; skipped where there is none), publishes
them signed, hosts the site over TLS and fetches it in every way that there is.
"""
import argparse
import json
import os
import shutil
import sys
import tempfile
import unittest

import hosting_behaviours
import hosting_server
from fetch_testing import Koe, sha256

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUNDLE = os.environ.get("KOE_BUNDLE", os.path.join(ROOT, "models", "kokoro-82m"))
PROGRAM = None


def read_site(folder):
    site = {}
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            with open(path, "rb") as f:
                site[os.path.relpath(path, folder)] = f.read()
    return site


class PublishFetchTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="koe-publish-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        certificates = hosting_server.make_certificates(self.folder)
        self.server = hosting_server.Server(hosting_behaviours.BEHAVIOURS, certificates["good"])
        self.addCleanup(self.server.close)
        self.fetched = ["--ca", certificates["ca"], "--backoff-ms", "10", "--json"]
        self.program = Koe(PROGRAM)
        self.koe("keygen", "-o", self.path("publisher"))
        self.key = self.path("publisher.pub")

    def path(self, name):
        return os.path.join(self.folder, name)

    def koe(self, *arguments, expected=0):
        code, out, err = self.program.run(*arguments, timeout=300)
        self.assertEqual(code, expected, f"{' '.join(arguments)}: {err}")
        return out if expected == 0 else err

    def build_and_publish(self, serial, *options):
        bundle = self.path(f"bundle-{serial}")
        self.koe("build", "--weights", os.path.join(BUNDLE, "weights.safetensors"), "--voices", os.path.join(BUNDLE, "voices"),
                 "--profile", "starter", "--serial", str(serial), *options, "-o", bundle)
        self.koe("publish", bundle, "-o", self.path("site"), "--sign-key", self.path("publisher.key"))
        self.server.site = read_site(self.path("site"))
        return bundle

    def fetch(self, store, *arguments, expected=0):
        out = self.koe("fetch", *arguments, "--store", self.path(store), *self.fetched, expected=expected)
        return json.loads(out) if expected == 0 else out

    def check_store(self, store, bundle):
        self.koe("validate", self.path(store))
        with open(os.path.join(self.path(store), "current"), encoding="ascii") as f:
            version = f.read().strip()
        found = read_site(os.path.join(self.path(store), "versions", version))
        found.pop("HostedManifest.json.sig", None)
        self.assertEqual(found.keys(), read_site(bundle).keys())
        self.assertTrue(found == read_site(bundle))
        info = json.loads(self.koe("info", self.path(store), "--json"))
        built = json.loads(self.koe("info", bundle, "--json"))
        for facts in (info, built):  # what they say about the place, not the bundle
            facts.pop("path", None)
            facts.pop("is_signed")
        self.assertEqual(info, built)

    def test_every_way(self):
        first = self.build_and_publish(1)
        first_site = self.server.site
        top = f"{self.server.url}/good"
        hosted = f"{top}/HostedManifest.json"
        digest = sha256(first_site["HostedManifest.json"])
        release = json.loads(first_site["sdk/SDKReleaseManifest.json"])
        ways = {"by-digest": [hosted, "--sha256", digest], "by-key": [hosted, "--key", self.key],
                "by-revision": ["--release", top, "--revision", release["revision"], "--profile", "starter"]}
        for store, way in ways.items():
            report = self.fetch(store, *way)
            self.assertEqual(report["manifest_sha256"], digest)
            self.check_store(store, first)
        self.koe("validate", "--deep", self.path("by-key"))

        second = self.build_and_publish(2, "--lexicons", self.make_lexicons())
        weights = os.path.getsize(os.path.join(second, "weights.safetensors"))
        for store in ("by-key", "by-revision"):
            way = ways[store] if store == "by-key" else ["--release", top, "--key", self.key, "--profile", "starter"]
            report = self.fetch(store, *way)
            self.assertFalse(report["was_current"])
            self.assertLess(report["bytes_transferred"], weights)  # they are the same: linked, not fetched
            self.check_store(store, second)
            self.assertTrue(self.fetch(store, *way)["was_current"])
        self.assertIn("revision: it is", self.fetch("by-digest", *ways["by-revision"], expected=4))
        self.assertIn("SHA-256 is", self.fetch("by-digest", *ways["by-digest"], expected=4))
        self.check_store("by-digest", first)  # what it had

        # The old site again, signatures and all.
        self.server.site = first_site
        for store in ("by-key", "by-revision"):
            self.assertIn("older than 2", self.fetch(store, *ways[store], expected=4))
            self.check_store(store, second)
        refused = self.koe("publish", first, "-o", self.path("site"), "--sign-key", self.path("publisher.key"), expected=2)
        self.assertIn("a roll-back", refused)

    def make_lexicons(self):
        """Dictionaries of one word, so that the second version has a file of its own."""
        folder = self.path("lexicons")
        os.makedirs(folder, exist_ok=True)
        for name in ("us_gold", "us_silver", "gb_gold", "gb_silver"):
            with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as f:
                json.dump({"hello" if "gold" in name else "zebra": "həlˈO"}, f)
        return folder


def main():
    global PROGRAM
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--koe", required=True)
    arguments, rest = parser.parse_known_args()
    PROGRAM = os.path.abspath(arguments.koe)
    if shutil.which("openssl") is None or not os.path.exists(os.path.join(BUNDLE, "weights.safetensors")):
        print("openssl or the model bundle: not there")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
