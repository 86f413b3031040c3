# SPDX-License-Identifier: Apache-2.0
"""Runs an exported ONNX model in onnxruntime."""
import onnxruntime


def evaluate(path, inputs, threads=2):
    """{output: array}. Inputs that the model gives a default may be left out."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs)))
