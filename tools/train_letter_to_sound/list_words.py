#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists words of prepare.py's data with their phonemes, for koe_letter_to_sound_check.

  python list_words.py --data data.npz --held-out > test.tsv     the held-out words
  python list_words.py --data data.npz --aside > aside.tsv       the words train.py keeps aside (not held out by lemma)
  python list_words.py --trace dev.trace.jsonl > trace.tsv       what espeak-ng was asked in a trace and said, once each
"""
import argparse
import json

import numpy as np
from train import Data, split


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--aside", action="store_true")
    parser.add_argument("--trace")
    args = parser.parse_args()
    if not args.trace and not args.data:
        parser.error("needs --data or --trace")
    if args.held_out:
        for stream, word, phonemes in np.load(args.data)["test"]:
            print(f"{stream}\t{word}\t{phonemes}")
    if args.aside:
        data = Data(args.data)
        for row in split(data)[0]:
            word = "".join(data.alphabet[i - 1] for i in data.letters[row, : data.lengths[row]])
            for accent, name in enumerate(("us", "gb")):
                labels = data.targets[accent, row, : data.lengths[row]]
                if labels[0] >= 0:
                    print(f"{name}\t{word}\t{''.join(data.labels[i] for i in labels)}")
    if args.trace:
        with open(args.trace, encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        pairs = {}
        for row in rows:
            for text, phonemes in row["espeak"]:
                pairs[row["id"].rsplit("-", 1)[1], text] = phonemes
        for (accent, text), phonemes in sorted(pairs.items()):
            if phonemes:
                print(f"{accent}\t{text}\t{phonemes}")


if __name__ == "__main__":
    main()
