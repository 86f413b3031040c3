# SPDX-License-Identifier: Apache-2.0
"""The JSON Schemas of docs/schemas against real manifests: those of the fuzz corpora and of the model bundle, if there is one.

What the parsers take, the schemas take; what is damaged, both refuse. 77 without the package jsonschema.
"""
import copy
import glob
import json
import os
import sys
import unittest

try:
    import jsonschema
except ImportError:
    sys.exit(77)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# name of a manifest and schema: folder of its fuzz corpus
CORPORA = {"Runtime": "runtime", "Hosted": "hosted", "Release": "release", "Download": "download", "KokoroRuntime": "sdk"}


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def validator(name):
    schema = load(os.path.join(ROOT, "docs", "schemas", f"{name}Manifest.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class SchemasTest(unittest.TestCase):
    def examples(self, name):
        paths = glob.glob(os.path.join(ROOT, "fuzz", "corpus", f"manifest_{CORPORA[name]}_fuzz", "sound*"))
        bundle = os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m")
        if os.path.exists(os.path.join(bundle, f"{name}Manifest.json")):
            paths.append(os.path.join(bundle, f"{name}Manifest.json"))
        self.assertTrue(paths, name)
        return [load(path) for path in paths]

    def test_sound_manifests_are_taken(self):
        for name in CORPORA:
            for manifest in self.examples(name):
                errors = [f"{list(error.path)}: {error.message}" for error in validator(name).iter_errors(manifest)]
                self.assertEqual(errors, [], name)

    def test_missing_fields_and_wrong_types_are_refused(self):
        for name in CORPORA:
            check, manifest = validator(name), self.examples(name)[0]
            for key in check.schema["required"]:
                damaged = copy.deepcopy(manifest)
                del damaged[key]
                self.assertFalse(check.is_valid(damaged), f"{name}: without {key}")
            for key in check.schema["properties"]:
                self.assertFalse(check.is_valid({**manifest, key: [None]}), f"{name}: {key}")

    def test_bad_records_are_refused(self):
        check, manifest = validator("Hosted"), self.examples("Hosted")[0]
        for key, value in (("path", "../x"), ("path", "/x"), ("path", "a//b"), ("path", "x.part"), ("path", "a/.b"),
                           ("path", "x" * 129), ("bytes", -1), ("bytes", 2**30 + 1), ("bytes", 1.5),
                           ("sha256", "A" * 64), ("sha256", "a" * 63)):
            damaged = copy.deepcopy(manifest)
            damaged["files"][0][key] = value
            self.assertFalse(check.is_valid(damaged), f"{key} {value}")

    def test_bad_packages_and_sizes_are_refused(self):
        """What only kokoro-coreml's manifest has."""
        check, sound = validator("KokoroRuntime"), self.examples("KokoroRuntime")[0]

        def refused(change, text):
            damaged = copy.deepcopy(sound)
            change(damaged)
            self.assertFalse(check.is_valid(damaged), text)
        for key, value in (("path", "coreml/a/b.mlpackage"), ("path", "other/a.mlpackage"), ("path", "coreml/.mlpackage"),
                           ("path", "coreml/a.mlmodelc"), ("tree_sha256", "a" * 63), ("file_count", 0), ("bytes", -1),
                           ("bytes", 5 * 2**30 + 1), ("files", [])):
            refused(lambda m, k=key, v=value: m["model_packages"][0].update({k: v}), f"{key} {value}")
        refused(lambda m: [f.update(path="x") for f in m["model_packages"][0]["files"]], "a package without Manifest.json")
        for change in ({"duration_token_sizes": [64, 128]}, {"duration_token_sizes": []}, {"buckets": [3, 3]}, {"buckets": [121]},
                       {"minimum_platforms": {"iOS": "17.0", "macOS": "15.0"}}, {"hf_provenance_verified": True}, {"sdk_commit": None}):
            refused(lambda m, c=change: m.update(c), str(change))
        refused(lambda m: m["runtime_assets"]["vocab"].update(path="vocab.json"), "vocabulary elsewhere")
        full = {**sound, "bundle_profile": "full", "duration_token_sizes": [64, 128], "g2p_assets": []}
        self.assertTrue(check.is_valid(full))
        self.assertFalse(check.is_valid({**full, "g2p_assets": [dict(sound["voices"][0], path="lexicon/x")]}))


if __name__ == "__main__":
    unittest.main(verbosity=1)
