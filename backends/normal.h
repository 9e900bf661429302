// SPDX-License-Identifier: Apache-2.0
// The normal distribution as a table of quantiles, in integers, so that it is the same on every
// machine.
#pragma once

#include <array>
#include <cstdint>

namespace steelyard {

// Quantile j / cells of |N(0,1)| in units of 2^-29.
struct HalfNormal {
  static constexpr int cells = 1 << 15;
  std::array<std::uint32_t, cells + 1> quantile;
};

const HalfNormal& half_normal();  // made at the first call

// N(0,1) from 32 random bits: a sign, a cell of the table and 16 bits to interpolate linearly in
// it. The result is 2^-46 times an integer, exact in double, and never zero.
inline double normal(const HalfNormal& table, std::uint32_t word) {
  const std::uint32_t cell = word >> 16 & (HalfNormal::cells - 1), place = 2 * (word & 0xffff) + 1;
  const std::int64_t low = table.quantile[cell], width = table.quantile[cell + 1] - low;
  const std::int64_t sign = 1 - 2 * static_cast<std::int64_t>(word >> 31);
  return static_cast<double>(sign * (low * 0x20000 + width * place)) * 0x1p-46;
}

}  // namespace steelyard
