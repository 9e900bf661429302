// SPDX-License-Identifier: Apache-2.0
#include "bench/freivalds.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "bench/tolerance.h"

namespace steelyard {
namespace {

constexpr std::int64_t block_columns = 64;

class Check {
 public:
  Check(const Gemm& problem, std::span<const HostTensor> inputs)
      : p_(problem),
        inputs_(inputs),
        blocks_((p_.n + block_columns - 1) / block_columns),
        x_(p_.n),
        column_squares_(p_.n),
        bx_(p_.k * blocks_) {
    std::mt19937_64 generator(1);
    std::normal_distribution<double> gaussian;
    for (double& x : x_) x = gaussian(generator);
    multiply_b();
  }

  double worst_of_row(std::int64_t i, const HostTensor& c) const {
    double a_square = 0;
    std::vector<double> expected(blocks_);  // alpha A (B x), by block
    for (std::int64_t l = 0; l < p_.k; ++l) {
      const double a = element_of_a(i, l);
      a_square += a * a;
      const double* bx = &bx_[l * blocks_];
      for (std::int64_t block = 0; block < blocks_; ++block)
        expected[block] += p_.alpha * a * bx[block];
    }
    double worst = 0;
    for (std::int64_t block = 0; block < blocks_; ++block)
      worst = std::max(worst, deviation(i, block, expected[block], a_square, c));
    return worst;
  }

 private:
  // B x [k, blocks], and the squared norm of each column of B.
  void multiply_b() {
    for (std::int64_t l = 0; l < p_.k; ++l)
      for (std::int64_t j = 0; j < p_.n; ++j) {
        const double b = element_of_b(l, j);
        bx_[l * blocks_ + j / block_columns] += b * x_[j];
        column_squares_[j] += b * b;
      }
  }

  double element_of_a(std::int64_t i, std::int64_t l) const {
    return inputs_[0].at(p_.layout == Layout::tn ? l * p_.m + i : i * p_.k + l);
  }
  double element_of_b(std::int64_t l, std::int64_t j) const {
    return inputs_[1].at(p_.layout == Layout::nt ? j * p_.k + l : l * p_.n + j);
  }

  // |C x - expected| over its modelled deviation. Each element carries a rounding to C's type,
  // uniform within u |C|, and the accumulator's: k roundings of partial sums that grow to |a||b|.
  double deviation(std::int64_t i, std::int64_t block, double expected, double a_square,
                   const HostTensor& c) const {
    const double u_out = unit_roundoff(p_.c);
    constexpr double fp64_noise = 0x1p-48;  // of this check itself
    const double u = std::max(accumulator_roundoff(p_), fp64_noise);
    const std::int64_t end = std::min(p_.n, (block + 1) * block_columns);
    double difference = -expected, variance = 0;
    for (std::int64_t j = block * block_columns; j < end; ++j) {
      const double value = c.at(i * p_.n + j);
      const double before = p_.beta == 0 ? 0 : p_.beta * inputs_.back().at(i * p_.n + j);
      difference += (value - before) * x_[j];
      const double output = u_out * u_out * value * value / 3;
      const double sum =
          u * u * (p_.alpha * p_.alpha * a_square * column_squares_[j] + before * before);
      variance += x_[j] * x_[j] * (output + sum);
    }
    if (difference == 0) return 0;
    const double z = std::abs(difference) / std::sqrt(variance);
    return std::isnan(z) ? HUGE_VAL : z;
  }

  const Gemm& p_;
  std::span<const HostTensor> inputs_;
  std::int64_t blocks_;
  std::vector<double> x_, column_squares_, bx_;
};

}  // namespace

bool freivalds_applies(const Gemm& problem) {
  return problem.groups == 1 && problem.scaling == Scaling::none;
}

double freivalds_deviation(const Gemm& problem, std::span<const HostTensor> inputs,
                           const HostTensor& c) {
  const Check check(problem, inputs);
  double worst = 0;
  for (std::int64_t i = 0; i < problem.m; ++i) worst = std::max(worst, check.worst_of_row(i, c));
  return worst;
}

}  // namespace steelyard
