#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the C++ form of spaCy's tagging network with numpy, on models of random weights in spaCy's file form.

  python tests/spacy_tagger_test.py --check build/release/koe_spacy_check [--seed N]

Each model goes the way of a real one: a folder as `nlp.to_disk` writes it, tools/convert_spacy_tagger.py, the C++ program.
numpy computes the network in float64 and float32 from the same parameters. The C++ scores may lie further from float64 than
numpy's own float32 does by FACTOR: both round every product and sum, only in another order. Exit status 77: no numpy.
"""
import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
except ImportError:
    print("skipped: no numpy")
    sys.exit(77)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import spacy_data  # noqa: E402

FACTOR = 4
TAGS = ["$", "''", ",", "-LRB-", ".", "CC", "CD", "DT", "IN", "JJ", "NN", "NNP", "PRP", "PRP$", "VB", "VBD", "_SP", "``"]
LEXEME_NORMS = {"colour": "color", "“": "<<", "mark": "case"}  # "case" and "mark" are reserved names
SPECIAL_CASES = {"don't": [("do", None), ("n't", "not")], "let's": [("let", None), ("'s", "us")], "ma'am": [("ma'am", "madam")]}
TOKEN_NORMS = {"n't": "not", "ma'am": "madam"}  # in the texts below; 's is "us" after "let"
TEXTS = [
    "The colour of the mark is red; don't ask, ma'am!",
    "I paid $5.00, €7 and £9 for 3 X-rays in Paris  —  let's go.",
    "“Ünïcödé” 𝔘𝔫𝔦 ²³ ٣ 日本語 🙂 e\u0301\u0302 \u2003 İSTANBUL ΣΑΣ",
    "a",
    " x",
    "x" * 99 + " " + "y" * 100 + " 1234567 AAAAAaaaaa --- !!!!!",
    " ".join(f"word{i} Word{i}'s" for i in range(150)),  # several blocks of rows
]


def pack(value):
    """MessagePack as srsly writes it."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return struct.pack("B", value) if 0 <= value < 128 else b"\xcf" + struct.pack(">Q", value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        raw = value.encode()
        return (struct.pack("B", 0xA0 | len(raw)) if len(raw) < 32 else b"\xdb" + struct.pack(">I", len(raw))) + raw
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, np.ndarray):
        return pack({b"nd": True, b"type": value.dtype.str, b"kind": b"", b"shape": list(value.shape), b"data": value.tobytes()})
    if isinstance(value, dict):
        return b"\xdf" + struct.pack(">I", len(value)) + b"".join(pack(k) + pack(v) for k, v in value.items())
    return b"\xdd" + struct.pack(">I", len(value)) + b"".join(pack(v) for v in value)


def thinc_model(layers):
    """layers: (name, attributes, parameters)"""
    return pack({
        "nodes": [{"index": i, "name": name, "dims": {}, "refs": {}} for i, (name, _, _) in enumerate(layers)],
        "attrs": [{k: pack(v) for k, v in attrs.items()} for _, attrs, _ in layers],
        "params": [params for _, _, params in layers],
        "shims": [[] for _ in layers],
    })


class Network:
    def __init__(self, rng, width, depth, window, pieces, columns, rows):
        def random(scale, *shape):
            return (rng.standard_normal(shape) * scale).astype("<f4")

        def maxout(inputs):
            return {"W": random(2 / np.sqrt(inputs), width, pieces, inputs), "b": random(0.2, width, pieces)}

        def norm():
            return {"G": 1 + random(0.3, width), "b": random(0.2, width)}

        self.width, self.depth, self.window, self.pieces = width, depth, window, pieces
        self.columns, self.rows = columns, rows
        self.tables = [random(1, count, width) for count in rows]
        self.layers = [(maxout(width * len(columns)), norm())]
        self.layers += [(maxout(width * (2 * window + 1)), norm()) for _ in range(depth)]
        self.output = {"W": random(0.5, len(TAGS), width), "b": random(0.2, len(TAGS))}

    def config(self, is_hash_embed_cnn):
        if is_hash_embed_cnn:
            tok2vec = f"""[components.tok2vec.model]
@architectures = "spacy.HashEmbedCNN.v2"
pretrained_vectors = null
width = {self.width}
depth = {self.depth}
"""
        else:
            tok2vec = f"""[components.tok2vec.model]
@architectures = "spacy.Tok2Vec.v2"

[components.tok2vec.model.embed]
@architectures = "spacy.MultiHashEmbed.v2"
width = ${{components.tok2vec.model.encode.width}}
include_static_vectors = false

[components.tok2vec.model.encode]
@architectures = "spacy.MaxoutWindowEncoder.v2"
width = {self.width}
depth = {self.depth}
"""
        return f"""[nlp]
lang = "en"
pipeline = ["tok2vec","tagger"]

[nlp.tokenizer]
@tokenizers = "spacy.Tokenizer.v1"

{tok2vec}
[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[components.tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
upstream = "tok2vec"
"""

    def write(self, folder, is_hash_embed_cnn):
        def put(name, data):
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as f:
                f.write(data)

        hashes = [("hashembed", {"column": i, "seed": 8 + i}, {"E": table}) for i, table in enumerate(self.tables)]
        chain = [("maxout", {}, self.layers[0][0]), ("layernorm", {}, self.layers[0][1])]
        for parameters, norm in self.layers[1:]:
            chain += [("expand_window", {"window_size": self.window}, {}), ("maxout", {}, parameters), ("layernorm", {}, norm)]
        put("config.cfg", self.config(is_hash_embed_cnn).encode())
        put("tok2vec/model", thinc_model([("extract_features", {"columns": self.columns}, {})] + hashes + chain))
        put("tagger/model", thinc_model([("tok2vec-listener", {}, {}), ("softmax", {"softmax_normalize": False}, self.output)]))
        put("tagger/cfg", json.dumps({"labels": TAGS}).encode())
        put("vocab/lookups.bin", pack({"lexeme_norm": {spacy_data.identifier(k): v for k, v in LEXEME_NORMS.items()}}))
        put("tokenizer", pack({
            "prefix_search": "^\\(", "suffix_search": "'s$", "infix_finditer": "(?<=[a-z])-(?=[a-z])",
            "exceptions": {text: [{spacy_data.ORTH: part, **({spacy_data.NORM: norm} if norm else {})} for part, norm in case]
                           for text, case in SPECIAL_CASES.items()},
        }))

    def identifiers(self, tokens):
        """One row of identifiers a token, from spaCy's definitions of the attributes."""
        rows = []
        for i, (text, _, space_after) in enumerate(tokens):
            norm = TOKEN_NORMS.get(text) or ("us" if text == "'s" and i and tokens[i - 1][0] == "let" else None)
            norm = norm or LEXEME_NORMS.get(text) or spacy_data.BASE_NORMS.get(text) or text.lower()
            shape, last, run = "", "", 0
            for c in text:
                c = ("X" if c.isupper() else "x") if c.isalpha() else "d" if c.isdigit() else c
                run = run + 1 if c == last else 0
                last = c
                shape += c if run < 4 else ""
            values = {"NORM": norm, "PREFIX": text[0], "SUFFIX": text[-3:], "SHAPE": "LONG" if len(text) >= 100 else shape,
                      "SPACY": int(space_after), "IS_SPACE": int(text.isspace())}
            rows.append([v if isinstance(v, int) else spacy_data.identifier(v) for v in (values[c] for c in self.columns)])
        return np.array(rows, "u8")

    def logits(self, identifiers, dtype):
        def rows_of(ids, seed):
            def rotate(x, r):
                return (x << np.uint64(r)) | (x >> np.uint64(64 - r))

            def mix(x):
                for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
                    x = (x ^ (x >> np.uint64(33))) * np.uint64(factor)
                return x ^ (x >> np.uint64(33))

            h1 = rotate(ids * np.uint64(0x87C37B91114253D5), 31) * np.uint64(0x4CF5AD432745937F) ^ np.uint64(seed ^ 8)
            h2 = np.uint64(seed ^ 8)
            h1 = h1 + h2
            h2 = h2 + h1
            h1, h2 = mix(h1), mix(h2)
            h1 = h1 + h2
            h2 = h2 + h1
            low = np.uint64(0xFFFFFFFF)
            return np.stack([h1 & low, h1 >> np.uint64(32), h2 & low, h2 >> np.uint64(32)], 1)

        def layer(x, parameters, norm):
            weight, bias = parameters["W"].astype(dtype), parameters["b"].astype(dtype)
            best = (np.einsum("ti,opi->top", x, weight, optimize=True) + bias).max(2)
            centred = best - best.mean(1, keepdims=True)
            scale = np.sqrt((centred * centred).mean(1, keepdims=True) + dtype(1e-8))
            return centred / scale * norm["G"].astype(dtype) + norm["b"].astype(dtype)

        parts = [table.astype(dtype)[rows_of(identifiers[:, i], 8 + i) % np.uint64(len(table))].sum(1)
                 for i, table in enumerate(self.tables)]
        x = layer(np.concatenate(parts, 1), *self.layers[0])
        padding, w = self.window * self.depth, self.window
        x = np.pad(x, ((padding, padding), (0, 0)))
        for parameters, norm in self.layers[1:]:
            wide = np.pad(x, ((w, w), (0, 0)))
            x = x + layer(np.concatenate([wide[i : i + len(x)] for i in range(2 * w + 1)], 1), parameters, norm)
        return x[padding : len(x) - padding] @ self.output["W"].astype(dtype).T + self.output["b"].astype(dtype)


def convert(folder, output):
    return subprocess.run([sys.executable, os.path.join(ROOT, "tools", "convert_spacy_tagger.py"), folder, "-o", output],
                          capture_output=True, text=True, check=False)


def run_check(check, weights, target=""):
    lines = "".join(json.dumps(text) + "\n" for text in TEXTS)
    return subprocess.run([check, weights, target], input=lines, capture_output=True, text=True, check=False)


def expect(condition, what):
    if not condition:
        sys.exit(f"FAILED: {what}")


def compare(check, weights, network, target):
    run = run_check(check, weights, target)
    expect(run.returncode == 0, run.stderr)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    expect(len(rows) == len(TEXTS), "one line for each text")
    own_error = numpy_error = 0.0
    num_tokens = 0
    for text, row in zip(TEXTS, rows):
        expect("".join(t + " " * s for t, _, s in row["tokens"]).strip() == text.strip(), f"tokens of {text!r}")
        identifiers = network.identifiers(row["tokens"])
        with np.errstate(over="ignore"):
            exact, single = network.logits(identifiers, np.float64), network.logits(identifiers, np.float32)
        own = np.array(row["logits"])
        own_error, numpy_error = max(own_error, abs(own - exact).max()), max(numpy_error, abs(single - exact).max())
        best = own.argmax(1)
        expect([TAGS[i] for i in best] == [tag for _, tag, _ in row["tokens"]], "a tag is not the highest score's")
        num_tokens += len(best)
    expect(own_error <= FACTOR * numpy_error, f"scores differ by {own_error:.3g}, numpy's float32 by {numpy_error:.3g}")
    print(f"{target or 'best'}: {num_tokens} tokens, error {own_error:.2g} (numpy's float32 {numpy_error:.2g})")


def rejects(folder, temporary, name, change, reason):
    """The converter gives one line with the reason after `change` of the file's bytes."""
    path = os.path.join(folder, name)
    with open(path, "rb") as f:
        before = f.read()
    with open(path, "wb") as f:
        f.write(change(before))
    run = convert(folder, os.path.join(temporary, "none.bin"))
    with open(path, "wb") as f:
        f.write(before)
    expect(run.returncode == 1 and reason in run.stderr and run.stderr.count("\n") == 1, f"{name}: {reason}: {run.stderr}")


def test_errors(check, folder, temporary, weights):
    rejects(folder, temporary, "config.cfg", lambda c: c.replace(b"= false", b"= true"), "include_static_vectors")
    rejects(folder, temporary, "config.cfg", lambda c: c.replace(b"spacy.Tok2Vec.v2", b"spacy-transformers.TransformerModel.v3"),
            "TransformerModel")
    rejects(folder, temporary, "config.cfg", lambda c: c.replace(b'"en"', b'"de"'), "lang: 'de'")
    rejects(folder, temporary, "config.cfg", lambda c: c.replace(b',"tagger"', b""), "no tagger")
    rejects(folder, temporary, "tok2vec/model", lambda c: c[:-1], "ends early")
    rejects(folder, temporary, "tok2vec/model", lambda c: c.replace(b"PREFIX", b"PREFIY"), "PREFIY")
    rejects(folder, temporary, "tagger/cfg", lambda c: c.replace(b'"$", ', b""), "output: shape")
    with open(weights, "rb") as f:
        data = f.read()
    broken = os.path.join(temporary, "broken.bin")
    at = data.rindex(b"PRP$\nVB")
    for change, reason in ((data[:-64], "truncated"), (data[:5000] + bytes([data[5000] ^ 1]) + data[5001:], "checksum"), (b"", "header")):
        with open(broken, "wb") as f:
            f.write(change)
        run = run_check(check, broken)
        expect(run.returncode == 4 and reason in run.stderr, f"{reason}: {run.stderr}")
    import tagger_file

    body = data[tagger_file.HEADER_BYTES :].replace(b"PRP$\nVB", b"QRP$\nVB")
    expect(at > 0 and len(body) + tagger_file.HEADER_BYTES == len(data), "the tags are in the file")
    header = data[:32] + struct.pack("<Q", tagger_file.checksum(body)) + data[40:64]
    with open(broken, "wb") as f:
        f.write(header + body)
    run = run_check(check, broken)
    expect(run.returncode == 4 and "tag 'QRP$' is not known" in run.stderr, run.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    print(f"seed {args.seed}")
    rng = np.random.default_rng(args.seed)
    every = ["NORM", "PREFIX", "SUFFIX", "SHAPE", "SPACY", "IS_SPACE"]
    with tempfile.TemporaryDirectory() as temporary:
        folder, weights = os.path.join(temporary, "sm"), os.path.join(temporary, "sm.bin")
        # en_core_web_sm 3.8's sizes but for the tables' rows, which would only make the test slow.
        network = Network(rng, 96, 4, 1, 3, every, [500, 100, 250, 250, 50, 50])
        network.write(folder, False)
        run = convert(folder, weights)
        expect(run.returncode == 0, run.stderr)
        for target in ("", "scalar"):
            compare(args.check, weights, network, target)
        test_errors(args.check, folder, temporary, weights)

        folder, weights = os.path.join(temporary, "cnn"), os.path.join(temporary, "cnn.bin")
        network = Network(rng, 40, 2, 2, 2, every[:4], [97, 50, 51, 52])  # nothing a multiple of a vector
        network.write(folder, True)
        run = convert(folder, weights)
        expect(run.returncode == 0, run.stderr)
        compare(args.check, weights, network, "")
    print("ok")


if __name__ == "__main__":
    main()
