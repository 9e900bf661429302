// SPDX-License-Identifier: Apache-2.0
#include "bench/freivalds.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string_view>
#include <vector>

#include "bench/tolerance.h"

namespace steelyard {
namespace {

constexpr std::int64_t block_columns = 64;

const HostTensor* find(std::span<const HostTensor> inputs, std::string_view name) {
  const auto found = std::ranges::find(inputs, name, [](auto& t) { return t.operand.name; });
  return found == inputs.end() ? nullptr : &*found;
}

class Check {
 public:
  Check(const Gemm& problem, std::span<const HostTensor> inputs)
      : p_(problem),
        a_(*find(inputs, "a")),
        b_(*find(inputs, "b")),
        a_scale_(find(inputs, "a_scale")),
        b_scale_(find(inputs, "b_scale")),
        offsets_(find(inputs, "offsets")),
        before_(find(inputs, "c")),
        blocks_((p_.n + block_columns - 1) / block_columns),
        x_(p_.n),
        column_squares_(p_.groups * p_.n),
        bx_(p_.groups * p_.k * blocks_) {
    std::mt19937_64 generator(1);
    std::normal_distribution<double> gaussian;
    for (double& x : x_) x = gaussian(generator);
    for (std::int64_t group = 0; group < p_.groups; ++group) multiply_b(group);
  }

  double worst_of_row(std::int64_t i, const HostTensor& c) const {
    const std::int64_t group = group_of(i);
    double a_square = 0;
    std::vector<double> expected(blocks_);  // alpha A (B x), by block
    for (std::int64_t l = 0; l < p_.k; ++l) {
      const double a = element_of_a(i, l);
      a_square += a * a;
      const double* bx = &bx_[(group * p_.k + l) * blocks_];
      for (std::int64_t block = 0; block < blocks_; ++block)
        expected[block] += p_.alpha * a * bx[block];
    }
    const double* column_squares = &column_squares_[group * p_.n];
    double worst = 0;
    for (std::int64_t block = 0; block < blocks_; ++block)
      worst = std::max(worst, deviation(i, block, expected[block], a_square, column_squares, c));
    return worst;
  }

 private:
  // B x [k, blocks] of one group, and the squared norm of each column of its B.
  void multiply_b(std::int64_t group) {
#pragma omp parallel for
    for (std::int64_t block = 0; block < blocks_; ++block)
      for (std::int64_t l = 0; l < p_.k; ++l)
        for (std::int64_t j = block * block_columns; j < end_of(block); ++j) {
          const double b = element_of_b(group, l, j);
          bx_[(group * p_.k + l) * blocks_ + block] += b * x_[j];
          column_squares_[group * p_.n + j] += b * b;
        }
  }

  std::int64_t end_of(std::int64_t block) const {
    return std::min(p_.n, (block + 1) * block_columns);
  }

  // The last group that starts at or before the row: those before it without rows start there too.
  std::int64_t group_of(std::int64_t row) const {
    std::int64_t group = 0;
    if (offsets_ != nullptr)
      while (offsets_->at(group + 1) <= static_cast<double>(row)) ++group;
    return group;
  }

  double element_of_a(std::int64_t i, std::int64_t l) const {
    const double a = a_.at(p_.layout == Layout::tn ? l * p_.m + i : i * p_.k + l);
    return a_scale_ != nullptr ? a * a_scale_->at(i) : a;
  }
  double element_of_b(std::int64_t group, std::int64_t l, std::int64_t j) const {
    const std::int64_t place = p_.layout == Layout::nt ? j * p_.k + l : l * p_.n + j;
    const double b = b_.at(group * p_.k * p_.n + place);
    if (b_scale_ == nullptr) return b;
    return b * b_scale_->at(p_.scaling == Scaling::w4a16 ? l / scale_group * p_.n + j : j);
  }

  // |C x - expected| over its modelled deviation. Each element carries a rounding to C's type,
  // uniform within u |C|, and the accumulator's: k roundings of partial sums that grow to |a||b|.
  double deviation(std::int64_t i, std::int64_t block, double expected, double a_square,
                   const double* column_squares, const HostTensor& c) const {
    const double u_out = unit_roundoff(p_.c);
    constexpr double fp64_noise = 0x1p-48;  // of this check itself
    const double u = std::max(accumulator_roundoff(p_), fp64_noise);
    double difference = -expected, variance = 0;
    for (std::int64_t j = block * block_columns; j < end_of(block); ++j) {
      const double value = c.at(i * p_.n + j);
      const double before = p_.beta == 0 ? 0 : p_.beta * before_->at(i * p_.n + j);
      difference += (value - before) * x_[j];
      const double output = u_out * u_out * value * value / 3;
      const double sum =
          u * u * (p_.alpha * p_.alpha * a_square * column_squares[j] + before * before);
      variance += x_[j] * x_[j] * (output + sum);
    }
    if (difference == 0) return 0;
    const double z = std::abs(difference) / std::sqrt(variance);
    return std::isnan(z) ? HUGE_VAL : z;
  }

  const Gemm& p_;
  const HostTensor &a_, &b_;
  const HostTensor *a_scale_, *b_scale_, *offsets_, *before_;  // null where the problem has none
  std::int64_t blocks_;
  std::vector<double> x_, column_squares_, bx_;
};

}  // namespace

double freivalds_deviation(const Gemm& problem, std::span<const HostTensor> inputs,
                           const HostTensor& c) {
  const Check check(problem, inputs);
  double worst = 0;
#pragma omp parallel for reduction(max : worst)
  for (std::int64_t i = 0; i < problem.m; ++i) worst = std::max(worst, check.worst_of_row(i, c));
  return worst;
}

}  // namespace steelyard
