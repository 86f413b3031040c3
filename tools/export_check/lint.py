# SPDX-License-Identifier: Apache-2.0
"""What can be known about .mlpackages without Apple hardware.

  python lint.py PACKAGE...

1. The package as Apple's own code reads it; the weight file's records, and that each is used.
2. The description of inputs and outputs equals the program's; no dimension is unknown; names are identifiers, each once;
   the operator set fits the specification version; the generator has no linear layer.
3. coremltools' loader rebuilds the program: operations, definition before use, inferred against declared types.
4. coremltools writes the program again: the same operations, parameters and types (a parameter left out shows here). Every
   function of a multifunction package is taken out and passes the same checks.
Exit status: 0 clean, 1 with a line per finding.
"""
import copy
import logging
import os
import re
import sys
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)
os.environ["TQDM_DISABLE"] = "1"
import coremltools as ct  # noqa: E402
import numpy as np  # noqa: E402
from coremltools.converters.mil.frontend.milproto.load import load  # noqa: E402
from coremltools.libmodelpackage import ModelPackage  # noqa: E402
from mil_program import BLOB_ELEMENT_BYTES, BLOB_TYPES, OPSETS, Package, shape_of  # noqa: E402

IDENTIFIER = re.compile(r"^[A-Za-z_][A-Za-z0-9_@]*$")
FEATURE_TYPES = {65568: 11, 65552: 10, 131104: 23}
TARGETS = {6: ct.target.iOS15, 7: ct.target.iOS16, 8: ct.target.iOS17, 9: ct.target.iOS18}


def check_features(features, names, types, what):
    if [f.name for f in features] != names:
        yield f"{what}: {[f.name for f in features]}, the program has {names}"
        return
    for feature in features:
        array = feature.type.multiArrayType
        declared = types[feature.name].tensorType
        if list(array.shape) != shape_of(types[feature.name]) or FEATURE_TYPES[array.dataType] != declared.dataType:
            yield f"{what}: {feature.name}: {list(array.shape)} is not the program's {shape_of(types[feature.name])}"


def check_block(package, name, records, used):
    block, function = package.block(name), package.function(name)
    types, seen = {i.name: i.type for i in function.inputs}, {i.name for i in function.inputs}
    for operation in block.operations:
        if operation.type == "linear" and "decoder_har_post" in package.path:
            yield f"{operation.outputs[0].name}: a linear layer in the generator"
        for output in operation.outputs:
            if output.name in seen:
                yield f"{output.name}: defined twice"
            seen.add(output.name)
            types[output.name] = output.type
            if not IDENTIFIER.match(output.name):
                yield f"{output.name}: no identifier"
            if any(d.WhichOneof("dimension") != "constant" for d in output.type.tensorType.dimensions):
                yield f"{output.name}: a dimension that is not fixed"
        if operation.type == "const" and operation.attributes["val"].WhichOneof("value") == "blobFileValue":
            value = operation.attributes["val"]
            kind = BLOB_TYPES[value.type.tensorType.dataType]
            size = int(np.prod(shape_of(value.type))) * BLOB_ELEMENT_BYTES[kind]
            used.add(value.blobFileValue.offset)
            if records.get(value.blobFileValue.offset) != (kind, size):
                yield f"{operation.outputs[0].name}: blob {records.get(value.blobFileValue.offset)}, wanted {(kind, size)}"
    description = package.description(name)
    yield from check_features(description.input, [i.name for i in function.inputs], types, "inputs")
    yield from check_features(description.output, list(block.outputs), types, "outputs")


def operations_of(spec):
    function = spec.mlProgram.functions["main"]
    block = function.block_specializations[function.opset]
    return [(o.type, sorted(o.inputs), [q.type.SerializeToString(deterministic=True) for q in o.outputs])
            for o in block.operations if o.type != "const"]


def check_again(spec, weights):
    """Through coremltools' loader and back through its writer."""
    try:
        program = load(spec, spec.specificationVersion, weights)
    except Exception as error:  # whatever it raises is the finding
        yield f"loader: {type(error).__name__}: {error}"
        return
    again = ct.convert(program, source="milinternal", convert_to="mlprogram", skip_model_load=True,
                       minimum_deployment_target=TARGETS[spec.specificationVersion],
                       compute_precision=ct.precision.FLOAT32, pass_pipeline=ct.PassPipeline.EMPTY)
    ours, theirs = operations_of(spec), operations_of(again.get_spec())
    if len(ours) != len(theirs):
        yield f"written again: {len(theirs)} operations, not {len(ours)}"
    for a, b in zip(ours, theirs):
        if a[0] != b[0]:
            yield f"written again: {b[0]}, not {a[0]}"
            return
        if a[1] != b[1]:
            yield f"{a[0]}: only ours {sorted(set(a[1]) - set(b[1]))}, only coremltools' {sorted(set(b[1]) - set(a[1]))}"
        if a[2] != b[2]:
            yield f"{a[0]}: other types when written again"


def single_function(package, name):
    spec = copy.deepcopy(package.spec)
    description = package.description(name)
    del spec.description.functions[:]
    spec.description.defaultFunctionName = ""
    spec.description.input.extend(description.input)
    spec.description.output.extend(description.output)
    function = copy.deepcopy(spec.mlProgram.functions[name])
    for other in list(spec.mlProgram.functions):
        del spec.mlProgram.functions[other]
    spec.mlProgram.functions["main"].CopyFrom(function)
    return spec


def lint(path):
    findings = []
    if not ModelPackage.isValid(path):
        return ["package: not valid"]
    package = Package(path)
    records, findings = package.blob_records()
    used = set()
    for name in package.function_names():
        if package.function(name).opset != OPSETS.get(package.spec.specificationVersion):
            findings.append(f"{name}: {package.function(name).opset} in version {package.spec.specificationVersion}")
            continue
        findings += check_block(package, name, records, used)
        if package.is_multifunction:
            findings += [f"{name}: {x}" for x in check_again(single_function(package, name), package.data + "/weights")]
        else:
            findings += check_again(package.spec, package.data + "/weights")
    findings += [f"weight file: the blob at {offset} is not used" for offset in sorted(set(records) - used)]
    if not findings:
        ct.models.MLModel(path, skip_model_load=True)
    return findings


def main(paths):
    failed = not paths
    for path in paths:
        findings = lint(path.rstrip("/"))
        failed |= bool(findings)
        print("FAIL" if findings else "ok  ", os.path.basename(path.rstrip("/")), flush=True)
        for finding in findings[:20]:
            print("     ", finding)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
