#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables, plot and docs/benchmarks.md from a results file of run_peers.py; nothing is measured.

  python bench/peers/report.py [RESULTS.json]           writes the plot and the part of docs/benchmarks.md between its markers
  python bench/peers/report.py [RESULTS.json] --print   prints that part and writes nothing
"""
import argparse
import json
import os
import sys

import protocol

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DOCS = os.path.join(ROOT, "docs", "benchmarks.md")
PLOT = os.path.join(ROOT, "docs", "images", "peers_latency.svg")
BEGIN = "<!-- peers: begin (made by bench/peers/report.py; do not edit) -->"
END = "<!-- peers: end -->"
BASE = "koe exact"


def ordered(systems):
    koe = sorted(s for s in systems if s.startswith("koe "))
    onnx = sorted(s for s in systems if s.startswith("onnxruntime"))
    return koe + onnx + sorted((s for s in systems if s not in koe and s not in onnx), key=str.lower)


def row(cells):
    return "| " + " | ".join(str(c) for c in cells) + " |"


def table(header, rows):
    return [row(header), "|" + "---|" * len(header), *[row(r) for r in rows]]


def number(value, digits=3):
    return f"{value:.{digits}f}"


def range_of(values, digits=3, scale=1.0):
    return f"{values['median'] * scale:.{digits}f} ({values['lowest'] * scale:.{digits}f} to {values['highest'] * scale:.{digits}f})"


def machine_lines(results):
    m, s = results["machine"], results["settings"]
    changed = f", with changes in {', '.join(m['changed_sources'][:4])}" if m.get("changed_sources") else ""
    targets = {x.get("simd_target") for x in results["systems"] if x.get("simd_target")}
    lines = [f"- Machine: {m['cpu']} (family {m['family_model'][0]}, model {m['family_model'][1]}), {m['usable_processors']} of "
             f"{m['processors']} processors, {m['memory_mib']} MiB, {', '.join(m['isa'])}; Linux {m['kernel']}; {m['created_utc']}",
             f"- Koe: commit {m['commit'][:12]}{changed}, {m['compiler']}, {m['build_type']}, target "
             f"{', '.join(sorted(targets)) or 'none'}; koe_peer_worker's SHA-256 begins {m.get('worker_sha256', '')[:12] or 'unknown'}",
             f"- Threads: {m['threads']} for every system. Python {m['python']}; "
             + ", ".join(f"{k} {v}" for k, v in m["packages"].items()),
             f"- Rounds: {s['rounds']}, order seed {s['seed']}"
             + ("" if results.get("finished") else "; **not finished: fewer runs than that where the count says so**")]
    choice = results.get("export_choice")
    if choice:
        medians = ", ".join(f"{k} {v:.3f} s" for k, v in choice["median_seconds"].items())
        lines.append(f"- onnxruntime fp32 is the faster of two exports on {choice['input']} ({medians}): {choice['chosen']}")
    warm = protocol.latest([x for x in results["measurements"] if x["protocol"] == "warm"])
    if warm:
        before = max(x.get("cores_before", 0) for x in warm)
        beside = max(x.get("cores_beside", 0) for x in warm)
        count = sum(1 for x in warm if x.get("busy"))
        stolen = sum(x.get("steal_seconds", 0) for x in warm)
        lines.append(f"- Others' use of the machine: at most {before:.2f} cores before a run, {beside:.2f} beside one; "
                     f"stolen by the hypervisor: {stolen:.1f} s of {sum(x['wall_seconds'] for x in warm):.0f}; {count} of {len(warm)} runs over the limit of {s['max_load']}"
                     + (" **(measured on a busy machine: not to be quoted)**" if count > len(warm) / 20 else ""))
    return lines


def overview_table(results):
    """Milliseconds per second of audio for every system and length, and how many times that base's are."""
    rows = {(r["system"], r["input"]): r for r in protocol.summarise(results["measurements"], BASE)}
    names = [n for n in results["settings"]["inputs"] if any(n == i for _, i in rows)]
    if not names:
        return []

    def cell(r):
        if not r:
            return "-"
        return number(r["ms_per_second"], 1) + (f" ({r['ratio']['median']:.2f}x)" if r["ratio"] else "")

    cells = [[s, *[cell(rows.get((s, n))) for n in names]] for s in ordered({s for s, _ in rows})]
    return ["", "### Wall milliseconds per second of audio", "", f"In parentheses: how many times {BASE}'s wall time, median of the "
            "rounds' ratios.", "", *table(["system", *names], cells)]


def speed_tables(results):
    rows = protocol.summarise(results["measurements"], BASE)
    lines = []
    for name in results["settings"]["inputs"]:
        of_input = {r["system"]: r for r in rows if r["input"] == name}
        if not of_input:
            continue
        lengths = sorted({n / protocol.SAMPLE_RATE for r in of_input.values() for n in r["lengths"]})
        audio = " to ".join(f"{s:.3f}" for s in sorted({lengths[0], lengths[-1]}))
        lines += ["", f"### {name}: {audio} s of audio", ""]
        cells = []
        for system in ordered(of_input):
            r = of_input[system]
            ratio = range_of(r["ratio"], 2) if r["ratio"] else "1"
            cells.append([system, number(r["audio_seconds"]), range_of(r["wall"]), number(r["ms_per_second"], 1),
                          number(r["core"]["median"]), number(r["core_per_second"]), number(r["realtime_factor"]),
                          ratio if BASE in of_input else "", r["wall"]["count"]])
        lines += table(["system", "audio s", "wall s, median (range)", "ms per audio s", "core s", "core s per audio s", "RTF",
                        f"times {BASE}'s wall (range)", "runs"], cells)
    return lines


def fresh_table(results):
    fresh = protocol.summarise_fresh(results["measurements"])
    if not fresh:
        return []
    name = next(iter(fresh.values()))["input"]

    def prewarm(system):
        told = fresh[system]["prewarm"]
        return range_of(told, 2) if told else "in ready" if system.startswith("koe ") else "-"

    cells = [[s, range_of(fresh[s]["create"], 2), prewarm(s), range_of(fresh[s]["cold"]), number(fresh[s]["peak_mib"]["median"], 0),
              fresh[s]["create"]["count"]] for s in ordered(fresh)]
    return ["", f"### Fresh processes: ready, first run of {name}, memory", "",
            "Ready: from after the imports to loaded; of Koe, bundle checked, weights packed and transformed; of a session, its "
            "creation. Prewarm: the short synthesis that Koe adds before the first run, which the others start without (in ready: "
            "measured when the two were one figure). Memory: highest resident set after the first run, the Python interpreter of the "
            "peers included.", "",
            *table(["system", "ready s", "prewarm s", "first run s", "peak RSS MiB", "processes"], cells)]


def seed_table(results, published):
    """The seed's published numbers beside ours, ms and ms per second of audio."""
    names = list(published["audio_seconds"])
    nominal = {n: float(n.rstrip("s")) for n in names}
    cells = []
    for m in published["machines"]:
        cells.append([f"kokoro-coreml, {m['name']}", "CPU + GPU + Neural Engine",
                      *[f"{m['ms'][n]} ({m['ms'][n] / published['audio_seconds'][n]:.0f}; {m['ms'][n] / nominal[n]:.0f})" for n in names]])
    rows = {(r["system"], r["input"]): r for r in protocol.summarise(results["measurements"])}
    for system in ordered({s for s, _ in rows}):
        if system.startswith("koe "):
            found = [rows.get((system, n)) for n in names]
            cells.append([f"{system}, {results['machine']['cpu']}", f"{results['machine']['threads']} CPU threads",
                          *[f"{1000 * r['wall']['median']:.0f} ({r['ms_per_second']:.0f})" if r else "not measured" for r in found]])
    lengths = ", ".join(f"{v:.3f}".rstrip("0").rstrip(".") for v in published["audio_seconds"].values())
    return ["", "### Beside the seed's published numbers", "",
            f"Milliseconds (and per second of audio). The seed's are from {published['source']}; its inputs last {lengths} s, so the "
            "first number in parentheses divides by that and the second by the nominal length. Ours divide by the audio made. The "
            f"machines differ; it needs {published['needs']}.", "",
            *table(["system", "hardware it uses", *names], cells)]


def unavailable_lines(results):
    if not results["unavailable"]:
        return []
    return ["", "### Not measured", "", *[f"- {u['name']}: {u['reason']}" for u in results["unavailable"]]]


def load_published():
    with open(os.path.join(HERE, "published.json"), encoding="utf-8") as f:
        return json.load(f)


def markdown(results):
    return "\n".join([*machine_lines(results), *overview_table(results), *speed_tables(results), *fresh_table(results), *seed_table(results, load_published()),
                      *unavailable_lines(results), ""])


def plot(results, path):
    """Wall time against audio length, median with the range of the rounds. False where matplotlib is absent."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    matplotlib.rcParams["svg.hashsalt"] = "koe"  # the same numbers give the same file
    rows = protocol.summarise(results["measurements"])
    figure, axes = plt.subplots(figsize=(8, 5))
    for i, system in enumerate(ordered({r["system"] for r in rows})):
        mine = sorted((r for r in rows if r["system"] == system), key=lambda r: r["audio_seconds"])
        x, y = [r["audio_seconds"] for r in mine], [r["wall"]["median"] for r in mine]
        bars = [[r["wall"]["median"] - r["wall"]["lowest"] for r in mine], [r["wall"]["highest"] - r["wall"]["median"] for r in mine]]
        axes.errorbar(x, y, yerr=bars, label=system, marker="os^Dv<>pX"[i % 9], markersize=5, capsize=3, color=f"C{i % 10}",
                      linewidth=2.2 if system.startswith("koe ") else 1.2)
    limit = max((r["audio_seconds"] for r in rows), default=1)
    axes.plot([0, limit], [0, limit], linestyle=":", color="grey", label="real time")
    axes.set(xlabel="seconds of audio", ylabel="seconds from phonemes to samples",
             title=f"{results['machine']['cpu']}, {results['machine']['threads']} threads", xlim=(0, limit * 1.03))
    axes.set_ylim(0, 1.05 * max((r["wall"]["highest"] for r in rows), default=1))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    figure.tight_layout()
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    figure.savefig(path, metadata={"Date": None, "Creator": None} if path.endswith(".svg") else None)
    plt.close(figure)
    return True


def replace_between(text, part):
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise ValueError(f"needs the lines {BEGIN} and {END} once each, in this order")
    return text[:text.index(BEGIN) + len(BEGIN)] + "\n" + part + text[text.index(END):]


def write_docs(results, docs=DOCS, image=PLOT):
    """The files written."""
    with open(docs, encoding="utf-8") as f:
        text = f.read()
    has_plot = plot(results, image)
    link = f"![latency against audio length]({os.path.relpath(image, os.path.dirname(docs))})\n\n"
    try:
        text = replace_between(text, (link if has_plot or os.path.exists(image) else "") + markdown(results))
    except ValueError as error:
        raise ValueError(f"{docs}: {error}") from None
    with open(docs + ".part", "w", encoding="utf-8") as f:
        f.write(text)
    os.replace(docs + ".part", docs)
    return [docs] + ([image] if has_plot else [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="?", default=os.path.join(HERE, "results", "peers.json"))
    parser.add_argument("--print", action="store_true", dest="print_only")
    parser.add_argument("--docs", default=DOCS)
    parser.add_argument("--plot", default=PLOT)
    args = parser.parse_args()
    try:
        results = protocol.load_results(args.results)
        if args.print_only:
            print(markdown(results))
            return
        written = write_docs(results, args.docs, args.plot)
    except (ValueError, OSError) as error:
        sys.exit(f"report: {error}")
    print("\n".join("wrote " + path for path in written))


if __name__ == "__main__":
    main()
