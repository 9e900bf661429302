// SPDX-License-Identifier: Apache-2.0
// What the oracles of all problems share: the question they are asked and the forms of an answer.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "backends/oracle.h"

namespace steelyard::cpu {

// A sum and the sum of its absolute terms.
struct Sum {
  double value = 0, magnitude = 0;

  Sum& operator+=(double term) {
    value += term;
    magnitude += std::abs(term);
    return *this;
  }
};

template <class... Terms>
Sum sum_of(Terms... terms) {
  Sum sum;
  ((sum += terms), ...);
  return sum;
}

struct Question {
  std::span<const HostTensor> inputs;
  std::vector<Expected> outputs;  // operand and elements are given, the rest is wanted
  std::int64_t limit = 0;
  Rounding rounding = Rounding::exact;

  const HostTensor& input(std::string_view name) const;  // throws std::invalid_argument, naming it
  Expected& output(std::string_view name);
};

// Elements first to first + count - 1 of a tensor.
std::vector<double> slice(const HostTensor& tensor, std::int64_t first, std::int64_t count);

// How many elements are wanted, and the flat index of the i-th of them.
std::int64_t wanted(const Expected& output);
std::int64_t element(const Expected& output, std::int64_t i);

// Adds elements of the given rows to a sampled output: a kernel that writes only those is not seen
// elsewhere.
void also_sample(Expected& output, std::span<const std::int64_t> rows, std::int64_t columns,
                 std::int64_t limit);

inline void put(Expected& output, std::int64_t i, double value) {
  output.values[i] = value;
}
inline void put(Expected& output, std::int64_t i, const Sum& sum) {
  output.values[i] = sum.value;
  output.magnitudes[i] = sum.magnitude;
}

template <class Answer>
void make_room(Expected& output) {
  output.values.resize(wanted(output));
  if constexpr (std::is_same_v<Answer, Sum>) output.magnitudes.resize(wanted(output));
}

// output[e] = answer(e), a double or a Sum, for every wanted element e.
template <class Function>
void each_element(Expected& output, Function answer) {
  make_room<decltype(answer(std::int64_t{}))>(output);
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < wanted(output); ++i) put(output, i, answer(element(output, i)));
}

// output[r, :] = answer(r), a vector of doubles or Sums, for every row r with a wanted element.
template <class Function>
void each_row(Expected& output, Function answer) {
  using Row = decltype(answer(std::int64_t{}));
  make_room<typename Row::value_type>(output);
  const std::int64_t columns = output.operand.shape.back();
#pragma omp parallel
  {
    Row row;
    std::int64_t current = -1;
#pragma omp for schedule(static)
    for (std::int64_t i = 0; i < wanted(output); ++i) {
      const std::int64_t e = element(output, i);
      if (e / columns != current) row = answer(current = e / columns);
      put(output, i, row[e % columns]);
    }
  }
}

void answer(const Gemm& problem, Question& question);
void answer(const Attention& problem, Question& question);
void answer(const Memory& problem, Question& question);
void answer(const Copy& problem, Question& question);
void answer(const Layer& problem, Question& question);

}  // namespace steelyard::cpu
