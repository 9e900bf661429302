// SPDX-License-Identifier: Apache-2.0
// CUDA's short vectors, with its sizes and alignments, and dim3.
#pragma once

#define EMULATED_CUDA_VECTORS(scalar, name)                                  \
  struct name##1 {                                                           \
    scalar x;                                                                \
  };                                                                         \
  struct alignas(2 * sizeof(scalar)) name##2 {                               \
    scalar x, y;                                                             \
  };                                                                         \
  struct name##3 {                                                           \
    scalar x, y, z;                                                          \
  };                                                                         \
  struct alignas(sizeof(scalar) < 4 ? 4 * sizeof(scalar) : 16) name##4 {     \
    scalar x, y, z, w;                                                       \
  };                                                                         \
  constexpr name##1 make_##name##1(scalar x) {                               \
    return {x};                                                              \
  }                                                                          \
  constexpr name##2 make_##name##2(scalar x, scalar y) {                     \
    return {x, y};                                                           \
  }                                                                          \
  constexpr name##3 make_##name##3(scalar x, scalar y, scalar z) {           \
    return {x, y, z};                                                        \
  }                                                                          \
  constexpr name##4 make_##name##4(scalar x, scalar y, scalar z, scalar w) { \
    return {x, y, z, w};                                                     \
  }

EMULATED_CUDA_VECTORS(signed char, char)
EMULATED_CUDA_VECTORS(unsigned char, uchar)
EMULATED_CUDA_VECTORS(short, short)
EMULATED_CUDA_VECTORS(unsigned short, ushort)
EMULATED_CUDA_VECTORS(int, int)
EMULATED_CUDA_VECTORS(unsigned, uint)
EMULATED_CUDA_VECTORS(long, long)
EMULATED_CUDA_VECTORS(unsigned long, ulong)
EMULATED_CUDA_VECTORS(long long, longlong)
EMULATED_CUDA_VECTORS(unsigned long long, ulonglong)
EMULATED_CUDA_VECTORS(float, float)
EMULATED_CUDA_VECTORS(double, double)
#undef EMULATED_CUDA_VECTORS

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned width = 1, unsigned height = 1, unsigned depth = 1)
      : x(width), y(height), z(depth) {}
  constexpr dim3(uint3 extent) : x(extent.x), y(extent.y), z(extent.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};
