#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How far another --precision is from exact: 12 texts by 6 voices, waveforms in float32 with the same seed.

  python tools/compare_presets.py [--koe PROGRAM] [--precision fast] [--texts N] [--voices N] [--min-snr DB]

Prints a table: each voice's waveform SNR against exact in dB by text, and whether all durations are equal. The texts go
through `koe phonemize`, their phonemes (the first 400 symbols) through `koe dump`. Exit status: 0 if every waveform is
at least --min-snr (default 75) and every duration equal, 1 otherwise. Needs numpy.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

import safetensors_file

TEXTS = (
    "Hello world.",
    "The quick brown fox jumps over the lazy dog.",
    "Would you like some tea?",
    "Stop! Who goes there?",
    "On the 3rd of May 1999, she paid $12.50 for two books.",
    "It was a bright cold day in April, and the clocks were striking thirteen.",
    "She sells sea shells by the sea shore; the shells she sells are surely sea shells.",
    "Yes.",
    "Although the weather had been dreadful for most of the week, the children, undeterred, went swimming.",
    "Doctor Smith's 42 patients waited, coughing quietly, until half past six.",
    "I never said that he stole the money, and I never will.",
    "Rain in Spain falls mainly on the plain, they say, but mountains catch a good deal more of it than any plain does.",
)
VOICES = ("af_heart", "af_bella", "am_michael", "am_adam", "bf_emma", "bm_george")


def snr_db(got, want):
    got, want = got.astype(np.float64), want.astype(np.float64)
    noise = np.sum((got - want) ** 2)
    return np.inf if noise == 0 else 10 * np.log10(np.sum(want**2) / noise)


def dump(koe, phonemes, voice, precision, folder):
    path = os.path.join(folder, f"{precision}.safetensors")
    subprocess.run([koe, "dump", "--phonemes", phonemes, "--voice", voice, "--precision", precision, "-o", path],
                   check=True, capture_output=True)
    return safetensors_file.read(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--koe", default="build/release/koe")
    parser.add_argument("--precision", default="fast", choices=("fast", "low-memory"))
    parser.add_argument("--texts", type=int, default=len(TEXTS))
    parser.add_argument("--voices", type=int, default=len(VOICES))
    parser.add_argument("--min-snr", type=float, default=75)
    args = parser.parse_args()
    lowest, durations_equal = np.inf, True
    with tempfile.TemporaryDirectory() as folder:
        phonemes = [subprocess.run([args.koe, "phonemize", text], check=True, capture_output=True, text=True).stdout
                    .strip()[:400] for text in TEXTS[:args.texts]]
        for voice in VOICES[:args.voices]:
            row = []
            for text in phonemes:
                exact = dump(args.koe, text, voice, "exact", folder)
                other = dump(args.koe, text, voice, args.precision, folder)
                same = np.array_equal(exact["pred_dur"], other["pred_dur"])
                durations_equal = durations_equal and same
                row.append(snr_db(other["waveform"], exact["waveform"]) if same else -np.inf)
            lowest = min(lowest, *row)
            print(f"{voice:12s}" + "".join(f"{snr:7.1f}" for snr in row), flush=True)
    ok = durations_equal and lowest >= args.min_snr
    print(f"{args.precision} against exact: lowest {lowest:.1f} dB, durations {'equal' if durations_equal else 'DIFFER'}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
