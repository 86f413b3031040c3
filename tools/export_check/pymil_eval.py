# SPDX-License-Identifier: Apache-2.0
"""Evaluator B: binds a program's inputs to constants and lets coremltools' own value inference fold it. Four operations
have none there and are computed here with PyTorch."""
import copy

import coremltools  # noqa: F401  (registers the operations)
import mil_eval
import numpy as np
import torch
from coremltools.converters.mil.frontend.milproto.load import load
from coremltools.converters.mil.mil.operation import VALUE, precondition
from coremltools.converters.mil.mil.ops.registry import SSAOpRegistry
from mil_program import Package

CONV = ("x", "weight", "bias", "strides", "dilations", "groups", "pad_type", "pad")
ADDED = {"conv": (mil_eval.conv, CONV), "conv_transpose": (mil_eval.conv_transpose, CONV),
         "lstm": (mil_eval.lstm, ("x", "initial_h", "initial_c", "weight_ih", "weight_hh", "bias", "direction")),
         "upsample_nearest_neighbor": (mil_eval.upsample, ("x", "scale_factor_height", "scale_factor_width"))}


def inference(function, parameters):
    def infer(operation):
        if operation.x.val is None:
            return None
        arguments = {}
        for name in parameters:
            parameter = getattr(operation, name)
            if parameter is not None:
                value = parameter.val
                arguments[name] = value if isinstance(value, str) else mil_eval.to_tensor(value)
        result = function(arguments)
        back = [t.numpy().astype(operation.x.val.dtype) for t in (result if isinstance(result, list) else [result])]
        return tuple(back) if isinstance(result, list) else back[0]
    return precondition(allow=VALUE)(infer)


for _name, (_function, _parameters) in ADDED.items():
    for _class in set(SSAOpRegistry.core_ops[_name].values()):
        _class.value_inference = inference(_function, _parameters)


def constant_operation(block, name, array):
    operation = block.operations.add()
    operation.type = "const"
    text = operation.attributes["name"]
    text.type.tensorType.dataType = 2
    text.immediateValue.tensor.strings.values.append("bound_" + name)
    value = operation.attributes["val"]
    value.type.tensorType.dataType = {"float32": 11, "int32": 23}[array.dtype.name]
    value.type.tensorType.rank = array.ndim
    for size in array.shape:
        value.type.tensorType.dimensions.add().constant.size = size
    tensor = value.immediateValue.tensor
    held = tensor.floats if array.dtype == np.float32 else tensor.ints
    held.values.extend(array.ravel().tolist())
    output = operation.outputs.add()
    output.name = name
    output.type.CopyFrom(value.type)


def evaluate(path, inputs, function="main"):
    package = path if isinstance(path, Package) else Package(path)
    spec = copy.deepcopy(package.spec)
    program = spec.mlProgram.functions[function]
    block = program.block_specializations[program.opset]
    operations = list(block.operations)
    names = [i.name for i in program.inputs]
    del block.operations[:]
    del program.inputs[1:]  # a function needs one
    program.inputs[0].name = "unused_input"
    for name in names:
        constant_operation(block, name, np.ascontiguousarray(inputs[name]))
    block.operations.extend(operations)
    with torch.no_grad():
        folded = load(spec, spec.specificationVersion, package.data + "/weights")
    return {output.name: output.val for output in folded.functions[function].outputs}
