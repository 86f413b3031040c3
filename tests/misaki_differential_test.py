#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the front end with misaki itself on random text: words, numbers, markup, odd Unicode.

  python tests/misaki_differential_test.py --check build/release/koe_g2p_check [--lexicons DIR] [--rows 2000] [--seed N]

Needs misaki 0.9.4 and spaCy (their tokeniser and rules; no model), which the tests do not install: exit status 77 without
them. Tags are drawn at random, in a third of the rows without any regard to the word, and a made-up fallback stands for
espeak; both are given to koe_g2p_check, so every row must be equal. Texts on which misaki raises an exception are left out.
"""
import argparse
import contextlib
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import warnings
import zlib

warnings.filterwarnings("ignore")
try:
    import spacy
    import spacy.util
    from misaki import en
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TAGS = ("CC CD DT EX FW IN JJ JJR JJS LS MD NN NNP NNPS NNS PDT POS PRP PRP$ RB RBR RBS RP SYM TO UH VB VBD VBG VBN VBP VBZ WDT WP "
        "WP$ WRB . , -LRB- -RRB- `` '' : $ # NFP HYPH ADD AFX XX _SP").split()
MARKS = ". , -LRB- -RRB- `` '' : $ # NFP HYPH ADD SYM".split()
WORDS = [tag for tag in TAGS if tag not in MARKS and tag != "_SP"]
FALLBACK = ["fˈu", "ˈæz", "bɪɹ", "zˈɑɾ", "ɪk", "tˈAləɹ", "ɐnˈɑ", "mm", ""]
FUNCTION = ("a A an An AN am Am AM the The THE to To TO in In IN by By BY used Used USED I vs vs. VS % & + @ . / that that's have US "
            "IT don't can't won't cannot gonna I'm he'd rock'n'roll o'clock y'all").split()
PUNCTUATION = list(".,;:!?—–-…\"“”‘’'()[]{}/\\*#@&%+=<>|~^_`°§¶•") + ["...", "--", "''", "``", "?!", "'s", "’s", "n't", "n’t"]
ODD = ["café", "naïve", "Ünï", "日本", "🙂", "½", "x²", "①", "٣", "Ⅳ", "ǅ", "ß", "ﬁn", "e\u0301", "\u00ad", "\u200b", "™", "ɾ", "Ａ",
       "５", "µ", "ŉ", "don’t", "‘tis", "’90s", "rock’n’roll", "O’Neil", "‘‘x’’", "ΣΑΣ", "Дом"]
FEATURES = ["/kˈOkəɹO/", "/a/", "//", "/ɐ/", "/tˈɛst//", "1", "-1", "2", "-2", "0", "0.5", "-0.5", "+2", "-10", "#&#", "#n#", "#a#",
            "#&an#", "##", "https://x.y", "", "x"]


class Texts:
    def __init__(self, rng, keys):
        self.rng, self.keys = rng, keys

    def digits(self, low, high):
        return "".join(self.rng.choice("0123456789") for _ in range(self.rng.randint(low, high)))

    def number(self):
        pick, digits = self.rng.choice, self.digits
        return pick([
            lambda: digits(1, 12), lambda: f"{self.rng.randrange(10 ** 12):,}", lambda: digits(4, 4), lambda: digits(20, 70),
            lambda: digits(0, 3) + "." + digits(1, 6),
            lambda: digits(1, 4) + pick(["st", "nd", "rd", "th", "s", "'s", "’s", "ed", "'d", "ing", "ST", "Th", "S"]),
            lambda: pick("$£€¥") + digits(1, 3) + pick(["", ".5", ".05", ".00", ".999", ",000", "k", " million"]),
            lambda: "-" + digits(1, 6) + pick(["", ".5", ".", "th"]), lambda: digits(1, 2) + ":" + digits(2, 2),
            lambda: ".".join(digits(1, 4) for _ in range(self.rng.randint(2, 4))),
            lambda: pick(["/", "-"]).join(digits(1, 4) for _ in range(self.rng.randint(2, 4))),
            lambda: pick("ABCxyz") + pick(["", "-"]) + digits(1, 5) + pick(["", "s", "b", "'s"]),
            lambda: digits(1, 3) + pick(["km", "kg", "%", "°C", "am", "GB", "K", "x", "'", '"', "½", "²"]),
            lambda: pick("$£€") + digits(1, 3) + "-" + pick(["", "$"]) + digits(1, 3),
        ])()

    def word(self):
        pick = self.rng.choice
        kind = self.rng.randrange(12)
        letters = "".join(pick("abcdefghijklmnopqrstuvwxyz") for _ in range(self.rng.randint(1, 9)))
        if kind < 5:
            word = pick(self.keys)
        else:
            word = pick(FUNCTION) if kind < 8 else letters if kind == 8 else pick(ODD) if kind == 9 else self.number()
            if kind == 10:
                word = ".".join(pick("ABCabcxyz") for _ in range(self.rng.randint(1, 4))) + pick(["", "."])
        word = pick([str, str, str, str.capitalize, str.upper, lambda w: "".join(pick([c, c.upper()]) for c in w)])(word)
        return word + (pick(["s", "es", "ed", "d", "ing", "'s", "’s", "s'", "'", "ies", "n't"]) if self.rng.random() < 0.1 else "")

    def piece(self):
        pick = self.rng.choice
        kind = self.rng.randrange(12)
        if kind < 6:
            return self.word()
        if kind == 6:
            return self.word() + pick(PUNCTUATION)
        if kind == 7:
            return pick(PUNCTUATION) + self.word() + pick(["", pick(PUNCTUATION)])
        if kind == 8:
            joint = pick(["-", "/", "", "_", "--", "–", "—", "'", "’", ".", ",", "2", "&", "@", ":"])
            return joint.join(self.word() for _ in range(self.rng.randint(2, 4)))
        if kind < 11:
            return self.number() if kind == 9 else pick(PUNCTUATION)
        text = pick([self.word, self.number, lambda: self.word() + " " + self.word()])().replace("]", "")
        return pick(["", "", "(", "x"]) + f"[{text}]({pick(FEATURES)})" + pick(["", "", ".", "s", ","])

    def text(self):
        spaces = [" "] * 30 + ["  ", "\t", " \u00a0", "   "]
        return "".join(self.piece() + self.rng.choice(spaces) for _ in range(self.rng.randint(1, 14))).strip()


class RandomTagger:
    """Stands for the spaCy pipeline: its tokeniser, and tags drawn at random."""

    def __init__(self):
        self.blank = spacy.blank("en")
        self.rng, self.is_blind, self.tokens = random.Random(0), False, []

    def tag(self, text):
        if self.is_blind:
            return self.rng.choice(TAGS)
        if text.isspace():
            return "_SP"
        if text in ("$", "£", "€"):
            return "$"
        if any(c.isdigit() for c in text) and not text[0].isalpha():
            return "CD" if self.rng.random() < 0.85 else self.rng.choice(TAGS)
        usual = {"to": "TO", "the": "DT", "a": "DT", "in": "IN", "I": "PRP", ".": ".", ",": ",", "(": "-LRB-", ")": "-RRB-", "“": "``"}
        if text in usual and self.rng.random() < 0.8:
            return usual[text]
        return self.rng.choice(WORDS if any(c.isalpha() for c in text) else MARKS)

    def __call__(self, text):
        doc = self.blank.make_doc(text)
        for token in doc:
            token.tag_ = self.tag(token.text)
        self.tokens = [[t.text, t.tag_, t.whitespace_] for t in doc]
        return doc


def main():
    cache = os.environ.get("KOE_MODEL_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "koe")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", required=True, help="koe_g2p_check")
    parser.add_argument("--lexicons", default=os.path.join(cache, "lexicon"))
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not os.path.isfile(os.path.join(args.lexicons, "us_gold.json")):
        print(f"skipped: no dictionaries in {args.lexicons}")
        sys.exit(77)
    tagger = RandomTagger()
    spacy.util.is_package = lambda name: True
    spacy.load = lambda *args, **kwargs: tagger
    calls = {}

    def fallback(token):
        calls[token.text] = FALLBACK[zlib.crc32(token.text.encode()) % len(FALLBACK)]
        return calls[token.text], 2

    front_ends = {lang: en.G2P(british=lang == "en-gb", fallback=fallback, unk="") for lang in ("en-us", "en-gb")}
    lexicon = front_ends["en-us"].lexicon
    rng = random.Random(args.seed)
    texts = Texts(rng, sorted(lexicon.golds) + sorted(lexicon.silvers)[::4] + [k for k, v in lexicon.golds.items() if isinstance(v, dict)] * 20)
    with tempfile.TemporaryDirectory() as folder:
        trace, gold = os.path.join(folder, "trace.jsonl"), os.path.join(folder, "gold.jsonl")
        rows = failures = 0
        with open(trace, "w", encoding="utf-8") as t, open(gold, "w", encoding="utf-8") as g:
            while rows < args.rows:
                text = texts.text()
                tagger.is_blind = rng.randrange(3) == 0
                for lang, front_end in front_ends.items():
                    tagger.rng = random.Random(rows)
                    calls.clear()
                    try:
                        with contextlib.redirect_stdout(io.StringIO()):
                            phonemes, _ = front_end(text)
                    except Exception:  # noqa: BLE001: misaki's own failures, of any kind
                        failures += 1
                        continue
                    row = {"id": str(rows), "cat": lang, "tokens": tagger.tokens, "words": [], "espeak": list(calls.items())}
                    t.write(json.dumps(row) + "\n")
                    g.write(json.dumps({"id": str(rows), "text": text, "lang": lang, "phonemes": phonemes.strip()}) + "\n")
                    rows += 1
        command = [args.check, trace, gold, "--lexicons", args.lexicons, "--force-tags", "--force-oov"]
        run = subprocess.run(command + ["--json"], capture_output=True, text=True, check=False)
        if run.returncode != 0:
            sys.exit(f"FAILED: {run.stderr}")
        equal = json.loads(run.stdout)["all"]["rows_equal"]
        print(f"seed {args.seed}: {equal} of {rows} rows equal; misaki failed on {failures} others")
        if equal != rows:
            shown = subprocess.run(command + ["--show", "10"], capture_output=True, text=True, check=False)
            sys.exit("FAILED:\n" + "\n".join(line[:300] for line in shown.stdout.splitlines()[:60]))


if __name__ == "__main__":
    main()
