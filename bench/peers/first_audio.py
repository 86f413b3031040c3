#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How soon the first sound of a long text comes, beside onnxruntime's time for the same first sentence whole.

  python bench/peers/first_audio.py [--onnx build/peer_models/onnx/fp32_in.onnx] [--rounds 9]

Koe (libkoe.so through its C API, precision fast, first_audio fast, two threads, loaded and warm): raw text in, from
koe_stream_open to the samples of the first chunk. onnxruntime (worker.py, a process of its own, the same number of threads,
warm): the phonemes of the first sentence in, all its samples out; the front end is not in its time. Each round measures both
on every text, one after the other, in an order that the next round turns round. Prints JSON: milliseconds, the ratio run by
run, and Koe's processor time, which another process's work does not change much.
"""
import argparse
import ctypes
import json
import os
import statistics
import sys
import time

from session import Worker

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAST = 1  # KOE_PRECISION_FAST; KOE_FIRST_AUDIO_FAST is checked against the header below
VOICE = "af_heart"


class EngineOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("num_threads", ctypes.c_int32), ("unknown_words", ctypes.c_int32),
                ("simd_target", ctypes.c_char_p), ("skip_digests", ctypes.c_int32), ("precision", ctypes.c_int32)]


class SynthesisOptions(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("voice", ctypes.c_char_p), ("language", ctypes.c_char_p),
                *[(name, ctypes.c_void_p) for name in ("lexicon", "cancel", "progress", "progress_data")],
                ("seed", ctypes.c_uint64), ("max_chunk_seconds", ctypes.c_double), ("max_chunk_characters", ctypes.c_size_t),
                ("speed", ctypes.c_float), ("gain", ctypes.c_float), ("input_is_phonemes", ctypes.c_int32),
                ("chunking", ctypes.c_int32), ("first_audio", ctypes.c_int32)]


class PreparedChunk(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("text", ctypes.c_char_p), ("phonemes", ctypes.c_char_p)]


class KoeError(ctypes.Structure):
    _fields_ = [("struct_size", ctypes.c_size_t), ("code", ctypes.c_int32), ("message", ctypes.c_char * 1000)]


class Koe:
    def __init__(self, library, bundle, threads):
        self.c = ctypes.CDLL(library)
        self.c.koe_chunk_num_samples.restype = ctypes.c_size_t
        self.error = KoeError(ctypes.sizeof(KoeError))
        self.engine = ctypes.c_void_p()
        options = EngineOptions(ctypes.sizeof(EngineOptions), num_threads=threads, precision=FAST)
        self.call("koe_engine_open", bundle.encode(), ctypes.byref(options), ctypes.byref(self.engine))
        self.call("koe_engine_prewarm", self.engine, None)

    def call(self, name, *arguments):
        if getattr(self.c, name)(*arguments, ctypes.byref(self.error)) != 0:
            raise SystemExit(f"{name}: {self.error.message.decode()}")

    def options(self, first_audio):
        return SynthesisOptions(ctypes.sizeof(SynthesisOptions), voice=VOICE.encode(), first_audio=first_audio)

    def first_sentence(self, text):
        """Its phonemes, as one chunk."""
        prepared, chunk = ctypes.c_void_p(), PreparedChunk(ctypes.sizeof(PreparedChunk))
        bytes_ = text.encode()
        self.call("koe_prepare", self.engine, bytes_, ctypes.c_size_t(len(bytes_)), ctypes.byref(self.options(0)),
                  ctypes.byref(prepared))
        self.call("koe_prepared_get_chunk", prepared, ctypes.c_size_t(0), ctypes.byref(chunk))
        sentence, phonemes = chunk.text.decode(), chunk.phonemes.decode()
        self.c.koe_prepared_free(prepared)
        return sentence, phonemes

    def first_audio(self, text):
        stream, chunk = ctypes.c_void_p(), ctypes.c_void_p()
        bytes_, options = text.encode(), self.options(FAST)
        wall, cpu = time.perf_counter(), time.process_time()
        self.call("koe_stream_open", self.engine, bytes_, ctypes.c_size_t(len(bytes_)), ctypes.byref(options), None,
                  ctypes.byref(stream))
        self.call("koe_stream_next", stream, ctypes.byref(chunk))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        samples = self.c.koe_chunk_num_samples(chunk)
        self.c.koe_chunk_free(chunk)
        self.c.koe_stream_free(stream)  # cancels
        return wall, cpu, samples


def check_header():
    with open(os.path.join(ROOT, "include", "koe", "koe_c.h"), encoding="utf-8") as f:
        text = f.read()
    for words in ("KOE_PRECISION_EXACT = 0, KOE_PRECISION_FAST", "KOE_FIRST_AUDIO_NATURAL = 0, KOE_FIRST_AUDIO_FAST"):
        if words not in text:
            raise SystemExit(f"koe_c.h has no '{words}'")


def texts():
    folder = os.path.join(ROOT, "tests", "data", "chapters")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            yield name.removesuffix(".txt"), f.read()


def spread(values, scale=1.0):
    return [round(scale * v, 2) for v in (statistics.median(values), min(values), max(values))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", default=os.path.join(ROOT, "build", "release", "libkoe.so"))
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE", os.path.join(ROOT, "models", "kokoro-82m")))
    parser.add_argument("--onnx", default=os.path.join(ROOT, "build", "peer_models", "onnx", "fp32_in.onnx"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    args = parser.parse_args()
    check_header()
    koe = Koe(args.library, args.bundle, args.threads)
    peer = Worker([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py"), "onnxruntime", "--model",
                   args.onnx, "--bundle", args.bundle, "--threads", str(args.threads)])
    cases = []
    for name, text in texts():
        sentence, phonemes = koe.first_sentence(text)
        cases.append({"name": name, "text": text, "sentence": sentence, "voice": VOICE, "phonemes": phonemes})
        koe.first_audio(text)
        peer.speak(cases[-1])
    runs = []
    for number in range(args.rounds):
        for case in cases[::-1] if number % 2 else cases:
            if number % 2:
                whole = peer.speak(case)
            wall, cpu, samples = koe.first_audio(case["text"])
            if number % 2 == 0:
                whole = peer.speak(case)
            runs.append({"text": case["name"], "koe": wall, "koe_cpu": cpu, "first_seconds": samples / 24000,
                         "onnxruntime": whole["wall_seconds"], "sentence_seconds": whole["samples"] / 24000})
    peer.close()
    report = {"rounds": args.rounds, "threads": args.threads, "load_average": os.getloadavg()[0]}
    for name in [*[case["name"] for case in cases], "all"]:
        some = [r for r in runs if name in (r["text"], "all")]
        report[name] = {"koe_ms": spread([r["koe"] for r in some], 1000), "koe_processor_ms": spread([r["koe_cpu"] for r in some], 1000),
                        "onnxruntime_ms": spread([r["onnxruntime"] for r in some], 1000),
                        "koe_of_onnxruntime": spread([r["koe"] / r["onnxruntime"] for r in some]),
                        "first_chunk_s": round(statistics.median(r["first_seconds"] for r in some), 2),
                        "sentence_s": round(statistics.median(r["sentence_seconds"] for r in some), 2)}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
