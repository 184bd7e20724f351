"""Compares the messages that bb-ir restates with those of the `onnx` package, field by field.

Ours are of IR version 10. What the package has beyond that is named here, so that nothing is missing unnoticed.
"""

import sys
from pathlib import Path

import onnx
from google.protobuf import descriptor_pb2

# What came with IR version 11: devices, versions, element types.
LATER = (
    "onnx.DeviceConfigurationProto.",
    "onnx.IntIntListEntryProto.",
    "onnx.ModelProto.configuration",
    "onnx.NodeDeviceConfigurationProto.",
    "onnx.NodeProto.device_configurations",
    "onnx.ShardedDimProto.",
    "onnx.ShardingSpecProto.",
    "onnx.SimpleShardedDimProto.",
    "onnx.TensorProto.DataType.FLOAT4E2M1",
    "onnx.TensorProto.DataType.FLOAT6E2M3",
    "onnx.TensorProto.DataType.FLOAT6E3M2",
    "onnx.TensorProto.DataType.FLOAT8E8M0",
    "onnx.TensorProto.DataType.INT2",
    "onnx.TensorProto.DataType.UINT2",
    "onnx.Version.IR_VERSION_2024_3_25",
    "onnx.Version.IR_VERSION_2025_",
)
# The newest version, which every version of the package has anew.
NEWEST = "onnx.Version.IR_VERSION"


def messages(file):
    """Every field and every value of an enum, by its full name: what a reader of the bytes has to know of it."""
    found = {}

    def enum(path, of):
        found.update({f"{path}.{of.name}.{v.name}": v.number for v in of.value})

    def message(path, of):
        path = f"{path}.{of.name}"
        for field in of.field:
            oneof = of.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else None
            found[f"{path}.{field.name}"] = (
                field.number,
                descriptor_pb2.FieldDescriptorProto.Type.Name(field.type),
                descriptor_pb2.FieldDescriptorProto.Label.Name(field.label),
                field.type_name.lstrip("."),
                oneof,
            )
        for nested in of.nested_type:
            message(path, nested)
        for nested in of.enum_type:
            enum(path, nested)

    for top in file.message_type:
        message("onnx", top)
    for top in file.enum_type:
        enum("onnx", top)
    return found


def main():
    ours = descriptor_pb2.FileDescriptorSet.FromString(Path(sys.argv[1]).read_bytes())
    ours = messages(next(file for file in ours.file if file.package == "onnx"))
    theirs = descriptor_pb2.FileDescriptorProto()
    onnx.onnx_ml_pb2.DESCRIPTOR.CopyToProto(theirs)
    theirs = messages(theirs)
    del ours[NEWEST], theirs[NEWEST]
    faults = [f"{name}: {ours[name]}, but {theirs.get(name)} there" for name in ours if ours[name] != theirs.get(name)]
    beyond = theirs.keys() - ours.keys()
    faults += [f"{name} is not here" for name in sorted(beyond) if not name.startswith(LATER)]
    faults += [f"{name} is not there" for name in LATER if not any(n.startswith(name) for n in beyond)]
    print("\n".join(faults) or f"protobuf types: {len(ours)} fields and values are right, {len(beyond)} are later")
    sys.exit(len(faults) > 0)


main()
