// SPDX-License-Identifier: Apache-2.0
// What the attention kernels share: sizes and masks, the tokens of a head, and the streaming softmax.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "backends/backend.h"
#include "backends/gpu/mma.h"
#include "backends/gpu/vector.h"

namespace steelyard::gpu {

inline constexpr float ln_2 = 0.693147180559945309417f;
inline constexpr float hidden =
    -std::numeric_limits<float>::infinity();  // the score of a masked key

// Tensors are [batch, tokens, heads, head_dim].
struct AttentionSizes {
  int heads, kv_heads, queries, keys;
  bool causal;
  float scale;  // of scores, in units of ln 2: exponentials are powers of two

  explicit AttentionSizes(const Attention& p)
      : heads(static_cast<int>(p.heads)),
        kv_heads(static_cast<int>(p.kv_heads)),
        queries(static_cast<int>(p.queries)),
        keys(static_cast<int>(p.keys)),
        causal(p.causal),
        scale(static_cast<float>(log2_e / std::sqrt(static_cast<double>(p.head_dim)))) {}

  __device__ int group() const { return heads / kv_heads; }  // query heads that share keys
  // Keys that a query sees: the first so many.
  __device__ int visible_keys(int query) const {
    return causal ? max(0, min(keys, query + 1 + keys - queries)) : keys;
  }
  __device__ std::int64_t lse_element(int batch, int head, int query) const {
    return (std::int64_t{batch} * heads + head) * queries + query;
  }

  static constexpr double log2_e = 1.44269504088896340736;
};

// The tokens of one head of a tensor [batch, tokens, heads, head_dim].
template <class T>
struct HeadOf {
  T* first;
  std::int64_t stride;  // elements from token to token
  int tokens, head_dim;

  __device__ HeadOf(T* tensor, int batch, int tokens_, int heads, int head, int head_dim_)
      : first(tensor + (std::int64_t{batch} * tokens_ * heads + head) * head_dim_),
        stride(std::int64_t{heads} * head_dim_),
        tokens(tokens_),
        head_dim(head_dim_) {}

  // As the factor of a product that is summed over head_dim, and over the tokens.
  __device__ GlobalOperand<std::remove_const_t<T>, Order::depth_contiguous> over_width() const {
    return {first, stride, tokens, head_dim};
  }
  __device__ GlobalOperand<std::remove_const_t<T>, Order::rows_contiguous> over_tokens() const {
    return {first, stride, head_dim, tokens};
  }
};

// Stores `count` neighbours, rounded, with one access.
template <class T, int count>
__device__ void store_side_by_side(T* to, const float (&values)[count]) {
  Vector<T, count> rounded;
#pragma unroll
  for (int i = 0; i < count; ++i) rounded.element[i] = from_float<T>(values[i]);
  store_vector(to, rounded);
}

// The softmax of rows whose scores come block by block (Milakov and Gimelshein, Online normalizer
// calculation for softmax). Probabilities are relative to a reference near the maximum so far. It
// follows a maximum that has outgrown it 256 times, which few blocks do (Zadouri and others,
// FlashAttention-4): f32 sums and the 16-bit formats of P hold such values as well as those below 1.
template <class Rows>
struct OnlineSoftmax {
  static constexpr float slack = 8;
  Rows reference = Rows::filled(hidden);  // of scores in units of ln 2; hidden: no key was seen yet
  Rows sum = Rows::filled(0);             // of probabilities, of this lane's columns

  // Makes probabilities of the scores of a block, and the sums so far relative to the same reference.
  template <class Scores, class Output>
  __device__ void absorb(Scores& scores, Output& output, float scale) {
    const Rows top = scores.row_max(hidden);
    bool grown = false;
    const Rows shrink = zip(reference, top, [&](float before, float now) {
      if (!(now * scale > before + slack)) return 1.0f;
      grown = true;
      return exp2_approximate(before - now * scale);
    });
    if (ballot(grown) != 0) {
      output.scale_rows(shrink);
      sum = zip(sum, shrink, [](float a, float b) { return a * b; });
      reference = zip(reference, top, [&](float before, float now) {
        return now * scale > before + slack ? now * scale : before;
      });
    }
    const Rows from = zip(reference, reference, [](float r, float) { return r == hidden ? 0 : r; });
    scores.for_each_with(from, [&](float& value, float origin) {
      value = exp2_approximate(value * scale - origin);
    });
    sum = scores.fold_rows(sum, [](float a, float b) { return a + b; });
  }

  // Behind the last block: sums of whole rows, in every lane that has a part of them.
  __device__ void finish() {
    sum = combine_lanes(sum, [](float a, float b) { return a + b; });
  }
  // What the output is to be multiplied by then; of a row that saw no key zero.
  __device__ Rows inverse_sums() const {
    return zip(sum, sum, [](float s, float) { return s == 0 ? 0 : 1 / s; });
  }
  // Logarithms to base 2 of the sums of exp(score); of no scores minus infinity.
  __device__ Rows log2_sums() const {
    return zip(reference, sum, [](float r, float s) { return s == 0 ? hidden : r + log2f(s); });
  }
};

// Keys and the values that belong to them through shared memory, a tile of one or the other at a
// time: slab 2i is block i of the keys, slab 2i + 1 that of the values. The calls of a pipeline.
template <class K, class V, int threads, template <class, Order> class Source>
class KeyValueStream {
 public:
  using KeySource = Source<typename K::Value, K::order>;
  using ValueSource = Source<typename V::Value, V::order>;
  static constexpr std::size_t stage_bytes = K::bytes;
  static_assert(V::bytes == stage_bytes && V::depth == K::rows);

  __device__ KeyValueStream(std::byte* memory, const KeySource& keys, const ValueSource& values)
      : memory_(memory), keys_(keys), values_(values) {}

  static __device__ bool is_keys(int slab) { return slab % 2 == 0; }
  __device__ K keys(int stage) const { return K(stage_memory(stage)); }
  __device__ V values(int stage) const { return V(stage_memory(stage)); }

  __device__ void issue(int slab, int stage) {
    const int first = slab / 2 * K::rows;
    if (is_keys(slab))
      copy_keys_.issue(keys_, first, 0, keys(stage));
    else
      copy_values_.issue(values_, 0, first, values(stage));
  }
  __device__ void commit(int slab, int stage) {
    if (is_keys(slab))
      copy_keys_.commit(keys(stage));
    else
      copy_values_.commit(values(stage));
  }

 private:
  __device__ std::byte* stage_memory(int stage) const {
    return memory_ + static_cast<std::size_t>(stage) * stage_bytes;
  }

  std::byte* memory_;
  KeySource keys_;
  ValueSource values_;
  TileCopy<K, threads, true> copy_keys_;
  TileCopy<V, threads, true> copy_values_;
};

// ---- on the host

// What a kernel uses of the matrix units: Hopper's wgmma does twice as much.
inline std::string matrix_units(const DeviceInfo& info) {
  return std::string(matrix_instruction) + (info.architecture == "sm_90" ? ", no wgmma" : "");
}

inline Support supports_attention_tiles(const Attention& p) {
  if (p.dtype != DType::bf16 && p.dtype != DType::f16)
    return {Support::no, "matrix units take bf16 and f16 here, not " + std::string(name(p.dtype))};
  if (p.head_dim != 64 && p.head_dim != 128)
    return {Support::no, "head_dim is 64 or 128 here, not " + std::to_string(p.head_dim)};
  return {};
}

// f<T, head_dim>() of a supported problem.
template <class F>
auto with_attention_types(const Attention& p, F f) {
  const auto with_type = [&]<class T>() {
    return p.head_dim == 64 ? f.template operator()<T, 64>() : f.template operator()<T, 128>();
  };
  return p.dtype == DType::bf16 ? with_type.template operator()<bf16>()
                                : with_type.template operator()<f16>();
}

}  // namespace steelyard::gpu
