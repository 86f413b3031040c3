#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Converts the tagger of a spaCy English model, such as en_core_web_sm, to the weight file that Koe reads.

  python tools/convert_spacy_tagger.py [MODEL] -o tagger.bin

MODEL is the folder of a model (the one with config.cfg) or the name of an installed package; default en_core_web_sm, whose
licence is MIT (pip and `python -m spacy download` both get it). Needs numpy; spaCy itself need not be installed.
Read are the components tok2vec and tagger, as spaCy 3.8 trains them for its small models: MultiHashEmbed of NORM, PREFIX,
SUFFIX, SHAPE, SPACY, IS_SPACE or some of them, MaxoutWindowEncoder, one linear layer. Any other architecture is an error
(the medium and large models have static vectors, the `trf` ones a transformer). Exit status: 0, or 1 with one line of reason.
"""
import argparse
import configparser
import glob
import importlib.util
import json
import os
import re
import sys

import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import spacy_data  # noqa: E402
import tagger_file  # noqa: E402

ATTRIBUTES = ["NORM", "PREFIX", "SUFFIX", "SHAPE", "SPACY", "IS_SPACE"]  # in the order of SpacyAttribute
ONLY_ALONE = 1 << 63  # see SpacyStrings::Contraction


class Unsupported(Exception):
    pass


def model_folder(name):
    if os.path.isfile(os.path.join(name, "config.cfg")):
        return name
    if os.path.isdir(name):
        raise Unsupported(f"{name}: no config.cfg: not the folder of a spaCy model")
    spec = importlib.util.find_spec(name) if name.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise Unsupported(f"{name}: neither a folder nor an installed package")
    for place in spec.submodule_search_locations:
        for config in sorted(glob.glob(os.path.join(place, "*", "config.cfg")) + glob.glob(os.path.join(place, "config.cfg"))):
            return os.path.dirname(config)
    raise Unsupported(f"{name}: the package has no model in it")


class Config:
    """config.cfg: sections of JSON values, where a value may name another one as ${section.key}."""

    def __init__(self, path):
        self.parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), strict=False)
        self.parser.optionxform = str
        self.parser.read(path, encoding="utf-8")

    def get(self, section, key, default=None):
        text = self.parser.get(section, key, fallback=None)
        for _ in range(8):
            if text is None or not (text.startswith("${") and text.endswith("}")):
                break
            text = self.parser.get(*text[2:-1].rsplit(".", 1), fallback=None)
        if text is None:
            return default
        try:
            return json.loads(text)
        except ValueError:
            return text

    def expect(self, section, key, allowed):
        value = self.get(section, key)
        if value not in allowed:
            raise Unsupported(f"config.cfg: [{section}] {key}: {value!r} is not read here (only {', '.join(map(str, allowed))})")
        return value


def read(path):
    with open(path, "rb") as f:
        return f.read()


def decode(path):
    try:
        return spacy_data.unpack(read(path))
    except (ValueError, UnicodeDecodeError) as error:
        raise Unsupported(f"{path}: {error}") from error


def array_of(value, path):
    """The array that thinc packs as {nd, type, kind, shape, data}, in float32."""
    if not isinstance(value, dict) or not {b"nd", b"type", b"shape", b"data"} <= {
        k if isinstance(k, bytes) else str(k).encode() for k in value
    }:
        raise Unsupported(f"{path}: a parameter is no array")
    fields = {k if isinstance(k, bytes) else str(k).encode(): v for k, v in value.items()}
    if fields[b"type"] not in ("<f4", b"<f4", "<f2", b"<f2"):
        raise Unsupported(f"{path}: parameters of type {fields[b'type']}")
    data = np.frombuffer(fields[b"data"], fields[b"type"] if isinstance(fields[b"type"], str) else fields[b"type"].decode())
    if data.size != int(np.prod(fields[b"shape"])):
        raise Unsupported(f"{path}: a parameter's size is not its shape's")
    return np.ascontiguousarray(data.reshape(fields[b"shape"]), dtype="<f4")


class Nodes:
    """The layers of a serialised thinc model, in its order (breadth first; equal layers come in the order of the data)."""

    def __init__(self, path):
        model = decode(path)
        self.path = path
        self.layers = [
            (node["name"], {k: spacy_data.unpack(v) for k, v in attrs.items()},
             {k: array_of(v, path) for k, v in params.items() if v is not None})
            for node, attrs, params in zip(model["nodes"], model["attrs"], model["params"])
        ]

    def named(self, name, count=None):
        found = [(attrs, params) for layer, attrs, params in self.layers if layer == name]
        if count is not None and len(found) != count:
            raise Unsupported(f"{self.path}: {len(found)} layers '{name}', expected {count}")
        return found


def expect_shape(array, shape, what):
    if array.shape != tuple(shape):
        raise Unsupported(f"{what}: shape {array.shape}, expected {tuple(shape)}")
    return array


def network_sections(folder, config):
    tagger = "components.tagger.model"
    config.expect(tagger, "@architectures", ["spacy.Tagger.v1", "spacy.Tagger.v2"])
    source = tagger + ".tok2vec"
    path = os.path.join(folder, "tagger", "model")
    if config.get(source, "@architectures") == "spacy.Tok2VecListener.v1":
        upstream = config.expect(source, "upstream", ["tok2vec", "*"])
        source, path = "components.tok2vec.model", os.path.join(folder, "tok2vec", "model")
        if "tok2vec" not in config.get("nlp", "pipeline", []):
            raise Unsupported(f"config.cfg: the tagger listens to {upstream!r}, but the pipeline has no tok2vec")
    if config.expect(source, "@architectures", ["spacy.Tok2Vec.v2", "spacy.HashEmbedCNN.v2"]) == "spacy.Tok2Vec.v2":
        config.expect(source + ".embed", "@architectures", ["spacy.MultiHashEmbed.v2"])
        config.expect(source + ".embed", "include_static_vectors", [False])
        config.expect(source + ".encode", "@architectures", ["spacy.MaxoutWindowEncoder.v2"])
        depth = config.get(source + ".encode", "depth")
    else:
        config.expect(source, "pretrained_vectors", [None, False])
        depth = config.get(source, "depth")

    nodes = Nodes(path)
    (columns_attrs, _), = nodes.named("extract_features", 1)
    columns = columns_attrs["columns"]
    if not all(c in ATTRIBUTES for c in columns) or len(set(columns)) != len(columns):
        raise Unsupported(f"{path}: attributes {columns}: only {', '.join(ATTRIBUTES)} are read here")
    tables = nodes.named("hashembed", len(columns))
    width = tables[0][1]["E"].shape[1]
    attributes = []
    for i, (column, (attrs, params)) in enumerate(zip(columns, tables)):
        if attrs.get("column") != i:
            raise Unsupported(f"{path}: embedding {i} reads column {attrs.get('column')}")
        expect_shape(params["E"], (params["E"].shape[0], width), f"{path}: embedding of {column}")
        attributes += [ATTRIBUTES.index(column), params["E"].shape[0], attrs["seed"]]
    windows = {attrs["window_size"] for attrs, _ in nodes.named("expand_window", depth)}
    maxouts, norms = nodes.named("maxout", depth + 1), nodes.named("layernorm", depth + 1)
    if len(windows) != 1:
        raise Unsupported(f"{path}: windows {windows}")
    window = windows.pop()
    pieces = maxouts[0][1]["W"].shape[1]
    layers = []
    for i, ((_, maxout), (_, norm)) in enumerate(zip(maxouts, norms)):
        inputs = width * (len(columns) if i == 0 else 2 * window + 1)
        what = f"{path}: layer {i}"
        layers.append(b"".join([
            expect_shape(maxout["W"], (width, pieces, inputs), what).tobytes(),
            expect_shape(maxout["b"], (width, pieces), what).tobytes(),
            expect_shape(norm["G"], (width,), what).tobytes(),
            expect_shape(norm["b"], (width,), what).tobytes(),
        ]))
    labels = json.loads(read(os.path.join(folder, "tagger", "cfg")))["labels"]
    if not labels or not all(label and label.isascii() and "\n" not in label for label in labels):
        raise Unsupported(f"{folder}: labels {labels}")
    (_, output), = Nodes(os.path.join(folder, "tagger", "model")).named("softmax", 1)
    return {
        "shape": np.array([width, pieces, window, depth, len(columns)], "<u4").tobytes(),
        "attributes": np.array(attributes, "<u4").tobytes(),
        "embed": b"".join(params["E"].tobytes() for _, params in tables),
        "mix": layers[0],
        "encode": b"".join(layers[1:]),
        "output": expect_shape(output["W"], (len(labels), width), "output").tobytes()
                  + expect_shape(output["b"], (len(labels),), "output").tobytes(),
        "tags": "\n".join(labels).encode("ascii"),
    }


def pairs(table):
    return np.array(sorted(table.items()), "<u8").tobytes()


def string_sections(folder):
    norms = {spacy_data.identifier(k): spacy_data.identifier(v) for k, v in spacy_data.BASE_NORMS.items()}
    lookups = os.path.join(folder, "vocab", "lookups.bin")
    if os.path.isfile(lookups):  # the model's own list goes before the marks above; its keys are identifiers already
        norms.update({k: spacy_data.identifier(v) for k, v in decode(lookups).get("lexeme_norm", {}).items()})
    records = []
    tokenizer = decode(os.path.join(folder, "tokenizer"))
    infix = re.compile(tokenizer["infix_finditer"])
    for text, case in tokenizer["exceptions"].items():
        if any(spacy_data.NORM in part for part in case):
            # spaCy searches what its rules have cut for special cases ("x-w/o", "x-Dec."); what the rules for infixes
            # leave in one piece ("yes-ma'am", "yes-'re") it does not look up again.
            is_searched = len(case) > 1 or infix.search(text) or text.endswith(".")
            records.append(len(case) | (0 if is_searched else ONLY_ALONE))
            records += [spacy_data.identifier(part[spacy_data.ORTH]) for part in case]
            records += [spacy_data.identifier(part.get(spacy_data.NORM, "")) for part in case]
    return {
        "strings": pairs({spacy_data.hash_string(name): value for name, value in spacy_data.RESERVED.items()}),
        "norms": pairs(norms),
        "token_norms": np.array(records, "<u8").tobytes(),
    }


def convert(folder):
    config = Config(os.path.join(folder, "config.cfg"))
    config.expect("nlp", "lang", ["en"])
    config.expect("nlp.tokenizer", "@tokenizers", ["spacy.Tokenizer.v1"])
    if "tagger" not in config.get("nlp", "pipeline", []):
        raise Unsupported("config.cfg: the pipeline has no tagger")
    return tagger_file.pack(tagger_file.NETWORK, {**network_sections(folder, config), **string_sections(folder)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="en_core_web_sm")
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    try:
        data = convert(model_folder(args.model))
    except (Unsupported, OSError, KeyError, ValueError, TypeError, IndexError) as error:
        what = str(error) if isinstance(error, (Unsupported, OSError)) else f"{args.model}: not as spaCy writes it: {error!r}"
        print(f"convert_spacy_tagger: error: {what}", file=sys.stderr)
        sys.exit(1)
    with open(args.output, "wb") as f:
        f.write(data)
    print(f"{args.output}: {len(data)} bytes")


if __name__ == "__main__":
    main()
