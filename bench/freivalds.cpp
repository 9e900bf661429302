// SPDX-License-Identifier: Apache-2.0
#include "bench/freivalds.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <string_view>

#include "bench/tolerance.h"

namespace steelyard {
namespace {

constexpr std::int64_t block_columns = 64;

const HostTensor* find(std::span<const HostTensor> inputs, std::string_view name) {
  const auto found = std::ranges::find(inputs, name, [](auto& t) { return t.operand.name; });
  return found == inputs.end() ? nullptr : &*found;
}

// A and B with their scales, whatever their layout.
class Factors {
 public:
  Factors(const Gemm& problem, std::span<const HostTensor> inputs)
      : p_(problem),
        a_(*find(inputs, "a")),
        b_(*find(inputs, "b")),
        a_scale_(find(inputs, "a_scale")),
        b_scale_(find(inputs, "b_scale")) {}

  double a(std::int64_t i, std::int64_t l) const {
    const double value = a_.at(p_.layout == Layout::tn ? l * p_.m + i : i * p_.k + l);
    return a_scale_ != nullptr ? value * a_scale_->at(i) : value;
  }
  double b(std::int64_t group, std::int64_t l, std::int64_t j) const {
    const std::int64_t place = p_.layout == Layout::nt ? j * p_.k + l : l * p_.n + j;
    const double value = b_.at(group * p_.k * p_.n + place);
    if (b_scale_ == nullptr) return value;
    return value * b_scale_->at(p_.scaling == Scaling::w4a16 ? l / scale_group * p_.n + j : j);
  }

 private:
  const Gemm& p_;
  const HostTensor &a_, &b_;
  const HostTensor *a_scale_, *b_scale_;  // null where the problem has none
};

// The last group that starts at or before a row: those before it without rows start there too.
std::vector<std::int64_t> groups_of_rows(const Gemm& p, const HostTensor* offsets) {
  std::vector<std::int64_t> groups(p.m);
  for (std::int64_t i = 0, group = 0; i < p.m && offsets != nullptr; ++i) {
    while (offsets->at(group + 1) <= static_cast<double>(i)) ++group;
    groups[i] = group;
  }
  return groups;
}

std::vector<double> gaussians(std::int64_t count) {
  std::mt19937_64 generator(1);
  std::normal_distribution<double> gaussian;
  std::vector<double> all(count);
  for (double& one : all) one = gaussian(generator);
  return all;
}

}  // namespace

BlockFreivalds::BlockFreivalds(const Gemm& problem, std::span<const HostTensor> inputs)
    : p_(problem),
      blocks_((p_.n + block_columns - 1) / block_columns),
      x_(gaussians(p_.n)),
      expected_(p_.m * blocks_),
      row_squares_(p_.m),
      column_squares_(p_.groups * p_.n),
      group_(groups_of_rows(p_, find(inputs, "offsets"))) {
  const Factors factors(p_, inputs);
  std::vector<double> bx(p_.groups * p_.k * blocks_);  // B x, by block
  for (std::int64_t group = 0; group < p_.groups; ++group) {
#pragma omp parallel for
    for (std::int64_t block = 0; block < blocks_; ++block)
      for (std::int64_t l = 0; l < p_.k; ++l)
        for (std::int64_t j = block * block_columns; j < end_of(block); ++j) {
          const double b = factors.b(group, l, j);
          bx[(group * p_.k + l) * blocks_ + block] += b * x_[j];
          column_squares_[group * p_.n + j] += b * b;
        }
  }
#pragma omp parallel for
  for (std::int64_t i = 0; i < p_.m; ++i)
    for (std::int64_t l = 0; l < p_.k; ++l) {
      const double a = factors.a(i, l);
      row_squares_[i] += a * a;
      for (std::int64_t block = 0; block < blocks_; ++block)
        expected_[i * blocks_ + block] +=
            p_.alpha * a * bx[(group_[i] * p_.k + l) * blocks_ + block];
    }
  if (p_.beta == 0) return;
  const HostTensor& before = *find(inputs, "c");
  before_squares_.resize(p_.m * p_.n);
#pragma omp parallel for
  for (std::int64_t i = 0; i < p_.m; ++i)
    for (std::int64_t j = 0; j < p_.n; ++j) {
      const double value = p_.beta * before.at(i * p_.n + j);
      expected_[i * blocks_ + j / block_columns] += value * x_[j];
      before_squares_[i * p_.n + j] = value * value;
    }
}

std::int64_t BlockFreivalds::end_of(std::int64_t block) const {
  return std::min(p_.n, (block + 1) * block_columns);
}

// |C x - expected| over its modelled deviation. Each element carries a rounding to C's type, uniform
// within u |C|, and the accumulator's: k roundings of partial sums that grow to |a||b|.
double BlockFreivalds::deviation(std::int64_t i, std::int64_t block, const HostTensor& c) const {
  const double u_out = unit_roundoff(p_.c);
  constexpr double fp64_noise = 0x1p-48;  // of this check itself
  const double u = std::max(accumulator_roundoff(p_), fp64_noise);
  const double of_sum = u * u * p_.alpha * p_.alpha * row_squares_[i];
  const double* column_squares = &column_squares_[group_[i] * p_.n];
  double difference = -expected_[i * blocks_ + block], variance = 0;
  for (std::int64_t j = block * block_columns; j < end_of(block); ++j) {
    const double value = c.at(i * p_.n + j);
    const double before = before_squares_.empty() ? 0 : before_squares_[i * p_.n + j];
    difference += value * x_[j];
    variance += x_[j] * x_[j] *
                (u_out * u_out * value * value / 3 + of_sum * column_squares[j] + u * u * before);
  }
  if (difference == 0) return 0;
  const double z = std::abs(difference) / std::sqrt(variance);
  return std::isnan(z) ? HUGE_VAL : z;
}

double BlockFreivalds::worst_deviation(const HostTensor& c) const {
  double worst = 0;
#pragma omp parallel for reduction(max : worst)
  for (std::int64_t i = 0; i < p_.m; ++i)
    for (std::int64_t block = 0; block < blocks_; ++block)
      worst = std::max(worst, deviation(i, block, c));
  return worst;
}

double freivalds_bytes(const Gemm& p) {
  const double blocks = std::ceil(static_cast<double>(p.n) / block_columns);
  const double products = (static_cast<double>(p.m) + static_cast<double>(p.groups * p.k)) * blocks;
  const double before = p.beta == 0 ? 0 : static_cast<double>(p.m) * static_cast<double>(p.n);
  return sizeof(double) * (products + before);
}

}  // namespace steelyard
