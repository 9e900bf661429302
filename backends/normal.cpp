// SPDX-License-Identifier: Apache-2.0
#include "backends/normal.h"

#include <cstddef>
#include <vector>

namespace steelyard {
namespace {

std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
}

constexpr std::uint64_t power_of_two(int exponent) {
  return std::uint64_t{1} << exponent;
}

// Trapezoidal sums of exp(-x^2 / 2) over x = 0, h, 2h ... 8 in units of 2^-47 h, with h = 2^-14.
// The ratio of two neighbouring densities falls by exp(-h^2) from step to step, so that two
// products a step make them all, and the two exponentials of powers of two are exact series in 64
// bits: exp(-2^-28) = 1 - 2^-28 + 2^-57, exp(-2^-29) = 1 - 2^-29 + 2^-59.
constexpr int step_bits = 14;

std::vector<std::uint64_t> half_normal_sums() {
  // In units of 2^-64, so that a missing 1 is the wrap-around of 64 bits.
  constexpr std::uint64_t ratio_of_ratios = -power_of_two(36) + power_of_two(7);
  std::uint64_t ratio = -power_of_two(35) + power_of_two(5);
  std::uint64_t density = ~std::uint64_t{0};
  std::vector<std::uint64_t> sums = {0};
  for (int step = 0; step < 8 << step_bits; ++step) {
    const std::uint64_t next = multiply_high(density, ratio);
    sums.push_back(sums.back() + (density >> 18) + (next >> 18));
    density = next;
    ratio = multiply_high(ratio, ratio_of_ratios);
  }
  return sums;
}

// Inverts the sums, which need no normalisation: the last one is the whole. The outermost cell ends
// at 1 - 2^-18 (4.62), which keeps its mean, as a linear interpolation to infinity is impossible.
HalfNormal invert(const std::vector<std::uint64_t>& sums) {
  const std::uint64_t whole = sums.back();
  HalfNormal table = {};
  std::size_t step = 0;
  for (int j = 0; j <= HalfNormal::cells; ++j) {
    const std::uint64_t sum =
        j < HalfNormal::cells ? whole / HalfNormal::cells * j : whole - (whole >> 18);
    while (sums[step + 1] <= sum) ++step;
    const std::uint64_t part =
        ((sum - sums[step]) << (29 - step_bits)) / (sums[step + 1] - sums[step]);
    table.quantile[j] = static_cast<std::uint32_t>((step << (29 - step_bits)) + part);
  }
  return table;
}

}  // namespace

const HalfNormal& half_normal() {
  static const HalfNormal table = invert(half_normal_sums());
  return table;
}

}  // namespace steelyard
