// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same with every standard library, unlike those of its distributions.
#pragma once

#include <cmath>
#include <numbers>
#include <random>

namespace steelyard {

class Noise {
 public:
  explicit Noise(std::uint64_t seed) : bits_(seed) {}

  double uniform() { return (static_cast<double>(bits_() >> 11) + 0.5) * 0x1p-53; }
  double normal() {
    return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::mt19937_64 bits_;
};

}  // namespace steelyard
