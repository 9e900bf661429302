// SPDX-License-Identifier: Apache-2.0
// One new token for each of `rows` sequences: k_cache[row, positions[row]] = k[row], and so for v.
// An fp8 cache takes the nearest fp8_e4m3, ties to even, the largest number of the device's encoding
// beyond it. In a paged cache position t of a row lies in slot t % page_size of page page_table[row, t /
// page_size].
#include <unordered_map>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {
namespace {

// Line of the cache, of `columns` elements, that takes the new token of a row.
std::int64_t cache_line(const Layer& p, const Question& question, std::int64_t row) {
  const auto position = static_cast<std::int64_t>(question.input("positions").at(row));
  if (p.page_size == 0) return row * p.entries + position;
  const std::int64_t pages = (p.entries + p.page_size - 1) / p.page_size;  // of one sequence
  const double page = question.input("page_table").at(row * pages + position / p.page_size);
  return static_cast<std::int64_t>(page) * p.page_size + position % p.page_size;
}

void append(const Layer& p, Question& question, const HostTensor& token, const HostTensor& old,
            Expected& cache) {
  std::unordered_map<std::int64_t, std::int64_t> row_of;
  std::vector<std::int64_t> lines;
  for (std::int64_t row = 0; row < p.rows; ++row) {
    lines.push_back(cache_line(p, question, row));
    row_of[lines.back()] = row;
  }
  also_sample(cache, lines, p.columns, question.limit);
  each_element(cache, [&](std::int64_t e) {
    const auto found = row_of.find(e / p.columns);
    if (found == row_of.end()) return old.at(e);
    const double value = token.at(found->second * p.columns + e % p.columns);
    return p.fp8_cache ? round_to(DType::fp8_e4m3, value, old.encoding) : value;
  });
}

}  // namespace

void cache_append(const Layer& p, Question& question) {
  append(p, question, question.input("k"), question.input("k_cache"), question.output("k_cache"));
  append(p, question, question.input("v"), question.input("v_cache"), question.output("v_cache"));
}

}  // namespace steelyard::cpu
