# SPDX-License-Identifier: Apache-2.0
"""Damaged seeds of the formats that are not JSON: zip, pickle, .pth, ONNX. For write_damaged_seeds.py."""
import struct
import zlib

PROTO = b"\x80\x02"


# --- zip, pickle, .pth -----------------------------------------------------------------------------------------------

def zipped(entries, flags=0x800, local_extra=b"", extra=b"", method=0, narrow=True, count=None, edit=None, wide_end=False, comment=0):
    """An archive of stored entries. `edit` changes the local records of one entry: (index, function of bytes)."""
    out, directory = b"", b""
    for index, (name, data) in enumerate(entries):
        name = name if isinstance(name, bytes) else name.encode()
        crc, size, offset = zlib.crc32(data), len(data), len(out)
        described = flags & 8
        sizes = (0, 0, 0) if described else (crc, size, size)
        local = struct.pack("<IHHHIIIIHH", 0x04034B50, 0, flags, method, 0, *sizes, len(name), len(local_extra)) + name + local_extra
        local += data
        if described:
            local += struct.pack("<II", 0x08074B50, crc) + (struct.pack("<II", size, size) if narrow else struct.pack("<QQ", size, size))
        out += edit[1](local) if edit and edit[0] == index else local
        directory += struct.pack("<IIHHIIIIHHH", 0x02014B50, 0, flags, method, 0, crc, size, size, len(name), len(extra), 0)
        directory += bytes(8) + struct.pack("<I", offset) + name + extra
    total, at = len(entries) if count is None else count, len(out)
    out += directory
    if wide_end:
        end64 = struct.pack("<IQIIIQQQQ", 0x06064B50, 44, 0, 0, 0, total, total, len(directory), at)
        out += end64 + struct.pack("<IIQI", 0x07064B50, 0, len(out), 1)
        return out + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, comment)
    return out + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, total, total, len(directory), at, comment)


def replaced(data, at, raw):
    at = at if at >= 0 else len(data) + at
    return data[:at] + raw + data[at + len(raw):]


def zips():
    plain, described = zipped([("f/x", b"hello")]), zipped([("f/x", b"hello")], 0x808)
    wide = zipped([("f/x", b"hello")], wide_end=True)
    at = described.index(b"PK\x07\x08")
    central = plain.index(b"PK\x01\x02")
    cases = {"plain": plain, "described": described, "wide descriptor": zipped([("f/x", b"hello")], 0x808, narrow=False), "wide end": wide,
             "too short": b"PK", "no end": plain[:-1], "comment": plain[:-2] + b"\1\0", "several disks": replaced(plain, -18, b"\1"),
             "directory moved": replaced(plain, -6, b"\0"), "too many entries": zipped([], count=3000), "one entry more": zipped([("f/x", b"")], count=2),
             "one entry fewer": zipped([("f/x", b""), ("f/y", b"")], count=1), "compressed": zipped([("f/x", b"1")], method=8), "encrypted": zipped([("f/x", b"1")], 0x801),
             "twice": zipped([("f/x", b"1"), ("f/x", b"2")]), "two folders": zipped([("f/x", b"1"), ("g/x", b"2")]), "no folder": zipped([("x", b"1")]),
             "locator elsewhere": replaced(wide, -22 - 12, struct.pack("<Q", len(wide) - 22)), "locator before": replaced(wide, -22 - 12, bytes(8)),
             "locator far": replaced(wide, -22 - 12, b"\xff" * 8), "locator near the end": replaced(wide, -22 - 12, struct.pack("<Q", len(wide) - 30)),
             "wide end another mark": replaced(wide, -22 - 20 - 56, b"X"), "wide end of two disks": replaced(wide, -22 - 20 - 56 + 16, b"\1"),
             "ends disagree": replaced(wide, -12, b"\7\0"), "ends disagree on size": replaced(wide, -10, b"\7\0\0\0"), "ends disagree on place": replaced(wide, -6, b"\7\0\0\0"),
             "local mark": replaced(plain, 0, b"X"), "local beyond": replaced(plain, central + 42, b"\xff\xff\0\0"), "local far": replaced(plain, central + 42, b"\xf0\xff\xff\xff"),
             "local in the directory": replaced(plain, central + 42, struct.pack("<I", central - 5)), "central mark": replaced(plain, central, b"X"),
             "two sizes": replaced(plain, central + 20, b"\6"), "local name": replaced(plain, 30, b"g"), "local flags": replaced(plain, 6, b"\1"), "local method": replaced(plain, 8, b"\1"),
             "local crc": replaced(plain, 14, b"\0\0"), "local size": replaced(plain, 22, b"\1"), "descriptor mark": replaced(described, at, b"X"),
             "descriptor crc": replaced(described, at + 4, b"XX"), "descriptor size": replaced(described, at + 8, b"X"), "descriptor second size": replaced(described, at + 12, b"X"),
             "data into the directory": replaced(replaced(plain, central + 20, b"\x40\0\0\0\x40"), 18, b"\x40\0\0\0\x40")}
    for name in ("/f/x", "f/../x", "f/./x", "f//x", "f\\x", "f/x/", "f/C:x", "f/\n", "", "f/" + "n" * 511):
        cases["name " + name.replace("/", "_").replace("\n", "end")[:20]] = zipped([(name, b"1")])
    record = zipped([("f/y", b"you")])[:37 - 4]
    nested = zipped([("f/x", zipped([("f/y", b"you")])), ("f/y", b"you")])
    inner = nested.index(b"PK\x03\x04", 4)
    cases["overlap"] = replaced(nested, nested.rindex(b"PK\x01\x02") + 42, struct.pack("<I", inner))
    del record
    # Sizes in the zip64 field.
    full = struct.pack("<III", zlib.crc32(b"hello"), 0xFFFFFFFF, 0xFFFFFFFF)
    for name, extra in (("sizes in zip64", struct.pack("<HHQQ", 1, 16, 5, 5)), ("zip64 behind another", struct.pack("<HHBHHQQ", 7, 1, 0, 1, 16, 5, 5)),
                        ("zip64 missing", struct.pack("<HHB", 7, 1, 0)), ("zip64 cut", struct.pack("<HH", 1, 16)), ("zip64 short", struct.pack("<HHQ", 1, 8, 5)),
                        ("zip64 of another size", struct.pack("<HHQQ", 1, 16, 6, 6)), ("zip64 enormous", struct.pack("<HHQQ", 1, 16, 1 << 63, 1 << 63))):
        data = zipped([("f/x", b"hello")], extra=extra, local_extra=extra)
        data = replaced(data, data.index(b"PK\x01\x02") + 16, full)
        cases[name] = data
        cases["local " + name] = replaced(data, 14, full)
    good = replaced(zipped([("f/x", b"hello")], extra=struct.pack("<HHQQ", 1, 16, 5, 5), local_extra=struct.pack("<HH", 1, 0)), 14, full)
    cases["zip64 of local cut"] = replaced(good, good.index(b"PK\x01\x02") + 16, full)
    return cases


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value


def number(value):
    return b"J" + struct.pack("<i", value)


def name_of(module, name):
    return b"c" + module + b"\n" + name + b"\n"


ORDERED = name_of(b"collections", b"OrderedDict") + b")R"
REBUILD = name_of(b"torch._utils", b"_rebuild_tensor_v2")


def tensor(storage=b"FloatStorage", key=b"0", elements=1, offset=0, shape=(1,), strides=(1,), module=b"torch", more=b"", first=b"storage", flag=b"\x89", hooks=ORDERED,
           identity=None):
    persistent = identity or b"(" + text(first) + name_of(module, storage) + text(key) + text(b"cpu") + number(elements) + b"tQ"
    sizes = b"".join(b"(" + b"".join(number(v) for v in values) + b"t" for values in (shape, strides))
    return REBUILD + b"(" + persistent + number(offset) + sizes + flag + hooks + more + b"tR"


def pickles():
    one = tensor()
    storage = name_of(b"torch", b"FloatStorage")
    cases = {"one tensor": one, "nothing": b"", "no stop": None, "two values": b"NN", "mark open": b"(N", "another opcode": b"i", "long strings": text(b"x" * 513), "string cut": b"X\xff\0\0\0",
             "string size cut": b"X\1", "not UTF-8": text(b"\xff"), "marks": b"(" * 65, "no mark": b"t", "underflow": b"\x85", "below the mark": b"N(\x85", "mark protects": b"}(Nt(\x86",
             "a memo": b"Nq\1h\1\x86", "memo not set": b"h\1", "memo empty": b"h\0", "wide memo": b"Nr\1\0\0\0j\1\0\0\0\x86", "memo key": b"Nr\xff\xff\xff\xff", "memo of nothing": b"q\1", "memo cut": b"q",
             "wide memo cut": b"r\1", "get cut": b"h", "wide get cut": b"j\1", "global cut": b"ctorch", "global half": b"ctorch\nload", "global long": b"c" + b"m" * 600 + b"\nx\n", "code": name_of(b"os", b"system"), "integers": b"K\1M\1\0J\1\0\0\0\x87",
             "integer cut": b"K", "two bytes cut": b"M\1", "four bytes cut": b"J\1", "flags": b"\x88\x89\x86", "none": b"N", "empty tuple": b")", "protocol again": PROTO,
             "items on none": b"NNNs", "items odd": b"}(Nu", "items odd among many": b"}(" + text(b"a") + b"N" + text(b"b") + b"u", "items on nothing": b"(u", "key no string": b"}NNs", "key an integer": b"}K\1Ns", "build on none": b"NNb", "build": ORDERED + b"}b",
             "build of nothing": b"b", "dictionary": b"}" + text(b"a") + one + b"s", "nested": b"}" + text(b"a") + ORDERED + text(b"b") + one + b"ss", "empty key": b"}" + text(b"") + one + b"s",
             "set on nothing": b"NNs", "reduce of nothing": b"R", "reduce of none": b"N)R", "reduce without tuple": name_of(b"collections", b"OrderedDict") + b"NR",
             "dictionary of arguments": name_of(b"collections", b"OrderedDict") + b"N\x85R", "storage called": storage + b")R", "parameter": name_of(b"torch._utils", b"_rebuild_parameter") + b"(" + one + b"\x88" + ORDERED + b"tR",
             "parameter of none": name_of(b"torch._utils", b"_rebuild_parameter") + b"(NNNtR", "tensor of none": REBUILD + b"(NNNNNNtR", "tensor of two": REBUILD + b"(NNtR",
             "with metadata": tensor(more=b"N"), "eight arguments": tensor(more=b"NN"), "identity none": b"NQ", "identity of nothing": b"Q", "identity of four": b"(NNNNtQ", "identity of five": b"(NNNNNtQ", "identity of one": b"N\x85Q",
             "another identity": tensor(first=b"module"), "negative elements": tensor(elements=-1), "negative offset": tensor(offset=-1), "rank 9": tensor(shape=[1] * 9, strides=[1] * 9),
             "rank 9 strides": tensor(strides=[1] * 9), "negative shape": tensor(shape=[-1]), "ranks differ": tensor(shape=[1, 1]), "flag none": tensor(flag=b"N"), "hooks none": tensor(hooks=b"N"),
             "itself": b"}q\1" + text(b"k") + b"h\1s", "long name": b"}" + text(b"n" * 400) + b"}" + text(b"n" * 400) + b"Nss", "deep": b"".join(b"}" + text(b"d") for _ in range(9)) + b"N" + b"s" * 9,
             "deep enough": b"".join(b"}" + text(b"d") for _ in range(8)) + one + b"s" * 8, "a list in it": b"}" + text(b"a") + b")s"}
    bomb = b"}(" + text(b"first") + b"}q\0"
    for level in range(6):
        bomb += text(b"level") + b"}q" + bytes([level + 1]) + b"(" + b"".join(text(str(i).encode()) + b"h" + bytes([level]) for i in range(40)) + b"u"
    cases["bomb"] = bomb + b"u"
    whole = {name: PROTO + (body or b"}") + (b"" if body is None else b".") for name, body in cases.items()}
    whole.update({"after stop": PROTO + b"}..", "protocol 4": b"\x80\x04}.", "no protocol": b"}.", "protocol cut": b"\x80", "nothing at all": b""})
    return whole


def torch_file(pickle, records=None, order=b"little", folder="a"):
    entries = [(f"{folder}/data.pkl", PROTO + pickle + b".")] + ([(f"{folder}/byteorder", order)] if order else [])
    entries += [(f"{folder}/data/{key}", data) for key, data in ({"0": bytes(4)} if records is None else records).items()]
    return zipped(entries)


def torch_files():
    cases = {"one": torch_file(tensor()), "no order": torch_file(tensor(), order=None), "big-endian": torch_file(tensor(), order=b"big"), "no zip": PROTO + b"}.", "short": b"PK", "no pickle": zipped([("a/x", b"y")]),
             "no record": torch_file(tensor(), {}), "bad key": torch_file(tensor(key=b"../0")), "empty key": torch_file(tensor(key=b"")), "long key": torch_file(tensor(key=b"0" * 11)),
             "record too long": torch_file(tensor(), {"0": bytes(8)}), "record too short": torch_file(tensor(), {"0": bytes(3)}), "elements wrap": torch_file(tensor(elements=0x7FFFFFFF)),
             "past its storage": torch_file(tensor(shape=[2])), "offset past": torch_file(tensor(offset=1)), "shape wraps": torch_file(tensor(shape=[0x7FFFFFFF] * 3, strides=[1] * 3)),
             "turned": torch_file(tensor(elements=6, shape=[2, 3], strides=[1, 2]), {"0": bytes(24)}), "scalar": torch_file(tensor(shape=[], strides=[])), "empty": torch_file(tensor(shape=[0], strides=[7])),
             "order cut": zipped([("a/data.pkl", b""), ("a/byteorder", b"li")]), "two of one record": torch_file(b"}(" + text(b"a") + tensor() + text(b"b") + tensor() + b"u")}
    broken = torch_file(tensor())
    cases["wrong crc"] = replaced(broken, broken.index(b"PK\x01\x02") - 2, b"x")
    widths = {b"HalfStorage": 2, b"BFloat16Storage": 2, b"DoubleStorage": 8, b"LongStorage": 8, b"IntStorage": 4, b"ShortStorage": 2, b"CharStorage": 1, b"ByteStorage": 1, b"BoolStorage": 1}
    for storage, width in widths.items():
        cases["of " + storage.decode()] = torch_file(tensor(storage), {"0": bytes(width)})
    return cases


def voices():
    cases = {"too short": bytes(95), "beyond": struct.pack("<24f", *[33.0] * 24), "not a number": struct.pack("<24f", *[float("nan")] * 24), "a dictionary": torch_file(b"}" + text(b"a") + tensor() + b"s"),
             "two": torch_file(b"}(" + text(b"a") + tensor() + text(b"b") + tensor() + b"u"), "none": torch_file(b"}"), "another shape": torch_file(tensor())}
    for storage, width in ((b"FloatStorage", 4), (b"HalfStorage", 2), (b"BFloat16Storage", 2), (b"DoubleStorage", 8)):
        for name, shape, strides in (("rows", (6, 4), (4, 1)), ("official", (6, 1, 4), (4, 4, 1))):
            cases[f"{name} of {storage.decode()}"] = torch_file(tensor(storage, elements=24, shape=shape, strides=strides), {"0": bytes(24 * width)})
    cases["half beyond"] = torch_file(tensor(b"HalfStorage", elements=24, shape=(6, 4), strides=(4, 1)), {"0": b"\x00\x7c" * 24})
    return cases


# --- ONNX ------------------------------------------------------------------------------------------------------------

def varint(value):
    out = b""
    while value >= 128:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number_of, value):
    if isinstance(value, int):
        return varint(number_of << 3) + varint(value & (1 << 64) - 1)
    return varint(number_of << 3 | 2) + varint(len(value)) + value


def fields(message):
    at, found = 0, []

    def take():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
    while at < len(message):
        tag = take()
        if tag & 7 == 0:
            found.append((tag >> 3, take()))
        else:
            size = take()
            found.append((tag >> 3, message[at:at + size]))
            at += size
    return found


def joined(found):
    return b"".join(field(n, v) for n, v in found)


def model(nodes=(), tensors=()):
    return field(7, b"".join(field(1, n) for n in nodes) + b"".join(field(5, t) for t in tensors))


def raw_tensor(name=b"w", kind=1, dims=(1,), raw=bytes(4), more=b""):
    return b"".join(field(1, d) for d in dims) + field(2, kind) + field(8, name) + (field(9, raw) if raw is not None else b"") + more


def onnx_alone():
    t = raw_tensor()
    node = field(1, b"x") + field(2, b"y") + field(3, b"n") + field(4, b"Add")
    cases = {"nothing": b"", "no graph": field(1, 9), "two graphs": field(7, b"") * 2, "graph as number": field(7, 1), "group": b"\x3b\0", "field 0": b"\x02\0", "endless number": b"\xff" * 11,
             "65 bits": b"\x08" + b"\xff" * 9 + b"\x02", "64 bits": b"\x08" + b"\xff" * 9 + b"\x01", "length past the end": b"\x3a\x7f", "length of 64 bits": b"\x3a" + b"\xff" * 9 + b"\x01", "fixed": b"\x09" + bytes(8) + b"\x0d" + bytes(4) + model(), "fixed cut": b"\x09\0", "fixed 32 cut": b"\x0d\0",
             "tag of 33 bits": b"\x80\x80\x80\x80\x80\x01\0", "tensor twice": model((), (t, t)), "node twice": model((node, node)), "node as number": field(7, field(1, 1)), "tensor as number": field(7, field(5, 1)),
             "name too long": model((), (raw_tensor(b"n" * 513),)), "name twice": model((), (t + field(8, b"v"),)), "name as number": model((), (field(8, 1),)), "node's name twice": model((node + field(3, b"m"),)), "kind twice": model((node + field(4, b"m"),)),
             "rank 9": model((), (raw_tensor(dims=[1] * 9),)), "rank 8": model((), (raw_tensor(dims=[1] * 8),)), "negative dimension": model((), (raw_tensor(dims=[-1]),)), "packed dims": model((), (field(1, b"\1\1") + field(2, 1) + field(8, b"w") + field(9, bytes(4)),)),
             "packed rank 9": model((), (field(1, b"\1" * 9),)), "packed dims cut": model((), (field(1, b"\x80"),)), "dims as fixed": model((), (b"\x0d" + bytes(4),)), "type twice": model((), (t + field(2, 1),)), "type as text": model((), (field(2, b"x"),)), "type above": model((), (field(2, 1001),)),
             "raw twice": model((), (t + field(9, b""),)), "raw as number": model((), (field(9, 1),)), "in parts": model((), (field(3, b""),)), "elsewhere": model((), (field(13, b""),)), "location 1": model((), (field(14, 1),)), "location 0": model((), (t + field(14, 0),)),
             "65 inputs": model((field(1, b"x") * 65,)), "64 inputs": model((field(1, b"x") * 64,)), "65 outputs": model((field(2, b"x") * 65,)), "input as number": model((field(1, 1),)), "input too long": model((field(1, b"n" * 513),)), "attribute as number": model((field(5, 1),)),
             "attributes": model((node + field(5, field(1, b"transB") + field(3, 1) + field(20, 2)) + field(5, field(1, b"alpha") + field(3, b"x")),)), "attribute's name twice": model((field(5, field(1, b"a") + field(1, b"b")),)),
             "attribute cut": model((field(5, b"\x0a\x7f"),)), "nameless nodes": model((field(1, b"x"), field(1, b"y"))), "unknown type": model((), (raw_tensor(kind=7),)), "too large": model((), (raw_tensor(dims=[1 << 62, 4]),)),
             "raw too short": model((), (raw_tensor(raw=b"abc"),)), "no data": model((), (raw_tensor(dims=[1 << 30], raw=None),)), "other fields": model((node + field(9, 1),), (t + field(12, b"doc"),)) + field(3, b"x"), "graph's others": field(7, field(2, b"g") + field(11, b""))}
    for kind, good, bad in ((1, field(4, bytes(4)), field(4, b"abc")), (3, field(5, -2), field(5, 128)), (2, field(5, 255), field(5, 256)), (10, field(5, 65535), field(5, 65536)), (6, field(5, -5), field(5, 1 << 31))):
        cases[f"typed {kind}"] = model((), (raw_tensor(kind=kind, raw=None, more=good),))
        cases[f"typed {kind} bad"] = model((), (raw_tensor(kind=kind, raw=None, more=bad),))
        cases[f"typed {kind} twice"] = model((), (raw_tensor(kind=kind, raw=None, more=good + good),))
        cases[f"typed {kind} none"] = model((), (raw_tensor(kind=kind, raw=None),))
    cases["floats as number"] = model((), (raw_tensor(raw=None, more=field(4, 1)),))
    cases["packed integers"] = model((), (raw_tensor(kind=3, dims=[2], raw=None, more=field(5, b"\1\2")),))
    cases["packed integers cut"] = model((), (raw_tensor(kind=3, raw=None, more=field(5, b"\x80")),))
    cases["integers as fixed"] = model((), (raw_tensor(kind=3, raw=None, more=b"\x2d" + bytes(4)),))
    return cases


def onnx_of_the_model(form, data):
    """Each tensor and node of a sound file changed in turn, each in every way."""
    top = fields(data)
    graph = next(v for n, v in top if n == 7)
    parts = fields(graph)

    def with_part(index, value):
        changed = parts[:index] + ([(parts[index][0], value)] if value is not None else []) + parts[index + 1:]
        return joined([(n, joined(changed) if n == 7 else v) for n, v in top])
    cases = {}
    for index, (kind, value) in enumerate(parts):
        inner = fields(value) if kind in (1, 5) else []
        name = next((v for n, v in inner if n == (3 if kind == 1 else 8)), b"").decode().replace("/", "-")
        if kind not in (1, 5):
            continue
        cases[f"{form} without {name}"] = with_part(index, None)
        if kind == 1:
            inputs = [v for n, v in inner if n == 1]
            rest = [(n, v) for n, v in inner if n != 1]
            cases[f"{form} inputs of {name} cut"] = with_part(index, joined([(1, v) for v in inputs[:1]] + rest))
            cases[f"{form} inputs of {name} others"] = with_part(index, joined([(1, b"other") for v in inputs] + rest))
            if len(inputs) > 3:
                cases[f"{form} zero of {name} another"] = with_part(index, joined([(1, v) for v in inputs[:3] + [b"other"] + inputs[4:]] + rest))
                cases[f"{form} zero of {name} none"] = with_part(index, joined([(1, v) for v in inputs[:3]] + rest))
            cases[f"{form} {name} another kind"] = with_part(index, joined([(n, b"Other" if n == 4 else v) for n, v in inner]))
        else:
            for kind_to in (1, 2, 3, 7, 10):
                width = {1: 4, 10: 2}.get(kind_to, 1)
                count = 1
                for n, v in inner:
                    count *= v if n == 1 else 1
                sized = [(n, v) for n, v in inner if n not in (2, 4, 5, 9)] + [(2, kind_to), (9, bytes(count * width))]
                cases[f"{form} {name} of type {kind_to}"] = with_part(index, joined(sized))
            cases[f"{form} shape of {name}"] = with_part(index, joined([(1, 1)] + inner))
            cases[f"{form} {name} too short"] = with_part(index, joined([(n, v[:-1] if n in (4, 5, 9) else v) for n, v in inner]))
            for count, tag in ((0, "none"), (2, "two"), (3, "three"), (4, "four"), (8, "eight"), (16, "sixteen")):
                if name.endswith(("_scale", "zero_point")):
                    data_of = struct.pack("<f", 0.5) * count if name.endswith("_scale") else bytes(count)
                    type_of = next(v for n, v in inner if n == 2)
                    cases[f"{form} {name} {tag}"] = with_part(index, joined([(1, count), (2, type_of), (8, next(v for n, v in inner if n == 8)), (9, data_of)]))
    # Scales and zero points for each row of an LSTM.
    rows = [i for i, (n, v) in enumerate(parts) if n == 5 and any(m == 8 and w in (b"W_scale", b"R_scale", b"W_zero_point") for m, w in fields(v))]
    if rows:
        changed = list(parts)
        for index in rows:
            name = next(v for n, v in fields(parts[index][1]) if n == 8)
            scale = name.endswith(b"_scale")
            changed[index] = (5, raw_tensor(name, 1 if scale else 3, (16,), struct.pack("<f", 0.5) * 16 if scale else bytes(16)))
        cases[f"{form} scales of rows"] = joined([(n, joined(changed) if n == 7 else v) for n, v in top])
        for index in rows:  # three scales, and one zero point for all
            name = next(v for n, v in fields(parts[index][1]) if n == 8)
            scale = name.endswith(b"_scale")
            changed[index] = (5, raw_tensor(name, 1 if scale else 3, (3 if scale else 1,), struct.pack("<f", 0.5) * 3 if scale else bytes(1)))
        cases[f"{form} three scales"] = joined([(n, joined(changed) if n == 7 else v) for n, v in top])
    return cases


def write_archives(read, put):
    for name, data in zips().items():
        put("bundle_zip_fuzz", name, data)
    for name, data in pickles().items():
        put("bundle_pickle_fuzz", name, data)
    for name, data in torch_files().items():
        put("bundle_torch_fuzz", name, data)
    for name, data in voices().items():
        put("bundle_voice_fuzz", name, data)
    for name, data in onnx_alone().items():
        put("bundle_onnx_fuzz", name, data)
    for form in ("int8", "fp32"):
        for name, data in onnx_of_the_model(form, read("bundle_onnx_fuzz", form)).items():
            put("bundle_onnx_fuzz", name, data)
