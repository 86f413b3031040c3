#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws a `koe dump`: waveform, mel spectrogram, F0, and durations with their phonemes, over one time axis.

  python tools/plot_dump.py DUMP.safetensors OUT.png [--vocab vocab.json] [--title TEXT]

The file needs `waveform` [600F], `pred_dur` [T], `token_ids` [T] and `F0_pred` [2F] (golden files have them too). --vocab
names the bundle's vocab.json (default: models/kokoro-82m/vocab.json); without one, token ids stand for phonemes.
Needs numpy, matplotlib.
"""
import argparse
import json
import os
import sys

import numpy as np

import safetensors_file

SAMPLE_RATE_HZ = 24000
SAMPLES_PER_DURATION_FRAME = 600
SAMPLES_PER_F0_FRAME = 300
VOICED_ABOVE_HZ = 10  # the harmonic source's own threshold


def mel_filters(num_bands, n_fft, rate_hz):
    """[num_bands][n_fft/2+1] triangles, equally spaced on the mel scale (2595 log10(1 + f/700))."""
    mel = np.linspace(0, 2595 * np.log10(1 + rate_hz / 2 / 700), num_bands + 2)
    edges_hz = 700 * (10 ** (mel / 2595) - 1)
    bins_hz = np.arange(n_fft // 2 + 1) * rate_hz / n_fft
    rising = (bins_hz - edges_hz[:-2, None]) / np.diff(edges_hz)[:-1, None]
    falling = (edges_hz[2:, None] - bins_hz) / np.diff(edges_hz)[1:, None]
    return np.maximum(0, np.minimum(rising, falling))


def log_mel(samples, num_bands=80, n_fft=1024, hop=256):
    """[num_bands][frames] in dB."""
    padded = np.pad(samples.astype(np.float64), n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop] * np.hanning(n_fft)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    return 10 * np.log10(np.maximum(mel_filters(num_bands, n_fft, SAMPLE_RATE_HZ) @ power.T, 1e-10))


def phoneme_names(token_ids, vocab_path):
    if not os.path.exists(vocab_path):
        return [str(i) for i in token_ids]
    with open(vocab_path, encoding="utf-8") as f:
        vocab = json.load(f)
    vocab = vocab.get("vocab", vocab)
    symbols = {v: k for k, v in vocab.items() if isinstance(v, int)}
    return [symbols.get(int(i), "") for i in token_ids]  # the boundary token 0 has no symbol


def plot(tensors, names, title, out_path):
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    samples = tensors["waveform"]
    seconds = len(samples) / SAMPLE_RATE_HZ
    figure, axes = pyplot.subplots(4, 1, sharex=True, figsize=(max(10, 2.2 * seconds), 9), layout="constrained",
                                   gridspec_kw={"height_ratios": [1, 2, 1.2, 0.6]})
    if title:
        figure.suptitle(title)
    axes[0].plot(np.arange(len(samples)) / SAMPLE_RATE_HZ, samples, linewidth=0.4)
    axes[0].set_ylabel("amplitude")

    mel = log_mel(samples)
    axes[1].imshow(mel, origin="lower", aspect="auto", extent=(0, seconds, 0, len(mel)), cmap="magma",
                   vmin=mel.max() - 80, vmax=mel.max(), interpolation="nearest")
    axes[1].set_ylabel("mel band (dB)")

    f0 = tensors["F0_pred"]
    centres = (np.arange(len(f0)) + 0.5) * SAMPLES_PER_F0_FRAME / SAMPLE_RATE_HZ
    axes[2].plot(centres, np.where(f0 > VOICED_ABOVE_HZ, f0, np.nan), ".", markersize=2)
    axes[2].set_ylabel("F0 (Hz)")

    ends = np.cumsum(tensors["pred_dur"]) * SAMPLES_PER_DURATION_FRAME / SAMPLE_RATE_HZ
    starts = np.concatenate([[0], ends[:-1]])
    for i, (start, end, name) in enumerate(zip(starts, ends, names)):
        axes[3].axvspan(start, end, color=("0.85", "0.95")[i % 2], linewidth=0)
        axes[3].text((start + end) / 2, (0.3, 0.7)[i % 2], name, ha="center", va="center", fontsize=9)
        for axis in axes[:3]:
            axis.axvline(end, color="0.5", linewidth=0.2)
    axes[3].set_yticks([])
    axes[3].set_ylabel("phonemes")
    axes[3].set_xlabel("seconds")
    axes[3].set_xlim(0, seconds)
    figure.savefig(out_path, dpi=100)
    pyplot.close(figure)


def main():
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump")
    parser.add_argument("output")
    parser.add_argument("--vocab", default=os.path.join(root, "models", "kokoro-82m", "vocab.json"))
    parser.add_argument("--title", default="")
    args = parser.parse_args()
    try:
        tensors = safetensors_file.read(args.dump)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"plot_dump: {error}")
    missing = [n for n in ("waveform", "pred_dur", "token_ids", "F0_pred") if n not in tensors]
    if missing:
        sys.exit(f"plot_dump: {args.dump}: lacks {', '.join(missing)}")
    frames = int(tensors["pred_dur"].sum())
    if frames * SAMPLES_PER_DURATION_FRAME != len(tensors["waveform"]):
        sys.exit(f"plot_dump: {args.dump}: pred_dur has {frames} frames, waveform {len(tensors['waveform'])} samples")
    plot(tensors, phoneme_names(tensors["token_ids"], args.vocab), args.title, args.output)


if __name__ == "__main__":
    main()
