#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests the parts of tools/train_letter_to_sound that need no PyTorch: stems, alignment, the split by lemma, the names.

Exit status 77: no numpy.
"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
except ImportError:
    sys.exit(77)

RECIPE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "tools", "train_letter_to_sound")
sys.path.insert(0, RECIPE)
import export  # noqa: E402
import prepare  # noqa: E402

# Letters and sounds that correspond one to one but for sh and x.
SOUNDS = {"sh": "ʃ", "e": "ˈi", "x": "ks", "b": "b", "d": "d", "n": "n", "t": "t", "l": "l", "s": "s"}


def made_up_dictionary(count):
    rng = np.random.default_rng(5)
    onsets, codas = ["sh", "b", "d", "n", "t", "l", "s"], ["x", "n", "t", "l", "sh"]
    words = {}
    while len(words) < count:
        parts = [onsets[rng.integers(7)], "e", codas[rng.integers(5)], onsets[rng.integers(7)]]
        words["".join(parts)] = "".join(SOUNDS[p] for p in parts)
    return words


class Recipe(unittest.TestCase):
    def test_stem_joins_inflections_only(self):
        for words in (("walk", "walks", "walked", "walking", "Walker", "walker's"), ("happy", "happily", "happiness"),
                      ("stop", "stopped", "stopping"), ("care", "caring", "cares")):
            self.assertEqual(len({prepare.stem(w) for w in words}), 1, words)
        self.assertEqual(len({prepare.stem(w) for w in ("walk", "talk", "wall", "wander")}), 4)

    def test_symbols_keep_length_and_stress(self):
        self.assertEqual(prepare.split_symbols("bˈɑːt"), [("b", ""), ("ɑː", "ˈ"), ("t", "")])
        self.assertIsNone(prepare.split_symbols("ˈbɑ"))
        self.assertIsNone(prepare.split_symbols("bɑˈ"))

    def test_aligns_and_holds_out_by_lemma(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in prepare.STREAMS:
                words = made_up_dictionary(160)
                words.update({w + "s": p + "s" for w, p in words.items()})
                with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as f:
                    json.dump(words, f)
            out = os.path.join(folder, "data.npz")
            command = [sys.executable, os.path.join(RECIPE, "prepare.py"), "--dictionaries", folder, "--out", out,
                       "--held-out", "40"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            data = np.load(out)
            labels = list(data["labels"])
            rows = {str(w): i for i, w in enumerate(data["spellings"])}
            aligned = 0
            for word, row in rows.items():
                chunks = [str(labels[i]) for i in data["targets"][0, row, : len(word)]]
                at = word.find("sh")
                if at >= 0:
                    self.assertEqual(sorted(chunks[at : at + 2]), ["", "ʃ"], (word, chunks))
                if "x" in word:
                    self.assertEqual(chunks[word.index("x")], "ks", (word, chunks))
                aligned += 1
            held_out = {str(w) for _, w, _ in data["test"]}
            self.assertEqual(len(held_out), 40)
            self.assertEqual(aligned, 320 - 40)
            self.assertFalse({prepare.stem(w) for w in held_out} & {prepare.stem(w) for w in rows})

    def test_names_in_both_accents(self):
        lines = export.read_names(os.path.join(RECIPE, "names.txt")).split("\n")[:-1]
        names = {line.split("\t")[0]: line.split("\t")[1:] for line in lines}
        self.assertEqual(list(names), sorted(names))
        self.assertEqual(names["mozart"], ["mˈOtsɑɹt", "mˈQtsɑːt"])
        self.assertEqual(names["rivera"], ["ɹɪvˈɛɹə", "ɹɪvˈɛːɹə"])
        self.assertEqual(names["résumé"], ["ɹˈɛzəmˌA", "ɹˈɛzjuːmA"])  # two notations
        self.assertEqual(names["anita"], ["ənˈiɾə", "ənˈiːtə"])


if __name__ == "__main__":
    unittest.main()
