#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the letter-to-sound network on prepare.py's data, on the CPU.

  python train.py --data data.npz --out weights.pt [--steps 8000] [--decay 2000] [--threads 1] [--seed 1]

The arithmetic is bfloat16 with float32 weights and sums; the saved weights are an exponential average over the end of
the training. Prints the loss, and the share of words with every label right (labels before given) on 2,000 words kept
aside from the training words; the held-out words of prepare.py are not looked at.
"""
import argparse
import copy
import os
import time

import numpy as np
import torch
from model import NUM_STATES, Network, next_state

VOWELS = set("AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻᵊ")


def marks_of(label):
    return [label[i - 1] if i and label[i - 1] in "ˈˌ" else "" for i, c in enumerate(label) if c in VOWELS]


class Data:
    def __init__(self, path):
        file = np.load(path)
        self.labels = [str(s) for s in file["labels"]]
        self.alphabet = str(file["alphabet"])
        letters, targets = file["letters"], file["targets"].astype(np.int64)
        self.letters = letters.astype(np.int64)
        self.lengths = (letters > 0).sum(1)
        # By accent: gold where there is gold.
        self.targets = np.stack([np.where(targets[0][:, :1] >= 0, targets[0], targets[1]),
                                 np.where(targets[2][:, :1] >= 0, targets[2], targets[3])])
        self.streams = np.stack([np.where(targets[0][:, 0] >= 0, 0, 1), np.where(targets[2][:, 0] >= 0, 2, 3)])
        table = np.array([[next_state(state, marks_of(label)) for state in range(NUM_STATES)] for label in self.labels])
        self.states = np.zeros_like(self.targets)
        for t in range(1, self.targets.shape[2]):
            self.states[:, :, t] = table[np.maximum(self.targets[:, :, t - 1], 0), self.states[:, :, t - 1]]

    def batch(self, rows):
        n = self.lengths[rows[0]]
        return (torch.from_numpy(self.letters[rows, :n]), torch.from_numpy(self.targets[:, rows, :n]),
                torch.from_numpy(self.states[:, rows, :n]), torch.from_numpy(self.streams[:, rows]))


def split(data):
    """Rows kept aside, and rows to train on."""
    order = np.random.default_rng(7).permutation(len(data.letters))
    return order[:2000], order[2000:]


def batches(data, rows, letters_per_batch, rng):
    result = []
    for length in np.unique(data.lengths[rows]):
        same = rows[data.lengths[rows] == length]
        rng.shuffle(same)
        size = max(1, letters_per_batch // int(length))
        result += [same[i : i + size] for i in range(0, len(same), size)]
    rng.shuffle(result)
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--decay", type=int, default=2000,
                        help="the last steps, in which the rate falls; a file OUT.finish starts them at once")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--letters", type=int, default=3000, help="per batch")
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--minutes", type=float, help="end after so long instead, the rate falling all the time")
    parser.add_argument("--average", type=int, default=500, help="steps that the average of the weights remembers")
    parser.add_argument("--init", help="weights to go on from")
    parser.add_argument("--words", type=int, default=0, help="train on so many words only; 0: all")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    rng = np.random.default_rng(args.seed)

    data = Data(args.data)
    aside, rows = split(data)
    if args.words:
        rows = rows[: args.words]
    master = Network(len(data.alphabet) + 1, len(data.labels), hidden=args.hidden)
    with torch.no_grad():  # remember by default
        for lstm in (master.lstm1, master.lstm2):
            for name, p in lstm.named_parameters():
                if name.startswith("bias_ih"):
                    p[args.hidden : 2 * args.hidden] = 1.0
    if args.init:
        master.load_state_dict(torch.load(args.init, weights_only=True)["state"])
    print(f"{sum(p.numel() for p in master.parameters())} parameters, {len(data.labels)} labels")
    network = copy.deepcopy(master).bfloat16()
    average = copy.deepcopy(master)
    masters, lows = list(master.parameters()), list(network.parameters())
    optimiser = torch.optim.AdamW(masters, lr=args.rate, betas=(0.9, 0.98), weight_decay=0.01, foreach=True)

    def evaluate(net):
        net.eval()
        right = total = 0
        with torch.no_grad():
            for chosen in batches(data, aside.copy(), 4096, np.random.default_rng(0)):
                letters, labels, states, streams = data.batch(chosen)
                x = net.encoded(net.encode(letters))
                for accent in range(2):
                    target = labels[accent]
                    ok = target[:, 0] >= 0
                    padded = torch.nn.functional.pad(target.clamp(min=0), (4, 0), value=net.num_labels)
                    n = target.shape[1]
                    history = [padded[:, 3 - i : 3 - i + n] for i in range(4)]
                    logits = net.decode(x, history, states[accent], streams[accent][:, None])
                    right += int(((logits.argmax(-1) == target).all(1) & ok).sum())
                    total += int(ok.sum())
        return right / total

    print(f"{len(batches(data, rows, args.letters, rng))} steps an epoch", flush=True)
    steps, warm = args.steps, min(100 if args.init else 400, max(1, args.steps // 10))
    start, step, running, since = time.time(), 0, 0.0, 0
    while step < steps:
        for chosen in batches(data, rows, args.letters, rng):
            if step >= steps:
                break
            if step + args.decay < steps and os.path.exists(args.out + ".finish"):
                steps = step + args.decay
                print(f"to end at step {steps}", flush=True)
            network.train()
            left = (steps - step) / args.decay
            if args.minutes:
                left = 1 - (time.time() - start) / 60 / args.minutes
                if left <= 0:
                    steps = step
                    break
            rate = args.rate * min(1, (step + 1) / warm, left)
            optimiser.param_groups[0]["lr"] = rate
            loss = network.loss(*data.batch(chosen), args.dropout)
            for p in lows:
                p.grad = None
            loss.backward()
            for m, p in zip(masters, lows):
                m.grad = p.grad.float() if p.grad is not None else None
            torch.nn.utils.clip_grad_norm_(masters, 1.0, foreach=True)
            optimiser.step()
            with torch.no_grad():
                torch._foreach_copy_(lows, masters)
                torch._foreach_lerp_(list(average.parameters()), masters, 1 / min(step + 1, args.average))
            running += float(loss.detach())
            since += 1
            step += 1
            if step % 100 == 0:
                line = f"step {step}, {time.time() - start:.0f} s, loss {running / since:.4f}"
                running, since = 0.0, 0
                if step % 500 == 0 or step == steps:
                    line += f", aside {evaluate(average):.4f}"
                    torch.save({"state": average.state_dict(), "labels": data.labels, "alphabet": data.alphabet,
                                "hidden": args.hidden}, args.out)
                print(line, flush=True)
    print(f"{time.time() - start:.0f} s, aside {evaluate(average):.4f}")
    torch.save({"state": average.state_dict(), "labels": data.labels, "alphabet": data.alphabet, "hidden": args.hidden},
               args.out)


if __name__ == "__main__":
    main()
