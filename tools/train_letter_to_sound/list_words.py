#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lists words of prepare.py's data with their phonemes, for koe_letter_to_sound_check.

  python list_words.py --data data.npz --held-out > test.tsv     the held-out words
  python list_words.py --data data.npz --aside > aside.tsv       the words train.py keeps aside (not held out by lemma)
"""
import argparse

from train import Data, split
import numpy as np


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--aside", action="store_true")
    args = parser.parse_args()
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


if __name__ == "__main__":
    main()
