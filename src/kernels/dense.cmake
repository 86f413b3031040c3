# Tests and benches of gemm, conv1d, conv_transpose1d and lstm.
