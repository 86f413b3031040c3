#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent recogniser must understand Koe: word error rate of pocketsphinx over spoken sentences.

  python tests/asr_test.py [SENTENCES.txt] [--koe PATH] [--bundle DIR] [--limit PERCENT] [--seeds N] [--audio DIR]

SENTENCES.txt holds `voice<TAB>text` lines (default: asr_sentences.txt of the shared folder, $KOE_SHARED or ../shared).
--seeds N speaks everything N times, with the noise of the seeds 0 to N-1, and takes the mean: one noise or another moves the
rate by a point. --audio DIR transcribes DIR/<seed>/01.wav, 02.wav, ... (24 kHz mono 16-bit) instead of running koe, to measure
another engine the same way; tools/reference_audio.py writes the PyTorch reference's. Exits 77 (skipped) where pocketsphinx, the sentences or koe's
bundle are missing. Needs numpy, pocketsphinx.
"""
import argparse
import itertools
import os
import re
import subprocess
import sys
import tempfile
import wave

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED = 77


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


try:
    import numpy as np
    import pocketsphinx
except ImportError as error:
    skip(str(error))

ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen").split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
# The recogniser's dictionary is American; a British spelling of the same word is no error.
SPELLINGS = {"theatre": "theater", "colour": "color", "harbour": "harbor", "neighbour": "neighbor", "favourite": "favorite",
             "centre": "center", "grey": "gray", "programme": "program", "okay": "ok", "mr": "mister", "mrs": "missus",
             "dr": "doctor", "towards": "toward"}


def number_words(n):
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + ("" if n % 10 == 0 else " " + ONES[n % 10])
    for unit, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if n >= unit:
            return number_words(n // unit) + " " + name + ("" if n % unit == 0 else " " + number_words(n % unit))
    return ""


def normalise(text):
    """Lower-case words without punctuation, digits as words."""
    text = re.sub(r"\(\d+\)", " ", text.lower().replace("\u2019", "'"))  # "read(2)": the recogniser's second pronunciation
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text)
    text = re.sub(r"\d+", lambda m: f" {number_words(int(m.group()))} " if len(m.group()) < 13 else " ", text)
    text = re.sub(r"[^a-z' ]+", " ", text)
    words = [w.strip("'") for w in text.split()]
    return [SPELLINGS.get(w, w) for w in words if w]


def word_errors(truth, found):
    """Fewest substitutions, deletions and insertions that turn truth into found."""
    row = list(range(len(found) + 1))
    for i, word in enumerate(truth, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(found, 1):
            previous, row[j] = row[j], min(previous + (word != other), row[j] + 1, row[j - 1] + 1)
    return row[-1]


def to_16_khz(samples):
    """24 kHz -> 16 kHz: up 2, a low-pass at 7.6 kHz (Kaiser, 70 dB down from 8.4 kHz), down 3."""
    half = 270  # (70 - 7.95) / (14.36 * 0.8 / 48) = 259 taps each side
    t = np.arange(-half, half + 1)
    taps = np.sinc(t * 2 * 8000 / 48000) * np.kaiser(2 * half + 1, 0.1102 * (70 - 8.7))
    taps *= 2 / taps.sum()
    up = np.zeros(2 * len(samples))
    up[::2] = samples
    return np.convolve(up, taps)[half:half + len(up):3]


def read_wav(path):
    with wave.open(path) as f:
        if (f.getframerate(), f.getnchannels(), f.getsampwidth()) != (24000, 1, 2):
            sys.exit(f"{path}: not 24 kHz mono 16-bit: {f.getparams()}")
        return np.frombuffer(f.readframes(f.getnframes()), "<i2") / 32768.0


def transcribe(decoder, samples):
    # As it comes: added noise around the sentence cost the reference 2.5 points, level and zeros change nothing.
    pcm = (np.clip(to_16_khz(samples), -1, 1) * 32767).astype("<i2").tobytes()
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


def main():
    shared = os.environ.get("KOE_SHARED") or os.path.join(ROOT, "..", "shared")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", nargs="?", default=os.path.join(shared, "asr_sentences.txt"))
    parser.add_argument("--koe", default=os.path.join(ROOT, "build", "release", "koe"))
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m"))
    parser.add_argument("--limit", type=float, default=9.0, help="word error rate in percent (default 9)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--audio", metavar="DIR")
    args = parser.parse_args()
    if not os.path.exists(args.sentences):
        skip(f"{args.sentences} is absent")
    if not args.audio and not (os.path.exists(args.koe) and os.path.exists(args.bundle)):
        skip(f"{args.koe} or {args.bundle} is absent")
    with open(args.sentences, encoding="utf-8") as f:
        cases = [line.rstrip("\n").split("\t") for line in f if line.strip()]

    decoder = pocketsphinx.Decoder(samprate=16000, loglevel="FATAL")
    errors = words = 0
    with tempfile.TemporaryDirectory() as folder:
        for seed, (i, (voice, text)) in itertools.product(range(args.seeds), enumerate(cases, 1)):
            path = os.path.join(args.audio, str(seed), f"{i:02d}.wav") if args.audio else os.path.join(folder, "said.wav")
            if not args.audio:
                said = subprocess.run([args.koe, "say", text, "--voice", voice, "--bundle", args.bundle, "--seed", str(seed),
                                       "-o", path], capture_output=True, text=True)
                if said.returncode != 0:
                    sys.exit(f"koe say ended with {said.returncode}: {said.stderr}")
            truth, found = normalise(text), normalise(transcribe(decoder, read_wav(path)))
            wrong = word_errors(truth, found)
            errors, words = errors + wrong, words + len(truth)
            print(f"{seed} {wrong:2d}/{len(truth):2d} {voice:12s} {' '.join(found)}" + (f"   <- {text}" if wrong else ""), flush=True)
    rate = 100 * errors / words
    print(f"word error rate {rate:.1f} % ({errors} of {words} words; limit {args.limit:g} %)")
    sys.exit(0 if rate <= args.limit else 1)


if __name__ == "__main__":
    main()
