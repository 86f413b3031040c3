#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speaks sentences with the PyTorch reference, for tests/asr_test.py --audio.

  python tools/reference_audio.py VOICES_DIR OUT_DIR [--sentences FILE] [--seeds N] [--koe PATH] [--bundle DIR]

FILE holds `voice<TAB>text` lines (default: asr_sentences.txt of the shared folder). Writes OUT_DIR/<seed>/01.wav, 02.wav, ... for
the seeds 0 to N-1 of torch's random numbers (default 1). The phonemes are those of `koe phonemize`, which equal misaki's on the
parity corpus: the model that misaki's own tagger needs is on no package registry. Needs the environment that the shared
folder's tools/reference_model.py names (torch, kokoro, the weights' packages).
"""
import argparse
import json
import os
import subprocess
import sys
import wave

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SHARED = os.environ.get("KOE_SHARED") or os.path.join(ROOT, "..", "shared")
sys.path.insert(0, os.path.join(SHARED, "tools"))


def phonemes_of(koe, bundle, voice, text):
    language = "en-gb" if voice.startswith("b") else "en-us"
    command = [koe, "phonemize", "--json", "--lang", language, "--bundle", bundle, text]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["phonemes"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voices_dir")
    parser.add_argument("out_dir")
    parser.add_argument("--sentences", default=os.path.join(SHARED, "asr_sentences.txt"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--koe", default=os.path.join(ROOT, "build", "release", "koe"))
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m"))
    args = parser.parse_args()

    import numpy as np
    import reference_model
    import torch
    model = reference_model.load_model()
    with open(args.sentences, encoding="utf-8") as f:
        cases = [line.rstrip("\n").split("\t") for line in f if line.strip()]
    for i, (voice, text) in enumerate(cases, 1):
        phonemes = phonemes_of(args.koe, args.bundle, voice, text)
        ids = torch.tensor([[0, *[model.vocab[c] for c in phonemes if c in model.vocab], 0]])
        style = reference_model.voice(args.voices_dir, voice)[len(phonemes) - 1]
        for seed in range(args.seeds):
            torch.manual_seed(seed)
            with torch.no_grad():
                samples = model.forward_with_tokens(ids, style, 1.0)[0].squeeze().numpy()
            folder = os.path.join(args.out_dir, str(seed))
            os.makedirs(folder, exist_ok=True)
            with wave.open(os.path.join(folder, f"{i:02d}.wav"), "wb") as f:
                f.setparams((1, 2, 24000, 0, "NONE", ""))
                f.writeframes(np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes())
        print(f"{i:2d}/{len(cases)} {voice} {len(samples) / 24000:.1f} s: {text}", flush=True)


if __name__ == "__main__":
    main()
