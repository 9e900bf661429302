// SPDX-License-Identifier: Apache-2.0
// Rows read from and added to a table: y[row] = table[ids[row]] and dtable[ids[row]] += dy[row].
#include <algorithm>
#include <map>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {

void embedding_gather(const Layer& p, Question& question) {
  const HostTensor &table = question.input("table"), &ids = question.input("ids");
  each_element(question.output("y"), [&](std::int64_t e) {
    const auto id = static_cast<std::int64_t>(ids.at(e / p.columns));
    return table.at(id * p.columns + e % p.columns);
  });
}

void embedding_scatter(const Layer& p, Question& question) {
  const HostTensor &dy = question.input("dy"), &ids = question.input("ids");
  const HostTensor& old = question.input("dtable");
  std::map<std::int64_t, std::vector<std::int64_t>> rows_of;
  std::vector<std::int64_t> touched;
  for (std::int64_t row = 0; row < p.rows; ++row) {
    touched.push_back(static_cast<std::int64_t>(ids.at(row)));
    rows_of[touched.back()].push_back(row);
  }
  Expected& dtable = question.output("dtable");
  also_sample(dtable, touched, p.columns, question.limit);
  for (const auto& [id, rows] : rows_of)
    dtable.terms = std::max(dtable.terms, static_cast<std::int64_t>(rows.size()) + 1);
  each_element(dtable, [&](std::int64_t e) {
    Sum sum = sum_of(old.at(e));
    if (const auto found = rows_of.find(e / p.columns); found != rows_of.end())
      for (const std::int64_t row : found->second) sum += dy.at(row * p.columns + e % p.columns);
    return sum;
  });
}

}  // namespace steelyard::cpu
