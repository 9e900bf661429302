// SPDX-License-Identifier: Apache-2.0
// Layers on the CPU: how functions over a part of a problem become a Run. Kernel tables take the
// best instruction set, tests take all.
#pragma once

#include <functional>
#include <memory>

#include "backends/cpu/instruction_set.h"
#include "backends/cpu/layer_rows.h"
#include "backends/cpu/run.h"

namespace steelyard::cpu {

// Which of the functions that a kernel was compiled to.
struct Variant {
  InstructionSet set;
  Store store;  // nontemporal ones are used where they write whole lines
};

// The best instruction set; what does not fit into the last-level cache goes past it.
Variant best_variant(const CpuDevice& device, const Layer& p);

// For Run::detail().
std::string describe(const Variant& variant);

using LayerPrepare = std::unique_ptr<Run>(Variant, CpuDevice&, const Layer&, const Inputs&);
LayerPrepare prepare_elementwise;  // swiglu, gelu, residual_add, adamw
LayerPrepare prepare_bias_add;
LayerPrepare prepare_norm, prepare_norm_gradient;
LayerPrepare prepare_loss;  // cross_entropy, log_probabilities
LayerPrepare prepare_rope;
LayerPrepare prepare_quantise;  // amax, quantise, dequantise
LayerPrepare prepare_moves;     // embedding_gather, cache_append
LayerPrepare prepare_embedding_scatter;
LayerPrepare prepare_route, prepare_permute, prepare_unpermute;

// A lookup as it was compiled for each level.
struct LayerLookups {
  LayerLookup &baseline, &v3, &v4, &v4_dot;

  LayerFunction* find(const Variant& variant, const Layer& p) const {
    return compiled_for(variant.set, baseline, v3, v4, v4_dot)(p, variant.store);
  }
};

// A Run that calls `body` with the tensors of each launch.
using LayerBody = std::function<void(const LayerOperands&)>;
std::unique_ptr<Run> make_layer_run(const Variant& variant, const Layer& p, const Inputs& inputs,
                                    LayerBody body);

// A Run of one function over independent rows, or over elements, cut where pages end.
std::unique_ptr<Run> prepare_rows(const LayerLookups& lookups, Variant variant, const Layer& p,
                                  const Inputs& inputs);
std::unique_ptr<Run> prepare_elements(const LayerLookups& lookups, Variant variant, const Layer& p,
                                      const Inputs& inputs);

// The variant, without nontemporal stores unless runs of `bytes` are whole lines.
Variant with_lines(Variant variant, std::int64_t bytes);

// Bytes of a row of the largest output.
std::int64_t output_row_bytes(const Layer& p);

// Bytes that an element takes while it is computed with.
std::int64_t compute_bytes(const Layer& p);

// f(first, end) for each thread's share of `count`, cut at multiples of `grain`; one share where
// `bytes` are too few for a team.
void for_each_share(std::int64_t count, std::int64_t grain, double bytes,
                    const std::function<void(std::int64_t, std::int64_t)>& f);

// Why no kernel takes the types of a problem.
std::string unsupported(const Layer& p);

template <LayerOp op, Pass pass, LayerLookup& baseline>
Support supports(const Layer& p, const DeviceInfo&) {
  if (p.op != op || p.pass != pass) return {Support::foreign, {}};
  if (baseline(p, Store::temporal) == nullptr) return {Support::no, unsupported(p)};
  return {};
}

template <LayerPrepare& prepare_for>
std::unique_ptr<Run> prepare_best(CpuDevice& device, const Layer& p, const Inputs& inputs) {
  return prepare_for(best_variant(device, p), device, p, inputs);
}

// A row of a kernel table: `baseline`, a lookup for the lowest level, knows the types.
template <LayerOp op, Pass pass, LayerLookup& baseline, LayerPrepare& prepare_for>
constexpr Kernel layer_kernel(std::string_view name) {
  return kernel<supports<op, pass, baseline>, prepare_best<prepare_for>>(name, Tier::portable);
}

}  // namespace steelyard::cpu
