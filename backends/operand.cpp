// SPDX-License-Identifier: Apache-2.0
#include "backends/operand.h"

namespace steelyard {
namespace {

using Operands = std::vector<Operand>;
using enum Access;

Operands operands_of(const Gemm& p) {
  const bool a_transposed = p.layout == Layout::tn, b_transposed = p.layout == Layout::nt;
  Operands all;
  all.push_back({"a", p.a, a_transposed ? std::vector{p.k, p.m} : std::vector{p.m, p.k}});
  std::vector<std::int64_t> b = b_transposed ? std::vector{p.n, p.k} : std::vector{p.k, p.n};
  if (p.groups > 1) b.insert(b.begin(), p.groups);
  all.push_back({"b", p.b, b});
  if (p.scaling == Scaling::w8a8) {
    all.push_back({"a_scale", DType::f32, {p.m}, in, Content::scale});
    all.push_back({"b_scale", DType::f32, {p.n}, in, Content::scale});
  }
  if (p.scaling == Scaling::w4a16) {
    const std::int64_t blocks = (p.k + scale_group - 1) / scale_group;
    all.push_back({"b_scale", DType::f32, {blocks, p.n}, in, Content::scale});
  }
  if (p.groups > 1)
    all.push_back({"offsets", DType::int32, {p.groups + 1}, in, Content::offsets, p.m});
  all.push_back({"c", p.c, {p.m, p.n}, p.beta != 0 ? inout : out});
  return all;
}

Operands operands_of(const Attention& p) {
  const std::vector<std::int64_t> q = {p.batch, p.queries, p.heads, p.head_dim};
  const std::vector<std::int64_t> kv = {p.batch, p.keys, p.kv_heads, p.head_dim};
  const std::vector<std::int64_t> lse = {p.batch, p.heads, p.queries};
  if (p.pass == Pass::backward)
    return {{"q", p.dtype, q},
            {"k", p.dtype, kv},
            {"v", p.dtype, kv},
            {"o", p.dtype, q, in, Content::derived},
            {"lse", DType::f32, lse, in, Content::derived},
            {"do", p.dtype, q},
            {"dq", p.dtype, q, out},
            {"dk", p.dtype, kv, out},
            {"dv", p.dtype, kv, out}};
  const DType cached = cache_type(p);
  Operands all = {{"q", p.dtype, q}};
  if (p.page_size > 0) {
    const std::int64_t pages = (p.keys + p.page_size - 1) / p.page_size;  // of one sequence
    const std::vector<std::int64_t> cache = {p.batch * pages, p.page_size, p.kv_heads, p.head_dim};
    all.push_back({"k", cached, cache});
    all.push_back({"v", cached, cache});
    all.push_back(
        {"page_table", DType::int32, {p.batch, pages}, in, Content::permutation, p.batch * pages});
  } else {
    all.push_back({"k", cached, kv});
    all.push_back({"v", cached, kv});
  }
  all.push_back({"o", p.dtype, q, out});
  all.push_back({"lse", DType::f32, lse, out});
  return all;
}

Operands operands_of(const Memory& p) {
  const std::vector<std::int64_t> shape = {p.bytes * 8 / bits(p.dtype)};
  const Operand a = {"a", p.dtype, shape}, b = {"b", p.dtype, shape};
  const auto written = [&](std::string_view name) { return Operand{name, p.dtype, shape, out}; };
  const Operand sum = {"sum", p.dtype, {1}, out};
  switch (p.op) {
    case MemoryOp::read:
      return {a, sum};
    case MemoryOp::write:
      return {written("a")};
    case MemoryOp::copy:
      return {a, written("c")};
    case MemoryOp::mul:
      return {{"c", p.dtype, shape}, written("b")};
    case MemoryOp::add:
      return {a, b, written("c")};
    case MemoryOp::triad:
      return {b, {"c", p.dtype, shape}, written("a")};
    case MemoryOp::dot:
      return {a, b, sum};
    case MemoryOp::chase:
      return {{"next", DType::int32, {p.bytes / 4}, in, Content::cycle},
              {"last", DType::int32, {1}, out}};
  }
  return {};
}

Operands operands_of(const Copy& p) {
  return {{"from", DType::int8, {p.bytes}}, {"to", DType::int8, {p.bytes}, out}};
}

Operands operands_of(const Launch&) {
  return {};
}
Operands operands_of(const Transformer&) {
  return {};
}

// [rows, columns] tensors, inputs first.
Operands norm(const Layer& p, bool bias) {
  const std::vector<std::int64_t> x = {p.rows, p.columns}, w = {p.columns};
  if (p.pass == Pass::backward) {
    Operands all = {{"x", p.dtype, x},
                    {"weight", p.dtype, w},
                    {"dy", p.dtype, x},
                    {"dx", p.dtype, x, out},
                    {"dweight", DType::f32, w, out}};
    if (bias) all.push_back({"dbias", DType::f32, w, out});
    return all;
  }
  Operands all = {{"x", p.dtype, x}, {"weight", p.dtype, w}};
  if (bias) all.push_back({"bias", p.dtype, w});
  all.push_back({"y", p.dtype, x, out});
  return all;
}

Operands operands_of(const Layer& p) {
  const bool backward = p.pass == Pass::backward;
  const std::vector<std::int64_t> x = {p.rows, p.columns}, row = {p.rows};
  const Operand ids = {"ids", DType::int32, row, in, Content::index, p.columns};
  switch (p.op) {
    case LayerOp::rms_norm:
      return norm(p, false);
    case LayerOp::layer_norm:
      return norm(p, true);
    case LayerOp::rope:
      return {{backward ? "dy" : "x", p.dtype, x},
              {"positions", DType::int32, row, in, Content::positions, p.rows},
              {backward ? "dx" : "y", p.dtype, x, out}};
    case LayerOp::swiglu:
      if (backward)
        return {{"gate", p.dtype, x},
                {"up", p.dtype, x},
                {"dy", p.dtype, x},
                {"dgate", p.dtype, x, out},
                {"dup", p.dtype, x, out}};
      return {{"gate", p.dtype, x}, {"up", p.dtype, x}, {"y", p.dtype, x, out}};
    case LayerOp::gelu:
      if (backward) return {{"x", p.dtype, x}, {"dy", p.dtype, x}, {"dx", p.dtype, x, out}};
      return {{"x", p.dtype, x}, {"y", p.dtype, x, out}};
    case LayerOp::cross_entropy:  // backward: the gradient of the mean loss
      if (backward) return {{"logits", p.dtype, x}, ids, {"dlogits", p.dtype, x, out}};
      return {{"logits", p.dtype, x}, ids, {"loss", DType::f32, row, out}};
    case LayerOp::log_probabilities:
      return {{"logits", p.dtype, x}, ids, {"logp", DType::f32, row, out}};
    case LayerOp::bias_add:
      return {{"x", p.dtype, x}, {"bias", p.dtype, {p.columns}}, {"y", p.dtype, x, out}};
    case LayerOp::residual_add:
      return {{"x", p.dtype, x}, {"residual", p.dtype, x}, {"y", p.dtype, x, out}};
    case LayerOp::embedding_gather:
      return {{"table", p.dtype, {p.entries, p.columns}},
              {"ids", DType::int32, row, in, Content::index, p.entries},
              {"y", p.dtype, x, out}};
    case LayerOp::embedding_scatter:
      return {{"dy", p.dtype, x},
              {"ids", DType::int32, row, in, Content::index, p.entries},
              {"dtable", DType::f32, {p.entries, p.columns}, inout}};
    case LayerOp::cache_append: {  // one new token for each of `rows` sequences
      const std::int64_t heads = p.columns / p.head_dim;
      Operands all = {{"k", p.dtype, {p.rows, heads, p.head_dim}},
                      {"v", p.dtype, {p.rows, heads, p.head_dim}},
                      {"positions", DType::int32, row, in, Content::index, p.entries}};
      std::vector<std::int64_t> cache = {p.rows, p.entries, heads, p.head_dim};
      if (p.page_size > 0) {
        const std::int64_t pages = (p.entries + p.page_size - 1) / p.page_size;
        cache = {p.rows * pages, p.page_size, heads, p.head_dim};
        all.push_back({"page_table",
                       DType::int32,
                       {p.rows, pages},
                       in,
                       Content::permutation,
                       p.rows * pages});
      }
      all.push_back({"k_cache", cache_type(p), cache, inout});
      all.push_back({"v_cache", cache_type(p), cache, inout});
      return all;
    }
    case LayerOp::route:  // softmax over the experts, the largest `choices` renormalised
      return {{"logits", p.dtype, {p.rows, p.entries}},
              {"choice", DType::int32, {p.rows, p.choices}, out},
              {"weight", DType::f32, {p.rows, p.choices}, out}};
    case LayerOp::permute:  // token copies grouped by expert, in token order within each
      return {{"x", p.dtype, x},
              {"choice", DType::int32, {p.rows, p.choices}, in, Content::choices, p.entries},
              {"y", p.dtype, {p.rows * p.choices, p.columns}, out},
              {"place", DType::int32, {p.rows, p.choices}, out},  // row of y of each copy
              {"offsets", DType::int32, {p.entries + 1}, out}};   // first row of y of each expert
    case LayerOp::unpermute:  // each token: the sum of its copies by weight
      return {{"y", p.dtype, {p.rows * p.choices, p.columns}},
              {"place",
               DType::int32,
               {p.rows, p.choices},
               in,
               Content::permutation,
               p.rows * p.choices},
              {"weight", DType::f32, {p.rows, p.choices}},
              {"x", p.dtype, x, out}};
    case LayerOp::amax:
      return {{"x", p.dtype, x}, {"amax", DType::f32, row, out}};
    case LayerOp::quantise:  // per row: scale = amax / largest value, q = x / scale
      return {{"x", p.dtype, x}, {"q", p.quantised, x, out}, {"scale", DType::f32, row, out}};
    case LayerOp::dequantise:
      return {{"q", p.quantised, x},
              {"scale", DType::f32, row, in, Content::scale},
              {"x", p.dtype, x, out}};
    case LayerOp::adamw:  // f32 master weights and moments; `weight` is the copy the model computes
                          // with
      return {{"gradient", p.f32_gradient ? DType::f32 : p.dtype, x},
              {"master", DType::f32, x, inout},
              {"moment1", DType::f32, x, inout},
              {"moment2", DType::f32, x, inout, Content::positive},
              {"weight", p.dtype, x, out}};
  }
  return {};
}

}  // namespace

std::int64_t elements(const Operand& operand) {
  std::int64_t count = 1;
  for (const std::int64_t extent : operand.shape) count *= extent;
  return count;
}

std::int64_t bytes(const Operand& operand) {
  return bytes(operand.dtype, elements(operand));
}

std::vector<Operand> operands(const Problem& problem) {
  return std::visit([](const auto& p) { return operands_of(p); }, problem);
}

}  // namespace steelyard
