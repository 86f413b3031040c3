#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds that are wrong in one way each, so that every refusal of a parser is reached: python fuzz/write_damaged_seeds.py fuzz/corpus

Made from the sound ones that write_bundle_seeds has left there. A seed's name says what is wrong.
"""
import json
import os
import struct
import sys

from damaged_archives import write_archives
from damaged_speech_files import write_speech_files

CORPUS = sys.argv[1]


def read(target, name):
    with open(os.path.join(CORPUS, target, name), "rb") as file:
        return file.read()


def put(target, name, data):
    os.makedirs(os.path.join(CORPUS, target), exist_ok=True)
    with open(os.path.join(CORPUS, target, name.replace(" ", "_")), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


# --- JSON and what is made of it -------------------------------------------------------------------------------------

def change(text, path, value):
    """The document with the member at `path` set; None deletes it."""
    document = json.loads(text)
    place = document
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(document)


def damaged_json():
    cases = {"nested too deep": "[" * 7 + "]" * 7, "at the depth": "[" * 6 + "]" * 6, "deeper by a number": "[" * 7 + "0" + "]" * 7, "too many values": json.dumps([0] * 201),
             "a key twice": '{"a": 1, "a": 2}', "not UTF-8": b'"\xff"', "no JSON": "{]", "cut": '{"a": [1,', "empty": "",
             "numbers": "[18446744073709551615, -1, 1.5, 1e-300, 0.1, 1e400]", "doubles": "[1.5e300, 2.5, -0.0]",
             "escapes": r'["\u0001\u007f\n\"\\", {"\t": "\u00e9"}]', "nested lists": "[[1, 2], [], [[3]], {}]",
             "too many keys": json.dumps({str(i): None for i in range(201)}), "too many strings": json.dumps([""] * 201),
             "objects": '{"a": {"b": {}}, "c": []}', "containers": json.dumps([[]] * 201)}
    for name, text in cases.items():
        put("bundle_json_fuzz", name, text)
    vocab = {"no table": "{}", "a list": '{"vocab": []}', "empty": '{"vocab": {}}', "two characters": '{"vocab": {"ab": 1}}',
             "no character": '{"vocab": {"": 1}}', "id 0": '{"vocab": {"a": 0}}', "id of the row after the last": '{"vocab": {"a": 178}}',
             "an id twice": '{"vocab": {"a": 1, "b": 1}}', "an id as text": '{"vocab": {"a": "1"}}', "no JSON": "?", "too long": " " * 65537}
    for name, text in vocab.items():
        if name != "too long":
            put("bundle_vocab_fuzz", name, text)


RECORD = {"path": "a", "bytes": 1, "sha256": "a" * 64}


def damaged_manifests():
    common = {"no JSON": "{", "a list": "[]"}
    bad_record = [("path climbs", "path", "../a"), ("hidden path", "path", ".a"), ("path not text", "path", 1), ("empty path", "path", ""),
                  ("negative bytes", "bytes", -1), ("bytes as text", "bytes", "1"), ("no digest", "sha256", None),
                  ("digest in capitals", "sha256", "A" * 64), ("short digest", "sha256", "a" * 63), ("over a gibibyte", "bytes", (1 << 30) + 1),
                  ("control character", "path", "a\nb"), ("path too long", "path", "a" * 129)]
    hosted = read("manifest_hosted_fuzz", "sound").decode()
    small = {"version": "v", "serial": 1, "files": [{**RECORD, "path": p} for p in ("a", "b")]}
    cases = [("no version", ["version"], None), ("serial as text", ["serial"], "1"), ("negative serial", ["serial"], -1),
             ("files as object", ["files"], {}), ("a file as text", ["files", 0], "x")]
    cases += [(name, ["files", 0, key], value) for name, key, value in bad_record]
    for name, path, value in cases:
        put("manifest_hosted_fuzz", name, change(hosted, path, value))
    lists = {"twice": ["a", "a"], "not sorted": ["b", "a"], "file and folder": ["a", "a/b"], "reserved": ["a.part"], "reserved etag": ["a.part-etag"],
             "reserved signature": ["a.sig"], "names itself": ["HostedManifest.json"], "four files": ["a", "b", "c", "d"], "folders": ["a/b/c", "a/d"]}
    for name, paths in lists.items():
        put("manifest_hosted_fuzz", name, json.dumps({**small, "files": [{**RECORD, "path": p} for p in paths]}))
    put("manifest_hosted_fuzz", "over the small total", json.dumps({**small, "files": [{**RECORD, "path": p, "bytes": 60} for p in "ab"] + [{**RECORD, "path": "c", "bytes": 90}]}))
    put("manifest_hosted_fuzz", "total one over", json.dumps({**small, "files": [{**RECORD, "path": p, "bytes": (1 << 30)} for p in "abcde"] + [{**RECORD, "path": "f", "bytes": 1}]}))
    put("manifest_hosted_fuzz", "no serial", json.dumps({"version": "v", "files": []}))
    put("manifest_hosted_fuzz", "over a small file", json.dumps({**small, "files": [{**RECORD, "bytes": 101}]}))

    download = read("manifest_download_fuzz", "sound").decode()
    for name, path, value in [("schema 2", ["schema_version"], 2), ("schema as text", ["schema_version"], "1"), ("no schema", ["schema_version"], None),
                              ("no repository", ["repo_id"], None), ("empty repository", ["repo_id"], ""), ("revision too short", ["revision"], "ab"),
                              ("revision no digits", ["revision"], "x" * 40), ("no revision", ["revision"], None), ("date without time", ["generated_at"], "2023-11-14"),
                              ("date with letters", ["generated_at"], "20x3-11-14T22:13:20Z"), ("no date", ["generated_at"], None),
                              ("patterns as text", ["allow_patterns"], "x"), ("a pattern as number", ["allow_patterns"], [1]), ("too many patterns", ["allow_patterns"], ["x"] * 65),
                              ("no files", ["files"], None), ("a file twice", ["files"], [RECORD, RECORD]),
                              ("not sorted", ["files"], [{**RECORD, "path": "b"}, RECORD])]:
        put("manifest_download_fuzz", name, change(download, path, value))

    provenance = [("commit no digits", "sdk_commit", "zzzzzzz"), ("commit as number", "sdk_commit", 1), ("repository too long", "hf_repo_id", "r" * 201),
                  ("bad revision", "hf_artifact_revision", "ab"), ("revision as number", "hf_artifact_revision", 1), ("verified as text", "hf_provenance_verified", "yes"),
                  ("verified without manifest", "hf_provenance_verified", True), ("manifest's digest too short", "hf_download_manifest_sha256", "ab"),
                  ("manifest's digest as number", "hf_download_manifest_sha256", 1), ("whole commit", "sdk_commit", "a" * 40),
                  ("revision there", "hf_artifact_revision", "b" * 40), ("manifest's digest there", "hf_download_manifest_sha256", "c" * 64)]
    runtime = read("manifest_runtime_fuzz", "sound").decode()
    cases = [(name, [key], value) for name, key, value in provenance]
    cases += [("schema 2", ["schema_version"], 2), ("no schema", ["schema_version"], None), ("bad date", ["generated_at"], "x"), ("no maker", ["generated_by"], None),
              ("no model", ["model"], None), ("unknown profile", ["bundle_profile"], "huge"), ("profile as number", ["bundle_profile"], 1), ("unknown precision", ["tensor_precision"], "int4"),
              ("languages as text", ["supported_languages"], "en"), ("three languages", ["supported_languages"], ["en-us"] * 3), ("unknown language", ["supported_languages"], ["xx"]),
              ("languages", ["supported_languages"], ["en-us", "en-gb"]), ("no source", ["weights_source"], None), ("source without name", ["weights_source", "file_name"], None),
              ("source without format", ["weights_source", "format"], None), ("source too large", ["weights_source", "bytes"], 1 << 60), ("source without digest", ["weights_source", "sha256"], "x"),
              ("no weights", ["weights"], None), ("weights elsewhere", ["weights", "path"], "w.bin"), ("weights climb", ["weights", "path"], "../w"), ("no number of tensors", ["weights", "num_tensors"], None),
              ("too many tensors", ["weights", "num_tensors"], 4097), ("no assets", ["runtime_assets"], None), ("vocabulary as text", ["runtime_assets", "vocab"], "x"),
              ("vocabulary elsewhere", ["runtime_assets", "vocab", "path"], "v.json"), ("voices as text", ["voices"], "x"), ("a voice elsewhere", ["voices"], [{**RECORD, "path": "a.bin"}]),
              ("a voice without name", ["voices"], [{**RECORD, "path": "voices/.bin"}]), ("a voice with a slash", ["voices"], [{**RECORD, "path": "voices/a/b.bin"}]),
              ("a voice twice", ["voices"], [{**RECORD, "path": "voices/a.bin"}] * 2), ("assets as text", ["g2p_assets"], "x"), ("an asset elsewhere", ["g2p_assets"], [RECORD]),
              ("no configuration", ["model_config"], None), ("weights too large", ["weights", "bytes"], 1 << 40), ("control character", ["model"], "a\u0007"), ("delete", ["model"], "a\u007f")]
    for name, path, value in cases:
        put("manifest_runtime_fuzz", name, change(runtime, path, value))

    release = read("manifest_release_fuzz", "sound").decode()
    profile = ["profiles", 0]
    cases = [("of a profile " + name, profile + [key], value) for name, key, value in provenance]
    cases += [("schema 2", ["schema_version"], 2), ("bad date", ["generated_at"], "x"), ("no maker", ["generated_by"], None), ("repository too long", ["repo_id"], "r" * 201),
              ("repository", ["repo_id"], "a/b"), ("commit no digits", ["sdk_commit"], "zzzzzzz"), ("commit as number", ["sdk_commit"], 1), ("no revision", ["revision"], None), ("revision with slash", ["revision"], "a/b"),
              ("no serial", ["serial"], None), ("card as text", ["model_card"], "x"), ("no card", ["model_card"], None), ("manifest as text", ["top_level_hosted_manifest"], "x"),
              ("runtime manifest as text", ["top_level_runtime_manifest"], "x"), ("files as text", ["top_level_hosted_files"], "x"), ("a file twice", ["top_level_hosted_files"], [RECORD] * 2),
              ("no profiles", ["profiles"], None), ("a profile as text", profile, "x"), ("unknown profile", profile + ["profile"], "huge"),
              ("no manifest's place", profile + ["hosted_manifest"], None), ("no version", profile + ["hosted_version"], None), ("serial as text", profile + ["hosted_serial"], "x"),
              ("unknown precision", profile + ["tensor_precision"], "x"), ("no count of voices", profile + ["voice_count"], None), ("no count of files", profile + ["file_count"], None),
              ("total over the limit", profile + ["total_bytes"], 1 << 50), ("no runtime manifest", profile + ["runtime_manifest"], None), ("no record", profile + ["hosted_manifest_record"], None),
              ("two places", profile + ["hosted_manifest"], "sdk/x/HostedManifest.json"), ("runtime manifest elsewhere", profile + ["runtime_manifest", "path"], "x.json"),
              ("manifest too long", profile + ["runtime_manifest", "bytes"], (2 << 20) + 1)]
    for name, path, value in cases:
        put("manifest_release_fuzz", name, change(release, path, value))
    document = json.loads(release)
    elsewhere = change(change(release, profile + ["hosted_manifest"], "sdk/x/HostedManifest.json"), profile + ["hosted_manifest_record", "path"], "sdk/x/HostedManifest.json")
    put("manifest_release_fuzz", "manifest elsewhere", elsewhere)
    put("manifest_release_fuzz", "profiles not sorted", json.dumps({**document, "profiles": document["profiles"][::-1]}))
    put("manifest_release_fuzz", "too many profiles", json.dumps({**document, "profiles": [1] * 17}))
    for target in ("runtime", "hosted", "release", "download"):
        for name, text in common.items():
            put(f"manifest_{target}_fuzz", name, text)


# --- safetensors -----------------------------------------------------------------------------------------------------

def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def split_safetensors(data):
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8:8 + size]), data[8 + size:]


def damaged_safetensors():
    target = "bundle_safetensors_fuzz"

    def tensor(dtype="F32", shape=(1,), offsets=(0, 4)):
        return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}
    files = {"too short": b"1234567", "header too long": struct.pack("<Q", (1 << 20) + 1), "header past the end": struct.pack("<Q", 9) + b"{}",
             "no JSON": safetensors(b"{"), "a list": safetensors([]), "metadata": safetensors({"__metadata__": {"a": "b"}}),
             "no name": safetensors({"": tensor()}, b"abcd"), "name too long": safetensors({"n" * 513: tensor()}, b"abcd"),
             "no dtype": safetensors({"a": {}}), "dtype a number": safetensors({"a": {"dtype": 1}}), "no shape": safetensors({"a": {"dtype": "F32"}}),
             "rank 9": safetensors({"a": tensor(shape=[1] * 9)}, b"abcd"), "rank 8": safetensors({"a": tensor(shape=[1] * 8)}, b"abcd"),
             "negative dimension": safetensors({"a": tensor(shape=[-1])}, b"abcd"), "dimension a text": safetensors({"a": tensor(shape=["1"])}, b"abcd"),
             "offsets turned": safetensors({"a": tensor(offsets=(4, 0))}, b"abcd"), "one offset": safetensors({"a": tensor(offsets=(0,))}, b"abcd"),
             "past the end": safetensors({"a": tensor(shape=[2], offsets=(0, 8))}, b"abcd"), "shape too large": safetensors({"a": tensor(shape=[1 << 62, 1 << 62])}, b"abcd"),
             "shape wraps to size": safetensors({"a": tensor(shape=[(1 << 62) + 1])}, b"abcd"), "size disagrees": safetensors({"a": tensor(shape=[2])}, b"abcd"),
             "wraps to nothing": safetensors({"a": tensor(shape=[1 << 32, 1 << 32], offsets=(0, 0))}, b""),
             "a hole": safetensors({"a": tensor(), "b": tensor(offsets=(5, 9))}, b"abcdefghi"), "overlap": safetensors({"a": tensor(), "b": tensor(offsets=(2, 6))}, b"abcdef"),
             "bytes after": safetensors({"a": tensor()}, b"abcde"), "unknown type": safetensors({"a": tensor("F8", [4])}, b"abcd"),
             "empty tensors": safetensors({"b": tensor(shape=[0], offsets=(0, 0)), "a": tensor()}, b"abcd")}
    for width, names in ((8, ("F64", "I64", "U64")), (4, ("I32", "U32")), (2, ("F16", "BF16", "I16", "U16")), (1, ("I8", "U8", "BOOL"))):
        files[f"types of {width}"] = safetensors({n: tensor(n, [1], (i * width, (i + 1) * width)) for i, n in enumerate(names)}, bytes(width * len(names)))
    for name, data in files.items():
        put(target, name, data)

    # A bundle's weights: one tensor's record or value changed, everything else as it was.
    header, data = split_safetensors(read(target, "bundle"))
    quantised = next(n[:-6] for n in header if n.endswith(".scale"))
    padding = next(n for n in header if n.startswith("padding."))
    plain = next(n for n, e in header.items() if n != "__metadata__" and e["dtype"] == "F32" and not n.endswith(".scale"))

    def bundle(name, edits, data=data):
        changed = {key: dict(value) for key, value in header.items()}
        for key, value in edits.items():
            if value is None:
                del changed[key]
            elif isinstance(value, str):
                changed[value] = changed.pop(key)
            else:
                changed[key].update(value)
        text = json.dumps(changed, separators=(",", ":")).encode()
        text += b" " * (-(8 + len(text)) % 64)
        put(target, "bundle " + name, safetensors(text, data))

    def set_value(tensor_name, raw):
        at = header[tensor_name]["data_offsets"][0]
        return data[:at] + raw + data[at + len(raw):]
    scale, zero = quantised + ".scale", quantised + ".zero_point"
    bundle("tensor missing", {plain: "other"})
    bundle("another shape", {plain: {"shape": header[plain]["shape"] + [1]}})
    bundle("another type", {plain: {"dtype": "I32"}})
    bundle("no scale", {scale: "other"})
    bundle("scale of another type", {scale: {"dtype": "I32"}})
    bundle("scale of another rank", {scale: {"shape": header[scale]["shape"] + [1]}})
    bundle("no zero point", {zero: "other"})
    bundle("zero point of another type", {zero: {"dtype": "F32"}})
    bundle("padding as tensor", {padding: "extra"})
    for value_name, value in (("nan", float("nan")), ("zero", 0.0), ("negative", -1.0), ("infinite", float("inf")), ("huge", 3e38)):
        bundle(f"scale {value_name}", {}, set_value(scale, struct.pack("<f", value)))
    bundle("zero point above", {}, set_value(zero, struct.pack("<i", 256)))
    bundle("zero point below", {}, set_value(zero, struct.pack("<i", -129)))
    bundle("value not finite", {}, set_value(plain, struct.pack("<f", float("inf"))))
    text = json.dumps(header, separators=(",", ":")).encode()
    put(target, "bundle not aligned", safetensors(text + b" " * ((-(8 + len(text)) % 64 + 4) % 64), data))

    # A checkpoint's tensors.
    for form in ("folded", "weight_g", "parametrised"):
        header, data = split_safetensors(read(target, form))

        def checkpoint(name, rename=None, extra=None, types=None, value=None, form=form, header=header, data=data):
            changed = {(rename or {}).get(key, key): dict(entry) for key, entry in header.items()}
            changed = {key: entry for key, entry in changed.items() if key != "gone"}
            more = data
            for key, (dtype, shape, raw) in (extra or {}).items():
                changed[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(more), len(more) + len(raw)]}
                more += raw
            for key, entry in (value or {}).items():
                at = changed[key]["data_offsets"][0]
                more = more[:at] + entry + more[at + len(entry):]
            for key, (dtype, shape) in (types or {}).items():
                changed[key].update(dtype=dtype, shape=shape)
            put(target, f"{form} {name}", safetensors(changed, more))
        first = next(iter(header))
        checkpoint("module", rename={key: "module." + key for key in header})
        checkpoint("inner module", rename={key: key.replace(".", ".module.", 1) for key in header})
        checkpoint("a name twice", extra={"module." + first: ("F32", header[first]["shape"], bytes(data[:header[first]["data_offsets"][1]]))})
        checkpoint("norm that is none", extra={"a.norm.weight": ("F32", [2], struct.pack("<2f", 1, 1)), "a.norm.bias": ("F32", [2], bytes(8))})
        checkpoint("norm with scale", extra={"a.norm.weight": ("F32", [1], struct.pack("<f", 2))})
        checkpoint("norm with shift", extra={"a.norm.bias": ("F16", [1], b"\x00\x3c")})
        checkpoint("norm of integers", extra={"a.norm.bias": ("I16", [1], b"\x00\x3c")})
        checkpoint("half missing", rename={first: "other"})
        if form == "folded":
            whole = header[first]["shape"]
            count = 1
            for d in whole:
                count *= d
            for dtype, width in (("F16", 2), ("BF16", 2), ("I8", 1), ("U8", 1), ("F64", 8)):
                raw = bytes(count * width)
                checkpoint("of " + dtype, rename={first: "old"}, extra={first: (dtype, whole, raw)})
            scales = {first + ".scale": ("F32", [1], struct.pack("<f", 0.5)), first + ".zero_point": ("I32", [1], struct.pack("<i", 3))}
            checkpoint("integers", rename={first: "old"}, extra={first: ("U8", whole, bytes(count)), **scales})
            checkpoint("integers with two zero points", rename={first: "old"},
                       extra={first: ("U8", whole, bytes(count)), **scales, first + ".zero_point": ("I32", [2], bytes(8))})
            checkpoint("another shape", types={first: ("F32", [*whole, 1])})
            checkpoint("folded and norm", extra={"conv.weight_g": ("F32", [1], bytes(4))})
            checkpoint("not finite", value={first: struct.pack("<f", float("nan"))})
        else:
            g = next(key for key in header if key.endswith(("_g", "original0")))
            v = next(key for key in header if key.endswith(("_v", "original1")))
            checkpoint("half a norm", rename={g: "other"})
            checkpoint("other half", rename={v: "other"})
            checkpoint("magnitude of another shape", types={g: ("F32", header[g]["shape"] + [1])})
            checkpoint("direction of another shape", types={v: ("F32", header[v]["shape"] + [1])})
            checkpoint("row of zeros", value={v: bytes(header[v]["data_offsets"][1] - header[v]["data_offsets"][0])})
            checkpoint("magnitude infinite", value={g: struct.pack("<f", float("inf"))})


def main():
    damaged_json()
    damaged_manifests()
    damaged_safetensors()
    write_archives(read, put)
    write_speech_files(read, put)


if __name__ == "__main__":
    main()
