# SPDX-License-Identifier: Apache-2.0
"""Writes the container of a tagger's weights (src/g2p/tagger_file.h, which is its specification)."""
import struct

MAGIC, VERSION, ALIGNMENT, HEADER_BYTES, NAME_BYTES = b"KOETAG1\0", 1, 64, 64, 16
NETWORK = 2  # TaggerKind::kNetwork
MASK = (1 << 64) - 1


def checksum(data):
    prime = 0x9E3779B97F4A7C15
    state = (prime ^ len(data)) & MASK
    whole = len(data) // 8 * 8
    for word in list(struct.unpack(f"<{whole // 8}Q", data[:whole])) + list(data[whole:]):
        state = ((state ^ word) * prime) & MASK
        state = ((state << 29) | (state >> 35)) & MASK
    return state ^ (state >> 32)


def pack(kind, sections):
    """The file's bytes; sections: {name of 1 to 15 ASCII characters: bytes}, in the order of the file."""
    table, body = b"", b""
    start = HEADER_BYTES + len(sections) * (NAME_BYTES + 16)
    for name, data in sections.items():
        raw = name.encode("ascii")
        if not 0 < len(raw) < NAME_BYTES:
            raise ValueError(f"section '{name}': the name is empty or too long")
        body += bytes(-(start + len(body)) % ALIGNMENT)
        table += raw.ljust(NAME_BYTES, b"\0") + struct.pack("<QQ", start + len(body), len(data))
        body += data
    body += bytes(-(start + len(body)) % ALIGNMENT)
    rest = table + body
    header = MAGIC + struct.pack("<IIIIQQ", VERSION, kind, len(sections), 0, HEADER_BYTES + len(rest), checksum(rest))
    return header.ljust(HEADER_BYTES, b"\0") + rest
