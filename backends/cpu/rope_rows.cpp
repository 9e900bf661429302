// SPDX-License-Identifier: Apache-2.0
// Rotary embedding of whole rows in Llama's half-split form, for the instruction set this file is
// compiled for.
//
// Idea     Angles are counted in turns, in f64: the fraction of position * frequency is exact to
//          1e-11 of a turn at any position. Sine and cosine of it are polynomials of the angle to the
//          nearest quarter turn, once per row and pair, and shared by all heads.
// Traffic  Every element of x and y once; the table of a row stays in L1.
// Limits   No f64: it would take angles beyond f64. With few heads per row the table takes as long as memory does.
#include <numbers>

#include "backends/cpu/layer_simd.h"

namespace steelyard::cpu {
namespace {

using Doubles = Vector<double>;

// 1 / k!
constexpr double reciprocal_factorial(int k) {
  double result = 1;
  for (int i = 2; i <= k; ++i) result /= i;
  return result;
}

// Taylor series of the sine (first = 1) and the cosine (first = 0) for |x| <= pi / 4: the first term
// left out is below 1e-17.
template <int first>
Doubles series(Doubles x) {
  constexpr int last = 16 + first;
  const Doubles square = x * x;
  Doubles sum = Doubles{} + reciprocal_factorial(last);
#pragma GCC unroll 8
  for (int k = last - 2; k >= first; k -= 2) sum = reciprocal_factorial(k) - square * sum;
  return first == 1 ? x * sum : sum;
}

// Sine and cosine of `turns` whole rotations.
struct Rotation {
  Doubles sine, cosine;
};

Rotation rotation(Doubles turns) {
  using Pattern = Bits<double>;
  constexpr double round = round_to_whole<double>;
  const Doubles shifted = 4 * turns + round;
  const Doubles angle = (4 * turns - (shifted - round)) * (std::numbers::pi / 2);
  const auto quarter = (Pattern)shifted;  // its two lowest bits
  const Doubles s = series<1>(angle), c = series<0>(angle);
  const auto odd = -(quarter & 1);  // all bits set where true
  const Pattern sine_sign = (quarter & 2) << 62, cosine_sign = ((quarter + 1) & 2) << 62;
  const Doubles sine = (Doubles)(((Pattern)c & odd) | ((Pattern)s & ~odd));
  const Doubles cosine = (Doubles)(((Pattern)s & odd) | ((Pattern)c & ~odd));
  return {(Doubles)((Pattern)sine ^ sine_sign), (Doubles)((Pattern)cosine ^ cosine_sign)};
}

// sines[half] and cosines[half] of one position.
template <class C>
void fill_table(double position, const double* frequencies, std::int64_t half, C* sines,
                C* cosines) {
  for (std::int64_t i = 0; i < half; i += lanes<double>) {
    const std::int64_t count = half - i < lanes<double> ? half - i : lanes<double>;
    Doubles turns = {};
    std::memcpy(&turns, frequencies + i, count * sizeof(double));
    turns *= position;
    turns -= (turns + round_to_whole<double>)-round_to_whole<double>;
    const Rotation r = rotation(turns);
    for (std::int64_t lane = 0; lane < count; ++lane) {
      sines[i + lane] = static_cast<C>(r.sine[lane]);
      cosines[i + lane] = static_cast<C>(r.cosine[lane]);
    }
  }
}

// Elements i and i + half of each head turn by the angle; the gradient turns back: direction -1.
template <class T, Store how, int direction>
[[gnu::flatten]] void rotate(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  using C = Compute<T>;
  const std::int64_t half = a.p.head_dim / 2, columns = a.p.columns;
  C *sines = static_cast<C*>(a.workspace), *cosines = sines + half;
  for (std::int64_t row = first; row < end; ++row) {
    fill_table(direction * static_cast<double>(a.get<std::int32_t>(1)[row]), a.frequencies, half,
               sines, cosines);
    for (std::int64_t head = row * columns; head < (row + 1) * columns; head += a.p.head_dim) {
      const T *low = a.get<T>(0) + head, *high = low + half;
      T *y_low = a.get<T>(2) + head, *y_high = y_low + half;
      for_each_step<T>(half, [=](std::int64_t i, auto part) {
        const auto s = get(sines + i, part), c = get(cosines + i, part);
        const auto l = get(low + i, part), h = get(high + i, part);
        put<how>(y_low + i, l * c - h * s, part);
        put<how>(y_high + i, h * c + l * s, part);
      });
    }
  }
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

LayerFunction* rope_rows(const Layer& p, Store store) {
  return with_type(p.dtype, store, [&]<class T, Store how>() -> LayerFunction* {
    if constexpr (sizeof(T) < sizeof(double))
      return p.pass == Pass::backward ? rotate<T, how, -1> : rotate<T, how, 1>;
    return nullptr;
  });
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
