# SPDX-License-Identifier: Apache-2.0
"""Evaluator A: runs an ML Program on PyTorch, reading program and weights itself.

precision "f32" computes in float32, "f64" in float64; "f16" rounds what the program calls float16 to float16 after every
operation.
"""
import numpy as np
import torch
import torch.nn.functional as functional
from mil_program import Package, shape_of


def integers(tensor):
    return [int(x) for x in tensor.reshape(-1)]


def conv(a):
    pad = [0, 0] if a["pad_type"] == "valid" else integers(a["pad"])
    return functional.conv1d(functional.pad(a["x"], pad), a["weight"], a.get("bias"), stride=integers(a["strides"]),
                             dilation=integers(a["dilations"]), groups=int(a["groups"]))


def conv_transpose(a):
    pad = [0, 0] if a["pad_type"] == "valid" else integers(a["pad"])
    y = functional.conv_transpose1d(a["x"], a["weight"], a.get("bias"), stride=integers(a["strides"]),
                                    dilation=integers(a["dilations"]), groups=int(a["groups"]))
    return y[..., pad[0]:y.shape[-1] - pad[1]]


def lstm(a):
    """Gates in MIL's order: input, forget, output, cell."""
    h, c = a["initial_h"], a["initial_c"]
    projected, hidden = a["x"] @ a["weight_ih"].T + a["bias"], []
    steps = range(len(projected)) if a["direction"] == "forward" else reversed(range(len(projected)))
    for t in steps:
        i, f, o, z = (projected[t] + h @ a["weight_hh"].T).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(z)
        h = torch.sigmoid(o) * torch.tanh(c)
        hidden.append(h)
    return [torch.stack(hidden), h, c]


def slice_by_index(a):
    begin, end, stride = (integers(a[k]) for k in ("begin", "end", "stride"))
    if any(bool(x) for k in ("begin_mask", "end_mask", "squeeze_mask") for x in a[k]):
        raise NotImplementedError("masked slice")
    return a["x"][tuple(slice(b, e, s) for b, e, s in zip(begin, end, stride))]


def pad(a):
    widths = integers(a["pad"])[-2:]
    if any(integers(a["pad"])[:-2]) or a["mode"] != "reflect":
        raise NotImplementedError("pad")
    return functional.pad(a["x"], widths, mode="reflect")


def gather(a):
    x, axis, indices = a["x"], int(a["axis"]), a["indices"].long()
    picked = torch.index_select(x, axis, indices.reshape(-1))
    return picked.reshape(list(x.shape[:axis]) + list(indices.shape) + list(x.shape[axis + 1:]))


def cast(a):
    x, kind = a["x"], a["dtype"]
    if kind == "int32":
        return torch.trunc(x).long()
    x = x if x.is_floating_point() else x.float()
    return x.half().to(x.dtype) if kind == "fp16" else x


def layer_norm(a):
    axes, x = integers(a["axes"]), a["x"]
    mean = x.mean(axes, keepdim=True)
    y = (x - mean) / torch.sqrt(((x - mean) ** 2).mean(axes, keepdim=True) + float(a["epsilon"]))
    return y * a["gamma"] + a["beta"] if "gamma" in a else y


def squeeze(a):
    return a["x"].squeeze(integers(a["axes"])[0])


def upsample(a):
    return functional.interpolate(a["x"], scale_factor=[float(a["scale_factor_height"]), float(a["scale_factor_width"])])


def matmul(a):
    y = a["y"].transpose(-1, -2) if bool(a["transpose_y"]) else a["y"]
    if bool(a["transpose_x"]):
        raise NotImplementedError("matmul: transpose_x")
    return a["x"] @ y


OPERATIONS = {
    "conv": conv, "conv_transpose": conv_transpose, "lstm": lstm, "slice_by_index": slice_by_index, "pad": pad, "gather": gather,
    "cast": cast, "layer_norm": layer_norm, "squeeze": squeeze, "upsample_nearest_neighbor": upsample, "matmul": matmul,
    "identity": lambda a: a["x"], "add": lambda a: a["x"] + a["y"], "sub": lambda a: a["x"] - a["y"],
    "mul": lambda a: a["x"] * a["y"], "real_div": lambda a: a["x"] / a["y"],
    "maximum": lambda a: torch.maximum(a["x"], a["y"]), "sin": lambda a: torch.sin(a["x"]),
    "cos": lambda a: torch.cos(a["x"]), "exp": lambda a: torch.exp(a["x"]), "sqrt": lambda a: torch.sqrt(a["x"]),
    "sigmoid": lambda a: torch.sigmoid(a["x"]), "round": lambda a: torch.round(a["x"]),
    "gelu": lambda a: functional.gelu(a["x"], approximate="tanh" if a["mode"] == "TANH_APPROXIMATION" else "none"),
    "leaky_relu": lambda a: functional.leaky_relu(a["x"], float(a["alpha"])),
    "softmax": lambda a: torch.softmax(a["x"], int(a["axis"])),
    "reduce_mean": lambda a: a["x"].mean(integers(a["axes"]), keepdim=bool(a["keep_dims"])),
    "reduce_sum": lambda a: a["x"].sum(integers(a["axes"]), keepdim=bool(a["keep_dims"])),
    "linear": lambda a: functional.linear(a["x"], a["weight"], a["bias"]),
    "gather_along_axis": lambda a: torch.gather(a["x"], int(a["axis"]), a["indices"].long()),
    "transpose": lambda a: a["x"].permute(integers(a["perm"])),
    "reshape": lambda a: a["x"].reshape(integers(a["shape"])),
    "expand_dims": lambda a: a["x"].unsqueeze(integers(a["axes"])[0]),
    "tile": lambda a: a["x"].repeat(integers(a["reps"])),
    "concat": lambda a: torch.cat(a["values"], int(a["axis"])),
    "split": lambda a: list(torch.chunk(a["x"], int(a["num_splits"]), int(a["axis"]))),
}


def to_tensor(array, working=torch.float32):
    if isinstance(array, str):
        return array
    tensor = torch.from_numpy(np.array(array))
    return tensor.to(working) if tensor.is_floating_point() else tensor.long() if tensor.dtype == torch.int32 else tensor


def evaluate(path, inputs, function="main", precision="f16", peaks=None):
    """{output: array} of the package's function. peaks, where given, gets {operation's output: largest magnitude}."""
    package = path if isinstance(path, Package) else Package(path)
    block, values, last_use = package.block(function), {}, {}
    working = torch.float64 if precision == "f64" else torch.float32
    for declared in package.function(function).inputs:
        values[declared.name] = to_tensor(inputs[declared.name], working)
        if list(values[declared.name].shape) != shape_of(declared.type):
            raise ValueError(f"{declared.name}: {list(values[declared.name].shape)} for {shape_of(declared.type)}")
    for index, operation in enumerate(block.operations):
        for argument in operation.inputs.values():
            for binding in argument.arguments:
                last_use[binding.name] = index
    for index, operation in enumerate(block.operations):
        if operation.type == "const":
            values[operation.outputs[0].name] = to_tensor(package.value(operation.attributes["val"]), working)
            continue
        arguments = {}
        for name, argument in operation.inputs.items():
            bound = [values[b.name] for b in argument.arguments]
            arguments[name] = bound if name == "values" else bound[0]
        results = OPERATIONS[operation.type](arguments)
        for output, result in zip(operation.outputs, results if isinstance(results, list) else [results]):
            if list(result.shape) != shape_of(output.type):
                raise ValueError(f"{operation.type} {output.name}: {list(result.shape)} for {shape_of(output.type)}")
            if result.is_floating_point():
                result = result.to(working)
            if precision == "f16" and output.type.tensorType.dataType == 10:
                result = result.half().float()
            values[output.name] = result
            if peaks is not None and result.is_floating_point():
                peaks[output.name] = float(result.abs().max())
        for argument in operation.inputs.values():
            for binding in argument.arguments:
                if last_use[binding.name] == index and binding.name not in block.outputs:
                    values.pop(binding.name, None)
    return {name: values[name].numpy() for name in block.outputs}
