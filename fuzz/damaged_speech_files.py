# SPDX-License-Identifier: Apache-2.0
"""Damaged seeds of dictionaries, taggers and letter-to-sound models, of header lines and addresses. For write_damaged_seeds.py."""
import json
import struct


def words(data, edits):
    """The compiled lexicon with 32-bit words of its header changed: {index: value}."""
    out = bytearray(data)
    for index, value in edits.items():
        out[8 + 4 * index:12 + 4 * index] = struct.pack("<I", value & 0xFFFFFFFF)
    return bytes(out)


def lexicons(data):
    header = struct.unpack("<14I", data[8:64])
    (_, size, num_keys, num_blocks, num_symbols, num_pairs, num_tags, symbols, pairs, tags, prefixes, blocks, _, keys) = header
    cases = {"too short": data[:63], "another magic": b"X" + data[1:], "version 2": words(data, {0: 2}), "padded": data + b"\0", "another size": words(data, {1: size + 1}),
             "too many symbols": words(data, {4: 255}), "too many tags": words(data, {6: 33}), "table outside": words(data, {7: size + 4}), "table in the header": words(data, {7: 8}),
             "table too long": words(data, {5: 200, 8: size - 2}), "number of blocks": words(data, {3: num_blocks + 1}), "number of keys": words(data, {2: num_keys + 16})}
    patch = {"symbol 0": (symbols, bytes(4)), "symbol a surrogate": (symbols, struct.pack("<I", 0xD800)), "symbol too large": (symbols, struct.pack("<I", 0x110000)),
             "blocks do not start at 0": (blocks, struct.pack("<I", 1)), "blocks end early": (blocks + 4 * num_blocks, struct.pack("<I", size - keys - 1)), "blocks end outside": (blocks + 4 * num_blocks, b"\xff" * 4),
             "key cut": (size - 1, b"\xff"), "keys of noise": (keys, b"\xff" * (size - keys)), "keys of zeros": (keys, bytes(size - keys))}
    if num_pairs:
        patch["pair of no symbol"] = (pairs, b"\xff")
    for name, (at, raw) in patch.items():
        cases[name] = data[:at] + raw + data[at + len(raw):]
    for cut in range(1, 12):
        body = data[:keys] + bytes([15]) * cut
        cases[f"long keys {cut}"] = words(body, {1: len(body)})[:blocks] + struct.pack("<2I", 0, cut)[:8] + body[blocks + 8:] if num_blocks == 1 else data
    for offset in range(keys, size):
        cases[f"key byte {offset - keys} high"] = data[:offset] + bytes([data[offset] | 0xF0]) + data[offset + 1:]
        cases[f"key byte {offset - keys} low"] = data[:offset] + bytes([data[offset] & 0xF0]) + data[offset + 1:]
        cases[f"key byte {offset - keys} plus"] = data[:offset] + bytes([data[offset] + 1 & 0xFF]) + data[offset + 1:]
    return cases


def dictionaries():
    long = "a" * 255
    many = {f"w{i}": "".join(chr(0x100 + (i * 7 + j) % 90) for j in range(6)) for i in range(40)}
    cases = {"no JSON": "{", "a list": "[]", "empty key": '{"": "a"}', "key with space": '{"a b": "a"}', "key too long": json.dumps({"k" * 64: "a"}), "key of accents": '{"é": "a"}', "phonemes too long": json.dumps({"a": long}),
             "a number": '{"a": 1}', "no default": '{"a": {"VBD": "x"}}', "default a number": '{"a": {"DEFAULT": 1}}', "default too long": json.dumps({"a": {"DEFAULT": long}}), "variant too long": json.dumps({"a": {"DEFAULT": "x", "VBD": long}}),
             "tag too long": '{"a": {"DEFAULT": "x", "VERBVERBS": "y"}}', "empty tag": '{"a": {"DEFAULT": "x", "": "y"}}', "variant a number": '{"a": {"DEFAULT": "x", "VBD": 1}}', "null variant": '{"a": {"DEFAULT": "x", "None": null}}',
             "too many tags": json.dumps({"a": {"DEFAULT": "x", **{f"T{i}": "y" for i in range(33)}}}), "too many variants": json.dumps({"a": {"DEFAULT": "x", **{f"T{i}": "y" for i in range(256)}}}),
             "too many symbols": json.dumps({"a": "".join(chr(0x100 + i) for i in range(130)), "b": "".join(chr(0x200 + i) for i in range(130))}), "symbol 0": '{"a": "\\u0000"}',
             "long words": json.dumps({"antidisestablishmentarianism": "ab" * 40, "antidisestablishmentarianisms": "ab" * 41, "antidisestablishmentarianismsx": "x"}), "many words": json.dumps(many), "pairs": json.dumps({"a": "ababab", "b": "abab", "c": "ab", "d": {"DEFAULT": "abab", "VBD": "ab"}}),
             "both tiers": '{"a": "x", "A": "y"}', "nothing": "{}"}
    return cases


def user_lexicons():
    return {"utf-16": b"\xff\xfea\0\t\0", "utf-16 big": b"\xfe\xff\0a", "not utf-8": b"cat\tk\xff\n", "mark": b"\xef\xbb\xbfcat\tk\xc3\xa6t\n", "control": b"c\x01t\tk\n", "delete": b"c\x7ft\tk\n", "four fields": b"a\tb\tc\td\n", "one field": b"cat\n", "a long field": b"c" * 100 + b"\n",
            "long accents": "é".encode() * 50 + b"\n", "no word": b"\tk\n", "word too long": b"w" * 300 + b"\tk\n", "escaped": b"\\#cat\tk\n", "no phonemes": b"cat\t\n", "slashes": "cat\t/kæt/\n".encode(), "empty slashes": b"cat\t//\n", "blank slashes": b"cat\t/ /\n",
            "g": "go\tgO\n".encode(), "colon": b"a\ta:\n", "unknown": "a\tЖ\n".encode(), "far symbol": "a\t\U0001F600\n".encode(), "too many": b"a\t" + b"k" * 600 + b"\n", "nothing spoken": "a\tˈ\n".encode(), "bad tag": b"a\tXX\tk\n", "star": b"a\t*\tk\n", "classes": b"a\tNOUN\tk\na\tVERB\tt\na\tADJ\tp\na\tADV\tb\na\tNN\td\n",
            "again the same": b"a\tk\na\tk\n", "again another": b"a\tk\na\tt\n", "again another as": b"a\tNOUN\tk\na\tNOUN\tt\n", "two cases": b"Polish\tk\npolish\tt\nPOLISH\tp\n", "spaces": b"  New   York \tk\n \t \n\n#c\n", "quotes": "don’t\tk\nit‘s\tt\n".encode(), "wide letters": "ＡＢ\tk\n".encode(), "no end": b"a\tk", "only comments": b"# x\n", "tabs": b"\t\t\n"}


PRIME, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def checksum(data):
    """As tagger_file::Checksum."""
    value = PRIME ^ len(data)

    def step(value, part):
        value = (value ^ part) * PRIME & MASK
        return (value << 29 | value >> 35) & MASK
    whole = len(data) // 8 * 8
    for at in range(0, whole, 8):
        value = step(value, struct.unpack_from("<Q", data, at)[0])
    for byte in data[whole:]:
        value = step(value, byte)
    return value ^ value >> 32


def sealed(body, kind=1, sections=1):
    head = b"KOETAG1\0" + struct.pack("<IIIIQQ", 1, kind, sections, 0, 64 + len(body), checksum(body))
    return head + bytes(64 - len(head)) + body


def taggers(models):
    def entry(name, offset, size):
        return name.ljust(16, b"\0") + struct.pack("<QQ", offset, size)
    one = entry(b"a", 128, 64) + bytes(32) + bytes(64)
    good = sealed(one)
    cases = {"too short": good[:63], "another magic": b"X" + good[1:], "version 2": good[:8] + b"\2" + good[9:], "padded": good + b"\0", "checksum": good[:-1] + b"x", "one section": good, "unknown kind": sealed(one, 9), "no section": sealed(b"", 1, 0), "network": sealed(one, 2),
             "too many sections": sealed(one, 1, 300), "more sections than bytes": sealed(one, 1, 100), "not aligned": sealed(entry(b"a", 129, 1) + bytes(96)), "in the table": sealed(entry(b"a", 64, 64) + bytes(96)), "behind the end": sealed(entry(b"a", 1 << 40, 1) + bytes(96)),
             "too long": sealed(entry(b"a", 128, 65) + bytes(96)), "no name": sealed(entry(b"", 128, 64) + bytes(96)), "name unpadded": sealed(entry(b"n" * 16, 128, 64) + bytes(96)), "name with a hole": sealed(entry(b"a\0b", 128, 64) + bytes(96)), "name with space": sealed(entry(b"a b", 128, 64) + bytes(96)),
             "a name twice": sealed(entry(b"a", 128, 0) + entry(b"a", 128, 64) + bytes(64), 1, 2), "overlap": sealed(entry(b"a", 128, 64) + entry(b"b", 128, 64) + bytes(64), 1, 2)}
    for name, data in models.items():
        if data[:7] == b"KOETAG1":
            count = struct.unpack_from("<I", data, 16)[0]
            for index in range(count):
                at = 64 + index * 32
                for what, edit in (("renamed", b"x"), ("shorter", None)):
                    body = bytearray(data[64:])
                    if edit:
                        body[at - 64:at - 63] = edit
                    else:
                        size = struct.unpack_from("<Q", body, at - 64 + 24)[0]
                        struct.pack_into("<Q", body, at - 64 + 24, max(size - 1, 0))
                    cases[f"{name} section {index} {what}"] = sealed(bytes(body), struct.unpack_from("<I", data, 12)[0], count)
    return cases


LABEL_BYTES_AT, NAME_BYTES_AT = 28, 48  # docs/letter_to_sound.md


def sound_models(data):
    """Of letter_to_sound_file_fuzz: a byte, then the file; its 32-bit header fields one by one."""
    cases = {"too short": data[:40], "only a byte": data[:1], "cut": data[:-4], "longer": data + bytes(4)}
    labels = (struct.unpack_from("<I", data, 1 + LABEL_BYTES_AT)[0] + 3) // 4 * 4
    for name, text in (("names", b"ab\tc\td\n"), ("names without tabs", b"abcdefg\n"), ("names with one tab", b"abc\tdef\n"), ("names cut", b"ab\tc\tde")):
        cases[name] = data[:1 + NAME_BYTES_AT] + struct.pack("<I", 8) + data[5 + NAME_BYTES_AT:65 + labels] + text + data[65 + labels:]
    for at in range(9, 65, 4):
        for tag, value in (("0", 0), ("huge", 0xFFFFFFFF), ("plus 1", struct.unpack_from("<I", data, at)[0] + 1 & 0xFFFFFFFF), ("minus 1", struct.unpack_from("<I", data, at)[0] - 1 & 0xFFFFFFFF), ("1025", 1025)):
            cases[f"field {at - 1} {tag}"] = data[:at] + struct.pack("<I", value) + data[at + 4:]
    for at in range(65, min(len(data), 400), 3):
        cases[f"byte {at} ff"] = data[:at] + b"\xff" + data[at + 1:]
        cases[f"byte {at} tab"] = data[:at] + b"\t" + data[at + 1:]
    for at in range(65, len(data) - 4, 97):
        cases[f"value {at} not finite"] = data[:at] + b"\xff\xff\xff\x7f" * 2 + data[at + 8:]
    return cases


HEADS = {"range": "HTTP/1.1 206 X\r\nContent-Range: bytes 5-9/10\r\nETag: \"a\"\r\nContent-Length: 5\r\n", "range of any": "HTTP/1.1 206\nContent-Range: BYTES 0-0/*", "range turned": "Content-Range: bytes 9-5/10", "range no unit": "Content-Range: items 1-2/3",
         "range no slash": "Content-Range: bytes 1-2", "range no dash": "Content-Range: bytes */3", "range no total": "Content-Range: bytes 1-2/x", "range slash first": "Content-Range: bytes 1/2-3", "etag too long": "ETag: " + "e" * 513, "etag control": "ETag: a\x01b", "etag empty": "ETag:",
         "encoding": "Content-Encoding: GZIP", "retry": "Retry-After: 12", "retry date": "Retry-After: Sun", "length sign": "Content-Length: -1", "length too long": "Content-Length: 99999999999999999999", "no status": "HTTP/1.1", "status text": "HTTP/1.1 abc", "no colon": "abc", "folded": " x: y"}
URLS = {"too long": "https://h/" + "a" * 2040, "space": "https://h/a b", "backslash": "https://h\\a", "file": "file:///a/b%20c", "file of a host": "file://host/a", "file of localhost": "file://localhost/a", "file bad escape": "file:///a%2", "file no digits": "file:///a%zz", "file escape 0": "file:///%00", "file nothing": "file://",
        "ftp": "ftp://h/a", "no host": "https:///a", "password": "https://u:p@h/a", "http": "http://h/a?b#c", "host only": "https://h", "query": "https://h/a/b?c=/d", "slashes": "https://h/a///", "control": "https://h/\x01", "long path": "http://u:secret@host/" + "p" * 300}


def write_speech_files(read, put):
    for target, cases in (("lexicon_fuzz", lexicons(read("lexicon_fuzz", "small"))), ("dictionary_json_fuzz", dictionaries()), ("user_lexicon_fuzz", user_lexicons()),
                          ("tagger_file_fuzz", taggers({"small": read("tagger_file_fuzz", "small.tagger")})), ("letter_to_sound_file_fuzz", sound_models(read("letter_to_sound_file_fuzz", "model"))), ("download_head_fuzz", {**HEADS, **URLS})):
        for name, data in cases.items():
            put(target, name, data)
