# SPDX-License-Identifier: Apache-2.0
"""What spaCy 3 has in its code rather than in a model (MIT): reserved names, normal forms of marks; and its hash and its
files' encoding, written here so that converting a model needs no spaCy."""
import struct

_NAMES = """IS_ALPHA IS_ASCII IS_DIGIT IS_LOWER IS_PUNCT IS_SPACE IS_TITLE IS_UPPER LIKE_URL LIKE_NUM LIKE_EMAIL IS_STOP
IS_OOV_DEPRECATED IS_BRACKET IS_QUOTE IS_LEFT_PUNCT IS_RIGHT_PUNCT IS_CURRENCY *FLAG:19:63 ID ORTH LOWER NORM SHAPE PREFIX
SUFFIX LENGTH CLUSTER LEMMA POS TAG DEP ENT_IOB ENT_TYPE HEAD SENT_START SPACY PROB LANG ADJ ADP ADV AUX CONJ CCONJ DET INTJ
NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X EOL SPACE *DEPRECATED:1:276 PERSON NORP FACILITY ORG GPE LOC PRODUCT EVENT
WORK_OF_ART LANGUAGE LAW DATE TIME PERCENT MONEY QUANTITY ORDINAL CARDINAL acomp advcl advmod agent amod appos attr aux
auxpass cc ccomp complm conj cop csubj csubjpass dep det dobj expl hmod hyph infmod intj iobj mark meta neg nmod nn npadvmod
nsubj nsubjpass num number oprd obj obl parataxis partmod pcomp pobj poss possessive preconj prep prt punct quantmod relcl
rcmod root xcomp acl ENT_KB_ID MORPH ENT_ID IDX _"""

# A mark or money sign -> the one that stands for its kind.
BASE_NORMS = {
    "'s": "'s", "'S": "'s", "’s": "'s", "’S": "'s", "’": "'", "‘": "'", "´": "'", "`": "'", "”": '"', "“": '"', "''": '"',
    "``": '"', "´´": '"', "„": '"', "»": '"', "«": '"', "‘‘": '"', "’’": '"', "？": "?", "！": "!", "，": ",", "；": ";",
    "：": ":", "。": ".", "।": ".", "…": "...", "—": "-", "–": "-", "--": "-", "---": "-", "——": "-", "€": "$", "£": "$",
    "¥": "$", "฿": "$", "US$": "$", "C$": "$", "A$": "$", "₺": "$", "₹": "$", "৳": "$", "₩": "$", "Mex$": "$", "₣": "$",
    "E£": "$",
}
ORTH, NORM = 65, 67  # keys of a tokeniser's special cases
MASK = (1 << 64) - 1


def reserved_names():
    """{name: identifier}; any other string's identifier is its hash."""
    names = []
    for word in _NAMES.split():
        if word.startswith("*"):
            stem, first, last = word[1:].split(":")
            width = 3 if int(last) > 99 else 0
            names += [f"{stem}{i:0{width}}" for i in range(int(first), int(last) + 1)]
        else:
            names.append(word)
    return {name: i for i, name in enumerate(names, 1)}


def hash_string(text):
    """MurmurHash64A of the UTF-8 bytes, seed 1."""
    data, m = text.encode("utf-8"), 0xC6A4A7935BD1E995
    h = 1 ^ (len(data) * m) & MASK
    whole = len(data) // 8 * 8
    for (word,) in struct.iter_unpack("<Q", data[:whole]):
        word = word * m & MASK
        h = (h ^ (word ^ word >> 47) * m & MASK) * m & MASK
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], "little")) * m & MASK
    h = (h ^ h >> 47) * m & MASK
    return h ^ h >> 47


RESERVED = reserved_names()


def identifier(text):
    return (RESERVED.get(text) or hash_string(text)) if text else 0


class Msgpack:
    """Reads one MessagePack value; ValueError where the bytes end early or hold a type that spaCy does not write."""

    def __init__(self, data):
        self.data, self.position = data, 0

    def take(self, size):
        if size > len(self.data) - self.position:
            raise ValueError("the file ends early")
        self.position += size
        return self.data[self.position - size : self.position]

    def number(self, form):
        return struct.unpack(">" + form, self.take(struct.calcsize(form)))[0]

    def items(self, count):
        if count > len(self.data) - self.position:
            raise ValueError("more elements than bytes")
        return [self.value() for _ in range(count)]

    def mapping(self, count):
        flat = self.items(2 * count)
        return dict(zip(flat[::2], flat[1::2]))

    def value(self):
        tag = self.number("B")
        if tag < 0x80:
            return tag
        if tag < 0x90:
            return self.mapping(tag & 15)
        if tag < 0xA0:
            return self.items(tag & 15)
        if tag < 0xC0:
            return self.take(tag & 31).decode("utf-8")
        if tag >= 0xE0:
            return tag - 256
        if tag in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[tag]
        if tag in (0xC4, 0xC5, 0xC6):
            return self.take(self.number("BHI"[tag - 0xC4]))
        if 0xCA <= tag <= 0xD3:
            return self.number("fdBHIQbhiq"[tag - 0xCA])
        if tag in (0xD9, 0xDA, 0xDB):
            return self.take(self.number("BHI"[tag - 0xD9])).decode("utf-8")
        if tag in (0xDC, 0xDD):
            return self.items(self.number("HI"[tag - 0xDC]))
        if tag in (0xDE, 0xDF):
            return self.mapping(self.number("HI"[tag - 0xDE]))
        raise ValueError(f"type {tag:#04x} is not read here")


def unpack(data):
    reader = Msgpack(data)
    value = reader.value()
    if reader.position != len(data):
        raise ValueError("bytes after the end")
    return value
