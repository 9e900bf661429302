// SPDX-License-Identifier: Apache-2.0
// Checking a whole product C = alpha A B + beta C0 in O(n^2): C x against A (B x) for random x.
#pragma once

#include <span>
#include <vector>

#include "backends/inputs.h"

namespace steelyard {

// What the inputs alone decide, made once for all products of them. x is Gaussian, so that no pattern
// of errors cancels for certain, and zero outside one block of 64 columns, so that a small fault does
// not drown in the rounding of a whole row (Freivalds 1977; Ji, Mascagni, Li: arXiv 1705.10449).
class BlockFreivalds {
 public:
  // `inputs` are those of the problem, C0 among them where beta is not 0. Scales count as part of A
  // and B; each row of a grouped product meets its group's B.
  BlockFreivalds(const Gemm& problem, std::span<const HostTensor> inputs);

  // The largest deviation over all rows and blocks, in standard deviations of the rounding errors
  // that the types imply: about 5 for a correct product, above `freivalds_limit` for a wrong one.
  double worst_deviation(const HostTensor& c) const;

 private:
  std::int64_t end_of(std::int64_t block) const;
  double deviation(std::int64_t i, std::int64_t block, const HostTensor& c) const;

  Gemm p_;
  std::int64_t blocks_;
  std::vector<double> x_;
  std::vector<double> expected_;        // alpha A (B x) + beta C0 x, [m, blocks]
  std::vector<double> row_squares_;     // of A: [m]
  std::vector<double> column_squares_;  // of B: [groups, n]
  std::vector<std::int64_t> group_;     // of each row
  std::vector<double> before_squares_;  // of beta C0, [m, n]; empty without beta
};

inline constexpr double freivalds_limit = 6;

// The most memory that making and keeping a BlockFreivalds takes.
double freivalds_bytes(const Gemm& problem);

}  // namespace steelyard
