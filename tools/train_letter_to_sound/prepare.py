#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns misaki's dictionaries into aligned training data for the letter-to-sound model.

  python prepare.py --dictionaries DIR --out data.npz [--held-out 5000] [--seed 20261123]

DIR holds us_gold.json, us_silver.json, gb_gold.json, gb_silver.json (misaki 0.9.4). Each letter of a word is given 0 to 3
phonemes ("a chunk"), found by expectation maximisation over all words; a chunk with its stress marks is a label. Words
are held out by lemma: all words with one stem, however inflected or capitalised, are on the same side.
"""
import argparse
import collections
import hashlib
import json
import os

import numpy as np

ALPHABET = "abcdefghijklmnopqrstuvwxyz'-"  # ids from 1; 0 is beyond the ends
VOWELS = set("AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻᵊ")
STREAMS = ("us_gold", "us_silver", "gb_gold", "gb_silver")
MAX_LETTERS = 32
MAX_CHUNK = 3
MIN_LABEL_COUNT = 4

SUFFIXES = ("'s", "'", "nesses", "ness", "ments", "ment", "ables", "able", "ible", "ingly", "edly", "ings", "ing", "iest",
            "ier", "iers", "ies", "ied", "ily", "est", "ers", "er", "ors", "or", "es", "ed", "ly", "s", "d", "e", "y", "i")


def stem(word):
    """A key shared by a word's inflections: endings are taken off one after the other, then a doubled consonant."""
    key = word.lower().replace("-", "")
    while True:
        for suffix in SUFFIXES:
            if key.endswith(suffix) and len(key) - len(suffix) >= 3:
                key = key[: -len(suffix)]
                break
        else:
            break
    if len(key) > 3 and key[-1] == key[-2]:
        key = key[:-1]
    return key


def split_symbols(phonemes):
    """'skwˈɛːd' -> [(s, ''), (k, ''), (w, ''), (ɛː, ˈ), (d, '')]; None where a stress mark stands before no vowel."""
    symbols = []
    stress = ""
    for c in phonemes:
        if c in "ˈˌ":
            if stress:
                return None
            stress = c
        elif c == "ː":
            if not symbols or stress:
                return None
            symbols[-1] = (symbols[-1][0] + c, symbols[-1][1])
        else:
            if stress and c not in VOWELS:
                return None
            symbols.append((c, stress))
            stress = ""
    return None if stress else symbols


def read_entries(folder):
    """[(stream, spelling, phonemes)]; no acronyms, single letters or entries without a plain pronunciation."""
    entries = []
    for stream, name in enumerate(STREAMS):
        with open(os.path.join(folder, name + ".json"), encoding="utf-8") as f:
            dictionary = json.load(f)
        seen = {}
        for word, value in dictionary.items():
            if isinstance(value, dict):
                value = value.get("DEFAULT")
            spelling = word.lower()
            if not value or len(word) < 2 or len(word) > MAX_LETTERS or word == word.upper():
                continue
            if any(c not in ALPHABET for c in spelling) or " " in value:
                continue
            # Of "Polish" and "polish" the one in lower case.
            if spelling not in seen or word == spelling:
                seen[spelling] = value
        entries += [(stream, spelling, value) for spelling, value in seen.items()]
    return entries


class Aligner:
    """p(chunk | letter) by expectation maximisation with the best path only, over words grouped by their two lengths."""

    def __init__(self, words, symbol_lists, num_symbols):
        self.radix = num_symbols + 1
        self.groups = collections.defaultdict(list)
        for i, (letters, symbols) in enumerate(zip(words, symbol_lists)):
            self.groups[len(letters), len(symbols)].append(i)
        self.words, self.symbols = words, symbol_lists
        size = (len(ALPHABET) + 1) * self.radix**MAX_CHUNK
        # To begin with: one symbol a letter, then none, then more; all equal.
        self.cost = None
        self.size = size

    def codes(self, symbols):
        """[word][start][length 0..3] -> a number for the chunk."""
        count, m = symbols.shape
        padded = np.zeros((count, m + MAX_CHUNK), np.int64)
        padded[:, :m] = symbols
        codes = np.zeros((count, m + 1, MAX_CHUNK + 1), np.int64)
        for length in range(1, MAX_CHUNK + 1):
            codes[:, :, length] = codes[:, :, length - 1] * self.radix + padded[:, length - 1 : length + m]
        return codes

    def run(self, iteration):
        counts = np.zeros(self.size, np.float64)
        spans, scores = [None] * len(self.words), np.full(len(self.words), np.inf)
        for (n, m), members in self.groups.items():
            if m > MAX_CHUNK * n or m == 0:
                continue
            letters = np.array([self.words[i] for i in members])
            symbols = np.array([self.symbols[i] for i in members])
            codes = self.codes(symbols)
            count = len(members)
            best = np.full((count, m + 1), 1e9)
            best[:, 0] = 0
            back = np.zeros((count, n, m + 1), np.int8)
            for t in range(n):
                base = letters[:, t] * self.radix**MAX_CHUNK
                following = np.full((count, m + 1), 1e9)
                for length in range(MAX_CHUNK + 1):
                    if length > m:
                        continue
                    key = base[:, None] + codes[:, : m + 1 - length, length]
                    if self.cost is None:
                        # The diagonal, and a price for every chunk that is not one symbol long.
                        step = (1.0, 0.0, 2.0, 6.0)[length] + 0.1 * np.abs(
                            (t + 1) / n - (np.arange(m + 1 - length) + length) / m)[None, :]
                    else:
                        step = self.cost[key]
                    candidate = best[:, : m + 1 - length] + step
                    target = following[:, length:]
                    # Ties, and all but ties, go to the longer chunk here and so to silence later.
                    better = candidate < target - 1e-6
                    target[better] = candidate[better]
                    back[:, t, length:][better] = length
                best = following
            position = np.full(count, m)
            lengths = np.zeros((count, n), np.int8)
            rows = np.arange(count)
            for t in range(n - 1, -1, -1):
                lengths[:, t] = back[rows, t, position]
                position = position - lengths[:, t]
                key = letters[:, t] * self.radix**MAX_CHUNK + codes[rows, position, lengths[:, t]]
                np.add.at(counts, key, best[:, m] < 1e8)
            for row, i in enumerate(members):
                if best[row, m] < 1e8:
                    spans[i] = lengths[row]
                    scores[i] = best[row, m] / n
        per_letter = counts.reshape(len(ALPHABET) + 1, -1)
        total = per_letter.sum(1, keepdims=True)
        # A chunk never seen with the letter costs more the longer it is; one symbol is always possible.
        unseen = np.full(self.radix**MAX_CHUNK, 1e-5)
        unseen[self.radix :] = 1e-7
        unseen[self.radix**2 :] = 1e-9
        self.cost = -np.log((per_letter + unseen[None, :]) / (total + 1e-3)).reshape(-1)
        print(f"iteration {iteration}: {np.isfinite(scores).sum()} of {len(scores)} words, "
              f"{np.mean(scores[np.isfinite(scores)]):.4f} nats a letter", flush=True)
        return spans, scores


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dictionaries", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--held-out", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=20261123)
    args = parser.parse_args()

    entries = read_entries(args.dictionaries)
    symbol_ids, words, symbol_lists, stresses, kept = {}, [], [], [], []
    for entry in entries:
        symbols = split_symbols(entry[2])
        if not symbols:
            continue
        words.append([ALPHABET.index(c) + 1 for c in entry[1]])
        symbol_lists.append([symbol_ids.setdefault(s, len(symbol_ids) + 1) for s, _ in symbols])
        stresses.append(symbols)
        kept.append(entry)
    print(f"{len(entries)} entries, {len(kept)} usable, {len(symbol_ids)} symbols", flush=True)
    aligner = Aligner(words, symbol_lists, len(symbol_ids))
    for iteration in range(7):
        spans, scores = aligner.run(iteration)

    def chunks(i):
        position = 0
        for length in spans[i]:
            yield "".join(stress + symbol for symbol, stress in stresses[i][position : position + length])
            position += length

    # Worse than that, letters and sounds have little to do with each other ("lb", "Mr.").
    limit = np.quantile(scores[np.isfinite(scores)], 0.997)
    label_counts = collections.Counter()
    for i in range(len(kept)):
        if scores[i] <= limit:
            label_counts.update(chunks(i))
    labels = [""] + sorted(k for k, v in label_counts.items() if k and v >= MIN_LABEL_COUNT)
    label_ids = {label: i for i, label in enumerate(labels)}

    # Whole lemmas, in the order of a seeded hash, until enough words are held out.
    lemmas = collections.defaultdict(set)
    for entry in kept:
        lemmas[stem(entry[1])].add(entry[1])
    held_out = set()
    for lemma in sorted(lemmas, key=lambda k: hashlib.sha256(f"{args.seed} {k}".encode()).digest()):
        if len(held_out) + len(lemmas[lemma]) <= args.held_out:
            held_out |= lemmas[lemma]
        if len(held_out) == args.held_out:
            break

    rows = collections.defaultdict(dict)
    dropped = 0
    for i, (stream, spelling, phonemes) in enumerate(kept):
        if spelling in held_out:
            continue
        if not scores[i] <= limit or any(c not in label_ids for c in chunks(i)):
            dropped += 1
            continue
        rows[spelling][stream] = [label_ids[c] for c in chunks(i)]
    spellings = sorted(rows)
    letters = np.zeros((len(spellings), MAX_LETTERS), np.uint8)
    targets = np.full((len(STREAMS), len(spellings), MAX_LETTERS), -1, np.int16)
    for r, spelling in enumerate(spellings):
        letters[r, : len(spelling)] = [ALPHABET.index(c) + 1 for c in spelling]
        for stream, ids in rows[spelling].items():
            targets[stream, r, : len(ids)] = ids
    test = [(STREAMS[s], w, p) for s, w, p in entries if w in held_out]
    np.savez_compressed(args.out, letters=letters, targets=targets, labels=np.array(labels), spellings=np.array(spellings),
                        test=np.array(test), alphabet=ALPHABET)
    print(f"{len(spellings)} words to train on, {dropped} entries dropped, {len(labels)} labels, "
          f"{len(held_out)} words held out ({len(test)} entries)")


if __name__ == "__main__":
    main()
