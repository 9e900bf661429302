// SPDX-License-Identifier: Apache-2.0
// Largest values, and the way to 8 bits and back with a scale per row, for the instruction set this
// file is compiled for.
//
// Idea     A row stays in L1 between the pass that finds its largest value and the pass that divides.
// Traffic  Every element once.
// Limits   fp8 in OCP's encoding. Largest values below 1e-35 overflow their reciprocal. The baseline
//          widens fp8 lane by lane.
#include "backends/cpu/layer_narrow.h"

namespace steelyard::cpu {
namespace {

// ---- rows

template <class T>
Compute<T> amax_of(const T* x, std::int64_t columns) {
  Values<T> maximum = {};
  for_each_step<T>(columns, [&](std::int64_t i, auto part) {
    maximum = larger<Compute<T>>(absolute<Compute<T>>(get(x + i, part)), maximum);
  });
  return largest<Compute<T>>(maximum);
}

template <class T>
[[gnu::flatten]] void amax(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  for (std::int64_t row = first; row < end; ++row)
    a.get<float>(1)[row] =
        static_cast<float>(amax_of(a.get<T>(0) + row * a.p.columns, a.p.columns));
}

// scale = amax / largest value, 1 for a row of zeros; q = x / scale
template <class T, Store how, class Format8>
[[gnu::flatten]] void quantise(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const std::int64_t columns = a.p.columns;
  for (std::int64_t row = first; row < end; ++row) {
    const T* x = a.get<T>(0) + row * columns;
    auto* q = a.get<std::uint8_t>(1) + row * columns;
    const float amax = amax_of(x, columns);
    a.get<float>(2)[row] = amax > 0 ? amax / Format8::max : 1;
    const float reciprocal = amax > 0 ? Format8::max / amax : 1;
    for_each_step<T>(columns, [=](std::int64_t i, auto part) {
      prefetch(x + columns, i);
      put_codes<how>(q + i, encode<Format8>(get(x + i, part) * reciprocal), part);
    });
  }
}

template <class T, Store how, class Format8>
[[gnu::flatten]] void dequantise(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const std::int64_t columns = a.p.columns;
  for (std::int64_t row = first; row < end; ++row) {
    const auto* q = a.get<std::uint8_t>(0) + row * columns;
    const float scale = a.get<float>(1)[row];
    T* x = a.get<T>(2) + row * columns;
    for_each_step<T>(columns, [=](std::int64_t i, auto part) {
      put<how>(x + i, decode<Format8>(get_codes(q + i, part)) * scale, part);
    });
  }
}

template <class T, Store how, class Format8>
LayerFunction* function_for(LayerOp op) {
  return op == LayerOp::quantise ? quantise<T, how, Format8> : dequantise<T, how, Format8>;
}

// f64 is not quantised: its formats of 8 bits are reached through f32.
template <class T, Store how>
LayerFunction* function_for(const Layer& p) {
  if (p.op == LayerOp::amax) return amax<T>;
  if constexpr (sizeof(T) < sizeof(double)) {
    if (p.quantised == DType::fp8_e4m3) return function_for<T, how, E4m3>(p.op);
    if (p.quantised == DType::fp8_e5m2) return function_for<T, how, E5m2>(p.op);
    if (p.quantised == DType::int8) return function_for<T, how, Int8>(p.op);
  }
  return nullptr;
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

LayerFunction* quantise_rows(const Layer& p, Store store) {
  return with_type(p.dtype, store, [&]<class T, Store how>() { return function_for<T, how>(p); });
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
