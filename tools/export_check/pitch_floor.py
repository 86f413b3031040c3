#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well any float32 pitch can agree with another: why the pitch of placed stages stays native.

  python pitch_floor.py --koe build/release/koe --coreml DIR --onnx DIR   (float32, as check_numbers.py takes them)

Computes the duration and prosody stages of a few utterances in float64 (the exported programs in evaluator A), and compares with
that the pitch of PyTorch in float32 (the same programs), of onnxruntime and of the engine; then what the harmonic source makes
of each. Its phase is the running sum of the pitch, so an error of the mean grows with time. The last line of each utterance is the
float64 pitch rounded to float32 once: no float32 interface can do better.
"""
import argparse
import json
import os

import cases
import mil_eval
import numpy as np
import onnx_run

RATE, HARMONICS, SAMPLES_PER_FRAME = 24000, 9, 300
WORDS = "ðə kwˈɪk bɹˈWn fˈɑks ʤˈʌmps ˈOvəɹ ðə lˈAzi dˈɔɡ."
UTTERANCES = {"0.6 s": ("hˈI.", 1.9), "2.8 s": (WORDS, 1.16), "13 s": (" ".join([WORDS] * 4), 0.95), "29.5 s": (" ".join([WORDS] * 9), 0.835)}
TOKENS, SECONDS = (32, 128, 256, 512), (3, 15, 30)


def sines(f0, weights, bias):
    """The noiseless source signal of istftnet.py, in float64."""
    f0 = np.repeat(np.asarray(f0, np.float64).ravel(), SAMPLES_PER_FRAME)
    cycles = np.cumsum(f0 / RATE)
    voiced = f0 > 10
    total = np.full(f0.shape, bias)
    for harmonic in range(HARMONICS):
        total += weights[harmonic] * 0.1 * voiced * np.sin(2 * np.pi * (harmonic + 1) * cycles)
    return np.tanh(total), cycles


def pitch(run, tensors):
    """F0 from tokens, through two programs. Durations are the engine's: they are integers and equal."""
    tokens = next(n for n in TOKENS if n >= len(tensors["token_ids"]))
    d = cases.Case("duration", tensors, tokens)
    features = run(cases.package_name("duration", tokens), d.inputs)["d"][0, :len(tensors["token_ids"])]
    frames = np.repeat(np.asarray(features), tensors["pred_dur"].astype(int), axis=0).T
    size = next(s for s in SECONDS if s * cases.FRAMES_PER_SECOND >= frames.shape[1])
    case = cases.Case("f0ntrain", tensors, size)
    padded = np.concatenate([frames, np.zeros((frames.shape[0], size * cases.FRAMES_PER_SECOND - frames.shape[1]), frames.dtype)], 1)
    return np.asarray(run(cases.package_name("f0ntrain", size), dict(case.inputs, en=padded[None]))["F0_pred"])[0, :2 * frames.shape[1]]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--koe", required=True)
    parser.add_argument("--coreml", required=True)
    parser.add_argument("--onnx", required=True)
    arguments = parser.parse_args()
    with open(os.path.join(arguments.onnx, "runtime", "hnsf_weights.json"), encoding="utf-8") as f:
        harmonic = json.load(f)
    runs = {"PyTorch": lambda name, inputs: mil_eval.evaluate(os.path.join(arguments.coreml, name + ".mlpackage"), inputs, precision="f32"),
            "onnxruntime": lambda name, inputs: onnx_run.evaluate(os.path.join(arguments.onnx, name + ".onnx"), inputs)}

    def exact(name, inputs):
        return mil_eval.evaluate(os.path.join(arguments.coreml, name + ".mlpackage"), inputs, precision="f64")

    print("utterance, pitch of: F0 against float64; mean error in mHz; drift of the fundamental at the end in degrees; source signal")
    for name, (phonemes, speed) in UTTERANCES.items():
        tensors = cases.dump(arguments.koe, phonemes, speed=speed)
        want = pitch(exact, tensors)
        signal, cycles = sines(want, harmonic["linear_weights"], harmonic["linear_bias"])
        pitches = {who: pitch(run, tensors) for who, run in runs.items()}
        pitches["engine"] = tensors["F0_pred"].ravel()
        pitches["float64 rounded"] = want.astype(np.float32)
        curves = {who: (f0, *sines(f0, harmonic["linear_weights"], harmonic["linear_bias"])) for who, f0 in pitches.items()}
        for who, (f0, own, own_cycles) in curves.items():
            error = np.asarray(f0, np.float64) - want
            print(f"{name}, {who}: {cases.snr_db(f0, want):.1f} dB; {1e3 * error[want > 10].mean():+.4f} mHz; "
                  f"{360 * (own_cycles - cycles)[-1]:+.4f}; {cases.snr_db(own, signal):.1f} dB", flush=True)
        for a, b in (("onnxruntime", "engine"), ("PyTorch", "engine"), ("PyTorch", "onnxruntime")):
            print(f"{name}, {a} against {b}: {cases.snr_db(curves[a][0], curves[b][0]):.1f} dB; "
                  f"source signal {cases.snr_db(curves[a][1], curves[b][1]):.1f} dB", flush=True)


if __name__ == "__main__":
    main()
