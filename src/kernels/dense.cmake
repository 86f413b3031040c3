# Tests and benches of gemm, conv1d, conv_transpose1d, lstm and tile_conv.
set(KOE_DENSE_OPS gemm conv1d conv_transpose1d lstm)
foreach(op IN LISTS KOE_DENSE_OPS)
  list(APPEND KOE_DENSE_TESTS ${op}/${op}_test.cc)
  list(APPEND KOE_DENSE_BENCHES ${op}/${op}_bench.cc)
  # What a CPU without a vector target runs: optimised in every build type.
  set_source_files_properties(${op}/${op}_scalar.cc PROPERTIES COMPILE_OPTIONS -O3)
endforeach()
list(APPEND KOE_DENSE_TESTS fixed_gemm/fixed_gemm_test.cc fixed_planes/fixed_planes_test.cc)
set_source_files_properties(fixed_gemm/fixed_gemm_scalar.cc fixed_planes/fixed_planes_scalar.cc PROPERTIES COMPILE_OPTIONS -O3)
koe_test(NAME dense_kernels_test SOURCES ${KOE_DENSE_TESTS} LIBS koe_kernels koe_base)
set_source_files_properties(tile_conv/tile_conv_scalar.cc PROPERTIES COMPILE_OPTIONS -O3)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")  # it calls what Highway compiles for its NEON target
  set_source_files_properties(tile_conv/tile_conv_test.cc PROPERTIES COMPILE_OPTIONS -march=armv8-a+crypto)
endif()
koe_test(NAME tile_conv_test SOURCES tile_conv/tile_conv_test.cc LIBS koe_kernels koe_base)
koe_test(NAME conv_plan_test SOURCES conv_plan_test.cc LIBS koe_kernels)
koe_bench(NAME tile_conv_bench SOURCES tile_conv/tile_conv_bench.cc LIBS koe_kernels koe_base)
koe_bench(NAME dense_kernels_bench SOURCES ${KOE_DENSE_BENCHES} LIBS koe_kernels koe_base)
