# SPDX-License-Identifier: Apache-2.0
"""The letter-to-sound network: two bidirectional LSTMs over the letters, and a decoder that goes through them once more,
left to right, and gives each letter its label (0 to 3 phonemes with stress) in view of the labels before."""
import torch
from torch import nn
from torch.nn import functional as F

HISTORY = 4  # labels the decoder sees
NUM_STATES = 16  # of the stress marks so far: StressState below, and in the run time
NUM_STREAMS = 4


def next_state(state, marks):
    """How the stress state changes with a label. Bits 0-1: vowels since the last mark (3: more), bit 2: any mark yet,
    bit 3: a primary one. marks: per label its vowels without and with marks as a list of '', 'ˈ', 'ˌ'."""
    vowels, rest = state & 3, state & 12
    for mark in marks:
        if mark:
            vowels = 0
            rest |= 4 | (8 if mark == "ˈ" else 0)
        else:
            vowels = min(vowels + 1, 3)
    return vowels | rest


def drop(x, rate, training):
    """Drops whole features of a word, the same ones at each letter."""
    if not training or rate <= 0:
        return x
    mask = torch.empty(x.shape[0], 1, x.shape[2], dtype=x.dtype).bernoulli_(1 - rate)
    return x * (mask / (1 - rate))


class Network(nn.Module):
    def __init__(self, num_letters, num_labels, embedding=64, hidden=192, width=384):
        super().__init__()
        self.num_labels, self.width = num_labels, width
        self.letters = nn.Embedding(num_letters, embedding)
        self.lstm1 = nn.LSTM(embedding, hidden, bidirectional=True, batch_first=True)
        self.lstm2 = nn.LSTM(2 * hidden, hidden, bidirectional=True, batch_first=True)
        self.encoded = nn.Linear(2 * hidden, width)
        # Row num_labels stands for "before the word".
        self.history = nn.ParameterList(nn.Parameter(torch.randn(num_labels + 1, width) * 0.05) for _ in range(HISTORY))
        self.state = nn.Parameter(torch.randn(NUM_STATES, width) * 0.05)
        self.stream = nn.Parameter(torch.randn(NUM_STREAMS, width) * 0.05)
        self.out = nn.Linear(width, num_labels)
        self.tier = nn.Linear(2 * hidden, 2)  # log odds of gold, by accent

    def encode(self, letters, dropout=0.0):
        x = self.letters(letters)
        x, _ = self.lstm1(drop(x, dropout, self.training))
        y, _ = self.lstm2(drop(x, dropout, self.training))
        return y

    def decode(self, encoded, history, state, stream):
        """encoded [..][width]; history: HISTORY label ids [..]; the rest ids broadcastable to them -> logits."""
        x = encoded + F.embedding(state, self.state) + F.embedding(stream, self.stream)
        for table, labels in zip(self.history, history):
            x = x + F.embedding(labels, table)
        return self.out(F.gelu(x, approximate="tanh"))

    def loss(self, letters, labels, states, streams, dropout):
        """labels, states [2 accents][B][T] (label -1: absent); streams [2][B]."""
        y = self.encode(letters, dropout)
        x = self.encoded(drop(y, dropout, self.training))
        total = 0.0
        count = 0
        for accent in range(2):
            target = labels[accent]
            rows = target[:, 0] >= 0
            if not bool(rows.any()):
                continue
            target = target[rows]
            padded = F.pad(target, (HISTORY, 0), value=self.num_labels)
            length = target.shape[1]
            history = [padded[:, HISTORY - 1 - i : HISTORY - 1 - i + length] for i in range(HISTORY)]
            logits = self.decode(x[rows], history, states[accent][rows], streams[accent][rows][:, None])
            total = total + F.cross_entropy(logits.float().reshape(-1, self.num_labels), target.reshape(-1),
                                            reduction="sum")
            count += target.numel()
            gold = (streams[accent][rows] % 2 == 0).float()
            odds = self.tier(y[rows].mean(1))[:, accent].float()
            total = total + F.binary_cross_entropy_with_logits(odds, gold, reduction="sum") * 0.3
        return total / max(count, 1)
