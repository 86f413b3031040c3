#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares a `koe dump` with the PyTorch tensors of a golden file: signal-to-noise ratio of every tensor in dB.

  python tools/compare_dump.py GOLDEN.safetensors DUMP.safetensors [--feed stage|chain] [--min-snr DB] ...

--feed says how the dump was made and so what must hold: `stage` (every stage had the golden's inputs: each tensor at least
--min-snr, default 100, but sine_clean --min-sine, default 60) or `chain` (tokens to waveform with the golden's har: the
waveform at least --min-waveform, default 90; the other tensors are printed). In both, pred_dur is equal.

har is compared as a complex spectrum, magnitude times e^(i phase): a phase counts modulo 2 pi, and only where there is
energy. har_source holds random numbers and is printed only. Where the dump has `duration` (durations before rounding),
the distance of the nearest one to a half is printed: how close a rounding came to falling the other way.
Exit status: 0 all hold, 1 something is below its threshold, missing, of another shape or not finite. Needs numpy.
"""
import argparse
import sys

import numpy as np

import safetensors_file

INPUTS = ("token_ids", "ref_s", "speed")


def snr_db(found, truth):
    """10 log10 of truth's energy over the energy of the difference; inf when equal."""
    wide = np.complex128 if np.iscomplexobj(truth) else np.float64
    found, truth = found.astype(wide), truth.astype(wide)
    noise, signal = np.sum(np.abs(found - truth) ** 2), np.sum(np.abs(truth) ** 2)
    if noise == 0:
        return np.inf
    return 10 * np.log10(signal / noise) if signal > 0 else -np.inf


def as_spectrum(har):
    """[22, N]: 11 magnitudes, then 11 phases."""
    half = len(har) // 2
    return har[:half].astype(np.float64) * np.exp(1j * har[half:].astype(np.float64))


def threshold(name, args):
    if name == "har_source":
        return None
    if name == "sine_clean":  # in a chain its phase sums the differences of the chain's own F0, without end
        return args.min_sine if args.feed == "stage" else None
    if args.feed == "stage":
        return args.min_snr
    return args.min_waveform if name == "waveform" else None


def compare(golden, dump, args):
    """Prints a line per tensor; returns the names that failed."""
    failed = []

    def line(name, text, bad):
        print(f"{'FAIL' if bad else '    '} {name:12s} {text}")
        if bad:
            failed.append(name)

    for name, truth in golden.items():
        wanted = threshold(name, args)
        if name in INPUTS:
            continue
        if name not in dump:
            # A chain dump may leave out what no threshold asks for.
            line(name, "missing", args.feed == "stage" and name != "har_source" or wanted is not None or name == "pred_dur")
        elif dump[name].shape != truth.shape:
            line(name, f"shape {list(dump[name].shape)}, golden {list(truth.shape)}", True)
        elif not np.all(np.isfinite(dump[name])):
            line(name, "not finite", True)
        elif name == "pred_dur":
            different = np.flatnonzero(dump[name] != truth)
            text = "equal" if different.size == 0 else f"differs at tokens {different[:8].tolist()}"
            if "duration" in dump:
                text += f"; nearest rounding margin {np.min(np.abs(dump['duration'] % 1 - 0.5)):.2e}"
            line(name, text, different.size > 0)
        else:
            found = dump[name]
            if name == "har":
                found, truth = as_spectrum(found), as_spectrum(truth)
            ratio = snr_db(found, truth)
            limit = "" if wanted is None else f"  (at least {wanted:g})"
            line(name, f"{ratio:7.1f} dB  max |difference| {np.max(np.abs(found - truth)):.2e}{limit}",
                 wanted is not None and not ratio >= wanted)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("golden")
    parser.add_argument("dump")
    parser.add_argument("--feed", choices=("stage", "chain"), default="stage")
    parser.add_argument("--min-snr", type=float, default=100, metavar="DB")
    parser.add_argument("--min-waveform", type=float, default=90, metavar="DB")
    parser.add_argument("--min-sine", type=float, default=60, metavar="DB")
    args = parser.parse_args()
    try:
        golden, dump = safetensors_file.read(args.golden), safetensors_file.read(args.dump)
    except (OSError, ValueError, KeyError) as error:
        sys.exit(f"compare_dump: {error}")
    failed = compare(golden, dump, args)
    print(f"{args.feed}: " + (f"{len(failed)} below: {', '.join(failed)}" if failed else "all hold"))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
