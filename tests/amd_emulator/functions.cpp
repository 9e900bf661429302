// SPDX-License-Identifier: Apache-2.0
// Floating-point functions of one type, and f64 arithmetic. Functions that the hardware approximates
// (reciprocals, roots, exponentials, sines) are rounded from the exact value here.
#include <algorithm>
#include <numbers>

#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/lanewise.h"

namespace amd_emulator {
namespace {

template <class T>
T from_double(f64 x) {
  return static_cast<T>(x);
}
// f32 functions neither take nor give denormals; those of f16 and f64 do.
template <class T>
T input(T x) {
  return std::is_same_v<T, f32> ? flush_denormal(x) : x;
}
template <class T>
T output(f64 x) {
  return std::is_same_v<T, f32> ? flush_denormal(from_double<T>(x)) : from_double<T>(x);
}

constexpr auto reciprocal = []<class T>(T x) { return output<T>(1 / static_cast<f64>(input(x))); };
constexpr auto root = []<class T>(T x) { return output<T>(std::sqrt(static_cast<f64>(input(x)))); };
constexpr auto reciprocal_root = []<class T>(T x) {
  return output<T>(1 / std::sqrt(static_cast<f64>(input(x))));
};
constexpr auto power_of_two = []<class T>(T x) {
  if constexpr (std::is_same_v<T, f32>)
    return flush_denormal(std::exp2(input(x)));
  else
    return output<T>(std::exp2(static_cast<f64>(x)));
};
constexpr auto logarithm = []<class T>(T x) {
  return output<T>(std::log2(static_cast<f64>(input(x))));
};
// Angles are in turns.
constexpr auto sine = []<class T>(T x) {
  return output<T>(std::sin(2 * std::numbers::pi * static_cast<f64>(input(x))));
};
constexpr auto cosine = []<class T>(T x) {
  return output<T>(std::cos(2 * std::numbers::pi * static_cast<f64>(input(x))));
};

constexpr auto floor = []<class T>(T x) { return from_double<T>(std::floor(static_cast<f64>(x))); };
constexpr auto ceiling = []<class T>(T x) {
  return from_double<T>(std::ceil(static_cast<f64>(x)));
};
constexpr auto truncate = []<class T>(T x) {
  return from_double<T>(std::trunc(static_cast<f64>(x)));
};
constexpr auto nearest = []<class T>(T x) { return round_to_even(x); };
// Less than 1, also where the subtraction rounds up to it. NaN stays NaN, infinities become it.
constexpr auto fraction = []<class T>(T x) {
  const auto below_one =
      std::bit_cast<T>(static_cast<BitsOf<T>>(std::bit_cast<BitsOf<T>>(T{1}) - 1));
  const T rest = static_cast<T>(x - floor(x));
  return rest > below_one ? below_one : rest;
};

constexpr auto scale = []<class T>(T x, i32 exponent) {
  const int held = exponent < -5000 ? -5000 : exponent > 5000 ? 5000 : exponent;
  return from_double<T>(std::is_same_v<T, f64> ? std::ldexp(static_cast<f64>(x), held)
                                               : std::scalbn(static_cast<f64>(x), held));
};
constexpr auto scale_half = [](f16 x, i16 exponent) { return scale(x, i32{exponent}); };
constexpr auto significand = []<class T>(T x) {
  int exponent = 0;
  return is_nan(x) || is_infinite(x) ? x
                                     : from_double<T>(std::frexp(static_cast<f64>(x), &exponent));
};
constexpr auto exponent_of = []<class T>(T x) {
  int exponent = 0;
  if (!is_nan(x) && !is_infinite(x)) (void)std::frexp(static_cast<f64>(x), &exponent);
  return exponent;
};
constexpr auto exponent_of_half = [](f16 x) { return static_cast<i16>(exponent_of(x)); };

// The first 1216 bits of 2/pi behind the point.
constexpr u64 two_over_pi[] = {
    0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041, 0xfe5163abdebbc561,
    0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e, 0xe88235f52ebb4484,
    0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b, 0x1ff897ffde05980f,
    0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d, 0x7527bac7ebe5f17b,
    0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab};

// 53 of these bits, for the reduction of a large angle: those from which on its product is no multiple of
// the whole turn, or the ones after them. Huge angles are scaled down by the compiler, and these up.
constexpr auto angle_factor = [](f64 angle, u32 segment) {
  const int exponent = biased_exponent(angle);
  const int first = static_cast<int>(segment & 31) * 53 + std::max(exponent - 1077, 0);
  u64 bits = 0;
  for (int i = first; i < first + 53; ++i) {
    const u64 word = i < 64 * static_cast<int>(std::size(two_over_pi)) ? two_over_pi[i / 64] : 0;
    bits = bits << 1 | (word >> (63 - i % 64) & 1);
  }
  return std::ldexp(static_cast<f64>(bits), -53 - first + (exponent >= 1968 ? 128 : 0));
};

// Division as the compiler spells it, by the manuals' descriptions of V_DIV_SCALE, V_DIV_FMAS and
// V_DIV_FIXUP. By how much operands are scaled, and when a numerator is tiny:
template <class T>
inline constexpr int scaling = sizeof(T) == 8 ? 128 : 64;
template <class T>
inline constexpr int large_quotient = sizeof(T) == 8 ? 768 : 96;

// Below it a quotient is less than half of the least denormal number.
template <class T>
inline constexpr int least_quotient = sizeof(T) == 8   ? -1075
                                      : sizeof(T) == 4 ? -150
                                                       : -26;

template <class T>
struct Scaled {
  T value;
  bool flag;  // vcc: V_DIV_FMAS must scale back
};
template <class T>
Scaled<T> scale_for_division(T x, T denominator, T numerator) {
  const int by = scaling<T>;
  const bool is_denominator = std::bit_cast<BitsOf<T>>(x) == std::bit_cast<BitsOf<T>>(denominator);
  const bool is_numerator = std::bit_cast<BitsOf<T>>(x) == std::bit_cast<BitsOf<T>>(numerator);
  if (numerator == 0 || denominator == 0) return {quiet_nan<T>(), false};
  if (biased_exponent(numerator) - biased_exponent(denominator) >= large_quotient<T>)
    return {is_denominator ? scale(x, by) : x, true};
  if (is_denormal(denominator)) return {scale(x, by), false};
  const bool small_reciprocal = is_denormal(1 / denominator);
  const bool small_quotient = is_denormal(numerator / denominator);
  if (small_reciprocal && small_quotient) return {is_denominator ? scale(x, -by) : x, true};
  if (small_reciprocal) return {scale(x, -by), false};
  if (small_quotient) return {is_numerator ? scale(x, by) : x, true};
  if (biased_exponent(numerator) <= mantissa_bits<T> + (sizeof(T) == 8))
    return {scale(x, by), false};
  return {x, false};
}
template <class T>
void divide_scale(Wave& wave, const Instruction& it) {
  const Source<T> x(Operand{wave, it, 0}), denominator(Operand{wave, it, 1}),
      numerator(Operand{wave, it, 2});
  Result<T> result;
  u64 flags = 0;
  for (int lane = 0; lane < lanes; ++lane) {
    const Scaled<T> scaled = scale_for_division<T>(x[lane], denominator[lane], numerator[lane]);
    result.set(lane, scaled.value);
    flags |= u64{scaled.flag} << lane;
  }
  write_scalar64(wave, it.scalar_destination, flags & wave.exec);
  write_result(wave, it, result);
}

// Rounded once, behind the scaling. The wider type has bits to spare for a quotient that is denormal.
template <class T>
T scaled_sum(T a, T b, T c, int by) {
  using Wide = std::conditional_t<sizeof(T) == 8, long double, f64>;
  return static_cast<T>(std::ldexp(std::fma(Wide{a}, Wide{b}, Wide{c}), by));
}
template <class T>
void divide_fused(Wave& wave, const Instruction& it) {
  const Source<T> a(Operand{wave, it, 0}), b(Operand{wave, it, 1}), c(Operand{wave, it, 2});
  const u64 flags = scalar64(wave, it, vcc_lo);
  Result<T> result;
  for (int lane = 0; lane < lanes; ++lane) {
    const bool large = biased_exponent<T>(c[lane]) > largest_exponent<T> / 2;
    result.set(lane, (flags >> lane & 1) == 0 ? std::fma(a[lane], b[lane], c[lane])
                                              : scaled_sum<T>(a[lane], b[lane], c[lane],
                                                              large ? scaling<T> : -scaling<T>));
  }
  write_result(wave, it, result);
}

constexpr auto divide_fixup = []<class T>(T quotient, T denominator, T numerator) {
  const bool negative = is_negative(denominator) != is_negative(numerator);
  if (is_nan(numerator)) return quiet(numerator);
  if (is_nan(denominator)) return quiet(denominator);
  if ((denominator == T{0} && numerator == T{0}) ||
      (is_infinite(denominator) && is_infinite(numerator)))
    return with_sign(quiet_nan<T>(), true);
  if (denominator == T{0} || is_infinite(numerator)) return with_sign(infinity<T>(), negative);
  if (is_infinite(denominator) || numerator == T{0}) return with_sign(T{0}, negative);
  if (biased_exponent(numerator) - biased_exponent(denominator) < least_quotient<T>)
    return with_sign(T{0}, negative);
  // The refinement of a quotient that is too large ends in an infinity or a NaN.
  if (biased_exponent(quotient) == largest_exponent<T>) return with_sign(infinity<T>(), negative);
  return with_sign(quotient, negative);
};

constexpr auto add = [](auto a, auto b) { return a + b; };
constexpr auto multiply = [](auto a, auto b) { return a * b; };
constexpr auto smaller = [](auto a, auto b) { return minimum(a, b); };
constexpr auto larger = [](auto a, auto b) { return maximum(a, b); };
constexpr auto fused = [](auto a, auto b, auto c) { return fused_multiply_add(a, b, c); };

#define FOR_EVERY_TYPE(name, f)                                                 \
  {name "_f16", lanewise<f, f16, f16>}, {name "_f32", lanewise<f, f32, f32>}, { \
    name "_f64", lanewise<f, f64, f64>                                          \
  }
#define FOR_HALF_AND_SINGLE(name, f)      \
  {name "_f16", lanewise<f, f16, f16>}, { \
    name "_f32", lanewise<f, f32, f32>    \
  }

constexpr NamedHandler table[] = {
    FOR_EVERY_TYPE("v_rcp", reciprocal),
    FOR_EVERY_TYPE("v_rsq", reciprocal_root),
    FOR_EVERY_TYPE("v_sqrt", root),
    FOR_HALF_AND_SINGLE("v_exp", power_of_two),
    FOR_HALF_AND_SINGLE("v_log", logarithm),
    FOR_HALF_AND_SINGLE("v_sin", sine),
    FOR_HALF_AND_SINGLE("v_cos", cosine),
    FOR_EVERY_TYPE("v_floor", floor),
    FOR_EVERY_TYPE("v_ceil", ceiling),
    FOR_EVERY_TYPE("v_trunc", truncate),
    FOR_EVERY_TYPE("v_rndne", nearest),
    FOR_EVERY_TYPE("v_fract", fraction),
    FOR_EVERY_TYPE("v_frexp_mant", significand),
    {"v_rcp_iflag_f32", lanewise<reciprocal, f32, f32>},
    {"v_frexp_exp_i32_f32", lanewise<exponent_of, i32, f32>},
    {"v_frexp_exp_i32_f64", lanewise<exponent_of, i32, f64>},
    {"v_frexp_exp_i16_f16", lanewise<exponent_of_half, i16, f16>},
    {"v_ldexp_f16", lanewise<scale_half, f16, f16, i16>},
    {"v_ldexp_f32", lanewise<scale, f32, f32, i32>},
    {"v_ldexp_f64", lanewise<scale, f64, f64, i32>},
    {"v_div_scale_f32", divide_scale<f32>},
    {"v_div_scale_f64", divide_scale<f64>},
    {"v_div_fmas_f32", divide_fused<f32>},
    {"v_div_fmas_f64", divide_fused<f64>},
    {"v_div_fixup_f16", lanewise_in_half<divide_fixup, f16, f16, f16, f16>},
    {"v_div_fixup_f32", lanewise<divide_fixup, f32, f32, f32, f32>},
    {"v_div_fixup_f64", lanewise<divide_fixup, f64, f64, f64, f64>},
    {"v_trig_preop_f64", lanewise<angle_factor, f64, f64, u32>},
    {"v_add_f64", lanewise<add, f64, f64, f64>},
    {"v_mul_f64", lanewise<multiply, f64, f64, f64>},
    {"v_min_f64", lanewise<smaller, f64, f64, f64>},
    {"v_max_f64", lanewise<larger, f64, f64, f64>},
    {"v_fma_f64", lanewise<fused, f64, f64, f64, f64>},
    {"v_fmac_f64", accumulate<fused, f64>},
};

}  // namespace

std::span<const NamedHandler> function_handlers() {
  return table;
}

}  // namespace amd_emulator
