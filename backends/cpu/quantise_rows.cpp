// SPDX-License-Identifier: Apache-2.0
// Largest values, and the way to 8 bits and back with a scale per row, for the instruction set this
// file is compiled for.
//
// Idea     A row stays in L1 between the pass that finds its largest value and the pass that divides.
//          Rounding to fp8 is integer arithmetic on the bits of f32; subnormal results are rounded
//          by adding a power of two whose last bit is their step. fp8 is widened as an f16 of the
//          wrong exponent.
// Traffic  Every element once.
// Limits   fp8 in OCP's encoding. Largest values below 1e-35 overflow their reciprocal. The baseline
//          widens fp8 lane by lane.
#include "backends/cpu/layer_simd.h"

namespace steelyard::cpu {
namespace {

// ---- formats of 8 bits

struct E4m3 {
  static constexpr int mantissa = 3, bias = 7;
  static constexpr float max = 448;
  static constexpr std::uint32_t nan = 0x7f;
};
struct E5m2 {
  static constexpr int mantissa = 2, bias = 15;
  static constexpr float max = 57344;
  static constexpr std::uint32_t nan = 0x7e;
};
struct Int8 {
  static constexpr float max = 127;
};

constexpr float power_of_two(int exponent) {
  float result = 1;
  for (; exponent > 0; --exponent) result *= 2;
  for (; exponent < 0; ++exponent) result /= 2;
  return result;
}

// To nearest, ties to even, saturating; one code per word.
template <class Format8>
Words encode(Vector<float> value) {
  constexpr int dropped = 23 - Format8::mantissa;
  constexpr float smallest_normal = power_of_two(1 - Format8::bias);
  constexpr float step_is_last_bit = power_of_two(23 + 1 - Format8::bias - Format8::mantissa);
  constexpr std::uint32_t rebias = (127 - Format8::bias) << Format8::mantissa;
  Vector<float> size = absolute<float>(value);
  size = size > Format8::max ? Vector<float>{} + Format8::max : size;
  const auto bits = (Words)size;
  const Words normal =
      ((bits + ((1u << (dropped - 1)) - 1) + (bits >> dropped & 1)) >> dropped) - rebias;
  const Words subnormal =
      (Words)(size + step_is_last_bit) - (Words)(Vector<float>{} + step_is_last_bit);
  const Words code = size < smallest_normal ? subnormal : normal;
  return (value == value ? code : Words{} + Format8::nan) | ((Words)value >> 24 & 0x80);
}

template <>
Words encode<Int8>(Vector<float> value) {
  value = value > Int8::max ? Vector<float>{} + Int8::max : value;
  value = value < -Int8::max - 1 ? Vector<float>{} - Int8::max - 1 : value;
  return (Words)(value + round_to_whole<float>)-(Words)(Vector<float>{} + round_to_whole<float>);
}

template <class Format8>
Vector<float> decode(Words code) {
  constexpr int exponent = 15 - Format8::bias;  // f16 has a bias of 15
  const Words half = (code & 0x80) << 8 | (code & 0x7f) << (10 - Format8::mantissa);
  const Vector<float> value = Format<Half>::widen(low_halves(half));
  if constexpr (exponent == 0) return value;
  const Vector<float> scaled = value * power_of_two(exponent);
  return (code & 0x7f) == Format8::nan ? Vector<float>{} + __builtin_nanf("") : scaled;
}

template <>
Vector<float> decode<Int8>(Words code) {
  return __builtin_convertvector((Vector<std::int32_t>)(code << 24) >> 24, Vector<float>);
}

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

template <Store how>
void put_codes(std::uint8_t* to, Words codes, Whole) {
  store<how>(to, low_bytes(codes));
}
template <Store how>
void put_codes(std::uint8_t* to, Words codes, Part part) {
  const Bytes narrow = low_bytes(codes);
  std::memcpy(to, &narrow, part.count);
}

inline Words get_codes(const std::uint8_t* from, Whole) {
  return extend(load<Bytes>(from));
}
inline Words get_codes(const std::uint8_t* from, Part part) {
  Bytes codes = {};
  std::memcpy(&codes, from, part.count);
  return extend(codes);
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
