// SPDX-License-Identifier: Apache-2.0
// One row of attention, as its forward and its backward pass need it.
#pragma once

#include <cstdint>
#include <vector>

#include "backends/cpu/truth.h"

namespace steelyard::cpu {

// Sums for those rows of an output that hold wanted elements.
class RowSums {
 public:
  RowSums(const Expected& output, std::int64_t columns);

  bool has(std::int64_t row) const { return slot_[row] >= 0; }
  Sum* operator[](std::int64_t row) { return sums_.data() + slot_[row] * columns_; }
  void move_to(Expected& output);

 private:
  std::int64_t columns_;
  std::vector<std::int64_t> slot_;  // of each row, -1 for those not wanted
  std::vector<Sum> sums_;
};

// The keys and values of one head of one sequence, and the query heads that share them.
struct Head {
  std::int64_t batch = 0, kv_head = 0;
  std::int64_t first_query_head = 0, end_query_head = 0;
  std::vector<double> k, v;  // [keys, head_dim]
};

Head load_head(const Attention& problem, const Question& question, std::int64_t batch,
               std::int64_t kv_head);

// Row of q, o, do and dq, and row of contiguous k, v, dk and dv.
std::int64_t query_row(const Attention& problem, std::int64_t batch, std::int64_t query,
                       std::int64_t head);
std::int64_t key_row(const Attention& problem, std::int64_t batch, std::int64_t key,
                     std::int64_t kv_head);

double score_scale(const Attention& problem);  // 1 / sqrt(head_dim)

Sum dot(const double* x, const double* y, std::int64_t count);

// The softmax of one query's scores over the keys it sees.
struct Softmax {
  std::vector<double> weight;  // exp(score - largest), not normalised
  double sum = 0;              // of the weights
  Sum lse;                     // largest + log(sum), and how far errors of the scores move it
};

Softmax softmax(const Attention& problem, const Head& head, const std::vector<double>& q,
                std::int64_t query);

// `value` as a kernel must round it before a matrix product: to the problem's type.
double as_factor(const Attention& problem, Rounding rounding, double value);

// o[d] = sum_j weight_j v[j, d] / sum
std::vector<Sum> weighted_values(const Attention& problem, Rounding rounding, const Head& head,
                                 const Softmax& softmax);

void attention_backward(const Attention& problem, Question& question);

}  // namespace steelyard::cpu
