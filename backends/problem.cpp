// SPDX-License-Identifier: Apache-2.0
#include "backends/problem.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "backends/transformer.h"

namespace steelyard {
namespace {

double traffic(const Problem& problem) {
  double total = 0;
  for (const Operand& operand : operands(problem))
    total += static_cast<double>(bytes(operand)) * (operand.access == Access::inout ? 2 : 1);
  return total;
}

double product(std::initializer_list<std::int64_t> factors) {
  double result = 1;
  for (const std::int64_t factor : factors) result *= static_cast<double>(factor);
  return result;
}

Work work_of(const Gemm& p) {
  double moved = traffic(p);
  if (p.groups > 1) {  // the weights of a group without rows need not be read
    const auto offsets = group_offsets(p);
    std::int64_t idle = 0;
    for (std::int64_t g = 0; g < p.groups; ++g) idle += offsets[g] == offsets[g + 1];
    moved -= static_cast<double>(idle * bytes(p.b, p.k * p.n));
  }
  return {.flops = 2 * product({p.m, p.n, p.k}), .bytes = moved};
}

// Query and key pairs that the mask leaves, of one head.
double visible_pairs(const Attention& p) {
  if (!p.causal) return product({p.queries, p.keys});
  const std::int64_t first = std::max<std::int64_t>(p.keys - p.queries + 1, 0);  // keys of query 0
  const std::int64_t rows = std::min(p.queries, p.keys);
  return 0.5 * static_cast<double>(rows) *
         static_cast<double>(std::max<std::int64_t>(first, 1) + p.keys);
}

// Two products forward; backward five, with the scores computed again (Dao, FlashAttention-2,
// 2023).
Work work_of(const Attention& p) {
  const double products = p.pass == Pass::backward ? 5 : 2;
  return {.flops = products * 2 * product({p.batch, p.heads, p.head_dim}) * visible_pairs(p),
          .bytes = traffic(p)};
}

Work work_of(const Memory& p) {
  struct Cost {
    MemoryOp op;
    double arrays, flops;  // arrays moved, operations per element
  };
  static constexpr std::array costs = {Cost{MemoryOp::read, 1, 1}, Cost{MemoryOp::write, 1, 0},
                                       Cost{MemoryOp::copy, 2, 0}, Cost{MemoryOp::mul, 2, 1},
                                       Cost{MemoryOp::add, 3, 1},  Cost{MemoryOp::triad, 3, 2},
                                       Cost{MemoryOp::dot, 2, 2}};
  if (p.op == MemoryOp::chase) return {.steps = static_cast<double>(chase_steps(p))};
  const Cost& cost = *std::ranges::find(costs, p.op, &Cost::op);
  const auto size = static_cast<double>(p.bytes);
  return {.flops = cost.flops * size * 8 / bits(p.dtype), .bytes = cost.arrays * size};
}

Work work_of(const Copy& p) {
  const bool stays = p.path == CopyPath::device_to_device;  // read and written by the same memory
  return {.bytes = static_cast<double>(p.bytes) * (stays ? 2 : 1)};
}

Work work_of(const Launch& p) {
  return {.steps = static_cast<double>(p.launches)};
}

// Nominal arithmetic per element, forward: these operations are bound by memory, the count only
// places them on a roofline. Backward counts twice.
double flops_per_element(LayerOp op) {
  switch (op) {
    case LayerOp::rms_norm:
      return 4;
    case LayerOp::layer_norm:
      return 7;
    case LayerOp::rope:
      return 3;
    case LayerOp::swiglu:
      return 5;
    case LayerOp::gelu:
      return 9;
    case LayerOp::cross_entropy:
    case LayerOp::log_probabilities:
    case LayerOp::route:
      return 4;
    case LayerOp::adamw:
      return 12;
    case LayerOp::quantise:
      return 3;
    case LayerOp::unpermute:
      return 2;
    case LayerOp::bias_add:
    case LayerOp::residual_add:
    case LayerOp::embedding_scatter:
    case LayerOp::amax:
    case LayerOp::dequantise:
      return 1;
    case LayerOp::embedding_gather:
    case LayerOp::cache_append:
    case LayerOp::permute:
      return 0;
  }
  return 0;
}

Work work_of(const Layer& p) {
  const double rows_moved = product({p.rows, p.columns});
  double width = static_cast<double>(p.columns);
  if (p.op == LayerOp::route) width = static_cast<double>(p.entries);
  if (p.op == LayerOp::unpermute) width *= static_cast<double>(p.choices);
  Work w = {.flops = flops_per_element(p.op) * static_cast<double>(p.rows) * width *
                     (p.pass == Pass::backward ? 2 : 1),
            .bytes = traffic(p)};
  // Of a table only the rows that are named count, not the whole operand.
  if (p.op == LayerOp::embedding_gather)
    w.bytes = rows_moved * 2 * bits(p.dtype) / 8 + 4.0 * static_cast<double>(p.rows);
  if (p.op == LayerOp::embedding_scatter)
    w.bytes = rows_moved * (bits(p.dtype) / 8 + 2 * 4) + 4.0 * static_cast<double>(p.rows);
  if (p.op == LayerOp::cache_append)
    w.bytes = 2 * rows_moved * (bits(p.dtype) + bits(cache_type(p))) / 8 +
              4.0 * static_cast<double>(p.rows);
  return w;
}

Work work_of(const Transformer& p) {
  return work(step_of(p));
}

DType type_of(const Gemm& p) {
  return p.a;
}
DType type_of(const Attention& p) {
  return p.dtype;
}
DType type_of(const Memory& p) {
  return p.dtype;
}
DType type_of(const Layer& p) {
  return p.dtype;
}
DType type_of(const Transformer& p) {
  return p.dtype;
}
DType type_of(const Copy&) {
  return DType::int8;
}
DType type_of(const Launch&) {
  return DType::int32;
}

std::string types(const Gemm& p) {
  if (p.a == p.b && p.b == p.c) return std::string(name(p.a));
  if (p.a == p.b) return fmt::format("{}.{}", name(p.a), name(p.c));
  return fmt::format("{}.{}.{}", name(p.a), name(p.b), name(p.c));
}

std::string id_of(const Gemm& p) {
  std::string id = fmt::format("gemm/{}/{}/{}x{}x{}", types(p), name(p.layout), p.m, p.n, p.k);
  if (p.scaling != Scaling::none) id += fmt::format("/{}", name(p.scaling));
  if (p.alpha != 1 || p.beta != 0) id += fmt::format("/alpha{}-beta{}", p.alpha, p.beta);
  if (p.groups > 1) id += fmt::format("/groups{}-{}", p.groups, name(p.routing));
  return id;
}

std::string id_of(const Attention& p) {
  std::string id = fmt::format("attention/{}/{}/b{}-h{}-kv{}/{}x{}x{}", name(p.pass), name(p.dtype),
                               p.batch, p.heads, p.kv_heads, p.queries, p.keys, p.head_dim);
  if (p.causal) id += "/causal";
  if (p.page_size > 0) id += fmt::format("/page{}", p.page_size);
  if (p.fp8_cache) id += "/fp8-cache";
  return id;
}

// Exact: the largest unit that divides.
std::string size_text(std::int64_t size) {
  if (size % (1 << 20) == 0) return fmt::format("{}MiB", size >> 20);
  if (size % (1 << 10) == 0) return fmt::format("{}KiB", size >> 10);
  return fmt::format("{}B", size);
}

std::string id_of(const Memory& p) {
  return fmt::format("memory/{}/{}/{}", name(p.op), name(p.dtype), size_text(p.bytes));
}

std::string id_of(const Copy& p) {
  return fmt::format("copy/{}/{}/{}", name(p.path), p.pinned ? "pinned" : "pageable",
                     size_text(p.bytes));
}

std::string id_of(const Launch& p) {
  return fmt::format("launch/{}/{}", p.launches, p.graph ? "graph" : "stream");
}

std::string id_of(const Layer& p) {
  std::string id = fmt::format("layer/{}{}/{}", name(p.op),
                               p.pass == Pass::backward ? "_backward" : "", name(p.dtype));
  if (p.op == LayerOp::quantise || p.op == LayerOp::dequantise)
    id += fmt::format(".{}", name(p.quantised));
  id += fmt::format("/{}x{}", p.rows, p.columns);
  if (p.op == LayerOp::rope || p.op == LayerOp::cache_append) id += fmt::format("/d{}", p.head_dim);
  if (p.entries > 0) id += fmt::format("/of{}", p.entries);
  if (p.choices > 0) id += fmt::format("/top{}", p.choices);
  if (p.page_size > 0) id += fmt::format("/page{}", p.page_size);
  if (p.f32_gradient) id += "/f32-gradient";
  if (p.fp8_cache) id += "/fp8-cache";
  return id;
}

std::string id_of(const Transformer& p) {
  std::string id = fmt::format("transformer/{}/{}/{}", p.model, name(p.phase), name(p.dtype));
  if (p.weights != p.dtype) id += fmt::format(".{}", name(p.weights));
  id += fmt::format("/b{}-t{}-c{}-l{}", p.batch, p.tokens, p.context, p.layers);
  if (p.page_size > 0) id += fmt::format("/page{}", p.page_size);
  if (p.fp8_cache) id += "/fp8-cache";
  if (p.phase == Phase::lora) id += fmt::format("/rank{}", p.rank);
  return id + (p.graph ? "/graph" : "/stream");
}

}  // namespace

Work work(const Problem& problem) {
  return std::visit([](const auto& p) { return work_of(p); }, problem);
}

DType compute_type(const Problem& problem) {
  return std::visit([](const auto& p) { return type_of(p); }, problem);
}

std::string id(const Problem& problem) {
  return std::visit([](const auto& p) { return id_of(p); }, problem);
}

std::int64_t chase_steps(const Memory& chase) {
  constexpr std::int64_t enough = 1 << 14;
  const std::int64_t lines = std::max<std::int64_t>(chase.bytes / chase_line_bytes, 1);
  const std::int64_t rounds = std::max<std::int64_t>((enough + lines - 1) / lines, 1);
  return rounds * lines - 1;
}

std::vector<std::int64_t> group_offsets(const Gemm& p) {
  std::vector<double> share(p.groups, 1.0);
  for (std::int64_t g = 0; g < p.groups; ++g) {
    if (p.routing == Routing::zipf) share[g] = 1.0 / static_cast<double>(g + 1);
    if (p.routing == Routing::one_hot) share[g] = g == 0;
  }
  double total = 0;
  for (const double s : share) total += s;
  std::vector<std::int64_t> offsets = {0};
  double sum = 0;
  for (const double s : share) {
    sum += s;
    offsets.push_back(static_cast<std::int64_t>(static_cast<double>(p.m) * sum / total + 0.5));
  }
  offsets.back() = p.m;
  return offsets;
}

}  // namespace steelyard
