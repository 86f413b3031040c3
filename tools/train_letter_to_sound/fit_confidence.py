#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fits the confidence of the letter-to-sound model on words kept aside from training.

  koe_letter_to_sound_check MODEL aside.tsv --posteriors | python fit_confidence.py

Reads lines "P TAB posterior TAB right", and prints A and B of confidence = sigmoid(A logit(posterior) + B), the logistic
regression of `right`, for export.py --calibration.
"""
import sys

import numpy as np


def main():
    rows = [line.split("\t")[1:] for line in sys.stdin if line.startswith("P\t")]
    p = np.clip(np.array([float(r[0]) for r in rows]), 1e-6, 1 - 1e-6)
    right = np.array([int(r[1]) for r in rows], float)
    x = np.stack([np.log(p / (1 - p)), np.ones_like(p)], 1)
    w = np.array([1.0, 0.0])
    for _ in range(30):  # Newton's method
        q = 1 / (1 + np.exp(-x @ w))
        w += np.linalg.solve(x.T @ (x * (q * (1 - q))[:, None]), x.T @ (right - q))
    print(f"{len(rows)} words, {right.mean():.4f} right, calibration {w[0]:.4f} {w[1]:.4f}")


if __name__ == "__main__":
    main()
