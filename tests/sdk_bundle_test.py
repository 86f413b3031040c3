#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`koe bundle build --kind coreml` with the real weights: what the seed's SDK looks at when it loads, determinism, replacement.

  python tests/sdk_bundle_test.py --koe PATH [--bundle DIR] [--long]

One bucket of 3 s; --long makes the profiles starter and full too. Exits 77 (skipped) without a bundle. The checks are
written from the seed's description (layout, manifests, digests), not from Koe's code.
"""
import argparse
import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import jsonschema
except ImportError:  # the schema is then schemas_test's alone
    jsonschema = None

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
failures = 0


def expect(condition, text):
    global failures
    print("ok  " if condition else "FAIL", text, flush=True)
    failures += not condition


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def record_is_true(root, record):
    path = os.path.join(root, record["path"])
    return (not os.path.islink(path) and os.path.getsize(path) == record["bytes"] and sha256(read(path)) == record["sha256"])


def below(root):
    return sorted(os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names)


def check_package(root, package):
    folder = os.path.join(root, package["path"])
    digest = hashlib.sha256()
    for file in sorted(package["files"], key=lambda f: f["path"]):
        digest.update(b"%s\0%d\0%s\0" % (file["path"].encode(), file["bytes"], file["sha256"].encode()))
    return (os.path.isdir(folder) and below(folder) == sorted(f["path"] for f in package["files"]) and
            all(record_is_true(folder, file) for file in package["files"]) and package["tree_sha256"] == digest.hexdigest() and
            package["file_count"] == len(package["files"]) and package["bytes"] == sum(f["bytes"] for f in package["files"]))


def check_as_the_sdk_does(root, profile):
    """kokoro-coreml.md 1.2, "Load-time checks", and 1.3."""
    manifest = json.loads(read(root, "KokoroRuntimeManifest.json"))
    names = {os.path.basename(p["path"]).removesuffix(".mlpackage") for p in manifest["model_packages"]}
    expect(manifest["schema_version"] == 1 and manifest["bundle_profile"] == profile, f"{profile}: schema and profile")
    expect(manifest["minimum_platforms"] == {"iOS": "18.0", "macOS": "15.0"} and manifest["supported_languages"] == ["en-US"],
           f"{profile}: platforms and languages")
    expect(len(manifest["sdk_commit"]) >= 7, f"{profile}: commit")
    if jsonschema is not None:
        schema = json.loads(read(ROOT, "docs", "schemas", "KokoroRuntimeManifest.schema.json"))
        errors = [f"{list(e.path)}: {e.message}" for e in jsonschema.Draft202012Validator(schema).iter_errors(manifest)]
        expect(not errors, f"{profile}: the JSON Schema {errors}")
    if profile != "full":
        expect(manifest["duration_token_sizes"] == [128] and "kokoro_duration_t128" in names, f"{profile}: 128 tokens")
        for seconds in manifest["buckets"]:
            wanted = {f"kokoro_f0ntrain_t{40 * seconds}", f"kokoro_decoder_pre_{seconds}s", f"kokoro_decoder_har_post_{seconds}s"}
            expect(wanted <= names, f"{profile}: packages of {seconds} s")
    else:
        expect(manifest["buckets"] == [3, 7, 10, 15, 30] and manifest["duration_token_sizes"] == [32, 64, 128, 256, 320, 384, 512],
               "full: sizes")
        wanted = {f"kokoro_{stage}_multifunction" for stage in ("duration", "f0ntrain", "decoder_pre")}
        expect(names == wanted | {f"kokoro_decoder_har_post_{s}s" for s in manifest["buckets"]}, "full: packages")
    expect(all(check_package(root, package) for package in manifest["model_packages"]), f"{profile}: {len(names)} packages' digests")
    assets = manifest["runtime_assets"]
    expect(all(record_is_true(root, r) for r in manifest["voices"] + [assets["vocab"], assets["hnsf_weights"]]),
           f"{profile}: {len(manifest['voices'])} voices and runtime files")
    expect(assets["vocab"]["path"] == "runtime/kokoro-vocab.json" and
           len(json.loads(read(root, assets["vocab"]["path"]))["vocab"]) == 114, f"{profile}: vocabulary of 114")
    harmonics = json.loads(read(root, assets["hnsf_weights"]["path"]))
    expect(len(harmonics["linear_weights"]) == 9 and isinstance(harmonics["linear_bias"], float), f"{profile}: harmonics")
    for voice in manifest["voices"]:
        data = read(root, voice["path"])
        expect(len(data) == 510 * 1024 and all(abs(x) < 32 for x in struct.unpack("<256f", data[-1024:])), voice["path"])

    hosted = json.loads(read(root, "HostedManifest.json"))
    expect(set(hosted) == {"version", "files"} and hosted["version"] == f"{profile}-{manifest['sdk_commit'][:12]}",
           f"{profile}: hosted version")
    paths = [file["path"] for file in hosted["files"]]
    present = [path for path in below(root) if path not in ("HostedManifest.json", ".kokoro-sdk-bundle")]
    expect(paths == sorted(paths) == sorted(present), f"{profile}: hosted files are those of the folder, sorted")
    expect(all(record_is_true(root, file) for file in hosted["files"]), f"{profile}: hosted digests")
    expect(read(root, ".kokoro-sdk-bundle").strip() == b"kokoro-sdk-bundle", f"{profile}: marker")
    return manifest


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--koe", required=True)
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m"))
    parser.add_argument("--long", action="store_true")
    arguments = parser.parse_args()
    if not os.path.exists(os.path.join(arguments.bundle, "RuntimeManifest.json")):
        print("skipped: no bundle")
        return 77
    environment = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}

    def koe(*options):
        return subprocess.run([arguments.koe, "bundle", *options], capture_output=True, text=True, env=environment)

    def build(output, *options):
        run = koe("build", "--kind", "coreml", "--bundle", arguments.bundle, "--sdk-commit", "0123456789abcdef", "--json",
                  "-o", output, *options)
        if run.returncode != 0:
            sys.exit(f"build {options}: {run.returncode}: {run.stderr}")
        return json.loads(run.stdout)

    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, "sdk")
        custom = ("--profile", "custom", "--voice", "bm_george,af_heart", "--buckets", "3")
        report = build(root, *custom)
        manifest = check_as_the_sdk_does(root, "custom")
        expect(report["kind"] == "coreml" and report["voices"] == ["af_heart", "bm_george"] and report["buckets"] == [3], "report")
        expect(report["provenance_verified"] == manifest["hf_provenance_verified"], "provenance is the source bundle's")
        first = read(root, "HostedManifest.json")
        build(root, *custom)  # replaces its own
        expect(read(root, "HostedManifest.json") == first, "equal inputs give equal bytes")
        expect(os.listdir(folder) == ["sdk"], "nothing is left beside it")
        valid = koe("validate", root)
        expect(valid.returncode == 0 and "valid" in valid.stderr, f"validate: {valid.stderr.strip()}")

        weights = os.path.join(root, "coreml", "kokoro_decoder_pre_3s.mlpackage", "Data/com.apple.CoreML/weights/weight.bin")
        with open(weights, "r+b") as file:
            file.seek(1000001)
            byte = file.read(1)
            file.seek(1000001)
            file.write(bytes([byte[0] ^ 1]))
        damaged = koe("validate", root)
        expect(damaged.returncode == 4 and "weight.bin" in damaged.stderr, f"one bit: {damaged.stderr.strip()}")
        refused = koe("build", "--kind", "coreml", "--bundle", arguments.bundle, "--sdk-commit", "0123456", "-o", folder)
        expect(refused.returncode == 2 and os.listdir(folder) == ["sdk"], f"another folder: {refused.stderr.strip()}")
        if arguments.long:
            for profile in ("starter", "full"):
                made = build(os.path.join(folder, profile), "--profile", profile)
                check_as_the_sdk_does(os.path.join(folder, profile), profile)
                print(f"     {profile}: {made['num_files']} files, {made['num_bytes'] / 1e6:.1f} MB")
    print(f"{failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
