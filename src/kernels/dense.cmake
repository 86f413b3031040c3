# Tests and benches of gemm, conv1d, conv_transpose1d and lstm.
set_source_files_properties(gemm/gemm_scalar.cc conv1d/conv1d_scalar.cc conv_transpose1d/conv_transpose1d_scalar.cc
  lstm/lstm_scalar.cc PROPERTIES COMPILE_OPTIONS -O3)
