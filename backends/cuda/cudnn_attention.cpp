// SPDX-License-Identifier: Apache-2.0
#include "backends/cuda/cudnn_attention.h"

#include <cmath>
#include <limits>

namespace steelyard::cuda {
namespace {

// The engines ask for probabilities and their gradients in the type of Q before a product.
int data_type(const Attention& p) {
  return p.dtype == DType::f16 ? Cudnn::data_f16 : Cudnn::data_bf16;
}

// [batch, tokens, heads, head_dim] in memory, as [batch, heads, tokens, head_dim].
Node tokens(CudnnGraph& graph, const Attention& p, std::string_view name, std::int64_t heads,
            std::int64_t count) {
  return graph.memory(name, {p.batch, heads, count, p.head_dim},
                      {count * heads * p.head_dim, p.head_dim, heads * p.head_dim, 1},
                      data_type(p));
}
Node queries(CudnnGraph& graph, const Attention& p, std::string_view name) {
  return tokens(graph, p, name, p.heads, p.queries);
}
Node keys(CudnnGraph& graph, const Attention& p, std::string_view name) {
  return tokens(graph, p, name, p.kv_heads, p.keys);
}
// The same, as [batch, heads, head_dim, tokens].
Node transposed_keys(CudnnGraph& graph, const Attention& p, std::string_view name) {
  return graph.memory(name, {p.batch, p.kv_heads, p.head_dim, p.keys},
                      {p.keys * p.kv_heads * p.head_dim, p.head_dim, 1, p.kv_heads * p.head_dim},
                      data_type(p));
}

Extents per_row(const Attention& p) {
  return {p.batch, p.heads, p.queries, 1};
}
Extents scores_shape(const Attention& p) {
  return {p.batch, p.heads, p.queries, p.keys};
}

Node scaled_scores(CudnnGraph& graph, const Attention& p, const Node& q, const Node& k_transposed,
                   const Node& scale) {
  const Node scores = graph.between(scores_shape(p));
  graph.multiply(q, k_transposed, scores);
  return graph.pointwise(Cudnn::mul, {scores, scale});
}

// Leaves the scores that query i may see, those of keys up to i + keys - queries.
Node masked(CudnnGraph& graph, const Cudnn& api, const Attention& p, const Node& scores) {
  if (!p.causal) return scores;
  constexpr int int32 = Cudnn::data_int32, boolean = Cudnn::data_bool;
  Node row = graph.index(scores, 2);
  const Node column = graph.index(scores, 3);
  if (p.keys != p.queries) {
    const Node last_key = graph.number(static_cast<std::int32_t>(p.keys));
    const Node last_query = graph.number(static_cast<std::int32_t>(p.queries));
    row = graph.pointwise(Cudnn::add, {row, last_key}, int32, int32);
    row = graph.pointwise(Cudnn::sub, {row, last_query}, int32, int32);
  }
  const Node seen = graph.pointwise(Cudnn::greater_or_equal, {row, column}, boolean, boolean);
  // Engines before 9.10 do not expect infinities.
  const Node hidden =
      graph.number(api.get_version() < 91000 ? std::numeric_limits<float>::lowest()
                                             : -std::numeric_limits<float>::infinity());
  return graph.pointwise(Cudnn::select, {scores, hidden, seen});
}

// x[batch, heads, rows, columns] as [batch, heads, columns, rows], in the type of Q.
Node transpose(CudnnGraph& graph, const Attention& p, const Node& x) {
  const Node y =
      graph.between({p.batch, p.heads, p.keys, p.queries},
                    {x.strides[0], x.strides[1], x.strides[3], x.strides[2]}, data_type(p));
  graph.reshape(x, y);
  return y;
}

// a b, summed over the query heads that share one head of the result.
void multiply_grouped(CudnnGraph& graph, const Attention& p, const Node& a, const Node& b,
                      const Node& result) {
  if (p.heads == p.kv_heads) return graph.multiply(a, b, result);
  const Node every_head = graph.between({p.batch, p.heads, p.keys, p.head_dim}, data_type(p));
  graph.multiply(a, b, every_head);
  graph.reduce(Cudnn::reduce_add, every_head, result);
}

Node scale_number(CudnnGraph& graph, const Attention& p) {
  return graph.number(static_cast<float>(1 / std::sqrt(static_cast<double>(p.head_dim))));
}

}  // namespace

CudnnGraph forward_graph(const Cudnn& api, const Attention& p) {
  CudnnGraph graph(api);
  const Node q = queries(graph, p, "q"), k_transposed = transposed_keys(graph, p, "k");
  const Node v = keys(graph, p, "v"), o = queries(graph, p, "o");
  const Node lse = graph.memory("lse", per_row(p), packed(per_row(p)), Cudnn::data_f32);

  const Node scores =
      masked(graph, api, p, scaled_scores(graph, p, q, k_transposed, scale_number(graph, p)));
  const Node largest = graph.between(per_row(p)), sum = graph.between(per_row(p));
  graph.reduce(Cudnn::reduce_max, scores, largest);
  const Node exponentials =
      graph.pointwise(Cudnn::exp, {graph.pointwise(Cudnn::sub, {scores, largest})});
  graph.reduce(Cudnn::reduce_add, exponentials, sum);
  graph.pointwise(Cudnn::add, {largest, graph.pointwise(Cudnn::log, {sum})}, lse);
  const Node probabilities = graph.pointwise(Cudnn::div, {exponentials, sum}, data_type(p));
  graph.multiply(probabilities, v, o);
  return graph;
}

CudnnGraph backward_graph(const Cudnn& api, const Attention& p) {
  CudnnGraph graph(api);
  const Node q = queries(graph, p, "q"), k_transposed = transposed_keys(graph, p, "k");
  const Node v_transposed = transposed_keys(graph, p, "v");
  const Node o = queries(graph, p, "o"), d_o = queries(graph, p, "do");
  const Node lse = graph.memory("lse", per_row(p), packed(per_row(p)), Cudnn::data_f32);
  const Node dq = queries(graph, p, "dq"), dk = keys(graph, p, "dk"), dv = keys(graph, p, "dv");
  const Node scale = scale_number(graph, p);

  // Of each row: sum(dO * O), in memory of its own, which the engines ask for. The factor stands
  // where dropout would.
  const Node row_sums = graph.memory(row_sum, per_row(p), packed(per_row(p)), Cudnn::data_f32);
  const Node unscaled = graph.between(per_row(p));
  graph.reduce(Cudnn::reduce_add, graph.pointwise(Cudnn::mul, {d_o, o}), unscaled);
  graph.pointwise(Cudnn::mul, {unscaled, graph.number(1.f)}, row_sums);

  // P = exp(scores - lse); dV = P^T dO
  const Node shifted =
      graph.pointwise(Cudnn::sub, {scaled_scores(graph, p, q, k_transposed, scale), lse});
  const Node probabilities = graph.pointwise(Cudnn::exp, {masked(graph, api, p, shifted)});
  multiply_grouped(graph, p, transpose(graph, p, probabilities), d_o, dv);

  // dS = scale P (dO V^T - row sums); dK = dS^T Q; dQ = dS K, summed in f32
  const Node dp = graph.between(scores_shape(p));
  graph.multiply(d_o, v_transposed, dp);
  const Node ds = graph.pointwise(
      Cudnn::mul,
      {graph.pointwise(Cudnn::mul, {graph.pointwise(Cudnn::sub, {dp, row_sums}), probabilities}),
       scale});
  multiply_grouped(graph, p, transpose(graph, p, ds), q, dk);
  const Extents& kt = k_transposed.strides;
  const Node k = graph.between({p.batch, p.kv_heads, p.keys, p.head_dim},
                               {kt[0], kt[1], kt[3], kt[2]}, data_type(p));
  graph.reshape(k_transposed, k);
  const Extents dq_shape = {p.batch, p.heads, p.queries, p.head_dim};
  const Node sums = graph.memory(dq_sum, dq_shape, packed(dq_shape), Cudnn::data_f32);
  graph.multiply(ds, k, sums);
  graph.pointwise(Cudnn::identity, {sums}, dq);
  return graph;
}

}  // namespace steelyard::cuda
