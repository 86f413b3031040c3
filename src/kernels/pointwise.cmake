# Tests and benches of norm, activation, math, elementwise, softmax, stft and excitation, and of the targets.
set_source_files_properties(norm/norm_scalar.cc activation/activation_scalar.cc math/math_scalar.cc
  elementwise/elementwise_scalar.cc softmax/softmax_scalar.cc stft/stft_scalar.cc excitation/excitation_scalar.cc fma_peak/fma_peak_scalar.cc
  PROPERTIES COMPILE_OPTIONS -O3)

koe_test(NAME target_test SOURCES target_test.cc LIBS koe_kernels)
koe_test(NAME fma_peak_test SOURCES fma_peak/fma_peak_test.cc LIBS koe_kernels)
koe_test(NAME kernel_set_test SOURCES kernel_set_test.cc LIBS koe_kernels)
foreach(op norm activation math elementwise softmax stft excitation)
  koe_test(NAME ${op}_test SOURCES ${op}/${op}_test.cc LIBS koe_kernels)
  koe_bench(NAME ${op}_bench SOURCES ${op}/${op}_bench.cc LIBS koe_kernels)
endforeach()
