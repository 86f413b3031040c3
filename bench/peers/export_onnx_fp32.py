#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes an fp32 ONNX file of Kokoro-82M for onnxruntime, from the public int8 file.

  python bench/peers/export_onnx_fp32.py kokoro-v1.0.int8.onnx OUT.onnx [--instance-norm] [--check GOLDEN.safetensors ...]

Every quantised operator becomes its float form with dequantised weights (MatMulInteger, ConvInteger, DynamicQuantizeLSTM
and the quantised embeddings), so the graph computes what PyTorch computes with the weights that Koe imports. The int8 file
has its instance norms spelled out as means, squares and roots, as its exporter wrote them; --instance-norm folds them into
InstanceNormalization, which is what torch.onnx.export makes of the PyTorch modules and which onnxruntime has a kernel for.
--check feeds PyTorch's golden excitation (the graph itself has no noise) and compares durations, decoder, generator and samples.

Needs numpy, onnx; --check needs onnxruntime too.
"""
import argparse
import collections
import os
import sys

import numpy as np
import onnx
from onnx import helper, numpy_helper

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import safetensors_file  # noqa: E402
from compare_dump import snr_db  # noqa: E402


class Graph:
    """The graph with maps from tensors to their producer and consumers, rebuilt after every pass."""

    def __init__(self, graph):
        self.graph = graph
        self.init = {t.name: t for t in graph.initializer}
        self.refresh()

    def refresh(self):
        self.producer = {o: n for n in self.graph.node for o in n.output if o}
        self.consumers = collections.defaultdict(list)
        for node in self.graph.node:
            for name in node.input:
                self.consumers[name].append(node)

    def value(self, name):
        return numpy_helper.to_array(self.init[name])

    def add(self, name, array):
        self.init[name] = numpy_helper.from_array(np.ascontiguousarray(array), name)
        return name

    def only_consumer(self, name, op_type):
        nodes = self.consumers[name]
        if len(nodes) != 1 or nodes[0].op_type != op_type:
            raise ValueError(f"{name}: expected one {op_type}, found {[n.op_type for n in nodes]}")
        return nodes[0]

    def replace(self, replacements):
        """replacements: {output name of an old node: new node}; new nodes take the old one's place in the order."""
        nodes = []
        for node in self.graph.node:
            new = next((replacements[o] for o in node.output if o in replacements), None)
            nodes.append(new if new is not None else node)
        self._set_nodes(nodes)

    def _set_nodes(self, nodes):
        """Keeps what the outputs need, in an order in which everything is computed before it is used."""
        producer = {o: n for n in nodes for o in n.output if o}
        needed, stack = set(), [o.name for o in self.graph.output]
        while stack:
            node = producer.get(stack.pop())
            if node is not None and id(node) not in needed:
                needed.add(id(node))
                stack.extend(node.input)
        kept = [n for n in nodes if id(n) in needed]
        del self.graph.node[:]
        self.graph.node.extend(kept)
        used = {name for n in kept for name in n.input}
        del self.graph.initializer[:]
        self.graph.initializer.extend(t for name, t in self.init.items() if name in used)
        self.init = {t.name: t for t in self.graph.initializer}
        self.refresh()


def attributes(node, names):
    return {a.name: helper.get_attribute_value(a) for a in node.attribute if a.name in names}


def dequantised(g, name, scale_name, zero_point_name):
    """A float32 initialiser for a quantised one; called again for the same name, the same initialiser."""
    float_name = name.removesuffix("_quantized") + "_fp32"
    if float_name not in g.init:
        zero_point = g.value(zero_point_name).astype(np.float32) if zero_point_name else np.float32(0)
        g.add(float_name, (g.value(name).astype(np.float32) - zero_point) * g.value(scale_name).astype(np.float32))
    return float_name


def float_products(g):
    """MatMulInteger and ConvInteger -> Cast -> Mul(scales), for a convolution with its integer bias in between."""
    out = {}
    for node in g.graph.node:
        if node.op_type not in ("MatMulInteger", "ConvInteger"):
            continue
        quantise = g.producer[node.input[0]]
        if quantise.op_type != "DynamicQuantizeLinear":
            raise ValueError(f"{node.name}: its input is not dynamically quantised")
        source, bias = quantise.input[0], None
        weight = dequantised(g, node.input[1], node.input[1].removesuffix("_quantized") + "_scale", node.input[3])
        after = g.consumers[node.output[0]][0]
        if after.op_type == "Add":  # bias / scale, floored and cast, reshaped to [1, C, 1]
            branch = g.producer[next(i for i in after.input if i != node.output[0])]
            while branch.op_type != "Div":
                branch = g.producer[branch.input[0]]
            bias = branch.input[0]
            if bias not in g.init:
                raise ValueError(f"{node.name}: its bias {bias} is no initialiser")
            after = g.only_consumer(after.output[0], "Cast")
        if after.op_type != "Cast":
            raise ValueError(f"{node.name}: unexpected {after.op_type}")
        result = g.only_consumer(after.output[0], "Mul").output[0]
        if node.op_type == "MatMulInteger":
            out[result] = helper.make_node("MatMul", [source, weight], [result], node.name + "_fp32")
        else:
            keep = attributes(node, ("dilations", "group", "kernel_shape", "pads", "strides"))
            inputs = [source, weight] + ([bias] if bias else [])
            out[result] = helper.make_node("Conv", inputs, [result], node.name + "_fp32", **keep)
    return out


def float_lstms(g):
    out = {}
    for node in g.graph.node:
        if node.op_type != "DynamicQuantizeLSTM":
            continue
        w, r = (dequantised_lstm(g, node.input[k], node.input[s]) for k, s in ((1, 8), (2, 10)))
        inputs = [node.input[0], w, r, *node.input[3:7]]
        keep = attributes(node, ("direction", "hidden_size", "input_forget"))
        out[node.output[0]] = helper.make_node("LSTM", inputs, list(node.output), node.name + "_fp32", **keep)
    return out


def dequantised_lstm(g, name, scale_name):
    """The operator's [directions, in, 4 hidden] int8, symmetric, to LSTM's [directions, 4 hidden, in]."""
    scale = g.value(scale_name).astype(np.float32)
    scale = scale.reshape(-1, 1, 1) if scale.ndim == 1 else scale[:, None, :]
    return g.add(name.removesuffix("_quantized") + "_fp32", (g.value(name).astype(np.float32) * scale).transpose(0, 2, 1))


def float_embeddings(g):
    """Gather(quantised table) -> DequantizeLinear."""
    out = {}
    for node in g.graph.node:
        if node.op_type != "DequantizeLinear":
            continue
        gather = g.producer[node.input[0]]
        if gather.op_type != "Gather":
            raise ValueError(f"{node.name}: its input comes from {gather.op_type}")
        table = dequantised(g, gather.input[0], node.input[1], node.input[2])
        out[node.output[0]] = helper.make_node("Gather", [table, gather.input[1]], list(node.output),
                                               gather.name + "_fp32", **attributes(gather, ("axis",)))
    return out


def instance_norms(g, channels_of):
    """x - mean over time, divided by sqrt(mean of squares + eps) -> InstanceNormalization with scale 1 and bias 0."""
    out = {}
    for node in g.graph.node:
        if node.op_type != "Div" or node.input[1] not in g.producer or node.input[0] not in g.producer:
            continue
        root, centred = g.producer[node.input[1]], g.producer[node.input[0]]
        if root.op_type != "Sqrt" or centred.op_type != "Sub":
            continue
        add = g.producer[root.input[0]]
        epsilon = next((i for i in add.input if i in g.init), None)
        mean = g.producer.get(centred.input[1])
        if add.op_type != "Add" or epsilon is None or mean is None or mean.op_type != "ReduceMean":
            continue
        x = centred.input[0]
        channels = channels_of.get(x)
        if mean.input[0] != x or not channels:
            continue
        ones = g.add(f"instance_norm_scale_{channels}", np.ones(channels, np.float32))
        zeros = g.add(f"instance_norm_bias_{channels}", np.zeros(channels, np.float32))
        out[node.output[0]] = helper.make_node("InstanceNormalization", [x, ones, zeros], list(node.output),
                                               node.name + "_instance", epsilon=float(g.value(epsilon)))
    return out


def channels_by_running(model):
    """{tensor: channels} of every rank-3 input of a Sub, from one run (the file has no shapes of inner tensors)."""
    import onnxruntime
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = sorted({n.input[0] for n in probe.graph.node if n.op_type == "Sub"})
    known = {i.name for i in probe.graph.initializer} | {o.name for o in probe.graph.output}
    names = [n for n in names if n not in known]
    probe.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in names)
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = {"tokens": np.array([[0, 50, 83, 54, 156, 31, 0]], np.int64), "style": np.zeros((1, 256), np.float32),
            "speed": np.ones(1, np.float32)}
    values = session.run(names, feed)
    return {n: v.shape[1] for n, v in zip(names, values) if v.ndim == 3}


def check(path, golden_paths):
    """Durations, decoder output, generator output and samples of every golden, with the golden's excitation fed in."""
    import onnxruntime
    model = onnx.load(path)
    g = Graph(model.graph)
    rounded = next(n for n in model.graph.node if n.op_type == "Round").output[0]
    durations = g.only_consumer(rounded, "Clip").output[0]
    x_pre = [n for n in model.graph.node if n.name.startswith("/decoder/decoder/decode.3/")][-1].output[0]
    conv_post = next(n for n in model.graph.node if n.op_type == "Conv" and "conv_post" in n.name).output[0]
    for node in model.graph.node:
        if node.op_type == "Conv" and "noise_convs" in node.name:
            node.input[0] = "golden_har"
    model.graph.input.append(helper.make_tensor_value_info("golden_har", onnx.TensorProto.FLOAT, [1, 22, None]))
    names = ["audio", durations, x_pre, conv_post]
    model.graph.output.extend(helper.make_empty_tensor_value_info(n) for n in names[1:])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ok = True
    for golden_path in golden_paths:
        golden = safetensors_file.read(golden_path)
        audio, found, decoded, spectrum = session.run(names, {
            "tokens": golden["token_ids"].astype(np.int64)[None], "style": golden["ref_s"][None],
            "speed": golden["speed"], "golden_har": golden["har"][None]})
        equal = np.array_equal(found.ravel().astype(int), golden["pred_dur"].astype(int))
        # The file's inverse STFT divides by a window sum that is a third too small: its samples are 1.5 times PyTorch's.
        distances = [snr_db(decoded, golden["x_pre"]), snr_db(spectrum, golden["conv_post"]),
                     snr_db(audio / 1.5, golden["waveform"])] if equal else [-np.inf]
        print(f"{os.path.basename(golden_path)}: durations {'equal' if equal else 'DIFFER'}; x_pre, conv_post, waveform / 1.5: "
              + ", ".join(f"{d:.1f}" for d in distances) + " dB")
        ok = ok and equal and min(distances) >= 90
    return ok


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("int8_onnx")
    parser.add_argument("output")
    parser.add_argument("--instance-norm", action="store_true")
    parser.add_argument("--check", nargs="+", metavar="GOLDEN", default=[])
    args = parser.parse_args()
    model = onnx.load(args.int8_onnx)
    g = Graph(model.graph)
    g.replace({**float_products(g), **float_lstms(g), **float_embeddings(g)})
    if args.instance_norm:
        found = instance_norms(g, channels_by_running(model))
        g.replace(found)
        print(f"{len(found)} instance norms")
    left = sorted({n.op_type for n in model.graph.node if "Quantize" in n.op_type or "Integer" in n.op_type})
    if left:
        sys.exit(f"quantised operators are left: {left}")
    onnx.save(model, args.output)
    onnx.checker.check_model(args.output)
    counts = collections.Counter(n.op_type for n in model.graph.node)
    print(f"{args.output}: {os.path.getsize(args.output)} bytes, {sum(counts.values())} nodes: "
          + ", ".join(f"{v} {k}" for k, v in counts.most_common(12)))
    if args.check and not check(args.output, args.check):
        sys.exit(1)


if __name__ == "__main__":
    main()
