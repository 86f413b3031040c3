# SPDX-License-Identifier: Apache-2.0
"""Do the gates have teeth? Damages packages one fault at a time; each must be found by the lint or by the numbers.

  python mutation_check.py --koe build/release/koe --coreml DIR --coreml-fp32 DIR   (packages of 3 s and 128 tokens)

What damages numbers is done to the float32 package (gate: 100 dB) and to the float16 one (45 dB) of the same graph; one gate that
fails is enough. Some faults are about as large as float16's rounding, so that only the float32 gate can see them.
Exit status: 0 when every fault was found, 1 with those that were not.
"""
import argparse
import os
import shutil
import struct
import sys
import tempfile

import cases
import lint
import mil_eval
import numpy as np
from check_numbers import judge
from mil_program import Package, shape_of


def first(package, kind, last=False):
    found = [o for o in package.block("main").operations if o.type == kind]
    return found[-1 if last else 0]


def constant(package, name):
    return next(o for o in package.block("main").operations if o.type == "const" and o.outputs[0].name == name)


def bound(operation, parameter):
    return operation.inputs[parameter].arguments[0].name


def set_ints(package, operation, parameter, values):
    """Binds the parameter to a new constant, so that nobody else's changes."""
    block = package.block("main")
    copy = type(operation)()
    copy.CopyFrom(constant(package, bound(operation, parameter)))
    copy.outputs[0].name += "_mutated"
    ints = copy.attributes["val"].immediateValue.tensor.ints.values
    del ints[:]
    ints.extend(values)
    operation.inputs[parameter].arguments[0].name = copy.outputs[0].name
    index = next(i for i, o in enumerate(block.operations) if o.outputs[0].name == operation.outputs[0].name)
    block.operations.insert(index, copy)


# What the lint must find.
def bad_shape(p):
    first(p, "conv").outputs[0].type.tensorType.dimensions[2].constant.size += 1


def missing_parameter(p):
    del first(p, "conv").inputs["strides"]


def undefined_name(p):
    first(p, "add").inputs["x"].arguments[0].name = "nowhere"


def wrong_type(p):
    first(p, "mul").outputs[0].type.tensorType.dataType = 11 if first(p, "mul").outputs[0].type.tensorType.dataType == 10 else 10


def blob_offset(p):
    blobs = [o for o in p.block("main").operations
             if o.type == "const" and o.attributes["val"].WhichOneof("value") == "blobFileValue"]
    blobs[0].attributes["val"].blobFileValue.offset += 64


def order(p):
    block = p.block("main")
    last = type(block.operations[0])()
    last.CopyFrom(block.operations[-1])
    del block.operations[-1]
    block.operations.insert(0, last)


def description(p):
    p.spec.description.input[0].type.multiArrayType.shape[1] += 1


def opset(p):
    function = p.function("main")
    block = type(p.block("main"))()
    block.CopyFrom(p.block("main"))
    del function.block_specializations[function.opset]
    function.opset = "CoreML4"
    function.block_specializations["CoreML4"].CopyFrom(block)


def unknown_operation(p):
    first(p, "sqrt").type = "square_root"


# What only the numbers can find.
def leaky_slope(p):
    operation = first(p, "leaky_relu")
    value = constant(p, bound(operation, "alpha")).attributes["val"].immediateValue.tensor
    if value.WhichOneof("value") == "bytes":
        value.bytes.values = np.float16(0.5 * np.frombuffer(value.bytes.values, np.float16)[0]).tobytes()
    else:
        value.floats.values[0] *= 0.5


def upsampler_shift(p):
    operation = next(o for o in p.block("main").operations if o.type == "slice_by_index" and
                     [x for x in o.outputs[0].type.tensorType.dimensions][2:] and
                     list(p.value(constant(p, bound(o, "begin")).attributes["val"])) == [0, 0, 1])
    begin, end = (list(p.value(constant(p, bound(operation, k)).attributes["val"])) for k in ("begin", "end"))
    set_ints(p, operation, "begin", [begin[0], begin[1], begin[2] - 1])
    set_ints(p, operation, "end", [end[0], end[1], end[2] - 1])


def swapped_lstm_bias(p):
    lstms = [o for o in p.block("main").operations if o.type == "lstm"]
    a, b = lstms[0].inputs["bias"].arguments[0], lstms[1].inputs["bias"].arguments[0]
    a.name, b.name = b.name, a.name
    block = p.block("main")  # both constants before their first use
    moved = [o for o in block.operations if o.type == "const" and o.outputs[0].name in (a.name, b.name)]
    copies = []
    for operation in moved:
        copy = type(operation)()
        copy.CopyFrom(operation)
        copies.append(copy)
        block.operations.remove(operation)
    for copy in copies:
        block.operations.insert(0, copy)


def rebind(p, old, new):
    """Whoever uses `old` uses `new`."""
    for operation in p.block("main").operations:
        for argument in operation.inputs.values():
            for binding in argument.arguments:
                if binding.name == old:
                    binding.name = new


def ignored_mask(p):
    """Every frame or token counts as real."""
    declared = next(i for i in p.function("main").inputs if i.name in ("mask", "attention_mask"))
    rebind(p, declared.name, "all_ones")
    block = p.block("main")
    ones = type(block.operations[0])()
    ones.type = "const"
    ones.attributes["name"].type.tensorType.dataType = 2
    ones.attributes["name"].immediateValue.tensor.strings.values.append("all_ones")
    value = ones.attributes["val"]
    value.type.CopyFrom(declared.type)
    tensor = value.immediateValue.tensor
    (tensor.floats if declared.type.tensorType.dataType == 11 else tensor.ints).values.extend([1] * int(np.prod(shape_of(declared.type))))
    output = ones.outputs.add()
    output.name = "all_ones"
    output.type.CopyFrom(declared.type)
    block.operations.insert(0, ones)


def lost_fill(p):
    """The first mean over time counts the padding, too: it is not divided by the share of real frames."""
    means = {o.outputs[0].name for o in p.block("main").operations if o.type == "reduce_mean"}
    division = next(o for o in p.block("main").operations if o.type == "real_div" and bound(o, "x") in means)
    rebind(p, division.outputs[0].name, bound(division, "x"))


def unmasked_norm(p):
    """The first adaptive norm leaves its shift in the padding, from where the next convolution takes it."""
    operations = {o.outputs[0].name: o for o in p.block("main").operations}
    shapes = {name: shape_of(o.outputs[0].type) for name, o in operations.items()}
    shapes.update((i.name, shape_of(i.type)) for i in p.function("main").inputs)

    def masks_a_sum(operation):
        if operation.type != "mul" or bound(operation, "x") not in operations or operations[bound(operation, "x")].type != "add":
            return False
        x, y = shapes[bound(operation, "x")], shapes[bound(operation, "y")]
        return len(x) == 3 and y == [1, 1, x[2]] and x[1] > 1

    product = next(o for o in operations.values() if masks_a_sum(o))
    rebind(p, product.outputs[0].name, bound(product, "x"))


def scaled_weight(p):
    """Doubles the last convolution's weights in the file. (A norm behind the first one would take the factor out again.)"""
    value = constant(p, bound(first(p, "conv", last=True), "weight")).attributes["val"]
    _, _, size, data = struct.unpack_from("<IIQQ", p.weights, value.blobFileValue.offset)
    raw, kind = bytearray(p.weights), np.float16 if value.type.tensorType.dataType == 10 else np.float32
    raw[data:data + size] = (2 * np.frombuffer(p.weights, kind, size // np.dtype(kind).itemsize, data)).astype(kind).tobytes()
    p.weights = bytes(raw)


LINT_FAULTS = (bad_shape, missing_parameter, undefined_name, wrong_type, blob_offset, order, description, opset, unknown_operation)
MASK_FAULTS = (ignored_mask, lost_fill, unmasked_norm)
NUMBER_FAULTS = {"duration": (swapped_lstm_bias, ignored_mask),
                 "f0ntrain": (swapped_lstm_bias, upsampler_shift, leaky_slope, scaled_weight, *MASK_FAULTS),
                 "decoder_pre": (upsampler_shift, leaky_slope, scaled_weight, *MASK_FAULTS),
                 "decoder_har_post": (leaky_slope, scaled_weight, *MASK_FAULTS)}


def damaged(source, folder, fault):
    target = os.path.join(folder, os.path.basename(source))
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    package = Package(target)
    fault(package)
    with open(os.path.join(package.data, "model.mlmodel"), "wb") as f:
        f.write(package.spec.SerializeToString())
    with open(os.path.join(package.data, "weights", "weight.bin"), "wb") as f:
        f.write(package.weights)
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--koe", required=True)
    parser.add_argument("--coreml", required=True)
    parser.add_argument("--coreml-fp32", required=True)
    arguments = parser.parse_args()
    missed, total, tensors = 0, 0, cases.dump(arguments.koe)
    with tempfile.TemporaryDirectory() as folder:
        for fault in LINT_FAULTS:
            path = damaged(os.path.join(arguments.coreml, "kokoro_f0ntrain_t120.mlpackage"), folder, fault)
            findings = lint.lint(path)
            total, missed = total + 1, missed + (not findings)
            print(f"{'found ' if findings else 'MISSED'} {fault.__name__}: {findings[:1]}", flush=True)
        for stage, faults in NUMBER_FAULTS.items():
            size = 128 if stage == "duration" else 3
            case = cases.Case(stage, tensors, size)
            for fault in faults:
                rows = []
                for precision, source in (("fp32", arguments.coreml_fp32), ("fp16", arguments.coreml)):
                    path = damaged(os.path.join(source, cases.package_name(stage, size) + ".mlpackage"), folder, fault)
                    outputs = mil_eval.evaluate(path, case.inputs, precision=precision.replace("p", ""))
                    rows += [(f"{precision} {name} {text}", good) for name, text, good in judge(case, outputs, precision, False)]
                found = not all(good for _, good in rows)
                total, missed = total + 1, missed + (not found)
                print(f"{'found ' if found else 'MISSED'} {stage} {fault.__name__}: {'; '.join(text for text, _ in rows)}", flush=True)
    print(f"{total} faults, {missed} missed")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
