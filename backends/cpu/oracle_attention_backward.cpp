// SPDX-License-Identifier: Apache-2.0
// Gradients of attention for query i and key j, summed over the query heads that share one of k and v:
//   dp_ij = do_i . v_j            dq_i = scale sum_j ds_ij k_j
//   D_i   = do_i . o_i            dk_j = scale sum_i ds_ij q_i
//   ds_ij = p_ij (dp_ij - D_i)    dv_j =       sum_i  p_ij do_i
// A kernel rounds o, p and ds to the problem's type, because o is stored and p and ds are factors
// of matrix products.
#include <cmath>

#include "backends/cpu/truth_attention.h"

namespace steelyard::cpu {
namespace {

struct Gradients {
  RowSums dq, dk, dv;
};

// sum[d] += factor x[d], where the factor is itself a sum that may have cancelled.
void accumulate(Sum* sum, const Sum& factor, const double* x, std::int64_t count) {
  for (std::int64_t d = 0; d < count; ++d) {
    sum[d].value += factor.value * x[d];
    sum[d].magnitude += factor.magnitude * std::abs(x[d]);
  }
}

// D_i
Sum output_product(const Attention& p, Rounding rounding, const std::vector<Sum>& o,
                   const std::vector<double>& d_o) {
  Sum product;
  for (std::int64_t d = 0; d < p.head_dim; ++d) {
    product.value += d_o[d] * as_factor(p, rounding, o[d].value);
    product.magnitude += std::abs(d_o[d]) * o[d].magnitude;
  }
  return product;
}

void add_query(const Attention& p, const Question& question, const Head& head,
               std::int64_t query_head, std::int64_t query, Gradients& gradients) {
  const Rounding rounding = question.rounding;
  const std::int64_t row = query_row(p, head.batch, query, query_head);
  const auto q = slice(question.input("q"), row * p.head_dim, p.head_dim);
  const auto d_o = slice(question.input("do"), row * p.head_dim, p.head_dim);
  const Softmax weights = softmax(p, head, q, query);
  const Sum product = output_product(p, rounding, weighted_values(p, rounding, head, weights), d_o);
  const double scale = score_scale(p);
  for (std::size_t j = 0; j < weights.weight.size(); ++j) {
    const double* const k = head.k.data() + j * p.head_dim;
    const double* const v = head.v.data() + j * p.head_dim;
    const double probability = weights.weight[j] / weights.sum;
    const Sum dp = dot(d_o.data(), v, p.head_dim);
    const double ds = as_factor(p, rounding, probability * (dp.value - product.value));
    const Sum scaled = {scale * ds, scale * probability * (dp.magnitude + product.magnitude)};
    const double factor = as_factor(p, rounding, probability);
    const std::int64_t key = key_row(p, head.batch, j, head.kv_head);
    if (gradients.dq.has(row)) accumulate(gradients.dq[row], scaled, k, p.head_dim);
    if (gradients.dk.has(key)) accumulate(gradients.dk[key], scaled, q.data(), p.head_dim);
    if (gradients.dv.has(key))
      accumulate(gradients.dv[key], {factor, factor}, d_o.data(), p.head_dim);
  }
}

bool any_key_wanted(const Attention& p, const Gradients& gradients, std::int64_t batch,
                    std::int64_t kv_head) {
  for (std::int64_t key = 0; key < p.keys; ++key) {
    const std::int64_t row = key_row(p, batch, key, kv_head);
    if (gradients.dk.has(row) || gradients.dv.has(row)) return true;
  }
  return false;
}

}  // namespace

void attention_backward(const Attention& p, Question& question) {
  Expected &dq = question.output("dq"), &dk = question.output("dk"), &dv = question.output("dv");
  dq.terms = p.keys;
  dk.terms = dv.terms = p.queries * (p.heads / p.kv_heads);
  Gradients gradients = {{dq, p.head_dim}, {dk, p.head_dim}, {dv, p.head_dim}};
#pragma omp parallel for collapse(2) schedule(dynamic)
  for (std::int64_t batch = 0; batch < p.batch; ++batch)
    for (std::int64_t kv_head = 0; kv_head < p.kv_heads; ++kv_head) {
      const Head head = load_head(p, question, batch, kv_head);
      const bool every_query = any_key_wanted(p, gradients, batch, kv_head);
      for (std::int64_t h = head.first_query_head; h < head.end_query_head; ++h)
        for (std::int64_t query = 0; query < p.queries; ++query)
          if (every_query || gradients.dq.has(query_row(p, batch, query, h)))
            add_query(p, question, head, h, query, gradients);
    }
  gradients.dq.move_to(dq);
  gradients.dk.move_to(dk);
  gradients.dv.move_to(dv);
}

}  // namespace steelyard::cpu
