#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the weights of the int8 ONNX release as an fp32 or fp16 ONNX file, as a release of that precision holds them.

  dequantise_onnx.py [--fp16] kokoro-v1.0.int8.onnx OUT.onnx

Initialisers keep their names (`X_quantized` becomes `X`, LSTM weights [2][4 hidden][in]) and each node that uses a
weight keeps its name and input (MatMul, Gemm with transB, Conv, LSTM, Gather). The other nodes are left out: the file
is a source of weights for `koe bundle build`, not a graph to run. Needs the Python packages onnx and numpy.
"""
import argparse

import numpy as np
import onnx
from onnx import helper, numpy_helper


def strip(name, suffix):
    return name[: -len(suffix)] if name.endswith(suffix) else name


def convert(model, dtype):
    graph = model.graph
    init = {t.name: t for t in graph.initializer}
    array = {}

    def value(name):
        if name not in array:
            array[name] = numpy_helper.to_array(init[name])
        return array[name]

    def dequantised(name, scale, zero_point):
        zero = value(zero_point).astype(np.float32) if zero_point else np.float32(0)
        return (value(name).astype(np.float32) - zero) * value(scale)

    tensors, nodes, used = {}, [], set()

    def put(name, values, sources):
        tensors[name] = np.ascontiguousarray(values, dtype=dtype)
        used.update(s for s in sources if s)

    def node(op, name, weights, **attributes):
        nodes.append(helper.make_node(op, [name + "_input", *weights], [name + "_output_0"], name=name, **attributes))

    gathered = {n.output[0]: n for n in graph.node if n.op_type == "Gather"}
    for n in graph.node:
        if n.op_type in ("MatMulInteger", "ConvInteger"):
            weight, zero = n.input[1], n.input[3] if len(n.input) > 3 else ""
            name = strip(weight, "_quantized")
            values = dequantised(weight, name + "_scale", zero)
            gemm = n.name.endswith("/Gemm_MatMul_quant")
            put(name, values.T if gemm else values, [weight, name + "_scale", zero])
            if gemm:
                node("Gemm", strip(n.name, "_MatMul_quant"), [name], transB=1)
            else:
                node("Conv" if n.op_type == "ConvInteger" else "MatMul", strip(n.name, "_quant"), [name])
        elif n.op_type == "DynamicQuantizeLSTM":
            names = []
            for weight, scale, zero in ((n.input[1], n.input[8], n.input[9]), (n.input[2], n.input[10], n.input[11])):
                name = strip(weight, "_quantized")
                scaled = (value(weight).astype(np.float32) - value(zero).reshape(-1, 1, 1)) * value(scale).reshape(-1, 1, 1)
                put(name, scaled.transpose(0, 2, 1), [weight, scale, zero])
                names.append(name)
            node("LSTM", strip(n.name, "_quant"), [*names, n.input[3]], hidden_size=256, direction="bidirectional")
        elif n.op_type == "DequantizeLinear" and n.input[0] in gathered:
            gather = gathered[n.input[0]]
            name = strip(gather.input[0], "_quantized")
            put(name, dequantised(gather.input[0], n.input[1], n.input[2]), [gather.input[0], *n.input[1:]])
            node("Gather", strip(gather.name, "_quant"), [name])
        elif n.op_type in ("MatMul", "Conv", "ConvTranspose") and len(n.input) > 1 and n.input[1] in init:
            node(n.op_type, n.name, [n.input[1]])
    for name, tensor in init.items():
        if name not in used and name not in tensors:
            values = value(name)
            narrow = values.dtype == np.float32 and np.all(np.abs(values) <= np.finfo(dtype).max)
            tensors[name] = values.astype(dtype) if narrow else values
    out = helper.make_graph(nodes, graph.name, [], [], [numpy_helper.from_array(v, k) for k, v in tensors.items()])
    return helper.make_model(out, producer_name="koe dequantise_onnx", opset_imports=model.opset_import)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fp16", action="store_true", help="write float16 instead of float32")
    parser.add_argument("source")
    parser.add_argument("output")
    arguments = parser.parse_args()
    model = convert(onnx.load(arguments.source), np.float16 if arguments.fp16 else np.float32)
    with open(arguments.output, "wb") as file:
        file.write(model.SerializeToString())


if __name__ == "__main__":
    main()
