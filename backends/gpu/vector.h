// SPDX-License-Identifier: Apache-2.0
// Neighbouring elements of a tensor as one access, of 16 bytes where there are so many.
#pragma once

#include "backends/gpu/gpu.h"

namespace steelyard::gpu {

template <class T, int count>
struct alignas(sizeof(T) * count < 16 ? sizeof(T) * count : 16) Vector {
  static constexpr int size = count;
  T element[count];
};

// A Vector that begins at `from`, aligned to itself. Streaming: it is used once and pushes nothing
// out of the caches.
template <int count, bool streaming = false, class T>
__device__ Vector<T, count> load_vector(const T* from) {
  using V = Vector<T, count>;
  if constexpr (streaming && sizeof(V) % 16 == 0) {
    struct Pieces {
      uint4 piece[sizeof(V) / 16];
    } pieces;
#pragma unroll
    for (unsigned i = 0; i < sizeof(V) / 16; ++i)
      pieces.piece[i] = load_streaming(reinterpret_cast<const uint4*>(from) + i);
    return __builtin_bit_cast(V, pieces);
  } else {
    return *reinterpret_cast<const V*>(from);
  }
}

template <bool streaming = false, class T, int count>
__device__ void store_vector(T* to, const Vector<T, count>& value) {
  using V = Vector<T, count>;
  if constexpr (streaming && sizeof(V) % 16 == 0) {
    struct Pieces {
      uint4 piece[sizeof(V) / 16];
    };
    const auto pieces = __builtin_bit_cast(Pieces, value);
#pragma unroll
    for (unsigned i = 0; i < sizeof(V) / 16; ++i)
      store_streaming(reinterpret_cast<uint4*>(to) + i, pieces.piece[i]);
  } else {
    *reinterpret_cast<V*>(to) = value;
  }
}

}  // namespace steelyard::gpu
