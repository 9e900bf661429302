// SPDX-License-Identifier: Apache-2.0
// Experts of a mixture: which ones a token goes to, its copies in their order, and its sum of
// results.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "backends/cpu/truth_layers.h"

namespace steelyard::cpu {
namespace {

// The experts with the largest logits, largest first; of equal ones the first.
std::vector<std::int64_t> best_experts(const std::vector<double>& logits, std::int64_t choices) {
  std::vector<std::int64_t> experts(logits.size());
  std::iota(experts.begin(), experts.end(), 0);
  std::ranges::stable_sort(experts, std::greater{}, [&](std::int64_t e) { return logits[e]; });
  experts.resize(choices);
  return experts;
}

// Row of the grouped copies that copy c of token t goes to: [rows, choices].
struct Places {
  std::vector<std::int64_t> place;
  std::vector<std::int64_t> offsets;  // first row of each expert, and the end
};

Places group_by_expert(const Layer& p, const HostTensor& choice) {
  Places result = {std::vector<std::int64_t>(p.rows * p.choices), {}};
  std::int64_t next = 0;
  for (std::int64_t expert = 0; expert < p.entries; ++expert) {
    result.offsets.push_back(next);
    for (std::int64_t copy = 0; copy < p.rows * p.choices; ++copy)
      if (choice.at(copy) == static_cast<double>(expert)) result.place[copy] = next++;
  }
  result.offsets.push_back(next);
  return result;
}

}  // namespace

// weight = softmax over the experts, renormalised over the chosen: exp(l) / sum_chosen exp(l)
void route(const Layer& p, Question& question) {
  const HostTensor& logits = question.input("logits");
  const auto row_of = [&](std::int64_t row) { return slice(logits, row * p.entries, p.entries); };
  each_row(question.output("choice"), [&](std::int64_t row) {
    const std::vector<std::int64_t> best = best_experts(row_of(row), p.choices);
    return std::vector<double>(best.begin(), best.end());
  });
  each_row(question.output("weight"), [&](std::int64_t row) {
    const std::vector<double> x = row_of(row);
    const std::vector<std::int64_t> best = best_experts(x, p.choices);
    std::vector<double> weight;
    for (const std::int64_t expert : best) weight.push_back(std::exp(x[expert] - x[best[0]]));
    const double sum = std::reduce(weight.begin(), weight.end());
    for (double& w : weight) w /= sum;
    return weight;
  });
}

// y[place[t, c]] = x[t]
void permute(const Layer& p, Question& question) {
  const HostTensor& x = question.input("x");
  const auto [place, offsets] = group_by_expert(p, question.input("choice"));
  std::vector<std::int64_t> token(place.size());  // of each row of y
  for (std::size_t copy = 0; copy < place.size(); ++copy) token[place[copy]] = copy / p.choices;
  each_element(question.output("y"), [&](std::int64_t e) {
    return x.at(token[e / p.columns] * p.columns + e % p.columns);
  });
  each_element(question.output("place"), [&](std::int64_t e) { return double(place[e]); });
  each_element(question.output("offsets"), [&](std::int64_t e) { return double(offsets[e]); });
}

// x[t] = sum_c weight[t, c] y[place[t, c]]
void unpermute(const Layer& p, Question& question) {
  const HostTensor &y = question.input("y"), &place = question.input("place");
  const HostTensor& weight = question.input("weight");
  Expected& x = question.output("x");
  x.terms = p.choices;
  each_element(x, [&](std::int64_t e) {
    const std::int64_t token = e / p.columns, column = e % p.columns;
    Sum sum;
    for (std::int64_t copy = token * p.choices; copy < (token + 1) * p.choices; ++copy) {
      const auto row = static_cast<std::int64_t>(place.at(copy));
      sum += weight.at(copy) * y.at(row * p.columns + column);
    }
    return sum;
  });
}

}  // namespace steelyard::cpu
