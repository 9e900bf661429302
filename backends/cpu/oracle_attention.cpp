// SPDX-License-Identifier: Apache-2.0
// Attention, one query at a time: o_i = sum_j p_ij v_j with p_i = softmax_j(q_i k_j /
// sqrt(head_dim)).
#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/truth_attention.h"

namespace steelyard::cpu {
namespace {

// Row of k and v in a cache whose pages lie in any order.
std::int64_t paged_row(const Attention& p, const HostTensor& page_table, std::int64_t batch,
                       std::int64_t key, std::int64_t kv_head) {
  const std::int64_t pages = (p.keys + p.page_size - 1) / p.page_size;  // of one sequence
  const auto page = static_cast<std::int64_t>(page_table.at(batch * pages + key / p.page_size));
  return (page * p.page_size + key % p.page_size) * p.kv_heads + kv_head;
}

// Keys that a query sees: with a causal mask the last query sees all.
std::int64_t visible_keys(const Attention& p, std::int64_t query) {
  if (!p.causal) return p.keys;
  return std::clamp<std::int64_t>(query + 1 + p.keys - p.queries, 0, p.keys);
}

struct Query {
  std::int64_t head, query, row, lse_element;
};

// Those queries of a head whose output or lse is wanted.
std::vector<Query> wanted_queries(const Attention& p, std::int64_t batch, std::int64_t kv_head,
                                  const RowSums& o, const RowSums& lse) {
  std::vector<Query> all;
  const std::int64_t shared = p.heads / p.kv_heads;
  for (std::int64_t head = kv_head * shared; head < (kv_head + 1) * shared; ++head)
    for (std::int64_t query = 0; query < p.queries; ++query) {
      const std::int64_t row = query_row(p, batch, query, head);
      const std::int64_t lse_element = (batch * p.heads + head) * p.queries + query;
      if (o.has(row) || lse.has(lse_element)) all.push_back({head, query, row, lse_element});
    }
  return all;
}

void forward(const Attention& p, Question& question) {
  const HostTensor& q = question.input("q");
  Expected &o = question.output("o"), &lse = question.output("lse");
  o.terms = lse.terms = p.keys;
  RowSums o_rows(o, p.head_dim), lse_rows(lse, 1);
#pragma omp parallel for collapse(2) schedule(dynamic)
  for (std::int64_t batch = 0; batch < p.batch; ++batch)
    for (std::int64_t kv_head = 0; kv_head < p.kv_heads; ++kv_head) {
      const std::vector<Query> queries = wanted_queries(p, batch, kv_head, o_rows, lse_rows);
      if (queries.empty()) continue;
      const Head head = load_head(p, question, batch, kv_head);
      for (const Query& at : queries) {
        const auto weights = softmax(p, head, slice(q, at.row * p.head_dim, p.head_dim), at.query);
        if (lse_rows.has(at.lse_element)) *lse_rows[at.lse_element] = weights.lse;
        if (o_rows.has(at.row))
          std::ranges::copy(weighted_values(p, question.rounding, head, weights), o_rows[at.row]);
      }
    }
  o_rows.move_to(o);
  lse_rows.move_to(lse);
}

}  // namespace

RowSums::RowSums(const Expected& output, std::int64_t columns)
    : columns_(columns), slot_(elements(output.operand) / columns, -1) {
  std::int64_t rows = 0;
  for (std::int64_t i = 0; i < wanted(output); ++i) {
    std::int64_t& slot = slot_[element(output, i) / columns];
    if (slot < 0) slot = rows++;
  }
  sums_.resize(rows * columns);
}

void RowSums::move_to(Expected& output) {
  make_room<Sum>(output);
  for (std::int64_t i = 0; i < wanted(output); ++i) {
    const std::int64_t e = element(output, i);
    put(output, i, (*this)[e / columns_][e % columns_]);
  }
}

Head load_head(const Attention& p, const Question& question, std::int64_t batch,
               std::int64_t kv_head) {
  const std::int64_t shared = p.heads / p.kv_heads;
  Head head = {batch, kv_head, kv_head * shared, (kv_head + 1) * shared};
  const HostTensor &k = question.input("k"), &v = question.input("v");
  const HostTensor* const page_table = p.page_size > 0 ? &question.input("page_table") : nullptr;
  for (std::int64_t key = 0; key < p.keys; ++key) {
    const std::int64_t row = page_table ? paged_row(p, *page_table, batch, key, kv_head)
                                        : key_row(p, batch, key, kv_head);
    for (std::int64_t d = 0; d < p.head_dim; ++d) {
      head.k.push_back(k.at(row * p.head_dim + d));
      head.v.push_back(v.at(row * p.head_dim + d));
    }
  }
  return head;
}

std::int64_t query_row(const Attention& p, std::int64_t batch, std::int64_t query,
                       std::int64_t head) {
  return (batch * p.queries + query) * p.heads + head;
}

std::int64_t key_row(const Attention& p, std::int64_t batch, std::int64_t key,
                     std::int64_t kv_head) {
  return (batch * p.keys + key) * p.kv_heads + kv_head;
}

double score_scale(const Attention& p) {
  return 1 / std::sqrt(static_cast<double>(p.head_dim));
}

Sum dot(const double* x, const double* y, std::int64_t count) {
  double value = 0, magnitude = 0;
#pragma omp simd reduction(+ : value, magnitude)
  for (std::int64_t i = 0; i < count; ++i) {
    value += x[i] * y[i];
    magnitude += std::abs(x[i] * y[i]);
  }
  return {value, magnitude};
}

Softmax softmax(const Attention& p, const Head& head, const std::vector<double>& q,
                std::int64_t query) {
  std::vector<Sum> scores;
  double largest = -std::numeric_limits<double>::infinity();
  for (std::int64_t j = 0; j < visible_keys(p, query); ++j) {
    const Sum product = dot(q.data(), head.k.data() + j * p.head_dim, p.head_dim);
    scores.push_back({score_scale(p) * product.value, score_scale(p) * product.magnitude});
    largest = std::max(largest, scores.back().value);
  }
  Softmax result;
  double moved = 0;  // d lse / d score is the probability
  for (const Sum& score : scores) {
    const double weight = std::exp(score.value - largest);
    result.weight.push_back(weight);
    result.sum += weight;
    moved += weight * score.magnitude;
  }
  result.lse = {largest + std::log(result.sum), 1 + moved / result.sum};
  return result;
}

double as_factor(const Attention& p, Rounding rounding, double value) {
  return rounding == Rounding::storage ? round_to(p.dtype, value) : value;
}

std::vector<Sum> weighted_values(const Attention& p, Rounding rounding, const Head& head,
                                 const Softmax& softmax) {
  std::vector<Sum> o(p.head_dim);
  for (std::size_t j = 0; j < softmax.weight.size(); ++j) {
    const double weight = as_factor(p, rounding, softmax.weight[j]);
    const double* const v = head.v.data() + j * p.head_dim;
    for (std::int64_t d = 0; d < p.head_dim; ++d) o[d] += weight * v[d];
  }
  for (Sum& sum : o) sum = {sum.value / softmax.sum, sum.magnitude / softmax.sum};
  return o;
}

void answer(const Attention& p, Question& question) {
  p.pass == Pass::backward ? attention_backward(p, question) : forward(p, question);
}

}  // namespace steelyard::cpu
