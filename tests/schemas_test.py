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


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def validator(name):
    schema = load(os.path.join(ROOT, "docs", "schemas", f"{name}Manifest.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class SchemasTest(unittest.TestCase):
    def examples(self, name):
        paths = glob.glob(os.path.join(ROOT, "fuzz", "corpus", f"manifest_{name.lower()}_fuzz", "sound*"))
        bundle = os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m")
        if os.path.exists(os.path.join(bundle, f"{name}Manifest.json")):
            paths.append(os.path.join(bundle, f"{name}Manifest.json"))
        self.assertTrue(paths, name)
        return [load(path) for path in paths]

    def test_sound_manifests_are_taken(self):
        for name in ("Runtime", "Hosted", "Release", "Download"):
            for manifest in self.examples(name):
                errors = [f"{list(error.path)}: {error.message}" for error in validator(name).iter_errors(manifest)]
                self.assertEqual(errors, [], name)

    def test_missing_fields_and_wrong_types_are_refused(self):
        for name in ("Runtime", "Hosted", "Release", "Download"):
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


if __name__ == "__main__":
    unittest.main(verbosity=1)
