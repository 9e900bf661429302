// SPDX-License-Identifier: Apache-2.0
// Divides the tiles of queries that share a K and V among the team. Whoever works on one K and V
// beside others sums its gradients apart; the sums are added up in the end.
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <numeric>

#include "backends/cpu/attention.h"
#include "backends/cpu/attention_backward_tile.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/threads.h"

namespace steelyard::cpu {
namespace {

GradientKernel gradient_kernel(InstructionSet set, DType type) {
  return compiled_for(set, baseline::gradient_kernel, v3::gradient_kernel, v4::gradient_kernel,
                      v4_dot::gradient_kernel)(type);
}

struct Plan {
  GradientKernel kernel;
  std::int64_t rows;    // that share a K and V
  std::int64_t panels;  // tiles of those rows
  std::int64_t heads;   // K and V, of all sequences
  std::int64_t splits;  // shares of the tiles of one K and V
};

// As many shares as make the threads' work even, but few more than threads: each has sums of its
// own.
Plan plan(InstructionSet set, const Attention& p, std::int64_t threads) {
  const GradientKernel kernel = gradient_kernel(set, p.dtype);
  const std::int64_t rows = p.heads / p.kv_heads * p.queries;
  const std::int64_t panels = divide_up(rows, kernel.max_rows);
  const std::int64_t heads = p.batch * p.kv_heads;
  const std::int64_t even = threads / std::gcd(heads, threads);
  return {kernel, rows, panels, heads, std::min({even, divide_up(2 * threads, heads), panels})};
}

// All keys of a K and V, and rows from `first_row` on.
AttentionTile tile_of(const Attention& p, const Plan& plan, std::int64_t head,
                      std::int64_t first_row) {
  return {head / p.kv_heads,
          head % p.kv_heads,
          first_row,
          std::min(plan.kernel.max_rows, plan.rows - first_row),
          0,
          p.keys};
}

// Memory of a Run: a workspace per thread, then sums, per thread or per share.
class Scratch {
 public:
  Scratch(const Attention& p, const Plan& plan, std::int64_t threads)
      : workspace_bytes_(threads * plan.kernel.workspace_bytes),
        sums_bytes_(2 * sizeof(float) * gradient_sums({.keys = p.keys, .head_dim = p.head_dim})),
        memory_(workspace_bytes_ +
                sums_bytes_ * (plan.splits > 1 ? plan.heads * plan.splits : threads)) {}

  void* workspace(const Plan& plan) const {
    return memory_.data() + omp_get_thread_num() * plan.kernel.workspace_bytes;
  }
  float* sums(std::int64_t i) const {
    return reinterpret_cast<float*>(memory_.data() + workspace_bytes_ + i * sums_bytes_);
  }
  std::int64_t sums_bytes() const { return sums_bytes_; }

 private:
  std::int64_t workspace_bytes_, sums_bytes_;
  Region memory_;
};

// Every splits-th tile from number `split` on: under a causal mask their work differs.
void differentiate(const Attention& p, const Plan& plan, const GradientOperands& operands,
                   std::int64_t head, std::int64_t split, float* sums, void* workspace) {
  for (std::int64_t panel = split; panel < plan.panels; panel += plan.splits)
    plan.kernel.accumulate(operands, tile_of(p, plan, head, panel * plan.kernel.max_rows), sums,
                           workspace);
}

void differentiate(const Attention& p, const Plan& plan, const Scratch& scratch,
                   const Arguments& arguments) {
  const GradientOperands operands = {attention_operands(p, arguments), arguments.data("do"),
                                     arguments.data("dq"), arguments.data("dk"),
                                     arguments.data("dv")};
  const std::int64_t shares = plan.heads * plan.splits;
#pragma omp parallel
  {
#pragma omp for schedule(dynamic)
    for (std::int64_t i = 0; i < shares; ++i) {
      const std::int64_t head = i / plan.splits, split = i % plan.splits;
      float* sums = scratch.sums(plan.splits > 1 ? i : omp_get_thread_num());
      std::fill_n(sums, scratch.sums_bytes() / sizeof(float), 0.0F);
      differentiate(p, plan, operands, head, split, sums, scratch.workspace(plan));
      if (plan.splits == 1) plan.kernel.finish(operands, tile_of(p, plan, head, 0), sums, 1);
    }
    if (plan.splits > 1)
#pragma omp for schedule(dynamic)
      for (std::int64_t i = 0; i < shares; ++i) {  // a range of keys each
        const std::int64_t head = i / plan.splits, range = i % plan.splits;
        AttentionTile tile = tile_of(p, plan, head, 0);
        const std::int64_t blocks = divide_up(p.keys, attention_key_block);
        tile.first_key = range * blocks / plan.splits * attention_key_block;
        tile.end_key = std::min(p.keys, (range + 1) * blocks / plan.splits * attention_key_block);
        plan.kernel.finish(operands, tile, scratch.sums(head * plan.splits), plan.splits);
      }
  }
}

Support supports(const Attention& p, const DeviceInfo&) {
  if (p.pass != Pass::backward) return {Support::foreign, {}};
  if (p.page_size > 0) return {Support::no, "a paged cache has no gradients"};
  return attention_limits(p);
}

std::unique_ptr<Run> prepare(CpuDevice& device, const Attention& p, const Inputs& inputs) {
  return prepare_attention_gradients(best_instruction_set(), device, p, inputs);
}

}  // namespace

std::unique_ptr<Run> prepare_attention_gradients(InstructionSet set, CpuDevice& device,
                                                 const Attention& p, const Inputs& inputs) {
  const std::int64_t threads = device.info().compute_units;
  const Plan cut = plan(set, p, threads);
  const auto scratch = std::make_shared<Scratch>(p, cut, threads);
  Attention forward = p;
  forward.pass = Pass::forward;
  Body make_derived;  // unless an earlier Run did
  if (std::ranges::none_of(inputs.bound, [](auto& t) { return t.operand.name == "o"; }))
    make_derived = online_softmax(set, device, forward);
  return make_run(
      p, inputs, [=](const Arguments& arguments) { differentiate(p, cut, *scratch, arguments); },
      fmt::format("{}, {} sums per key", name(set), cut.splits), std::move(make_derived));
}

std::span<const Kernel> attention_backward_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports, prepare>("recomputed_softmax", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::cpu
