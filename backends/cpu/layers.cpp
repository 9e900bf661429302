// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/layers.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "backends/cpu/threads.h"

namespace steelyard::cpu {
namespace {

constexpr std::int64_t line_bytes = 64;

std::vector<std::string_view> tensor_names(const Layer& p) {
  std::vector<std::string_view> names;
  for (const Operand& operand : operands(p)) names.push_back(operand.name);
  return names;
}

// The pure output that most is written to.
Operand largest_output(const Layer& p) {
  Operand largest = {.shape = {0}};
  for (const Operand& operand : operands(p))
    if (operand.access == Access::out && bytes(operand) > bytes(largest)) largest = operand;
  return largest;
}

}  // namespace

Variant best_variant(const CpuDevice& device, const Layer& p) {
  const bool fits = bytes(largest_output(p)) <= device.info().last_level_cache_bytes;
  return {best_instruction_set(), fits ? Store::temporal : Store::nontemporal};
}

std::string describe(const Variant& variant) {
  return fmt::format("{}{}", name(variant.set),
                     variant.store == Store::nontemporal ? ", nontemporal stores" : "");
}

Variant with_lines(Variant variant, std::int64_t bytes) {
  if (bytes % line_bytes != 0) variant.store = Store::temporal;
  return variant;
}

std::int64_t output_row_bytes(const Layer& p) {
  const Operand output = largest_output(p);
  return bytes(output.dtype, output.shape.back());
}

void for_each_share(std::int64_t count, std::int64_t grain, double bytes,
                    const std::function<void(std::int64_t, std::int64_t)>& f) {
#pragma omp parallel if (bytes >= bytes_worth_dividing)
  {
    const std::int64_t share = divide_up(divide_up(count, omp_get_num_threads()), grain) * grain;
    const std::int64_t first = std::min(count, omp_get_thread_num() * share);
    const std::int64_t end = std::min(count, first + share);
    if (first < end) f(first, end);
    __builtin_ia32_sfence();  // nontemporal stores are visible before the team's barrier
  }
}

std::unique_ptr<Run> make_layer_run(const Variant& variant, const Layer& p, const Inputs& inputs,
                                    LayerBody body) {
  const auto bind = [p, names = tensor_names(p)](const Arguments& arguments) {
    LayerOperands bound = {.p = p};
    for (std::size_t i = 0; i < names.size(); ++i) bound.tensor[i] = arguments.data(names[i]);
    return bound;
  };
  return make_run(
      p, inputs, [=](const Arguments& arguments) { body(bind(arguments)); }, describe(variant));
}

std::unique_ptr<Run> prepare_rows(const LayerLookups& lookups, Variant variant, const Layer& p,
                                  const Inputs& inputs) {
  variant = with_lines(variant, output_row_bytes(p));
  LayerFunction* const function = lookups.find(variant, p);
  const double moved = work(p).bytes;
  return make_layer_run(variant, p, inputs, [=](const LayerOperands& operands) {
    for_each_share(p.rows, 1, moved,
                   [&](std::int64_t first, std::int64_t end) { function(operands, first, end); });
  });
}

std::unique_ptr<Run> prepare_elements(const LayerLookups& lookups, Variant variant, const Layer& p,
                                      const Inputs& inputs) {
  constexpr std::int64_t page = 4096;  // elements, so whole pages of any type
  LayerFunction* const function = lookups.find(variant, p);
  const double moved = work(p).bytes;
  return make_layer_run(variant, p, inputs, [=](const LayerOperands& operands) {
    for_each_share(p.rows * p.columns, page, moved,
                   [&](std::int64_t first, std::int64_t end) { function(operands, first, end); });
  });
}

std::int64_t compute_bytes(const Layer& p) {
  return p.dtype == DType::f64 ? sizeof(double) : sizeof(float);
}

std::string unsupported(const Layer& p) {
  const bool narrows = p.op == LayerOp::quantise || p.op == LayerOp::dequantise;
  return fmt::format("the portable CPU kernel does not compute {} in {}{}", name(p.op),
                     name(p.dtype),
                     narrows       ? fmt::format(" and {}", name(p.quantised))
                     : p.fp8_cache ? fmt::format(" and {}", name(cache_type(p)))
                                   : "");
}

}  // namespace steelyard::cpu
