#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that what is said in several places is said alike: constants of the code, JSON Schemas and documents.

  python tools/check_drift.py [--root DIR]

Each row of RULES is a value as the code has it and the other places that tell it. A place that no longer tells it is a
finding too: a rule that matches nothing checks nothing. Exit status: 0 clean, 1 with a line per finding.
"""
import argparse
import json
import os
import re
import sys

# name of a manifest and schema: its source in src/bundle/manifests
MANIFESTS = {"Runtime": "runtime", "Hosted": "hosted", "Release": "release", "Download": "download", "KokoroRuntime": "sdk"}


class Tree:
    def __init__(self, root):
        self.root, self.findings, self.checked = root, [], 0

    def read(self, path):
        try:
            with open(os.path.join(self.root, path), encoding="utf-8") as file:
                return file.read()
        except OSError as error:
            self.findings.append(f"{path}: {error.strerror}")
            return ""

    def find(self, path, pattern):
        """The first group of the only kind of match; None, with a finding, where there is none or they differ."""
        values = {match if isinstance(match, str) else match[0] for match in re.findall(pattern, self.read(path))}
        if len(values) == 1:
            return values.pop()
        self.findings.append(f"{path}: {'no' if not values else 'several'} match of /{pattern}/: {sorted(values)}")
        return None

    def constant(self, path, name):
        """A constexpr number: products, shifts, digit separators and casts."""
        text = self.find(path, rf"constexpr [\w:]+ {name}(?:\[\])? = ([^;]+);")
        if text is None:
            return None
        text = re.sub(r"(?:uint64_t|size_t|int64_t)\{(\d+)\}", r"\1", text).replace("'", "")
        text = re.sub(r"(?<=\d)[fu]\b", "", text)
        if text.startswith('"'):
            return text.strip('"')
        if not re.fullmatch(r"[\d\s.+*<()-]+", text):
            self.findings.append(f"{path}: {name}: '{text}' is no number")
            return None
        return eval(text)  # pylint: disable=eval-used  # digits and operators only, see above

    def default(self, path, name):
        """The number that `name` is set to where it is declared: `x y = 3;  // ...`."""
        text = self.find(path, rf"\b{name} = ([^;]+);")
        if text is None:
            return None
        text = re.sub(r"(?:uint64_t|size_t)\{(\d+)\}", r"\1", text)
        return eval(text) if re.fullmatch(r"[\d\s.+*<()-]+", text) else text  # pylint: disable=eval-used

    def equal(self, what, expected, actual, place):
        self.checked += 1
        if expected is not None and str(expected) != str(actual):
            self.findings.append(f"{place}: {what}: {actual}, the code has {expected}")

    def told(self, what, expected, path, pattern):
        """`pattern`'s group in `path` is `expected` (thousands separators aside)."""
        found = self.find(path, pattern)
        if found is not None:
            self.equal(what, expected, found.replace(",", ""), path)


WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
LIMITS = "src/bundle/limits.h"
FORMAT = "docs/bundle_format.md"
KOE = "include/koe/koe.h"


def public_header(tree, name):
    """The header below include/koe that declares `name`: they may be split further."""
    folder = os.path.join(tree.root, "include/koe")
    for file in sorted(os.listdir(folder)):
        if re.search(rf"\b{name} = ", tree.read(f"include/koe/{file}")):
            return f"include/koe/{file}"
    tree.findings.append(f"include/koe: {name}: nowhere")
    return KOE


def check_limits(tree):
    file_bytes = tree.constant(LIMITS, "kMaxFileBytes")
    total = tree.constant(LIMITS, "kMaxBundleBytes")
    files = tree.constant(LIMITS, "kMaxBundleFiles")
    manifest = tree.constant(LIMITS, "kMaxManifestBytes")
    tree.told("bytes of a manifest, MiB", manifest >> 20, FORMAT, r"One JSON object, at most (\d+) MiB")
    tree.told("files of a bundle", files, FORMAT, r"A bundle has at most (\d+) files")
    tree.told("bytes of a file, GiB", file_bytes >> 30, FORMAT, r"of at most (\d+) GiB each")
    tree.told("bytes of a bundle, GiB", total >> 30, FORMAT, r"each and (\d+) GiB together")
    tree.told("bytes of a path", tree.constant(LIMITS, "kMaxPathBytes"), FORMAT, r"at most (\d+)\s+bytes; no component")
    tree.told("bytes of a model file, MiB", tree.constant(LIMITS, "kMaxModelFileBytes") >> 20, FORMAT,
              r"model file (\d+) MiB")
    tree.told("tensors", tree.constant(LIMITS, "kMaxTensors"), FORMAT, r"model file 512 MiB, ([\d,]+) tensors")
    tree.told("rank", tree.constant(LIMITS, "kMaxRank"), FORMAT, r"tensors, rank (\d+)")
    tree.told("bytes of a tensor's name", tree.constant(LIMITS, "kMaxTensorNameBytes"), FORMAT, r"names of (\d+) bytes")
    tree.told("safetensors header, MiB", tree.constant(LIMITS, "kMaxSafetensorsHeaderBytes") >> 20, FORMAT,
              r"safetensors header (\d+) MiB")
    tree.told("magnitude of a voice", int(tree.constant(LIMITS, "kMaxVoiceMagnitude")), FORMAT, r"finite, within \+-(\d+)\.")
    tree.told("bytes of a voice's id", tree.constant(LIMITS, "kMaxVoiceIdBytes"), FORMAT, r"Ids are `\[A-Za-z0-9_-\]\{1,(\d+)\}`")
    tree.told("bytes of a release's manifest, MiB", manifest >> 20, "docs/publishing.md", r"One JSON object, at most (\d+) MiB")
    tree.told("JSON depth", tree.constant(LIMITS, "kMaxJsonDepth"), FORMAT, r"JSON depth (\d+)")
    tree.told("zip entries", tree.constant(LIMITS, "kMaxZipEntries"), FORMAT, r"([\d,]+) zip entries")
    tree.told("pickle, MiB", tree.constant(LIMITS, "kMaxPickleBytes") >> 20, FORMAT, r"pickle (\d+) MiB")
    tree.told("pickle's stack", tree.constant(LIMITS, "kMaxPickleStack"), FORMAT, r"with a stack of ([\d,]+)")
    version = tree.constant("src/bundle/manifests/file_record.h", "kSchemaVersion")
    for name in MANIFESTS:
        path = f"docs/schemas/{name}Manifest.schema.json"
        text = tree.read(path)
        if not text:
            continue
        schema = json.loads(text)
        defs = schema["$defs"]
        tree.equal("bytes of a file", file_bytes, defs["bytes"]["maximum"], path)
        tree.equal("bytes of a path", tree.constant(LIMITS, "kMaxPathBytes"), defs["path"]["maxLength"], path)
        tree.equal("files", files, defs["records"]["maxItems"], path)
        if "schema_version" in schema["properties"]:
            tree.equal("schema_version", version, schema["properties"]["schema_version"]["const"], path)
    release = json.loads(tree.read("docs/schemas/ReleaseManifest.schema.json") or "{}")
    if release:
        profile = release["$defs"]["profile"]["properties"]
        tree.equal("bytes of a bundle", total, profile["total_bytes"]["maximum"], "ReleaseManifest.schema.json")
        tree.equal("profiles", tree.constant(LIMITS, "kMaxProfiles"), release["properties"]["profiles"]["maxItems"],
                   "ReleaseManifest.schema.json")
    tree.told("schema version", version, FORMAT, r"\| `schema_version` \| (\d+);")


def check_download(tree):
    """What a download allows and how often it tries: the header's defaults, the option's help, the page."""
    header, page, help_text = "include/koe/download.h", "docs/fetch.md", "apps/cli/bundle_fetch.cc"
    for field, constant, option, pattern, unit in (
            ("manifest_bytes", "kMaxManifestBytes", "manifest-bytes", r"at most (\d+) MiB, counted", 20),
            ("file_bytes", "kMaxFileBytes", "file-bytes", r"\(a file at most (\d+) GiB", 30),
            ("total_bytes", "kMaxBundleBytes", "total-bytes", r"GiB, all at most (\d+) GiB", 30),
            ("files", "kMaxBundleFiles", "max-files", r"at most (\d+) files\), digests", 0)):
        limit = tree.constant(LIMITS, constant)
        tree.equal(f"{field} of DownloadLimits", limit, tree.default(header, field), header)
        tree.told(f"{field} of a download", limit >> unit, page, pattern)
        tree.told(f"--{option}", limit, help_text, rf'{option}", "N", &max_\w+, "Default (\d+)"')
    tries, parallel = tree.default(header, "tries"), tree.default(header, "parallel")
    tree.told("tries", WORDS.get(tries), page, r"A file is tried (\w+) times \(`--tries`\)")
    tree.told("tries", tries, help_text, r"For each file, 1 to 100 \(default (\d+)\)")
    tree.told("files at once", WORDS.get(parallel), page, r"is fetched \(phase \*downloading\*\), (\w+) files at once")
    tree.told("files at once", parallel, help_text, r"Files at once, 1 to \d+ \(default (\d+)\)")
    most = tree.constant("src/download/fetch_files.h", "kMaxParallel")
    tree.told("most files at once", most, help_text, r"Files at once, 1 to (\d+) ")
    tree.told("most files at once", most, header, r"files at once; 1\.\.(\d+)")
    backoff = tree.default(header, "backoff_seconds")
    tree.told("back-off", backoff, page, r"with a pause of ([\d.]+) s \(`--backoff-ms`\)")
    tree.told("back-off, ms", int(1000 * backoff), help_text, r"0 to 30000 \(default (\d+)\); doubles")
    longest = tree.constant("src/download/retry.h", "kMaxBackoffSeconds")
    tree.told("longest wait", longest, page, r"a wish for more than (\d+) s ends the tries")
    tree.told("longest wait, ms", 1000 * longest, help_text, r"Before the second try, 0 to (\d+) ")
    slow, stall = tree.default("src/download/transport.h", "min_bytes_per_s"), tree.default(header, "stall_seconds")
    tree.told("stall time-out", stall, page, r"bytes/s for (\d+) s \(`--stall-timeout`\)")
    tree.told("stall time-out", stall, help_text, r"that end a try \(default (\d+)\)")
    tree.told("slowest transfer", slow, page, r"A transfer below ([\d,]+) bytes/s")
    tree.told("slowest transfer", slow, help_text, r"Seconds below ([\d,]+) bytes/s")
    tree.told("slowest transfer", slow, header, r"fewer than ([\d,]+) bytes a second")
    redirects = tree.constant("src/download/curl_transport.cc", "kMaxRedirects")
    tree.told("redirects", WORDS.get(redirects), page, r"Redirects are followed at most (\w+) times")
    # The pins of the official repository: the checkpoint and the starter's voice.
    pins = json.loads(tree.read("data/official/DownloadManifest.json") or '{"files": []}')
    starter = tree.find("src/bundle/build.cc", STARTER)
    tree.equal("pinned voices", [f"voices/{starter}.pt"], [f["path"] for f in pins["files"] if f["path"].startswith("voices/")],
               "data/official/DownloadManifest.json")


def written_keys(tree, path):
    """Names that ToJson writes at a manifest's top: root.Set("x", and what WriteProvenance adds."""
    text = tree.read(path)
    keys = set(re.findall(r'root\.Set\("(\w+)"', text))
    if "WriteProvenance(provenance, &root)" in text:
        keys |= set(re.findall(r'object->Set\("(\w+)"', tree.read("src/bundle/manifests/runtime.cc")))
    return keys


def check_fields(tree):
    """Every field that the code writes is in the schema and the other way round; documents name each."""
    for name, source in MANIFESTS.items():
        path = f"src/bundle/manifests/{source}.cc"
        schema = json.loads(tree.read(f"docs/schemas/{name}Manifest.schema.json") or '{"properties": {}}')
        tree.equal(f"fields of {name}Manifest", sorted(written_keys(tree, path)), sorted(schema["properties"]),
                   f"docs/schemas/{name}Manifest.schema.json")
        place = "docs/export.md" if source == "sdk" else FORMAT
        document = tree.read(place) + (tree.read("docs/publishing.md") if place == FORMAT else "")
        for key in schema["properties"]:
            tree.checked += 1
            if f"`{key}`" not in document and f'"{key}"' not in document:
                tree.findings.append(f"{place}: {key} of {name}Manifest is not described")


def check_speech(tree):
    rate = tree.constant(public_header(tree, "kSampleRateHz"), "kSampleRateHz")
    frame = tree.constant(public_header(tree, "kSamplesPerDurationFrame"), "kSamplesPerDurationFrame")
    phonemes = tree.constant(public_header(tree, "kMaxPhonemesPerChunk"), "kMaxPhonemesPerChunk")
    tree.told("sample rate", rate, "ARCHITECTURE.md", r"excitation frames 4,800 \(5 samples\), samples\s+([\d,]+)\.")
    tree.told("duration frames a second", rate // frame, "ARCHITECTURE.md", r"duration frames (\d+) a second")
    tree.told("samples of a duration frame", frame, "ARCHITECTURE.md", r"a second \((\d+) samples\), F0 frames")
    tree.told("F0 frames a second", rate // 300, "ARCHITECTURE.md", r"F0 frames (\d+) \(300 samples\)")
    tree.told("phonemes of a chunk", phonemes, "ARCHITECTURE.md", r"chunks of at most (\d+) phonemes")
    tree.told("tokens with both boundary tokens", phonemes + 2, "ARCHITECTURE.md", r"T is at most (\d+) tokens")
    tree.told("rows of a voice", phonemes, "ARCHITECTURE.md", r"A voice is a table \[(\d+)\]\[256\]")
    tree.told("rows of a voice", phonemes, FORMAT, r"\[(\d+)\]\[256\] little-endian float32")
    tree.told("bytes of a voice", phonemes * 256 * 4, FORMAT, r"little-endian float32, ([\d,]+) bytes")
    tree.told("rows of a voice", phonemes, "src/bundle/architecture.cc", r"voice_rows = (\d+)")
    tree.told("positions of ALBERT", phonemes + 2, "src/bundle/architecture.cc",
              r'"max_position_embeddings": (\d+)')
    tree.told("sample rate", rate, "include/koe/koe_c.h", r"#define KOE_SAMPLE_RATE_HZ (\d+)")
    tree.told("sample rate", rate, "include/koe/koe.h", r"samples are float, ([\d,]+) a second")
    tree.told("sample rate", rate, "include/koe/times.h", r'"sample_rate_hz": (\d+)')
    tree.told("sample rate", rate, "docs/python.md", r"float32, mono, ([\d,]+) a second")
    tree.told("sample rate", rate, "python/koe/__init__.py", r"numpy float32, ([\d,]+) a second")
    slowest = tree.find(public_header(tree, "kMinSpeed"), r"kMinSpeed = ([\d.]+)f")
    fastest = tree.find(public_header(tree, "kMaxSpeed"), r"kMaxSpeed = ([\d.]+)f")
    speeds = f"{float(slowest):g}..{float(fastest):g}"
    tree.told("speed", speeds, "include/koe/koe_c.h", r"float speed;\s+// 0: 1; ([\d.]+\d)\n")
    tree.told("speed", speeds, "include/koe/speech.h", r"float speed = 1\.0f;\s+// finite, ([\d.]+);")
    tree.told("speed", speeds.replace("..", " to "), "apps/cli/say.cc", r'"Speed of speech, ([\d.]+ to [\d.]+) ')
    input_bytes = tree.constant(public_header(tree, "kMaxInputBytes"), "kMaxInputBytes")
    tree.told("bytes of input, MiB", input_bytes >> 20, "docs/errors.md", r"names: (\d+) MiB of text, 12 hours")


STARTER = r'profile == "starter"\) \{\s*wanted = \{"(\w+)"\}'


def check_voice_and_versions(tree):
    # The starter profile's voice is that of every default.
    starter = tree.find("src/bundle/build.cc", STARTER)
    for file in sorted(os.listdir(os.path.join(tree.root, "include/koe"))):
        for voice in re.findall(r'std::string voice = "(\w+)"', tree.read(f"include/koe/{file}")):
            tree.equal("default voice", starter, voice, f"include/koe/{file}")
    tree.told("starter's voice", starter, FORMAT, r"starter \(the voice (\w+)\)")
    tree.told("starter's voice", starter, "apps/cli/bundle.cc", r"starter \((\w+)\), full")
    tree.told("starter's voice", starter, "include/koe/bundle.h", r"starter \((\w+)\), full")
    tree.told("starter's voice", starter, "src/export/sdk_bundle.cc", r'vector<std::string>\{"(\w+)"\}')
    tree.told("starter's voice", starter, "apps/cli/bundle.cc", r"profiles: starter \((\w+), \d+ s; default\)")
    for command in ("batch", "bench", "dump", "say"):
        tree.told("default voice", starter, f"apps/cli/{command}.cc", r"\(default (\w+_\w+)[);]")
    tree.told("default voice", starter, "python/koe/__init__.py", r'voice: str = "(\w+)"')
    tree.told("default voice", starter, "include/koe/koe_c.h", r"const char\* voice;\s+// null: (\w+);")
    version = tree.find("CMakeLists.txt", r"project\(\w+ VERSION ([\d.]+)")
    tree.told("version", version, FORMAT, r'`generated_by` \| "koe ([\d.]+)"')
    tree.told("version", version, public_header_of(tree, "const char\\* Version\\(\\)"), r'// "([\d.]+)"\nconst char\* Version')
    tree.told("version", version, "include/koe/koe_c.h", r'koe_version\(void\);\s+// "([\d.]+)"')
    for manifest in ("release", "runtime"):
        tree.told("version", version, f"src/bundle/manifests/{manifest}.h", r'generated_by;\s+// "koe ([\d.]+)"')
    tree.told("version", version, "CHANGELOG.md", r"\A# \w+\s+## ([\d.]+)")


def public_header_of(tree, pattern):
    for file in sorted(os.listdir(os.path.join(tree.root, "include/koe"))):
        if re.search(pattern, tree.read(f"include/koe/{file}")):
            return f"include/koe/{file}"
    tree.findings.append(f"include/koe: /{pattern}/: nowhere")
    return KOE


def check_buckets(tree):
    """The CPU runs native lengths: neither code nor documents may say otherwise. What is exported has the published sizes."""
    header, page, help_text = "include/koe/export.h", "docs/export.md", "apps/cli/export.cc"
    seconds = tree.find(header, r"std::vector<int> buckets = \{(\d[\d, ]+)\}")
    tokens = tree.find(header, r"std::vector<int> tokens = \{(\d[\d, ]+)\}")
    tree.equal("buckets", seconds.replace(" ", ""), tree.find(help_text, r"Lengths of speech \(default ([\d,]+)\)"), help_text)
    tree.equal("numbers of tokens", tokens.replace(" ", ""), tree.find(help_text, r"Numbers of tokens \(default ([\d,]+)\)"),
               help_text)
    frames = ", ".join(str(40 * int(second)) for second in seconds.split(","))
    tree.equal("frames of the buckets", frames, tree.find(page, r"F = 40 x seconds: ([\d, ]+\d) \|"), page)
    tree.equal("numbers of tokens", tokens, tree.find(page, r"\| tokens ([\d, ]+\d) \|"), page)
    starter = tree.find("src/export/sdk_bundle.cc", r"options\.buckets : std::vector<int>\{(\d+)\}")
    sdk_tokens = tree.constant("src/bundle/manifests/sdk.h", "kSdkTokens")
    tree.told("starter's bucket", starter, "apps/cli/bundle.cc", r"profiles: starter \(\w+, (\d+) s; default\)")
    for path in (header, page):
        tree.told("starter's bucket", starter, path, r"starter: \w+, (\d+) s,")
        tree.told("starter's tokens", sdk_tokens, path, r"starter: \w+, \d+ s, (\d+) tokens")
    tree.told("buckets of the CPU", "{}", "src/pipeline/plan.cc", r"StaticBuckets buckets\(\) const override \{ return (\{\}); \}")
    tree.find("ARCHITECTURE.md", r"(nothing is ever padded)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    tree = Tree(parser.parse_args().root)
    for check in (check_limits, check_download, check_fields, check_speech, check_voice_and_versions, check_buckets):
        try:
            check(tree)
        except (TypeError, AttributeError) as error:  # arithmetic on a constant that was not found; the finding is there already
            tree.findings.append(f"{check.__name__}: {error}")
    for finding in tree.findings:
        print(finding)
    print(f"{tree.checked} comparisons, {len(tree.findings)} findings")
    return 1 if tree.findings else 0


if __name__ == "__main__":
    sys.exit(main())
