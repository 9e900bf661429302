// SPDX-License-Identifier: Apache-2.0
// Stands in for the CUDA toolkit's header of the same name: bf16 as storage, with conversions.
#pragma once

#include <bit>

#include "backends/dtype.h"

struct __nv_bfloat16_raw {
  unsigned short x;
};
struct __nv_bfloat16 {
  unsigned short __x;
  __nv_bfloat16() = default;
  constexpr __nv_bfloat16(__nv_bfloat16_raw raw) : __x(raw.x) {}
};

constexpr __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
  return __nv_bfloat16_raw{bits};
}
constexpr unsigned short __bfloat16_as_ushort(__nv_bfloat16 value) {
  return value.__x;
}
inline __nv_bfloat16 __float2bfloat16_rn(float value) {  // ties to even
  return __nv_bfloat16_raw{
      static_cast<unsigned short>(steelyard::encode(steelyard::DType::bf16, value))};
}
inline __nv_bfloat16 __float2bfloat16(float value) {
  return __float2bfloat16_rn(value);
}
inline float __bfloat162float(__nv_bfloat16 value) {
  return std::bit_cast<float>(static_cast<unsigned>(value.__x) << 16);
}
