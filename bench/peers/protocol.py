# SPDX-License-Identifier: Apache-2.0
"""The pure parts of the comparison: inputs, order, statistics, and what a results file must hold. Standard library only."""
import json
import random
import statistics

SAMPLE_RATE = 24000
FORMAT = "koe-peers-1"
MAX_PHONEMES = 510  # one chunk for every system


def parse_inputs(text, where="inputs"):
    """Lines "name<TAB>voice<TAB>phonemes" -> [{name, voice, phonemes}]; ValueError names the line."""
    inputs = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or not all(f.strip() for f in fields):
            raise ValueError(f"{where}:{number}: not name<TAB>voice<TAB>phonemes")
        name, voice, phonemes = fields
        if len(phonemes) > MAX_PHONEMES:
            raise ValueError(f"{where}:{number}: {name}: {len(phonemes)} phonemes do not fit one chunk of {MAX_PHONEMES}")
        if any(i["name"] == name for i in inputs):
            raise ValueError(f"{where}:{number}: {name}: there twice")
        inputs.append({"name": name, "voice": voice, "phonemes": phonemes})
    if not inputs:
        raise ValueError(f"{where}: no inputs")
    return inputs


def parse_preset(text):
    """"name:arguments" -> (name, [argument, ...]); "exact" alone has no arguments."""
    name, _, arguments = text.partition(":")
    if not name.strip() or any(c.isspace() for c in name):
        raise ValueError(f"preset {text!r}: not NAME:ARGUMENTS")
    return name, arguments.split()


def round_order(seed, number, inputs, systems_of):
    """[(system, input), ...] of one round. Inputs and, within each, systems are shuffled; every second round is the reverse
    of the one before, so that over two rounds each system stands before and after each other equally often. The systems of an
    input run one after another, which keeps the conditions of a round's ratio the same. systems_of: {input: [system, ...]}"""
    rng = random.Random(f"{seed}:{number // 2}")
    inputs = list(inputs)
    rng.shuffle(inputs)
    jobs = []
    for name in inputs:
        systems = list(systems_of[name])
        rng.shuffle(systems)
        jobs += [(s, name) for s in systems]
    return jobs if number % 2 == 0 else jobs[::-1]


def spread(values):
    """{median, lowest, highest, count} of at least one number."""
    if not values:
        raise ValueError("no values")
    return {"median": statistics.median(values), "lowest": min(values), "highest": max(values), "count": len(values)}


def latest(measurements):
    """A measurement taken again (the machine was busy) replaces the earlier one of the same round, system and input."""
    kept = {}
    for m in measurements:
        kept[m["round"], m["system"], m["input"]] = m
    return list(kept.values())


def summarise(measurements, base=None):
    """One row per (input, system) of the warm rounds: wall and core seconds, and each system's wall time over that of `base`
    in the same round (how many times faster base is)."""
    warm = latest([m for m in measurements if m["protocol"] == "warm"])
    by_key = {}
    for m in warm:
        by_key.setdefault((m["input"], m["system"]), {})[m["round"]] = m
    rows = []
    for (name, system), rounds in by_key.items():
        runs = list(rounds.values())
        lengths = sorted({m["samples"] for m in runs})
        seconds = statistics.median(lengths) / SAMPLE_RATE
        wall = spread([m["wall_seconds"] for m in runs])
        row = {"input": name, "system": system, "audio_seconds": seconds, "lengths": lengths, "wall": wall,
               "core": spread([m["cpu_seconds"] for m in runs]), "ms_per_second": 1000 * wall["median"] / seconds,
               "realtime_factor": wall["median"] / seconds, "busy": sum(1 for m in runs if m.get("busy"))}
        row["core_per_second"] = row["core"]["median"] / seconds
        ours = by_key.get((name, base), {})
        ratios = [m["wall_seconds"] / ours[r]["wall_seconds"] for r, m in rounds.items() if r in ours]
        row["ratio"] = spread(ratios) if ratios and system != base else None
        rows.append(row)
    return rows


def summarise_fresh(measurements):
    """{system: {create, prewarm, cold, peak_mib}} of the fresh processes; prewarm is None where nothing told it apart (systems
    that do not prewarm; files of before it was)."""
    by_system = {}
    for m in measurements:
        if m["protocol"] == "fresh":
            by_system.setdefault(m["system"], {})[m["round"]] = m
    out = {}
    for system, rounds in by_system.items():
        runs = list(rounds.values())
        prewarm = [m["prewarm_seconds"] for m in runs if "prewarm_seconds" in m]
        out[system] = {"create": spread([m["create_seconds"] for m in runs]),
                       "prewarm": spread(prewarm) if len(prewarm) == len(runs) else None, "cold": spread([m["wall_seconds"] for m in runs]),
                       "peak_mib": spread([m["peak_kib"] / 1024 for m in runs]), "input": runs[0]["input"],
                       "audio_seconds": runs[0]["samples"] / SAMPLE_RATE}
    return out


def remaining_seconds(jobs, estimates, pause):
    """Time for jobs [(system, input)] by what each took last; unknown ones count as the mean of the known."""
    known = [v for v in estimates.values()]
    default = statistics.mean(known) if known else 5.0
    return sum(estimates.get(job, default) + pause for job in jobs)


def clock(seconds):
    """3725 -> "1:02:05", 65 -> "1:05"."""
    seconds = max(0, int(round(seconds)))
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def check_results(results):
    """ValueError naming what a results file lacks; returns it."""
    if not isinstance(results, dict) or results.get("format") != FORMAT:
        raise ValueError(f"not a results file of format {FORMAT}")
    for key, kind in (("settings", dict), ("machine", dict), ("systems", list), ("unavailable", list), ("measurements", list)):
        if not isinstance(results.get(key), kind):
            raise ValueError(f"{key}: missing or not a {kind.__name__}")
    names = {s.get("name") for s in results["systems"]}
    for i, m in enumerate(results["measurements"]):
        for key in ("protocol", "round", "system", "input", "samples", "wall_seconds", "cpu_seconds"):
            if key not in m:
                raise ValueError(f"measurements[{i}]: no {key}")
        if m["protocol"] not in ("warm", "fresh"):
            raise ValueError(f"measurements[{i}]: protocol {m['protocol']!r}")
        if m["system"] not in names:
            raise ValueError(f"measurements[{i}]: system {m['system']!r} is not in systems")
        if not (m["wall_seconds"] > 0 and m["cpu_seconds"] >= 0 and m["samples"] > 0):
            raise ValueError(f"measurements[{i}]: times and samples must be positive")
    return results


def load_results(path):
    with open(path, encoding="utf-8") as f:
        try:
            results = json.load(f)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}: {error}") from None
    try:
        return check_results(results)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
