// SPDX-License-Identifier: Apache-2.0
#include "backends/dtype.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <limits>
#include <type_traits>

namespace steelyard {
namespace {

// What the patterns with the largest exponent mean.
enum class Top {
  ieee,    // infinity and NaN
  nan,     // finite but for the last pattern, a NaN
  finite,  // finite; the pattern of negative zero is the only NaN
};

enum class Overflow { infinity, saturate };

// Sign, exponent and mantissa from the highest bit down, then bits that do not count.
struct FloatFormat {
  int exponent, mantissa, bias;
  Top top = Top::ieee;
  Overflow overflow = Overflow::infinity;
  int unused = 0;
};

constexpr FloatFormat binary32 = {8, 23, 127};
constexpr FloatFormat tf32 = {8, 10, 127, Top::ieee, Overflow::infinity, 13};
constexpr FloatFormat binary16 = {5, 10, 15};
constexpr FloatFormat bf16 = {8, 7, 127};
constexpr FloatFormat e4m3 = {4, 3, 7, Top::nan, Overflow::saturate};
constexpr FloatFormat e5m2 = {5, 2, 15, Top::ieee, Overflow::saturate};
constexpr FloatFormat e4m3_fnuz = {4, 3, 8, Top::finite, Overflow::saturate};
constexpr FloatFormat e5m2_fnuz = {5, 2, 16, Top::finite, Overflow::saturate};

constexpr std::uint64_t shift_to_even(std::uint64_t value, int bits) {
  const std::uint64_t below_half = (std::uint64_t{1} << (bits - 1)) - 1;
  const std::uint64_t odd = value >> bits & 1;
  return (value + below_half + odd) >> bits;
}

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

constexpr double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

// Every float but the host's own double: narrower in exponent and mantissa.
template <FloatFormat format>
struct Float {
  static constexpr int width = 1 + format.exponent + format.mantissa + format.unused;
  static constexpr bool integer = false;
  static constexpr double roundoff = power_of_two(-format.mantissa - 1);

  static constexpr std::uint64_t sign = std::uint64_t{1} << (format.exponent + format.mantissa);
  static constexpr std::uint64_t infinity = sign - (std::uint64_t{1} << format.mantissa);
  static constexpr std::uint64_t largest = format.top == Top::ieee  ? infinity - 1
                                           : format.top == Top::nan ? sign - 2
                                                                    : sign - 1;
  static constexpr std::uint64_t nan = format.top == Top::ieee
                                           ? infinity | std::uint64_t{1} << (format.mantissa - 1)
                                       : format.top == Top::nan ? sign - 1
                                                                : sign;

  static constexpr double max() { return decode(largest << format.unused); }

  static constexpr double decode(std::uint64_t pattern) {
    pattern >>= format.unused;
    // The upper bits of a format that the host has.
    if constexpr (format.exponent == binary32.exponent)
      return std::bit_cast<float>(static_cast<std::uint32_t>(pattern)
                                  << (binary32.mantissa - format.mantissa));
    const std::uint64_t negative = (pattern & sign) / sign, magnitude = pattern & (sign - 1);
    if (format.top == Top::finite && negative && magnitude == 0) return not_a_number;
    return std::bit_cast<double>(std::bit_cast<std::uint64_t>(decode_magnitude(magnitude)) |
                                 negative << 63);
  }

  // Moved to the places they have in a double, the bits of a value are that value times
  // 2^(bias - 1023), subnormal values included.
  static constexpr double decode_magnitude(std::uint64_t magnitude) {
    if (magnitude <= largest)
      return std::bit_cast<double>(magnitude << (52 - format.mantissa)) *
             power_of_two(1023 - format.bias);
    const bool infinite = format.top == Top::ieee && magnitude == infinity;
    return infinite ? std::numeric_limits<double>::infinity() : not_a_number;
  }

  static constexpr std::uint64_t encode(double value) {
    if (value != value) return nan << format.unused;
    const auto word = std::bit_cast<std::uint64_t>(value);
    std::uint64_t magnitude = encode_magnitude(word & ~(std::uint64_t{1} << 63));
    if (magnitude > largest) magnitude = format.overflow == Overflow::saturate ? largest : infinity;
    if (format.top == Top::finite && magnitude == 0) return 0;
    return ((word >> 63) * sign | magnitude) << format.unused;
  }

  // The nearest pattern to a positive double as if there were no largest exponent: a carry out of
  // the mantissa steps into the exponent, as it should.
  static constexpr std::uint64_t encode_magnitude(std::uint64_t magnitude) {
    constexpr int dropped = 52 - format.mantissa;
    constexpr std::uint64_t one = std::uint64_t{1} << 52;
    const int exponent = static_cast<int>(magnitude >> 52) - 1023 + format.bias;
    if (exponent > 0) return shift_to_even(magnitude - (1023 - format.bias) * one, dropped);
    if (exponent < -format.mantissa)
      return 0;  // below half the smallest value, or a double's subnormal
    const std::uint64_t significand = magnitude % one + one;
    return shift_to_even(significand, dropped + 1 - exponent);
  }
};

struct Double {
  static constexpr int width = 64;
  static constexpr bool integer = false;
  static constexpr double roundoff = power_of_two(-53);
  static constexpr double max() { return std::numeric_limits<double>::max(); }
  static constexpr double decode(std::uint64_t pattern) { return std::bit_cast<double>(pattern); }
  static constexpr std::uint64_t encode(double value) {
    return std::bit_cast<std::uint64_t>(value);
  }
};

// Two's complement.
template <int bits>
struct Integer {
  static constexpr int width = bits;
  static constexpr bool integer = true;
  static constexpr double roundoff = 0;
  static constexpr double max() { return power_of_two(bits - 1) - 1; }
  static constexpr double decode(std::uint64_t pattern) {
    return static_cast<double>(static_cast<std::int64_t>(pattern << (64 - bits)) >> (64 - bits));
  }
  static constexpr std::uint64_t encode(double value) {
    if (value != value) return 0;
    constexpr double whole = 0x1.8p52;  // doubles near it are the whole numbers
    const double rounded = std::clamp(value, -max() - 1, max()) + whole - whole;
    const auto pattern = static_cast<std::uint64_t>(static_cast<std::int64_t>(rounded));
    return pattern & ~std::uint64_t{0} >> (64 - bits);
  }
};

// Calls function(Format{}), the one place that knows which format a type is.
template <class Function>
auto with_format(DType type, Encoding encoding, Function function) {
  const bool ocp = encoding == Encoding::ocp;
  switch (type) {
    case DType::f64:
      return function(Double{});
    case DType::f32:
      return function(Float<binary32>{});
    case DType::tf32:
      return function(Float<tf32>{});
    case DType::f16:
      return function(Float<binary16>{});
    case DType::bf16:
      return function(Float<bf16>{});
    case DType::fp8_e4m3:
      return ocp ? function(Float<e4m3>{}) : function(Float<e4m3_fnuz>{});
    case DType::fp8_e5m2:
      return ocp ? function(Float<e5m2>{}) : function(Float<e5m2_fnuz>{});
    case DType::int8:
      return function(Integer<8>{});
    case DType::int4:
      return function(Integer<4>{});
    case DType::int32:
      break;
  }
  return function(Integer<32>{});
}

template <int width>
using Storage = std::conditional_t<
    width <= 8, std::uint8_t,
    std::conditional_t<width == 16, std::uint16_t,
                       std::conditional_t<width == 32, std::uint32_t, std::uint64_t>>>;

template <class Format>
double get(const void* array, std::int64_t index) {
  using Word = Storage<Format::width>;
  constexpr std::int64_t per_word = 8 * sizeof(Word) / Format::width;
  Word word;
  std::memcpy(&word, static_cast<const Word*>(array) + index / per_word, sizeof word);
  return Format::decode(word >> index % per_word * Format::width);
}

template <class Format>
void put(void* array, std::int64_t index, double value) {
  using Word = Storage<Format::width>;
  constexpr std::int64_t per_word = 8 * sizeof(Word) / Format::width;
  const auto place = static_cast<Word*>(array) + index / per_word;
  auto word = static_cast<Word>(Format::encode(value));
  if constexpr (per_word == 2) {
    const bool high = index % 2 != 0;
    word = high ? (*place & 0x0f) | word << 4 : (*place & 0xf0) | word;
  }
  std::memcpy(place, &word, sizeof word);
}

constexpr std::string_view type_names[] = {"f64",      "f32",      "tf32", "f16",  "bf16",
                                           "fp8_e4m3", "fp8_e5m2", "int8", "int4", "int32"};

}  // namespace

int bits(DType type) {
  return with_format(type, Encoding::ocp, [](auto format) { return format.width; });
}

bool is_integer(DType type) {
  return with_format(type, Encoding::ocp, [](auto format) { return format.integer; });
}

std::string_view name(DType type) {
  return type_names[static_cast<int>(type)];
}

std::string_view name(Encoding encoding) {
  return encoding == Encoding::ocp ? "ocp" : "fnuz";
}

std::optional<DType> parse_dtype(std::string_view text) {
  const auto found = std::find(std::begin(type_names), std::end(type_names), text);
  if (found == std::end(type_names)) return std::nullopt;
  return static_cast<DType>(found - std::begin(type_names));
}

std::int64_t bytes(DType type, std::int64_t count) {
  return (count * bits(type) + 7) / 8;
}

double unit_roundoff(DType type) {
  return with_format(type, Encoding::ocp, [](auto format) { return format.roundoff; });
}

double max_value(DType type, Encoding encoding) {
  return with_format(type, encoding, [](auto format) { return format.max(); });
}

double decode(DType type, std::uint64_t pattern, Encoding encoding) {
  return with_format(type, encoding, [=](auto format) { return format.decode(pattern); });
}

std::uint64_t encode(DType type, double value, Encoding encoding) {
  return with_format(type, encoding, [=](auto format) { return format.encode(value); });
}

double round_to(DType type, double value, Encoding encoding) {
  return decode(type, encode(type, value, encoding), encoding);
}

double load(DType type, const void* array, std::int64_t index, Encoding encoding) {
  return with_format(type, encoding,
                     [=](auto format) { return get<decltype(format)>(array, index); });
}

void store(DType type, void* array, std::int64_t index, double value, Encoding encoding) {
  with_format(type, encoding, [=](auto format) { put<decltype(format)>(array, index, value); });
}

void load(DType type, const void* array, std::span<double> values, Encoding encoding) {
  const auto count = static_cast<std::int64_t>(values.size());
  with_format(type, encoding, [=](auto format) {
    for (std::int64_t i = 0; i < count; ++i) values[i] = get<decltype(format)>(array, i);
  });
}

void store(DType type, void* array, std::span<const double> values, Encoding encoding) {
  const auto count = static_cast<std::int64_t>(values.size());
  with_format(type, encoding, [=](auto format) {
    for (std::int64_t i = 0; i < count; ++i) put<decltype(format)>(array, i, values[i]);
  });
}

}  // namespace steelyard
