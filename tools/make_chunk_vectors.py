#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/data/kokoro_chunks.txt: words in, chunks out, by KPipeline.en_tokenize of PyPI kokoro 0.9.4.

A line "W" starts a case and holds its words' phonemes, each followed by "_" where a space follows and "|" where none
does; each "C" line after it is a chunk as (first word, number of words, length in code points before truncation).
Words: runs of vowels and consonants, so that no phoneme string of any text is copied. Needs kokoro (pip install
kokoro==0.9.4).
"""

import argparse
import random
import sys
from types import SimpleNamespace

from kokoro.pipeline import KPipeline

MARKS = [".", "!", "?", "…", ":", ";", ",", "—", "”", ")", "(", "“", ""]


def chunks_of(words):
    tokens = [SimpleNamespace(text="w", phonemes=phonemes, whitespace=" " if space else "") for phonemes, space in words]
    first, out = 0, []
    for _, phonemes, part in KPipeline.en_tokenize(None, tokens):
        out.append((first, len(part), len(phonemes)))
        first += len(part)
    return out


def random_case(rng, mark_share, word_length, num_words):
    words = []
    for _ in range(num_words):
        if words and rng.random() < mark_share:
            words[-1] = (words[-1][0], False)
            words.append((rng.choice(MARKS), rng.random() < 0.9))
        else:
            words.append(("".join(rng.choice("ətɪnsɹ") for _ in range(rng.randint(1, word_length))), rng.random() < 0.95))
    return words


def cases():
    rng = random.Random(20)
    yield [("a" * 510, False)]
    yield [("a" * 255, True), ("b" * 254, False)]
    yield [("a" * 255, True), ("b" * 255, False)]
    yield [("a" * 300, False), (".", False), ("”", True), ("b" * 300, False), (")", False)]
    yield [("a" * 300, False), (",", True), ("b" * 100, False), (".", True), ("c" * 200, False)]
    yield [("a" * 505, True), ("b", False), ("c" * 10, False)]
    yield [("", True)] * 600 + [("a", False)]
    for mark_share, word_length, num_words in ((0.15, 8, 400), (0.03, 8, 400), (0, 8, 300), (0.4, 4, 500), (0.1, 60, 120)):
        for _ in range(3):
            yield random_case(rng, mark_share, word_length, num_words)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", help="file to write")
    arguments = parser.parse_args()
    with open(arguments.output, "w", encoding="utf-8") as file:
        for words in cases():
            file.write("W " + "".join(phonemes + ("_" if space else "|") for phonemes, space in words) + "\n")
            for chunk in chunks_of(words):
                file.write("C %d %d %d\n" % chunk)
    return 0


if __name__ == "__main__":
    sys.exit(main())
