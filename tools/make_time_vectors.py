#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/data/join_timestamps.tsv: what KPipeline.join_timestamps of the kokoro package (0.9.4) says of words.

    python tools/make_time_vectors.py > tests/data/join_timestamps.tsv

Needs `pip install kokoro==0.9.4`. The words below are (text, phonemes, white space); the durations are drawn (seeded),
since the rule does not depend on where they come from. A line is a word: chunk, word, phonemes, white space (0 or 1),
start and end in half frames (1/80 s); a line "# durations" goes before the words of each chunk.
"""
import random
from types import SimpleNamespace

import torch
from kokoro.pipeline import KPipeline

CHUNKS = [
    "Hello həlˈO _|world wˈɜɹld|. .",
    "It ɪt _|was wʌz _|best bˈɛst|, , _|it ɪt _|was wʌz _|worst wˈɜɹst|; ; _|nobody nˈObˌɑdi _|knew nˈu|. .",
    "Doctor dˈɑktəɹ _|Smith smˈɪθ _|paid pˈAd _|$3.50 θɹˈi_dˈɑləɹz_ænd_fˈɪfti_sˈɛnts _|for fɔɹ _|12 twˈɛlv|, ,|did dˈɪd|n't ᵊnt _|he hi|? ?",
    "\u201c \u201c|Well wˈɛl|, ,|\u201d \u201d _|she ʃi _|said sˈɛd|. .",
    "a ɐ",
    ". . _|ago əɡˈO _|- — _|never nˈɛvəɹ",
]


def words_of(chunk):
    for word in chunk.split("|"):
        text, phonemes, *space = word.split(" ")
        yield SimpleNamespace(text=text, phonemes=phonemes.replace("_", " "), whitespace=" " if space else "",
                              start_ts=None, end_ts=None)


def main():
    draw = random.Random(4)
    print("# SPDX-License-Identifier: Apache-2.0")
    print("# Made by tools/make_time_vectors.py with kokoro 0.9.4.")
    for index in range(5 * len(CHUNKS)):
        words = list(words_of(CHUNKS[index % len(CHUNKS)]))
        phonemes = "".join(word.phonemes + word.whitespace for word in words)
        durations = [draw.randint(1, 20)] + [draw.randint(1, 9) for _ in phonemes] + [draw.randint(1, 20)]
        KPipeline.join_timestamps(words, torch.LongTensor(durations))
        print("# durations\t" + " ".join(map(str, durations)))
        for word in words:
            print(index, word.text, word.phonemes, len(word.whitespace), round(word.start_ts * 80), round(word.end_ts * 80), sep="\t")


if __name__ == "__main__":
    main()
