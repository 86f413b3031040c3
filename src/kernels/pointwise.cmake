# Tests and benches of norm, activation, math, elementwise, softmax and stft, and of the targets.
set_source_files_properties(norm/norm_scalar.cc activation/activation_scalar.cc math/math_scalar.cc
  elementwise/elementwise_scalar.cc softmax/softmax_scalar.cc stft/stft_scalar.cc PROPERTIES COMPILE_OPTIONS -O3)

koe_test(NAME target_test SOURCES target_test.cc LIBS koe_kernels)
koe_test(NAME kernel_set_test SOURCES kernel_set_test.cc LIBS koe_kernels)
koe_test(NAME math_test SOURCES math/math_test.cc LIBS koe_kernels)
koe_test(NAME norm_test SOURCES norm/norm_test.cc LIBS koe_kernels)
koe_test(NAME activation_test SOURCES activation/activation_test.cc LIBS koe_kernels)
koe_test(NAME elementwise_test SOURCES elementwise/elementwise_test.cc LIBS koe_kernels)
koe_test(NAME softmax_test SOURCES softmax/softmax_test.cc LIBS koe_kernels)
koe_test(NAME stft_test SOURCES stft/stft_test.cc LIBS koe_kernels)
