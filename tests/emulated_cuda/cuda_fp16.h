// SPDX-License-Identifier: Apache-2.0
// Stands in for the CUDA toolkit's header of the same name: f16 as storage, with conversions.
#pragma once

#include <bit>

struct __half_raw {
  unsigned short x;
};
struct __half {
  unsigned short __x;
  __half() = default;
  constexpr __half(__half_raw raw) : __x(raw.x) {}
};
using half = __half;

constexpr __half __ushort_as_half(unsigned short bits) {
  return __half_raw{bits};
}
constexpr unsigned short __half_as_ushort(__half value) {
  return value.__x;
}
inline __half __float2half_rn(float value) {  // ties to even
  return __half_raw{std::bit_cast<unsigned short>(static_cast<_Float16>(value))};
}
inline __half __float2half(float value) {
  return __float2half_rn(value);
}
inline float __half2float(__half value) {
  return static_cast<float>(std::bit_cast<_Float16>(value.__x));
}
