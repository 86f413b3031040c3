#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes every peer's model files from one source: the int8 ONNX release and the bundle that Koe imported from it.

  python bench/peers/prepare.py [PEER ...] [--models DIR] [--bundle DIR] [--int8 FILE]

  onnx     fp32.onnx and fp32_in.onnx (export_onnx_fp32.py)
  pytorch  config.json, kokoro.pth: the bundle's weights, dequantised
  vox      kokoro.tmod from those, in float32, with vox's own converter
  sherpa   fp32_in.onnx with sherpa's metadata, its voices.bin, tokens.txt, and a lexicon in which every input is one word
run_peers.py calls this for the peers it measures; what is there and fits is not made again.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys

import protocol

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CACHE = os.environ.get("KOE_MODEL_CACHE") or os.path.expanduser("~/.cache/koe")
VERSION = 2  # of the files made here

# The published model's configuration, as its config.json has it; the vocabulary comes from the bundle.
CONFIG = {
    "istftnet": {"upsample_kernel_sizes": [20, 12], "upsample_rates": [10, 6], "gen_istft_hop_size": 5, "gen_istft_n_fft": 20,
                 "resblock_dilation_sizes": [[1, 3, 5], [1, 3, 5], [1, 3, 5]], "resblock_kernel_sizes": [3, 7, 11],
                 "upsample_initial_channel": 512},
    "dim_in": 64, "dropout": 0.2, "hidden_dim": 512, "max_conv_dim": 512, "max_dur": 50, "multispeaker": True, "n_layer": 3,
    "n_mels": 80, "n_token": 178, "style_dim": 128, "text_encoder_kernel_size": 5,
    "plbert": {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 2048, "max_position_embeddings": 512,
               "num_hidden_layers": 12, "dropout": 0.1},
}
# More rows than a voice has, so that sherpa's limit of tokens, which is this number, lies above 510 of them in one word.
SHERPA_ROWS = 1024


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).strip().split("\n") if line.strip()]
        raise RuntimeError(f"{os.path.basename(command[1])}: {lines[-1] if lines else 'failed'}")


def bundle_weights(bundle):
    """{official name: float32 array}, dequantised (docs/bundle_format.md)."""
    import numpy as np
    types = {"F32": "<f4", "F16": "<f2", "I8": "i1", "U8": "u1", "I32": "<i4"}
    with open(os.path.join(bundle, "weights.safetensors"), "rb") as f:
        data = f.read()
    start = 8 + int.from_bytes(data[:8], "little")
    raw = {}
    for name, entry in json.loads(data[8:start]).items():
        if name != "__metadata__" and not name.startswith("padding."):
            begin, end = (start + o for o in entry["data_offsets"])
            raw[name] = np.frombuffer(data[begin:end], types[entry["dtype"]]).reshape(entry["shape"])
    out = {}
    for name, q in raw.items():
        if name.endswith((".scale", ".zero_point")):
            continue
        value = q.astype(np.float32)
        if name + ".scale" in raw:
            column = (-1,) + (1,) * (q.ndim - 1)
            zero = raw[name + ".zero_point"].astype(np.int64).reshape(column)
            value = (q.astype(np.int64) - zero).astype(np.float32) * raw[name + ".scale"].reshape(column)
        out[name] = value
    return out


def make_onnx(folder, args):
    export = os.path.join(HERE, "export_onnx_fp32.py")
    run(sys.executable, export, args.int8, os.path.join(folder, "fp32.onnx"))
    run(sys.executable, export, args.int8, os.path.join(folder, "fp32_in.onnx"), "--instance-norm")


def make_pytorch(folder, args):
    import systems
    import torch
    with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as f:
        json.dump({**CONFIG, "vocab": systems.Bundle(args.bundle).vocab}, f, ensure_ascii=False)
    parts = {}
    for name, value in bundle_weights(args.bundle).items():
        part, _, key = name.partition(".")
        parts.setdefault(part, {})[key] = torch.from_numpy(value.copy())
    torch.save(parts, os.path.join(folder, "kokoro.pth"))


def make_vox(folder, args):
    import systems
    import torch
    source = need("pytorch", args)
    voices = os.path.join(folder, "voices")
    os.makedirs(voices)
    for voice in sorted({i["voice"] for i in read_inputs(args.inputs)}):
        rows = systems.Bundle(args.bundle).rows(voice)
        torch.save(torch.from_numpy(rows.reshape(-1, 1, 256).copy()), os.path.join(voices, voice + ".pt"))
    run(sys.executable, "-m", "vox.build_kokoro", "--config", os.path.join(source, "config.json"), "--ckpt",
        os.path.join(source, "kokoro.pth"), "--voices", voices, "--dtype", "f32", "--no-g2p", "-o",
        os.path.join(folder, "kokoro.tmod"))


def make_sherpa(folder, args):
    """sherpa turns words into token ids by its lexicon and takes the voice row of their number. So each input is one word of the
    lexicon, a space has a name there (the lexicon is cut at spaces), and the rows of the voices are moved by one: the model then
    gets the very ids and style that the other systems get."""
    import espeakng_loader
    import numpy as np
    import onnx
    import systems
    bundle, inputs = systems.Bundle(args.bundle), read_inputs(args.inputs)
    speakers = sorted({i["voice"] for i in inputs})
    model = onnx.load(os.path.join(need("onnx", args), "fp32_in.onnx"))
    metadata = {"sample_rate": protocol.SAMPLE_RATE, "version": 2, "n_speakers": len(speakers), "has_espeak": 1, "voice": "en-us",
                "style_dim": f"{SHERPA_ROWS},1,256", "speaker_names": ",".join(speakers), "model_type": "kokoro",
                "language": "English", "maintainer": "koe"}
    onnx.helper.set_model_props(model, {k: str(v) for k, v in metadata.items()})
    onnx.save(model, os.path.join(folder, "model.onnx"))
    table = []
    for voice in speakers:
        rows = bundle.rows(voice)
        last = np.repeat(rows[-1:], SHERPA_ROWS - len(rows) - 1, axis=0)
        table.append(np.concatenate([rows[:1], rows, last]))
    np.concatenate(table).astype("<f4").tofile(os.path.join(folder, "voices.bin"))
    space = "_"
    with open(os.path.join(folder, "tokens.txt"), "w", encoding="utf-8") as f:
        for symbol, number in bundle.vocab.items():
            f.write(f"{space if symbol == ' ' else symbol} {number}\n")
        f.write(f"  {bundle.vocab[' ']}\n")
    words = {}
    with open(os.path.join(folder, "lexicon.txt"), "w", encoding="utf-8") as f:
        for i, case in enumerate(inputs):
            if any(c not in bundle.vocab for c in case["phonemes"]):
                raise RuntimeError(f"{case['name']}: has symbols that the vocabulary lacks")
            word = "input" + chr(ord("a") + i)
            f.write(word + " " + " ".join(space if c == " " else c for c in case["phonemes"]) + "\n")
            words[f"{case['voice']}\t{case['phonemes']}"] = {"text": word, "speaker": speakers.index(case["voice"])}
    with open(os.path.join(folder, "words.json"), "w", encoding="utf-8") as f:
        json.dump(words, f, ensure_ascii=False)
    shutil.copytree(espeakng_loader.get_data_path(), os.path.join(folder, "espeak-ng-data"))


MAKERS = {"onnx": make_onnx, "pytorch": make_pytorch, "vox": make_vox, "sherpa": make_sherpa}
USES_INPUTS = ("vox", "sherpa")


def read_inputs(path):
    with open(path, encoding="utf-8") as f:
        return protocol.parse_inputs(f.read(), path)


def stamp_of(peer, args):
    with open(os.path.join(args.bundle, "RuntimeManifest.json"), "rb") as f:
        parts = [f"{peer} {VERSION}".encode(), f.read()]
    if peer in USES_INPUTS:
        with open(args.inputs, "rb") as f:
            parts.append(f.read())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def need(peer, args):
    """The folder with the peer's files, made when missing or out of date. Raises with the reason when that fails."""
    folder = os.path.join(args.models, peer)
    stamp, stamp_path = stamp_of(peer, args), os.path.join(folder, "made_from")
    if os.path.exists(stamp_path):
        with open(stamp_path, encoding="utf-8") as f:
            if f.read() == stamp:
                return folder
    print(f"making the files of {peer} ...", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    MAKERS[peer](folder, args)
    with open(stamp_path, "w", encoding="utf-8") as f:
        f.write(stamp)
    return folder


def add_arguments(parser):
    parser.add_argument("--models", default=os.path.join(ROOT, "build", "peer_models"), help="where the peers' files are kept")
    parser.add_argument("--bundle", default=os.environ.get("KOE_BUNDLE") or os.path.join(ROOT, "models", "kokoro-82m"))
    parser.add_argument("--int8", default=os.path.join(CACHE, "kokoro-v1.0.int8.onnx"), help="the int8 ONNX release")
    parser.add_argument("--inputs", default=os.path.join(HERE, "inputs.tsv"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peers", nargs="*", metavar="PEER", help="onnx, pytorch, vox, sherpa (default: all)")
    add_arguments(parser)
    args = parser.parse_args()
    failed = False
    for peer in args.peers or MAKERS:
        try:
            print(f"{peer}: {need(peer, args)}")
        except Exception as error:
            failed = True
            print(f"{peer}: {error}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
