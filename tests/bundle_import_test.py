#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The real weights through every form that Koe imports, written by torch, safetensors and onnx themselves.

  bundle_import_test.py BUNDLE_MAKE SOURCE_DIR

Needs torch, onnx, safetensors, numpy and the int8 release (in $KOE_MODEL_CACHE, default ~/.cache/koe) and the reference
model's script (in $KOE_SHARED, default ../shared beside the source); exits 77 (skipped) where one is missing.

Required: the int8 graph, dequantised by the bundle's own rule, equals the reference's state dict bit for bit; the
bundles from the folded .pth and .safetensors and from the fp32 graph hold the same bytes; weight norm in either form
agrees within 1e-6 relative; the fp16 graph holds the values rounded to float16; .pt voices equal the .bin ones.
"""
import collections
import os
import subprocess
import sys
import tempfile

SHARED = os.environ.get("KOE_SHARED", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "shared"))
CACHE = os.environ.get("KOE_MODEL_CACHE", os.path.expanduser("~/.cache/koe"))
RELEASE = os.path.join(CACHE, "kokoro-v1.0.int8.onnx")


def skip(why):
    print("skipped:", why)
    sys.exit(77)


if not os.path.exists(RELEASE):
    skip("no " + RELEASE)
if not os.path.exists(os.path.join(SHARED, "tools", "reference_model.py")):
    skip("no reference_model.py in " + SHARED)
try:
    import numpy as np
    import onnx  # noqa: F401
    import torch
    from safetensors import safe_open
    from safetensors.torch import save_file

    sys.path.insert(0, os.path.join(SHARED, "tools"))
    import reference_model
except ImportError as error:
    skip(error)

BUNDLE_MAKE, SOURCE = sys.argv[1:3]


def check(condition, what):
    print("ok  " if condition else "FAIL", what, flush=True)
    if not condition:
        check.failed = True


check.failed = False


def build(weights, out, voices=""):
    for command in ([BUNDLE_MAKE, "build", weights, voices, out], [BUNDLE_MAKE, "validate", out]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.returncode}: {done.stderr}")
    return os.path.join(out, "weights.safetensors")


def values(path):
    """Every tensor of a bundle in float32."""
    with safe_open(path, "np") as file:
        names = [n for n in file.keys() if not n.startswith("padding.") and not n.endswith((".scale", ".zero_point"))]
        out = {}
        for name in names:
            tensor = file.get_tensor(name)
            if tensor.dtype in (np.int8, np.uint8):
                along_rows = (-1,) + (1,) * (tensor.ndim - 1)
                zero = file.get_tensor(name + ".zero_point").astype(np.float32).reshape(along_rows)
                tensor = (tensor.astype(np.float32) - zero) * file.get_tensor(name + ".scale").reshape(along_rows)
            out[name] = tensor.astype(np.float32)
        return out


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[n].view(np.uint32), b[n].view(np.uint32)) for n in a)


def file_bytes(path):
    with open(path, "rb") as file:
        return file.read()


def with_weight_norm(state, parametrised, generator):
    """The checkpoint as it was trained: convolutions as weight norm, names as DataParallel leaves them."""
    out = {}
    for module, tensors in state.items():
        inner = collections.OrderedDict()
        inner._metadata = collections.OrderedDict([("", {"version": 1})])
        for key, tensor in tensors.items():
            stem = key[: -len("weight")]
            if key.endswith(".weight") and tensor.ndim == 3 and "alpha" not in key:
                norm = tensor.double().flatten(1).norm(dim=1).reshape(-1, 1, 1)
                stretch = 0.25 + 4 * torch.rand(norm.shape, generator=generator, dtype=torch.float64)
                names = ("parametrizations.weight.original0", "parametrizations.weight.original1") if parametrised else ("weight_g", "weight_v")
                inner["module." + stem + names[0]] = norm.float()
                # A row that int8 has rounded to zeros has no direction: any will do.
                inner["module." + stem + names[1]] = torch.where(norm > 0, tensor.double() * stretch, 1.0).float()
            else:
                inner["module." + key] = tensor
        out[module] = inner
    # What the official file has beside the weights.
    out["bert"]["module.embeddings.position_ids"] = torch.arange(512).reshape(1, -1)
    out["bert"]["module.pooler.bias"] = torch.zeros(768)
    return out


def main():
    state = reference_model.dequantised_state_dict()
    flat = {f"{m}.{k}": v for m, tensors in state.items() for k, v in tensors.items()}
    reference = {n: v.numpy() for n, v in flat.items()}
    with tempfile.TemporaryDirectory(prefix="koe-import-") as folder:
        def path(name):
            return os.path.join(folder, name)

        int8 = build(RELEASE, path("int8"))
        check(equal(values(int8), reference), "int8 ONNX, dequantised, equals the reference's state dict")

        torch.save(state, path("folded.pth"))
        folded = build(path("folded.pth"), path("pth"))
        check(equal(values(folded), reference), "folded .pth equals it")
        wanted = file_bytes(folded)
        save_file(flat, path("folded.safetensors"))
        check(file_bytes(build(path("folded.safetensors"), path("st"))) == wanted, ".safetensors gives the same file")

        dequantise = [sys.executable, os.path.join(SOURCE, "tools", "dequantise_onnx.py")]
        subprocess.run([*dequantise, RELEASE, path("fp32.onnx")], check=True)
        check(file_bytes(build(path("fp32.onnx"), path("fp32"))) == wanted, "fp32 ONNX gives the same file")
        os.remove(path("fp32.onnx"))
        subprocess.run([*dequantise, "--fp16", RELEASE, path("fp16.onnx")], check=True)
        half = values(build(path("fp16.onnx"), path("fp16")))
        rounded = {n: v.astype(np.float16).astype(np.float32) for n, v in reference.items()}
        check(equal(half, rounded), "fp16 ONNX equals it, rounded to float16")
        os.remove(path("fp16.onnx"))

        for parametrised in (False, True):
            form = "parametrizations.weight.original0/1" if parametrised else "weight_g/weight_v"
            normed = with_weight_norm(state, parametrised, torch.Generator().manual_seed(7))
            torch.save(normed, path("norm.pth"))
            got = values(build(path("norm.pth"), path("norm")))
            worst = max(float((np.abs(got[n] - v) / np.maximum(np.abs(v), 1e-30)).max()) for n, v in reference.items())
            # g and v are rounded once each and the product once: 3 x 2^-24 = 1.8e-7.
            check(got.keys() == reference.keys() and worst <= 1e-6, f".pth with {form}: largest relative difference {worst:.1e}")
            save_file({f"{m}.{k}": v.contiguous() for m, t in normed.items() for k, v in t.items()}, path("norm.safetensors"))
            check(file_bytes(build(path("norm.safetensors"), path("norm_st"))) == file_bytes(path("norm/weights.safetensors")),
                  f".safetensors with {form} gives the same file")

        os.makedirs(path("voices"))
        for name in ("af_heart", "bm_george"):
            table = reference_model.voice(os.path.join(CACHE, "voices"), name)
            if name == "bm_george":  # a view that starts within a larger storage, as in some official files
                table = torch.cat([torch.zeros(1, 1, 256), table])[1:]
            torch.save(table, path(f"voices/{name}.pt"))
        build(RELEASE, path("voiced"), path("voices"))
        for name in ("af_heart", "bm_george"):
            same = file_bytes(path(f"voiced/voices/{name}.bin")) == file_bytes(os.path.join(CACHE, "voices", name + ".bin"))
            check(same, f"voice {name}.pt equals the .bin")

        # A pickle that would run a command is refused, and the command is not run.
        class Command:
            def __reduce__(self):
                return os.system, ("touch " + path("executed"),)

        torch.save({"bert": Command()}, path("evil.pth"))
        refused = subprocess.run([BUNDLE_MAKE, "build", path("evil.pth"), "", path("evil")], capture_output=True, text=True)
        check(refused.returncode == 4 and "system" in refused.stderr, "a .pth with a command is refused: " + refused.stderr.splitlines()[-1])
        check(not os.path.exists(path("executed")) and not os.path.exists(path("evil")), "and nothing was run or written")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
