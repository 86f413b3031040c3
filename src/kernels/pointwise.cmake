# Tests and benches of norm, activation, math, elementwise, softmax and stft.
