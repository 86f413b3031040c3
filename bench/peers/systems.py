# SPDX-License-Identifier: Apache-2.0
"""The peers, each behind the same four calls: load_library (imports), create (the session; timed), prepare (phonemes to its
own input; not timed), run (all samples; timed; returns their number). Model files are made by prepare.py."""
import importlib.metadata
import json
import os

import numpy as np


class Bundle:
    """Vocabulary and voices of a Koe bundle."""

    def __init__(self, folder):
        self.folder = folder
        with open(os.path.join(folder, "vocab.json"), encoding="utf-8") as f:
            vocab = json.load(f)
        self.vocab = vocab.get("vocab", vocab)

    def ids(self, phonemes):
        return [0, *[self.vocab[c] for c in phonemes if c in self.vocab], 0]

    def rows(self, voice):
        return np.fromfile(os.path.join(self.folder, "voices", voice + ".bin"), "<f4").reshape(510, 256)

    def style(self, voice, phonemes):
        return self.rows(voice)[len(phonemes) - 1][None].copy()


class System:
    package = ""

    def __init__(self, model, bundle, threads):
        self.model, self.bundle, self.threads = model, Bundle(bundle), threads

    @property
    def version(self):
        return f"{self.package} {importlib.metadata.version(self.package)}"

    def feed(self, voice, phonemes):
        return {"tokens": np.array([self.bundle.ids(phonemes)], np.int64), "style": self.bundle.style(voice, phonemes),
                "speed": np.ones(1, np.float32)}

    prepare = feed


class Onnxruntime(System):
    package = "onnxruntime"

    def load_library(self):
        import onnxruntime
        self.library = onnxruntime

    def create(self):
        options = self.library.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = self.library.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = self.library.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])

    def run(self, job):
        return self.session.run(["audio"], job)[0].size


class OpenVino(System):
    package = "openvino"

    def load_library(self):
        import openvino
        self.library = openvino

    def create(self):
        # One stream over all threads is what its latency hint gives; f32 because x86 parts with bf16 would else use that.
        hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": self.threads,
                 "NUM_STREAMS": 1}
        self.request = self.library.Core().compile_model(self.model, "CPU", hints).create_infer_request()

    def run(self, job):
        return self.request.infer(job)[0].size


class PyTorch(System):
    """The official KModel with the bundle's dequantised weights, weight norm folded."""
    package = "torch"

    @property
    def version(self):
        return super().version + ", kokoro " + importlib.metadata.version("kokoro")

    def load_library(self):
        import kokoro.model
        import torch
        self.library, self.kokoro = torch, kokoro.model
        torch.set_num_threads(self.threads)
        torch.set_num_interop_threads(1)

    def create(self):
        torch = self.library
        from torch.nn.utils import parametrize, remove_weight_norm
        with open(os.path.join(self.model, "config.json"), encoding="utf-8") as f:
            config = json.load(f)
        # KModel wants a checkpoint with weight norm still in it; ours has it folded, so it is loaded after the norm is removed.
        real_load, torch.load = torch.load, lambda *a, **k: {}
        try:
            model = self.kokoro.KModel(repo_id="local", config=config, model="unused").eval()
        finally:
            torch.load = real_load
        for module in model.modules():
            if parametrize.is_parametrized(module, "weight"):
                parametrize.remove_parametrizations(module, "weight")
            elif hasattr(module, "weight_g"):
                remove_weight_norm(module)
        for part, state in torch.load(os.path.join(self.model, "kokoro.pth"), weights_only=True).items():
            report = getattr(model, part).load_state_dict(state, strict=False)
            # Instance norms keep scale 1 and shift 0, as in the published model; ALBERT's pooler is not used.
            missing = [k for k in report.missing_keys if ".norm." not in k and "pooler" not in k]
            if missing or report.unexpected_keys:
                raise ValueError(f"{part}: the weights do not fit: {(missing + report.unexpected_keys)[:3]}")
        self.network = model

    def prepare(self, voice, phonemes):
        torch = self.library
        return torch.tensor([self.bundle.ids(phonemes)]), torch.from_numpy(self.bundle.style(voice, phonemes))

    def run(self, job):
        with self.library.inference_mode():
            return self.network.forward_with_tokens(job[0], job[1], 1.0)[0].numel()


class Vox(System):
    package = "vox-tts"

    def load_library(self):
        import vox
        self.library = vox

    def create(self):
        self.engine = self.library.Engine(self.model, device="cpu", threads=self.threads)
        self.voices = {}

    def prepare(self, voice, phonemes):
        if voice not in self.voices:
            self.voices[voice] = self.engine.speaker_voice(voice)
        return phonemes, self.voices[voice]

    def run(self, job):
        return self.engine.synthesize(job[0], job[1], phonemes=True).size


class Sherpa(System):
    """prepare.py gives every input a word of its own in sherpa's lexicon, so that it gets the same token ids as the others."""
    package = "sherpa-onnx"

    def load_library(self):
        import sherpa_onnx
        self.library = sherpa_onnx

    def create(self):
        def path(name):
            return os.path.join(self.model, name)

        kokoro = self.library.OfflineTtsKokoroModelConfig(
            model=path("model.onnx"), voices=path("voices.bin"), tokens=path("tokens.txt"), lexicon=path("lexicon.txt"),
            data_dir=path("espeak-ng-data"))
        model = self.library.OfflineTtsModelConfig(kokoro=kokoro, num_threads=self.threads, provider="cpu")
        self.tts = self.library.OfflineTts(
            self.library.OfflineTtsConfig(model=model, max_num_sentences=1))
        with open(path("words.json"), encoding="utf-8") as f:
            self.words = json.load(f)

    def prepare(self, voice, phonemes):
        word = self.words[f"{voice}\t{phonemes}"]
        options = self.library.GenerationConfig()
        options.sid, options.speed = word["speaker"], 1.0
        options.silence_scale = 1.0  # leave the model's own pauses as they are
        return word["text"], options

    def run(self, job):
        return len(self.tts.generate(*job).samples)


SYSTEMS = {"onnxruntime": Onnxruntime, "openvino": OpenVino, "pytorch": PyTorch, "vox": Vox, "sherpa": Sherpa}
