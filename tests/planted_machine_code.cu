// SPDX-License-Identifier: Apache-2.0
// Kernels whose machine code has one fault each; planted_machine_code_test.py expects the check to find it.
#ifdef __HIP__
#include <hip/hip_runtime.h>
#endif

__global__ void clean(float* x, int count) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < count; i += gridDim.x * blockDim.x)
    x[i] = 2 * x[i];
}

// More values than registers: 1,024 threads of a block leave each at most 128 of them.
__global__ __launch_bounds__(1024) void spills(const float* x, float* y, int steps) {
  constexpr int values = 300;
  float v[values];
#pragma unroll
  for (int i = 0; i < values; ++i) v[i] = x[i * 1024 + threadIdx.x];
  for (int step = 0; step < steps; ++step)
#pragma unroll
    for (int i = 0; i < values; ++i) v[i] = v[i] * v[(i + 7) % values] + x[step];
#pragma unroll
  for (int i = 0; i < values; ++i) y[i * 1024 + threadIdx.x] = v[i];
}

// An array indexed by what is known at run time only cannot be in registers.
__global__ void scratch(float* x, int count) {
  constexpr int values = 200;
  float v[values];
  for (int i = 0; i < values; ++i) v[i] = x[i];
  for (int i = 0; i < count; ++i) x[i] = v[i * 7 % values];
}

#ifdef __HIP__

// A buffer that differs between the lanes, where the instruction takes one for all.
__global__ void waterfall(int* x, int* const* buffers, int count) {
  using Four = int __attribute__((ext_vector_type(4)));
  Four sum = 0;
  const auto buffer =
      __builtin_amdgcn_make_buffer_rsrc(buffers[x[threadIdx.x]], 0, 1 << 20, 0x00020000);
  for (int i = 0; i < count; ++i)
    sum += __builtin_amdgcn_raw_buffer_load_b128(buffer, i * 16, 0, 0);
  x[threadIdx.x] = sum.x + sum.y;
}

using Halves = short __attribute__((ext_vector_type(4)));
using Accumulators = float __attribute__((ext_vector_type(16)));

// Products that wait for their operands in every step.
__global__ void waiting_mfma(const Halves* a, float* c, int steps) {
  Accumulators sum = {};
  for (int step = 0; step < steps; ++step)
    sum = __builtin_amdgcn_mfma_f32_32x32x8bf16_1k(a[step * 128 + threadIdx.x],
                                                   a[step * 128 + threadIdx.x + 64], sum, 0, 0, 0);
  for (int i = 0; i < 16; ++i) c[threadIdx.x * 16 + i] = sum[i];
}

// Products that wait for nothing.
__global__ void busy_mfma(const Halves* a, float* c, int steps) {
  Accumulators sums[4] = {};
  const Halves x = a[threadIdx.x], y = a[threadIdx.x + 64];
  for (int step = 0; step < steps; ++step)
#pragma unroll
    for (auto& sum : sums) sum = __builtin_amdgcn_mfma_f32_32x32x8bf16_1k(x, y, sum, 0, 0, 0);
  for (int i = 0; i < 16; ++i)
    c[threadIdx.x * 16 + i] = sums[0][i] + sums[1][i] + sums[2][i] + sums[3][i];
}

#else

__device__ void wgmma(float (&d)[4], unsigned long long a, unsigned long long b) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 {%0, %1, %2, %3}, %4, %5, 1, 1, 1, 0, 0;"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "l"(a), "l"(b));
#endif
}

// The accumulators are touched while a product still writes them.
__global__ void serialised_wgmma(float* x, unsigned long long a, unsigned long long b, int steps) {
  float d[4] = {};
  for (int step = 0; step < steps; ++step) {
    wgmma(d, a + step, b);
    d[0] += 1;
    wgmma(d, a + step, b + 2);
  }
  for (int i = 0; i < 4; ++i) x[i] = d[i];
}

#endif
