#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a trained letter-to-sound network as Koe's file (docs/letter_to_sound.md, "The file").

  python export.py --weights weights.pt --out en.l2s [--calibration 1 0]

names.txt goes in as it is, turned into both accents. Weight matrices become int8 with a scale per row, rounded to nearest; biases stay float32.
"""
import argparse
import os
import re
import struct
import unicodedata

import numpy as np

MASK = (1 << 64) - 1
PRIME = 0x9E3779B97F4A7C15


def checksum(data):
    """tagger_file::Checksum of src/g2p/tagger_file.cc."""
    def step(h, value):
        h = ((h ^ value) * PRIME) & MASK
        return ((h << 29) | (h >> 35)) & MASK

    h = (PRIME ^ len(data)) & MASK
    whole = len(data) // 8 * 8
    for (value,) in struct.iter_unpack("<Q", data[:whole]):
        h = step(h, value)
    for byte in data[whole:]:
        h = step(h, byte)
    return h ^ (h >> 32)


def padded(data):
    return data + b"\0" * (-len(data) % 4)


def vector(values):
    return np.asarray(values, "<f4").tobytes()


def matrix(values):
    values = np.asarray(values, np.float32)
    scale = np.maximum(np.abs(values).max(1), 1e-12) / 127
    rows = np.clip(np.rint(values / scale[:, None]), -127, 127).astype(np.int8)
    return vector(scale) + padded(rows.tobytes())


SOUNDS = set("AIOWYbdfhijklmnpstuvwzæaðŋɑɒɔəɛɜɡɪɹʃʊʌʒʤʧˈˌːθ")
VOWELS = set("AIOQWYaiuæɑɒɔəɛɜɪʊʌ")


def american(sounds):
    sounds = sounds.replace("ɪəɹ", "ɪɹ").replace("ː", "").replace("ɒ", "ɑ").replace("a", "æ")
    # A t between a vowel and an unstressed one is a tap.
    return re.sub("(?<=[AIOWYiuæɑəɛɪɹʊʌ])t(?=[AIOWYiuəɪ])", "ɾ", sounds)


def british(sounds):
    kept = ""
    for i, c in enumerate(sounds):
        following = sounds[i + 1 :].lstrip("ˈˌ")[:1]
        if c != "ɹ" or following in VOWELS and following:
            kept += c
    return kept.replace("O", "Q")


def read_names(path):
    """names.txt -> "name TAB American TAB British" lines, in order."""
    names = {}
    with open(path, encoding="utf-8") as f:
        entries = [e.strip() for line in f if not line.startswith("#") for e in line.split(";")]
    for entry in filter(None, entries):
        name, *notations = entry.split()
        assert name not in names and name == unicodedata.normalize("NFC", name).lower() and len(notations) in (1, 2), entry
        for sounds in notations:
            assert sounds.count("ˈ") == 1 and set(sounds) <= SOUNDS, entry
            assert all(sounds[i + 1] in VOWELS for i, c in enumerate(sounds) if c in "ˈˌ"), entry
        names[name] = f"{name}\t{american(notations[0])}\t{british(notations[-1])}\n"
    return "".join(names[name] for name in sorted(names))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", required=True, nargs="+", help="of several files: their mean")
    parser.add_argument("--out", required=True)
    parser.add_argument("--calibration", type=float, nargs=2, default=(1, 0), help="fit_confidence.py prints it")
    args = parser.parse_args()
    import torch  # here, so that the rest can be tested without it

    files = [torch.load(path, weights_only=True) for path in args.weights]
    saved = files[0]
    w = {name: sum(file["state"][name].double() for file in files).div(len(files)).float().numpy() for name in saved["state"]}
    labels = saved["labels"]
    assert saved["alphabet"] == "abcdefghijklmnopqrstuvwxyz'-" and labels[0] == ""
    hidden, width = saved["hidden"], w["encoded.bias"].shape[0]

    names = read_names(os.path.join(os.path.dirname(os.path.abspath(__file__)), "names.txt")).encode()
    texts = "".join(label + "\n" for label in labels).encode()
    body = padded(texts) + padded(names) + matrix(w["letters.weight"])
    for layer in ("lstm1", "lstm2"):
        for direction in ("", "_reverse"):
            body += matrix(w[f"{layer}.weight_ih_l0{direction}"]) + matrix(w[f"{layer}.weight_hh_l0{direction}"])
            body += vector(w[f"{layer}.bias_ih_l0{direction}"] + w[f"{layer}.bias_hh_l0{direction}"])
    body += matrix(w["encoded.weight"]) + vector(w["encoded.bias"])
    for i in range(4):
        body += matrix(w[f"history.{i}"])
    body += matrix(w["state"]) + matrix(w["stream"]) + matrix(w["out.weight"]) + vector(w["out.bias"])
    body += matrix(w["tier.weight"]) + vector(w["tier.bias"]) + vector(args.calibration)
    header = struct.pack("<8sIIIIIIQQI", b"KOEL2S1\0", 1, w["letters.weight"].shape[1], hidden, width, len(labels), len(texts),
                         64 + len(body), checksum(body), len(names)).ljust(64, b"\0")
    with open(args.out, "wb") as f:
        f.write(header + body)
    print(f"{args.out}: {len(header) + len(body)} bytes")


if __name__ == "__main__":
    main()
