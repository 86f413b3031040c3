# SPDX-License-Identifier: Apache-2.0
"""Reads an .mlpackage without Core ML: the model's message, its blobs, and a walk over the weight file."""
import os
import struct

import numpy as np
from coremltools.proto import Model_pb2

NUMPY_TYPES = {1: np.bool_, 10: np.float16, 11: np.float32, 23: np.int32}  # MILSpec.DataType
BLOB_TYPES = {10: 1, 11: 2, 23: 14}  # MILSpec.DataType -> the weight file's
BLOB_ELEMENT_BYTES = {1: 2, 2: 4, 14: 4}
OPSETS = {6: "CoreML5", 7: "CoreML6", 8: "CoreML7", 9: "CoreML8", 10: "CoreML9"}
SENTINEL = 0xDEADBEEF


def shape_of(value_type):
    return [d.constant.size for d in value_type.tensorType.dimensions]


class Package:
    def __init__(self, path):
        self.path = path
        self.data = os.path.join(path, "Data", "com.apple.CoreML")
        self.spec = Model_pb2.Model()
        with open(os.path.join(self.data, "model.mlmodel"), "rb") as f:
            self.spec.ParseFromString(f.read())
        with open(os.path.join(self.data, "weights", "weight.bin"), "rb") as f:
            self.weights = f.read()

    @property
    def is_multifunction(self):
        return len(self.spec.description.functions) > 0

    def function_names(self):
        return [f.name for f in self.spec.description.functions] if self.is_multifunction else ["main"]

    def function(self, name):
        return self.spec.mlProgram.functions[name]

    def block(self, name):
        function = self.function(name)
        return function.block_specializations[function.opset]

    def description(self, name):
        if not self.is_multifunction:
            return self.spec.description
        return next(f for f in self.spec.description.functions if f.name == name)

    def blob(self, offset, numpy_type):
        sentinel, _, size, data = struct.unpack_from("<IIQQ", self.weights, offset)
        if sentinel != SENTINEL or offset % 64 or data % 64:
            raise ValueError(f"blob at {offset}: no record")
        return np.frombuffer(self.weights, numpy_type, size // np.dtype(numpy_type).itemsize, data)

    def value(self, value):
        """An MILSpec.Value as a numpy array, or a string."""
        kind = value.type.tensorType.dataType
        if kind == 2:
            return value.immediateValue.tensor.strings.values[0]
        shape, numpy_type = shape_of(value.type), NUMPY_TYPES[kind]
        if value.WhichOneof("value") == "blobFileValue":
            return self.blob(value.blobFileValue.offset, numpy_type).reshape(shape)
        tensor = value.immediateValue.tensor
        held = tensor.WhichOneof("value")
        if held == "bytes":
            return np.frombuffer(tensor.bytes.values, numpy_type).reshape(shape)
        return np.array(list(getattr(tensor, held).values), numpy_type).reshape(shape)

    def blob_records(self):
        """{offset: (type, bytes)} of the whole weight file, and what is wrong with it."""
        count, version = struct.unpack_from("<II", self.weights, 0)
        findings, records, end = [], {}, 64
        if version != 2:
            findings.append(f"weight file: version {version}")
        for index in range(count):
            offset = end + -end % 64
            sentinel, kind, size, data = struct.unpack_from("<IIQQ", self.weights, offset)
            if sentinel != SENTINEL or data != offset + 64:
                findings.append(f"weight file: record {index} at {offset}")
                return records, findings
            records[offset] = (kind, size)
            end = data + size
        if end != len(self.weights):
            findings.append(f"weight file: {len(self.weights) - end} bytes behind the last blob")
        return records, findings
