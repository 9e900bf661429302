// SPDX-License-Identifier: Apache-2.0
#include "backends/dtype.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tests/catch.h"

using namespace steelyard;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// The narrow floats as their standards define them: OCP 8-bit Floating Point Specification 1.0,
// IEEE 754-2019, and Noune et al. (2022) for FNUZ.
struct Standard {
  DType type;
  Encoding encoding;
  int exponent_bits, mantissa_bits, bias;
  double largest;
  std::uint64_t nan;         // a NaN of the format
  double beyond;             // what a value beyond the largest becomes
  std::size_t finite_count;  // patterns that are numbers
};

const Standard standards[] = {
    {DType::f16, Encoding::ocp, 5, 10, 15, 65504, 0x7e00, infinity, 2 * 0x7c00},
    {DType::bf16, Encoding::ocp, 8, 7, 127, 0x1.fep127, 0x7fc0, infinity, 2 * 0x7f80},
    {DType::fp8_e4m3, Encoding::ocp, 4, 3, 7, 448, 0x7f, 448, 254},
    {DType::fp8_e5m2, Encoding::ocp, 5, 2, 15, 57344, 0x7f, 57344, 2 * 0x7c},
    {DType::fp8_e4m3, Encoding::fnuz, 4, 3, 8, 240, 0x80, 240, 255},
    {DType::fp8_e5m2, Encoding::fnuz, 5, 2, 16, 57344, 0x80, 57344, 255},
};

std::uint64_t pattern_count(const Standard& s) {
  return std::uint64_t{1} << bits(s.type);
}

double value_of(const Standard& s, std::uint64_t pattern) {
  const int mantissa = static_cast<int>(pattern % (1u << s.mantissa_bits));
  const int exponent = static_cast<int>(pattern >> s.mantissa_bits) % (1 << s.exponent_bits);
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, 1 - s.bias - s.mantissa_bits)
                                         : std::ldexp(mantissa + std::ldexp(1, s.mantissa_bits),
                                                      exponent - s.bias - s.mantissa_bits);
  return pattern >> (s.exponent_bits + s.mantissa_bits) & 1 ? -magnitude : magnitude;
}

// The numbers >= 0 of a format, in ascending order: number i has pattern i.
std::vector<double> magnitudes(const Standard& s) {
  std::vector<double> all;
  for (std::uint64_t p = 0; value_of(s, p) <= s.largest && p < pattern_count(s) / 2; ++p)
    all.push_back(value_of(s, p));
  return all;
}

// The nearest of all numbers of the format by search, for a magnitude between two of them; of two
// equally near ones the even pattern.
std::uint64_t nearest(const std::vector<double>& numbers, double magnitude) {
  const auto above = std::lower_bound(numbers.begin(), numbers.end(), magnitude);
  const auto high = static_cast<std::uint64_t>(above - numbers.begin());
  const double to_high = *above - magnitude, to_low = magnitude - above[-1];
  if (to_high == to_low) return high % 2 == 0 ? high : high - 1;
  return to_high < to_low ? high : high - 1;
}

}  // namespace

TEST_CASE("every pattern of the narrow floats decodes to the number its standard gives it") {
  for (const Standard& s : standards) {
    CAPTURE(name(s.type), name(s.encoding));
    std::size_t finite = 0;
    for (std::uint64_t p = 0; p < pattern_count(s); ++p) {
      const double value = decode(s.type, p, s.encoding);
      if (!std::isfinite(value)) continue;
      ++finite;
      if (value != value_of(s, p)) FAIL("pattern " << p << " is " << value);
    }
    CHECK(finite == s.finite_count);
    CHECK(max_value(s.type, s.encoding) == s.largest);
    CHECK(std::isnan(decode(s.type, s.nan, s.encoding)));
  }
}

TEST_CASE("every number of the narrow floats survives a round trip bit for bit") {
  for (const Standard& s : standards) {
    CAPTURE(name(s.type), name(s.encoding));
    for (std::uint64_t p = 0; p < pattern_count(s); ++p) {
      const double value = decode(s.type, p, s.encoding);
      if (std::isfinite(value) && encode(s.type, value, s.encoding) != p) FAIL("pattern " << p);
    }
  }
}

TEST_CASE("the values with a special meaning are where the standards put them") {
  CHECK(decode(DType::f16, 0x7c00) == infinity);
  CHECK(decode(DType::bf16, 0xff80) == -infinity);
  CHECK(decode(DType::f32, 0x7f800000) == infinity);
  CHECK(decode(DType::tf32, 0x7f800000) == infinity);
  CHECK(decode(DType::fp8_e5m2, 0x7c) == infinity);
  CHECK(decode(DType::fp8_e5m2, 0xfc) == -infinity);
  CHECK(std::isnan(decode(DType::fp8_e5m2, 0x7d)));
  CHECK(std::isnan(decode(DType::fp8_e4m3, 0x7f)));
  CHECK(std::isnan(decode(DType::fp8_e4m3, 0xff)));
  CHECK(decode(DType::fp8_e4m3, 0x7e) == 448);
  CHECK(decode(DType::fp8_e4m3, 0x7f, Encoding::fnuz) == 240);
  CHECK(std::signbit(decode(DType::fp8_e4m3, 0x80)));
  CHECK(std::isnan(decode(DType::fp8_e4m3, 0x80, Encoding::fnuz)));
}

TEST_CASE("rounding finds the nearest number, the even one of two, among random values") {
  std::mt19937_64 generator(1);
  for (const Standard& s : standards) {
    CAPTURE(name(s.type), name(s.encoding));
    const std::vector<double> numbers = magnitudes(s);
    // Exponents from far below the smallest subnormal number to just below the largest number.
    const int lowest = -s.bias - s.mantissa_bits - 3;
    const int count = std::ilogb(s.largest) - lowest;
    for (int i = 0; i < 200000; ++i) {
      const double fraction = 1 + std::ldexp(static_cast<double>(generator() >> 12), -52);
      const double value = std::ldexp(fraction, lowest + i % count);
      if (encode(s.type, value, s.encoding) != nearest(numbers, value)) FAIL(value);
    }
  }
}

TEST_CASE("midpoints go to the even neighbour and their double neighbours to the near side") {
  for (const Standard& s : standards) {
    CAPTURE(name(s.type), name(s.encoding));
    const std::vector<double> numbers = magnitudes(s);
    const std::uint64_t sign = std::uint64_t{1} << (s.exponent_bits + s.mantissa_bits);
    for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
      const double middle = (numbers[i] + numbers[i + 1]) / 2;
      const std::size_t even = i % 2 == 0 ? i : i + 1;
      REQUIRE(encode(s.type, middle, s.encoding) == even);
      REQUIRE(encode(s.type, std::nextafter(middle, 0), s.encoding) == i);
      REQUIRE(encode(s.type, std::nextafter(middle, infinity), s.encoding) == i + 1);
      if (i > 0) REQUIRE(encode(s.type, -middle, s.encoding) == (even | sign));
    }
  }
}

TEST_CASE("values beyond the largest overflow in IEEE formats and saturate in fp8") {
  for (const Standard& s : standards) {
    CAPTURE(name(s.type), name(s.encoding));
    const double previous = magnitudes(s).end()[-2];
    const double middle = s.largest + (s.largest - previous) / 2;
    CHECK(round_to(s.type, std::nextafter(middle, 0), s.encoding) == s.largest);
    for (const double value : {middle, 2 * s.largest, 1e300, infinity}) {
      CHECK(round_to(s.type, value, s.encoding) == s.beyond);
      CHECK(round_to(s.type, -value, s.encoding) == -s.beyond);
    }
  }
}

TEST_CASE("a value that rounds to zero keeps its sign where the format has a negative zero") {
  CHECK(encode(DType::f16, -1e-30) == 0x8000);
  CHECK(encode(DType::f16, -std::numeric_limits<double>::denorm_min()) == 0x8000);
  CHECK(encode(DType::fp8_e4m3, -0.0) == 0x80);
  CHECK(encode(DType::fp8_e4m3, -0.0, Encoding::fnuz) == 0);
  CHECK(encode(DType::fp8_e5m2, -1e-30, Encoding::fnuz) == 0);
}

TEST_CASE("NaN stays NaN in floats and is 0 in integers") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Encoding encoding : {Encoding::ocp, Encoding::fnuz})
    for (const DType type : {DType::f64, DType::f32, DType::tf32, DType::f16, DType::bf16,
                             DType::fp8_e4m3, DType::fp8_e5m2})
      CHECK(std::isnan(round_to(type, nan, encoding)));
  for (const DType type : {DType::int8, DType::int4, DType::int32}) CHECK(encode(type, nan) == 0);
}

TEST_CASE("f32 rounds as the compiler's own conversion does") {
  std::mt19937_64 generator(2);
  for (int i = 0; i < 500000; ++i) {
    auto word = generator();
    if (i % 2) {  // near the range of f32, where subnormal and overflowing values lie
      word &= ~(std::uint64_t{0x7ff} << 52);
      word |= (1023 - 155 + generator() % 290) << 52;
    }
    const auto value = std::bit_cast<double>(word);
    if (std::isnan(value)) continue;
    const auto expected = std::bit_cast<std::uint32_t>(static_cast<float>(value));
    if (encode(DType::f32, value) != expected) FAIL(value);
    if (decode(DType::f32, expected) != static_cast<double>(static_cast<float>(value))) FAIL(value);
  }
}

TEST_CASE("f64 is the host's own double") {
  for (const double value : {0.0, -0.0, 1.0 / 3, -1e308, 5e-324, infinity}) {
    CHECK(encode(DType::f64, value) == std::bit_cast<std::uint64_t>(value));
    CHECK(round_to(DType::f64, value) == value);
  }
}

TEST_CASE("tf32 is f32 with the 13 lowest bits gone") {
  CHECK(encode(DType::tf32, 1) == std::bit_cast<std::uint32_t>(1.0f));
  CHECK(round_to(DType::tf32, 1 + 0x1p-10) == 1 + 0x1p-10);
  CHECK(round_to(DType::tf32, 1 + 0x1p-11) == 1);
  CHECK(round_to(DType::tf32, 1 + 0x3p-11) == 1 + 0x1p-9);
  CHECK(round_to(DType::tf32, 1 + 0x1p-11 + 0x1p-40) == 1 + 0x1p-10);
  CHECK(max_value(DType::tf32) == 0x1.ffcp127);
  CHECK(round_to(DType::tf32, 1e39) == infinity);
  CHECK(encode(DType::tf32, -0x1p-136) == 0x80002000);  // the smallest subnormal number
}

TEST_CASE("integers round to even and saturate") {
  const std::pair<double, double> int8[] = {{0.5, 0},       {1.5, 2},     {-2.5, -2},
                                            {2.5001, 3},    {127.5, 127}, {1e20, 127},
                                            {-128.4, -128}, {-129, -128}, {-infinity, -128}};
  for (const auto& [value, expected] : int8) CHECK(round_to(DType::int8, value) == expected);
  CHECK(encode(DType::int8, -1) == 0xff);
  CHECK(encode(DType::int4, -8) == 0x8);
  CHECK(round_to(DType::int4, 9) == 7);
  CHECK(round_to(DType::int4, -9) == -8);
  CHECK(round_to(DType::int32, 2147483646.5) == 2147483646);
  CHECK(round_to(DType::int32, 3e9) == 2147483647);
  CHECK(round_to(DType::int32, -3e9) == -2147483648.0);
  CHECK(max_value(DType::int4) == 7);
  CHECK(max_value(DType::int32) == 2147483647);
}

TEST_CASE("two int4 share a byte, the even element in its low half") {
  std::uint8_t packed[3] = {};
  const std::vector<double> values = {-8, 7, -1, 0, 3};
  store(DType::int4, packed, values);
  CHECK(packed[0] == 0x78);
  CHECK(packed[1] == 0x0f);
  CHECK(packed[2] == 0x03);
  store(DType::int4, packed, 2, 5);
  CHECK(packed[1] == 0x05);
  CHECK(load(DType::int4, packed, 0) == -8);
  CHECK(load(DType::int4, packed, 1) == 7);
}

TEST_CASE("arrays hold what their elements hold") {
  std::vector<double> values(1001), loaded(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(double(i)) * 10;
  for (const Encoding encoding : {Encoding::ocp, Encoding::fnuz})
    for (int t = 0; t < 10; ++t) {
      const auto type = static_cast<DType>(t);
      CAPTURE(name(type), name(encoding));
      std::vector<std::byte> whole(bytes(type, 1001)), single(whole.size());
      store(type, whole.data(), values, encoding);
      load(type, whole.data(), loaded, encoding);
      for (std::int64_t i = 0; i < 1001; ++i) {
        store(type, single.data(), i, values[i], encoding);
        REQUIRE(load(type, whole.data(), i, encoding) == loaded[i]);
        REQUIRE(loaded[i] == round_to(type, values[i], encoding));
      }
      CHECK(whole == single);
    }
}

TEST_CASE("formats have a size, a name and a roundoff") {
  const struct {
    DType type;
    std::string_view name;
    int bits;
    double roundoff;
  } formats[] = {{DType::f64, "f64", 64, 0x1p-53},
                 {DType::f32, "f32", 32, 0x1p-24},
                 {DType::tf32, "tf32", 32, 0x1p-11},
                 {DType::f16, "f16", 16, 0x1p-11},
                 {DType::bf16, "bf16", 16, 0x1p-8},
                 {DType::fp8_e4m3, "fp8_e4m3", 8, 0x1p-4},
                 {DType::fp8_e5m2, "fp8_e5m2", 8, 0x1p-3},
                 {DType::int8, "int8", 8, 0},
                 {DType::int4, "int4", 4, 0},
                 {DType::int32, "int32", 32, 0}};
  for (const auto& format : formats) {
    CHECK(name(format.type) == format.name);
    CHECK(parse_dtype(format.name) == format.type);
    CHECK(bits(format.type) == format.bits);
    CHECK(unit_roundoff(format.type) == format.roundoff);
    CHECK(is_integer(format.type) == (format.roundoff == 0));
  }
  CHECK_FALSE(parse_dtype("fp7"));
  CHECK(bytes(DType::int4, 5) == 3);
  CHECK(bytes(DType::f64, 5) == 40);
}
