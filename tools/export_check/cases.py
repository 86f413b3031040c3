# SPDX-License-Identifier: Apache-2.0
"""Inputs and expected outputs of every exported stage, from the engine's own tensors (`koe dump`), padded to a bucket."""
import os
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import safetensors_file  # noqa: E402

FRAMES_PER_SECOND = 40
STAGES = ("duration", "f0ntrain", "decoder_pre", "decoder_har_post")
# At speed 1.16 2.8 s of 50 tokens, the utterance of the published contamination measurements.
PHONEMES = ("ðə kwˈɪk bɹˈWn fˈɑks ʤˈʌmps ˈOvəɹ ðə lˈAzi dˈɔɡ.")


def snr_db(got, want):
    got, want = np.asarray(got, np.float64).ravel(), np.asarray(want, np.float64).ravel()
    if got.shape != want.shape or not np.isfinite(got).all():
        return -np.inf
    noise = np.sum((got - want) ** 2)
    return np.inf if noise == 0 else 10 * np.log10(np.sum(want ** 2) / noise)


def dump(koe, phonemes=PHONEMES, voice="af_heart", speed=1.16):
    """{name: array} of the engine, one chunk."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "dump.safetensors")
        subprocess.run([koe, "dump", "--phonemes", phonemes, "--voice", voice, "--speed", str(speed), "-q", "-o", path], check=True)
        return {name: np.array(array) for name, array in safetensors_file.read(path).items()}


def pad(array, size):
    """Zeros behind the last axis."""
    missing = size - array.shape[-1]
    if missing < 0:
        raise ValueError(f"{array.shape[-1]} do not fit {size}")
    return np.concatenate([array, np.zeros(array.shape[:-1] + (missing,), array.dtype)], -1)


def mask(count, size):
    return pad(np.ones((1, 1, count), np.float32), size)


class Case:
    """A stage's inputs in a bucket, and the engine's outputs cropped to what is real."""

    def __init__(self, stage, tensors, size, contract="current"):
        self.stage, self.size = stage, size
        if stage == "duration":
            self._duration(tensors, size)
        else:
            getattr(self, "_" + stage)(tensors, size * FRAMES_PER_SECOND, contract == "card")

    def _duration(self, t, size):
        count = len(t["token_ids"])
        ids = pad(t["token_ids"].astype(np.int32)[None], size)
        self.fill = count / size
        self.inputs = {"input_ids": ids, "ref_s": t["ref_s"].reshape(1, 256), "speed": t["speed"].reshape(1),
                       "attention_mask": pad(np.ones((1, count), np.int32), size)}
        self.expected = {"pred_dur": t["pred_dur"][None], "d": t["d"][None], "t_en": t["t_en"][None],
                         "s": t["ref_s"].reshape(1, 256)[:, 128:], "ref_s_out": t["ref_s"].reshape(1, 256)}
        self.crop = {"pred_dur": np.s_[:, :count], "d": np.s_[:, :count], "t_en": np.s_[..., :count], "s": np.s_[:],
                     "ref_s_out": np.s_[:]}

    def _frames(self, t, size, card, names):
        count = t["asr"].shape[-1]
        self.fill = count / size
        if not card:
            self.inputs["mask"] = mask(count * names, size * names)
        return count

    def _f0ntrain(self, t, size, card):
        self.inputs = {"en": pad(t["en"][None], size), "s": t["ref_s"].reshape(1, 256)[:, 128:].copy()}
        count = self._frames(t, size, card, 1)
        self.expected = {"F0_pred": t["F0_pred"].reshape(1, -1), "N_pred": t["N_pred"].reshape(1, -1)}
        self.crop = dict.fromkeys(self.expected, np.s_[:, :2 * count])

    def _decoder_pre(self, t, size, card):
        curve = {name: pad(t[key].reshape(1, 1, -1), 2 * size) for name, key in (("f0", "F0_pred"), ("n_input", "N_pred"))}
        self.inputs = {"asr": pad(t["asr"][None], size), "ref_s": t["ref_s"].reshape(1, 256), **curve}
        count = self._frames(t, size, card, 1)
        self.expected = {"x_pre": t["x_pre"][None]}
        self.crop = {"x_pre": np.s_[..., :2 * count]}

    def _decoder_har_post(self, t, size, card):
        spectra = 120 * size + 1
        self.inputs = {"x_pre": pad(t["x_pre"][None], 2 * size), "ref_s": t["ref_s"].reshape(1, 256),
                       "har": pad(t["har"][None], 2 * spectra - 1 if card else spectra)}
        count = self._frames(t, size, card, 2)
        self.expected = {"waveform": t["waveform"].reshape(1, 1, -1)}
        self.crop = {"waveform": np.s_[..., :600 * count]}

    def cropped(self, outputs, name):
        return np.asarray(outputs[name])[self.crop[name]]

    def level(self, outputs, name):
        """Root mean square of what is real, in the engine's."""
        got, want = (np.mean(np.square(x, dtype=np.float64)) for x in (self.cropped(outputs, name), self.expected[name]))
        return float(np.sqrt(got / want))

    def compare(self, outputs):
        """{output: dB}; of pred_dur (tokens that differ, largest difference)."""
        result = {}
        for name, want in self.expected.items():
            got = self.cropped(outputs, name)
            if name == "pred_dur":
                difference = np.abs(got.astype(int) - want.astype(int))
                result[name] = (int((difference > 0).sum()), int(difference.max()))
            else:
                result[name] = snr_db(got, want)
        return result


def package_name(stage, size):
    suffix = f"t{size}" if stage == "duration" else f"t{size * FRAMES_PER_SECOND}" if stage == "f0ntrain" else f"{size}s"
    return f"kokoro_{stage}_{suffix}"
