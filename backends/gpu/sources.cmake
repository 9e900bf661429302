# SPDX-License-Identifier: Apache-2.0
# What both vendors share: gpu_kernels are compiled as the vendor's language (and by the tests for emulated
# devices as plain C++), gpu_sources are all of them.
set(gpu_kernels
  arena.cu
  attention_backward.cu
  attention_decode.cu
  attention_forward.cu
  gemm_simt.cu
  gemm_tile_bf16.cu
  gemm_tile_f16.cu
  gemm_tile_f64.cu
  gemm_tile_fp8_e4m3.cu
  gemm_tile_fp8_e5m2.cu
  gemm_tile_int4.cu
  gemm_tile_int8.cu
  gemm_tile_tf32.cu
  hold.cu
  launches.cu
  layers.cu
  layers_activation.cu
  layers_cache.cu
  layers_loss.cu
  layers_norm.cu
  layers_norm_backward.cu
  layers_optimiser.cu
  layers_permute.cu
  layers_quantise.cu
  layers_rope.cu
  layers_routing.cu
  memory.cu)
set(gpu_sources
  ${gpu_kernels}
  choose_algorithm.cpp
  copies.cpp
  device.cpp
  gemm_tile.cpp
  kernels.cpp)
list(TRANSFORM gpu_kernels PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
list(TRANSFORM gpu_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
