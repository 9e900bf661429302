// SPDX-License-Identifier: Apache-2.0
// Cuts attention into tiles of queries, and into ranges of keys where there are fewer tiles than
// threads could take.
#include "backends/cpu/attention.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "backends/cpu/attention_tile.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/threads.h"

namespace steelyard::cpu {
namespace {

AttentionKernel attention_kernel(InstructionSet set, const Attention& p, std::int64_t rows) {
  if (rows <= attention_few_rows)
    return compiled_for(set, baseline::few_rows_kernel, v3::few_rows_kernel, v4::few_rows_kernel,
                        v4_dot::few_rows_kernel)(p.dtype, cache_type(p));
  return compiled_for(set, baseline::attention_kernel, v3::attention_kernel, v4::attention_kernel,
                      v4_dot::attention_kernel)(p.dtype, cache_type(p), rows);
}

struct Plan {
  AttentionKernel kernel;
  std::int64_t rows;                // that share a K and V
  std::int64_t panels;              // tiles of those rows
  std::int64_t tiles;               // of all rows
  std::int64_t splits, split_keys;  // ranges of keys per tile, and their length
};

// With at least four pieces per thread the last ones end at about the same time.
Plan plan(InstructionSet set, const Attention& p, std::int64_t threads) {
  const std::int64_t rows = p.heads / p.kv_heads * p.queries;
  const AttentionKernel kernel = attention_kernel(set, p, rows);
  const std::int64_t panels = divide_up(rows, kernel.max_rows);
  const std::int64_t tiles = p.batch * p.kv_heads * panels;
  const std::int64_t wanted =
      std::min(divide_up(4 * threads, tiles), divide_up(p.keys, 4 * attention_key_block));
  const std::int64_t split_keys =
      divide_up(divide_up(p.keys, wanted), attention_key_block) * attention_key_block;
  return {kernel, rows, panels, tiles, divide_up(p.keys, split_keys), split_keys};
}

AttentionTile tile_of(const Attention& p, const Plan& plan, std::int64_t tile, std::int64_t split) {
  const std::int64_t first_row = tile % plan.panels * plan.kernel.max_rows;
  const std::int64_t head = tile / plan.panels, first_key = split * plan.split_keys;
  return {head / p.kv_heads, head % p.kv_heads,
          first_row,         std::min(plan.kernel.max_rows, plan.rows - first_row),
          first_key,         std::min(p.keys, first_key + plan.split_keys)};
}

// Memory of a Run: a workspace per thread, then states, per thread or, of a split tile, per range.
class Scratch {
 public:
  Scratch(const Plan& plan, std::int64_t threads)
      : kernel_(plan.kernel),
        threads_(threads),
        memory_(threads * kernel_.workspace_bytes +
                std::max(threads, plan.tiles * plan.splits) * kernel_.state_bytes) {}

  void* workspace() const {
    return memory_.data() + omp_get_thread_num() * kernel_.workspace_bytes;
  }
  void* state(std::int64_t i) const {
    return memory_.data() + threads_ * kernel_.workspace_bytes + i * kernel_.state_bytes;
  }

 private:
  AttentionKernel kernel_;
  std::int64_t threads_;
  Region memory_;
};

void attend(const Attention& p, const Plan& plan, const Scratch& scratch,
            const Arguments& arguments) {
  const AttentionOperands operands = attention_operands(p, arguments);
  const AttentionKernel& kernel = plan.kernel;
#pragma omp parallel
  {
#pragma omp for schedule(dynamic)
    for (std::int64_t i = 0; i < plan.tiles * plan.splits; ++i) {
      const AttentionTile tile = tile_of(p, plan, i / plan.splits, i % plan.splits);
      void* state = scratch.state(plan.splits > 1 ? i : omp_get_thread_num());
      kernel.accumulate(operands, tile, state, scratch.workspace());
      if (plan.splits == 1) kernel.finish(operands, tile, state, 1);
    }
    if (plan.splits > 1)
#pragma omp for schedule(dynamic)
      for (std::int64_t i = 0; i < plan.tiles; ++i)
        kernel.finish(operands, tile_of(p, plan, i, 0), scratch.state(i * plan.splits),
                      plan.splits);
  }
}

template <Pass pass>
Support supports(const Attention& p, const DeviceInfo&) {
  if (p.pass != pass) return {Support::foreign, {}};
  return attention_limits(p);
}

std::unique_ptr<Run> prepare(CpuDevice& device, const Attention& p, const Inputs& inputs) {
  return prepare_online_softmax(best_instruction_set(), device, p, inputs);
}

}  // namespace

Support attention_limits(const Attention& p) {
  if (p.head_dim % 16 != 0 || p.head_dim > attention_max_head_dim)
    return {Support::no, fmt::format("head_dim={} is not a multiple of 16 up to {}", p.head_dim,
                                     attention_max_head_dim)};
  if (baseline::attention_kernel(p.dtype, cache_type(p), 1).accumulate == nullptr)
    return {Support::no,
            fmt::format("the portable CPU kernel does not compute attention in {}", name(p.dtype))};
  return {};
}

AttentionOperands attention_operands(const Attention& p, const Arguments& arguments) {
  AttentionOperands operands = {.q = arguments.data("q"),
                                .k = arguments.data("k"),
                                .v = arguments.data("v"),
                                .o = arguments.data("o"),
                                .lse = arguments.get<float>("lse"),
                                .queries = p.queries,
                                .keys = p.keys,
                                .heads = p.heads,
                                .kv_heads = p.kv_heads,
                                .head_dim = p.head_dim,
                                .causal = p.causal};
  if (p.page_size > 0) {
    operands.page_table = arguments.get<const std::int32_t>("page_table");
    operands.page_size = p.page_size;
  }
  return operands;
}

Body online_softmax(InstructionSet set, const CpuDevice& device, const Attention& p) {
  const std::int64_t threads = device.info().compute_units;
  const Plan cut = plan(set, p, threads);
  const auto scratch = std::make_shared<Scratch>(cut, threads);
  return [=](const Arguments& arguments) { attend(p, cut, *scratch, arguments); };
}

std::unique_ptr<Run> prepare_online_softmax(InstructionSet set, CpuDevice& device,
                                            const Attention& p, const Inputs& inputs) {
  const std::int64_t splits = plan(set, p, device.info().compute_units).splits;
  return make_run(p, inputs, online_softmax(set, device, p),
                  fmt::format("{}, {} ranges of keys", name(set), splits));
}

std::span<const Kernel> attention_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports<Pass::forward>, prepare>("online_softmax", Tier::portable),
      kernel<supports<Pass::decode>, prepare>("split_keys", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::cpu
