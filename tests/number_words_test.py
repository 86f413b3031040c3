#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares how the front end reads numbers with PyPI's num2words 0.5.14 under misaki's rules.

  python tests/number_words_test.py --check build/release/koe_g2p_check [--count 10000] [--seed N]

The rules for what is asked of num2words (years, ordinals, digits, money) are restated here from misaki 0.9.4's description
and share no code with the C++ ones. A dictionary made up for the test gives every number word a pronunciation of its own, so
that equal phonemes mean equal words. Exit status 77: num2words is not installed.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile

try:
    from num2words import num2words
except ImportError:
    print("skipped: num2words is not installed (tests/requirements.txt)")
    sys.exit(77)

UNITS = {"$": ("dollar", "cent"), "£": ("pound", "pence"), "€": ("euro", "cent")}
ORDINALS = ("st", "nd", "rd", "th")
LETTERS = "BGKX"  # what glued numbers stand behind; O is the zero of "one O five"
SCALES = [num2words(10**e).split(" ", 1)[1] for e in range(3, 306, 3)]
MAX_DIGITS = 306  # num2words raises OverflowError from 10^306 on; Koe reads single digits there


def make_lexicon():
    """word -> phonemes, all different, with a stress and with every ending that matters to -s, -ed, -ing."""
    words = {"and", "minus", "point", "hundred", *LETTERS, "O", *SCALES, *(u for pair in UNITS.values() for u in pair)}
    for n in [*range(20), *range(20, 100, 10)]:
        words |= {num2words(n), num2words(n, to="ordinal")}
    words |= {num2words(10**e, to="ordinal").split(" ", 1)[1] for e in range(3, 306, 3)} | {"hundredth", "oh"}
    endings = ["t", "d", "k", "s", "z", "f", "n", "ɹ", "i", "ʃ", "At"]
    letters = "bdfɡhklmnpɹsvw"
    table = {}
    for i, word in enumerate(sorted(words)):
        onset = letters[i % 14] + "ˈ" + "ɪʊæɛ"[i // 14 % 4] + letters[i // 56 % 14]
        table[word] = onset + endings[i % len(endings)]
    assert len(set(table.values())) == len(table)
    return table


LEXICON = make_lexicon()


def endings(accent):
    schwa = "ɪ" if accent == "gb" else "ᵻ"

    def add(phonemes, suffix):
        last, tap = phonemes[-1], phonemes[-1] == "t" and phonemes[-2] in "AIOWYiuæɑəɛɪɹʊʌ" and accent == "us"
        if suffix == "s":
            return phonemes + ("s" if last in "ptkfθ" else schwa + "z" if last in "szʃʒʧʤ" else "z")
        if suffix == "ed":
            if tap:
                return phonemes[:-1] + "T" + "ᵻd"
            return phonemes + ("t" if last in "pkfθʃsʧ" else schwa + "d" if last in "dt" else "d")
        return phonemes[:-1] + "Tɪŋ" if tap else phonemes + "ɪŋ"

    return add


def say(words, add_suffix=None):
    """Number words to phonemes; "and" between them is not spoken; "point" has no stress."""
    spoken = []
    for word in re.split(r"[^a-z]+", words):
        if word != "and":
            spoken.append(LEXICON[word].replace("ˈ", "") if word == "point" else LEXICON[word])
    return spoken


def cardinal(n):
    return say(num2words(n)) if n < 10**MAX_DIGITS else [LEXICON[num2words(int(d))] for d in str(n)]


def digit_by_digit(digits):
    return [LEXICON[num2words(int(d))] for d in digits]


def read(number, suffix, accent, currency=None, is_glued=False):
    """misaki's get_number."""
    spoken, add = [], endings(accent)
    is_negative = number.startswith("-")
    if is_negative:
        spoken.append(LEXICON["minus"])
        number = number[1:]
    plain = number.replace(",", "")
    if number.isdigit() and suffix in ORDINALS:
        spoken += say(num2words(int(number), to="ordinal"))
    elif number.isdigit() and len(number) == 4 and not is_negative and not currency:
        spoken += say(num2words(int(number), to="year"))
    elif is_glued and "." not in number:
        if plain[0] == "0" or len(plain) > 3:
            spoken += digit_by_digit(plain)
        elif len(plain) == 3 and plain[1:] != "00":
            spoken += cardinal(int(plain[0]))
            spoken += [LEXICON["O"].replace("ˈ", "")] + cardinal(int(plain[2])) if plain[1] == "0" else cardinal(int(plain[1:]))
        else:
            spoken += cardinal(int(plain))
    elif number.count(".") > 1 or is_glued:
        for group in filter(None, plain.split(".")):
            alone = group[0] == "0" or (len(group) != 2 and group[1:].strip("0"))
            spoken += digit_by_digit(group) if alone else cardinal(int(group))
    elif currency and ("." not in plain or len(plain.split(".")[1]) < 3):
        amounts = [(int(part or 0), unit) for part, unit in zip(plain.split("."), UNITS[currency])]
        if len(amounts) == 2:
            amounts = amounts[:1] if not amounts[1][0] else amounts[1:] if not amounts[0][0] else amounts
        for i, (amount, unit) in enumerate(amounts):
            spoken += ([LEXICON["and"]] if i else []) + cardinal(amount)
            spoken.append(LEXICON[unit] if amount == 1 or unit == "pence" else add(LEXICON[unit], "s"))
    elif "." not in number:
        spoken += say(num2words(int(plain), to="ordinal")) if suffix in ORDINALS else cardinal(int(plain))
    elif plain[0] == ".":
        spoken += say("point " + " ".join(num2words(int(d)) for d in plain[1:]))
    else:
        spoken += say(num2words(float(plain)))
    phonemes = " ".join(spoken)
    kind = {"s": "s", "'s": "s", "ed": "ed", "'d": "ed", "ing": "ing"}.get(suffix)
    return add(phonemes, kind) if kind else phonemes


def sample(rng, kind, accent):
    """text, tokens with tags, phonemes"""
    def digits(low, high):
        return "".join(rng.choice("0123456789") for _ in range(rng.randint(low, high)))

    def whole(max_digits):
        return str(rng.randrange(10 ** rng.randint(1, max_digits)))

    if kind == "cardinal":
        number = rng.choice([whole(4), whole(9), whole(60), f"{int(whole(30)):,}", "0" * rng.randint(1, 3) + whole(5),
                             "1" + "0" * rng.randint(1, 60), whole(MAX_DIGITS)])
        number = rng.choice(["", "", "-"]) + number
        return number, [[number, "CD", ""]], read(number, "", accent)
    if kind == "ordinal":
        number, suffix = rng.choice([whole(4), whole(12), whole(60), f"{int(whole(12)):,}"]), rng.choice(ORDINALS)
        return number + suffix, [[number + suffix, "JJ", ""]], read(number, suffix, accent)
    if kind == "year":
        number = rng.choice([digits(4, 4), f"{rng.randint(10, 99)}00", f"{rng.randint(10, 99)}0{rng.randint(1, 9)}",
                             f"{rng.randint(1, 9)}000", str(rng.randint(1900, 2030))])
        suffix = rng.choice(["", "", "s", "'s"])
        tokens = [[number, "CD", ""], ["'s", "POS", ""]] if suffix == "'s" else [[number + suffix, "CD", ""]]
        return number + suffix, tokens, read(number, suffix, accent)
    if kind == "decimal":
        number = rng.choice([whole(3), whole(8), "", "0", whole(40), f"{int(whole(8)):,}"]) + "."
        number += rng.choice([digits(1, 3), digits(1, 9), "0" * rng.randint(1, 6) + digits(1, 3), "0"])
        number = rng.choice(["", "", "-"]) + number
        return number, [[number, "CD", ""]], read(number, "", accent)
    if kind == "versions":
        number = ".".join(rng.choice([digits(1, 4), whole(2)]) for _ in range(rng.randint(3, 4)))
        return number, [[number, "CD", ""]], read(number, "", accent)
    if kind == "glued":
        letter, number = rng.choice(LETTERS), rng.choice([digits(1, 5), digits(3, 3), f"{rng.randint(1, 9)}00", digits(1, 2) + "." + digits(1, 3)])
        text = letter + number
        return text, [[text, "NN", ""]], f"{LEXICON[letter]} {read(number, '', accent, is_glued=True)}"
    if kind == "verb":
        number, suffix = whole(3), rng.choice(["ed", "ing", "s"])
        return number + suffix, [[number + suffix, "VBD", ""]], read(number, suffix, accent)
    sign = rng.choice("$£€")
    number = rng.choice([whole(3), whole(6), f"{int(whole(9)):,}", digits(4, 4), f"{whole(3)}.{digits(1, 2)}", f"0.{digits(1, 2)}",
                         "1", "1.00", "0.05", "0.01", "1.01", "." + digits(1, 2), f"{whole(2)}.{digits(3, 4)}"])
    scale = rng.choice(["", "", "million", "thousand"])
    if not scale:
        return sign + number, [[sign, "$", ""], [number, "CD", ""]], read(number, "", accent, currency=sign)
    phonemes = f"{read(number, '', accent)} {LEXICON[scale]} {endings(accent)(LEXICON[UNITS[sign][0]], 's')}"
    return f"{sign}{number} {scale}", [[sign, "$", ""], [number, "CD", " "], [scale, "CD", ""]], phonemes


EDGES = [
    ("9" * 306, "cardinal"), ("1" + "0" * 306, "too long"), ("7" * 400, "too long"), ("1990s", "year"), ("$1.50", "money"),
    ("£0.05", "money"), ("€3", "money"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", required=True, help="koe_g2p_check")
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    kinds = ["cardinal", "ordinal", "year", "decimal", "versions", "glued", "verb", "money", "money"]
    rows = []
    for i in range(args.count):
        accent, kind = rng.choice(["us", "gb"]), kinds[i % len(kinds)]
        rows.append((kind, accent, *sample(rng, kind, accent)))
    for accent in ("us", "gb"):
        for text, kind in EDGES:
            sign = text[0] if text[0] in UNITS else None
            number, suffix = re.fullmatch(r"[$£€]?([\d.]+)(s?)", text).groups()
            tokens = [[sign, "$", ""], [number, "CD", ""]] if sign else [[text, "CD", ""]]
            rows.append((kind, accent, text, tokens, read(number, suffix, accent, currency=sign)))
    with tempfile.TemporaryDirectory() as folder:
        for accent in ("us", "gb"):
            for tier, table in (("gold", LEXICON), ("silver", {})):
                with open(os.path.join(folder, f"{accent}_{tier}.json"), "w", encoding="utf-8") as f:
                    json.dump(table, f)
        trace, gold = os.path.join(folder, "trace.jsonl"), os.path.join(folder, "gold.jsonl")
        with open(trace, "w", encoding="utf-8") as t, open(gold, "w", encoding="utf-8") as g:
            for i, (kind, accent, text, tokens, phonemes) in enumerate(rows):
                t.write(json.dumps({"id": str(i), "cat": kind, "tokens": tokens, "words": [], "espeak": []}) + "\n")
                g.write(json.dumps({"id": str(i), "text": text, "lang": f"en-{accent}", "phonemes": phonemes}) + "\n")
        command = [args.check, trace, gold, "--lexicons", folder, "--force-tags", "--force-oov"]
        report = subprocess.run(command + ["--json"], capture_output=True, text=True, check=False)
        if report.returncode != 0:
            sys.exit(f"FAILED: {report.stderr}")
        result = json.loads(report.stdout)
        equal, total = result["all"]["rows_equal"], result["all"]["rows"]
        print(f"seed {args.seed}: {equal} of {total} numbers equal, tokens of {result['token_rows_equal']} of {result['token_rows']}")
        for kind, counts in sorted(result["categories"].items()):
            print(f"  {kind}: {counts['rows_equal']} of {counts['rows']}")
        if total != len(rows) or equal != total or result["token_rows_equal"] != result["token_rows"]:
            shown = subprocess.run(command + ["--show", "20"], capture_output=True, text=True, check=False)
            sys.exit("FAILED:\n" + "\n".join(line[:400] for line in shown.stdout.splitlines()[:80]))


if __name__ == "__main__":
    main()
