"""The pinned values in bb-ir's tests, computed without bb: `python3 tests/vectors.py`."""

from hashlib import sha256


def field(number, content):
    """A protobuf field with a length; every number here is below 128."""
    return bytes([number << 3 | 2, len(content)]) + content


# NodeProto: input, output, name, op_type. FunctionProto: name, node. ModelProto: ir_version, functions (25).
node = field(1, b"x") + field(2, b"y") + field(3, b"y") + field(4, b"Neg")
function = field(1, b"f") + field(7, node)
model = bytes([1 << 3, 10]) + bytes([25 << 3 & 0x7F | 2 | 0x80, 25 >> 4, len(function)]) + function

digest = sha256(b"bb.program.v1\0" + b"1" + b"\0" + model).digest()
print("digest", digest.hex())
for wire, payload in [(0, 0), (0, 1), (258, 0)]:
    address = sha256(b"bb.site.v1" + digest + wire.to_bytes(8, "little") + payload.to_bytes(4, "little"))
    print("site", wire, payload, address.digest()[:8].hex())

TYPES = [
    "tensor(f32)",
    "tensor(u64)",
    "tensor(bool)",
    "tensor(any)",
    "bb.peer",
    "bb.trigger",
    "bb.string",
    "bb.bytes",
    "seq(tensor(f32))",
    "app.Report{1:tensor(f32),2:tensor(u64)}",
]
for text in TYPES:
    hashed = sha256(b"bb.type.v1\0" + text.encode()).digest()
    print("type", text, hex(int.from_bytes(hashed[:8], "little")))
