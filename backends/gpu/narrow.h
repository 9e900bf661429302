// SPDX-License-Identifier: Apache-2.0
// Neighbouring values rounded to a type of 8 bits.
#pragma once

#include "backends/gpu/number.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {

// Stores scaled(x) for every x of a packet, rounded to the nearest; ties to even, saturating.
template <class Q, class T, int width, class F>
__device__ void store_narrow(Q* to, const Vector<T, width>& packet, F scaled) {
  Vector<Q, width> codes;
  if constexpr (width == 1) {
    Q unused;
    narrow(scaled(to_float(packet.element[0])), 0.f, codes.element[0], unused);
  } else {
#pragma unroll
    for (int e = 0; e < width; e += 2)
      narrow(scaled(to_float(packet.element[e])), scaled(to_float(packet.element[e + 1])),
             codes.element[e], codes.element[e + 1]);
  }
  store_vector(to, codes);
}

}  // namespace steelyard::gpu
