#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the tagger without a fifth of the trace, five times, and compares the front end on the fifth left out.

  python tools/evaluate_tagger.py --build build/release --masc masc_train.tsv --trace dev.trace.jsonl --gold dev.jsonl
      [--by template|sentence] [--show] [-- train_tagger's options]

Folds: rows are put together to templates, templates to folds, so that no row is tagged by a tagger that saw another row of
its template. Two rows of a category are of one template when they become equal by taking one run of at most three tokens
out of each, at least half of the tokens (and three) being left; templates are the connected components of that. The two
accents of a sentence are always together. Within a category the templates go to the folds one by one, the largest first,
each to the fold that has the fewest rows of the category.
--by sentence spreads single sentences instead: what is to be expected of other rows of the same templates.
Prints rows and words equal, overall and by category, and the words that differ. Only the tagger can differ: tokens are the
same and the results of the fallback come from the trace.
"""
import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile

NUM_FOLDS = 5
MAX_RUN = 3


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def frames(words):
    """Every way to take a run of 1 to MAX_RUN tokens out, at least half and three tokens being left."""
    for length in range(1, MAX_RUN + 1):
        left = len(words) - length
        if left < max(3, len(words) / 2):
            break
        for begin in range(left + 1):
            yield begin, words[:begin] + words[begin + length:]


def find_templates(rows):
    """{sentence: template}; a sentence is an id without its accent."""
    parent = {}

    def root(key):
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    owners = {}
    for row in rows:
        sentence = row["id"].rsplit("-", 1)[0]
        parent.setdefault(sentence, sentence)
        words = tuple(token[0] for token in row["tokens"])
        for begin, frame in [(0, words), *frames(words)]:
            owner = owners.setdefault((row["cat"], begin, frame), sentence)
            parent[root(sentence)] = root(owner)
    return {sentence: root(sentence) for sentence in parent}


def assign_folds(rows, by):
    """{sentence: fold}"""
    templates = find_templates(rows)
    if by == "sentence":
        templates = {sentence: sentence for sentence in templates}
    category = {row["id"].rsplit("-", 1)[0]: row["cat"] for row in rows}
    members = collections.defaultdict(list)
    for sentence, template in templates.items():
        members[template].append(sentence)
    load = collections.Counter()
    folds = {}
    for template in sorted(members, key=lambda t: (-len(members[t]), t)):
        cat = category[template]
        fold = min(range(NUM_FOLDS), key=lambda f: (load[cat, f], load[f], f))
        load[cat, fold] += len(members[template])
        load[fold] += len(members[template])
        folds.update(dict.fromkeys(members[template], fold))
    return folds, len(members)


def write_rows(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def check(args, trace, tagger):
    command = [os.path.join(args.build, "koe_g2p_check"), trace, args.gold, "--force-oov"]
    if tagger:
        command += ["--tagger", tagger]
    if args.show:
        lines = subprocess.run(command + ["--show", "1000"], check=True, capture_output=True, text=True).stdout.split("\n")
        print("\n".join(line for line in lines if "-us [" in line or line.startswith("    ")))
    command += ["--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def add(total, report):
    for key in ("rows", "rows_equal", "words", "words_equal"):
        total[key] += report[key]


def print_line(name, count):
    print(f"{name:<14} rows {count['rows_equal']:5} of {count['rows']:5} ({100 * count['rows_equal'] / count['rows']:6.2f} %)  "
          f"words {count['words_equal']:6} of {count['words']:6} ({100 * count['words_equal'] / count['words']:6.2f} %)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True, help="folder with train_tagger and koe_g2p_check")
    parser.add_argument("--masc", help="left out: train on the trace alone")
    parser.add_argument("--trace", required=True)
    parser.add_argument("--gold", required=True)
    parser.add_argument("--by", choices=("template", "sentence"), default="template")
    parser.add_argument("--without-trace", action="store_true", help="train on MASC alone")
    parser.add_argument("--rules", action="store_true", help="train nothing: the built-in rules")
    parser.add_argument("--show", action="store_true", help="print the rows that differ")
    parser.add_argument("--folds", default="01234", help="run these only")
    parser.add_argument("train", nargs="*", help="options of train_tagger, after --")
    args = parser.parse_args()

    rows = read_lines(args.trace)
    folds, num_templates = assign_folds(rows, args.by)
    print(f"{len(rows)} rows, {len(folds)} sentences, {num_templates} templates, by {args.by}", flush=True)
    totals = collections.defaultdict(collections.Counter)
    differing = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        trained = None
        for fold in map(int, args.folds):
            inside = [row for row in rows if folds[row["id"].rsplit("-", 1)[0]] == fold]
            outside = [row for row in rows if folds[row["id"].rsplit("-", 1)[0]] != fold]
            test, train, tagger = (os.path.join(folder, name) for name in ("test.jsonl", "train.jsonl", "en.tagger"))
            write_rows(test, inside)
            write_rows(train, outside)
            if not args.rules and not (args.without_trace and trained):
                command = [os.path.join(args.build, "train_tagger"), "--out", tagger, *args.train]
                command += ["--masc", args.masc] if args.masc else []
                command += [] if args.without_trace else ["--trace", train]
                subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
                trained = tagger
            report = check(args, test, trained)
            add(totals["all"], report["all"])
            add(totals["stable"], report["stable"])
            for name, count in report["categories"].items():
                add(totals["  " + name], count)
            differing.update(report.get("differing_words", {}))
            print_line(f"fold {fold}", report["all"])
            sys.stdout.flush()
    for name in sorted(totals, key=lambda name: (name.startswith(" "), name)):
        print_line(name, totals[name])
    print("words that differ: " + ", ".join(f"{word} {count}" for word, count in differing.most_common(80)))


if __name__ == "__main__":
    main()
