// SPDX-License-Identifier: Apache-2.0
// Memory on the CPU: arrays cut into one piece per thread, and the chain of loads that one thread
// follows.
#include "backends/cpu/memory.h"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "backends/cpu/kernels.h"

namespace steelyard::cpu {
namespace {

StreamKernel stream_kernel(InstructionSet set, MemoryOp op, DType type, Store store) {
  return compiled_for(set, baseline::stream_kernel, v3::stream_kernel, v4::stream_kernel,
                      v4_dot::stream_kernel)(op, type, store);
}

// The arrays of out = f(x, y), by the names that operands() gives them.
struct Arrays {
  MemoryOp op;
  std::string_view out, x = {}, y = {};
};
constexpr Arrays arrays[] = {
    {MemoryOp::read, "sum", "a"},     {MemoryOp::write, "a"},
    {MemoryOp::copy, "c", "a"},       {MemoryOp::mul, "b", "c"},
    {MemoryOp::add, "c", "a", "b"},   {MemoryOp::triad, "a", "b", "c"},
    {MemoryOp::dot, "sum", "a", "b"},
};

// Calls f(first element, number of elements) for each thread's piece: whole pages, cut as they were
// when the arrays were filled, so that every thread works on memory of its own NUMA node.
template <class F>
void for_each_piece(std::int64_t count, std::int64_t element_bytes, F f) {
#pragma omp parallel
  {
    const std::int64_t page = 4096 / element_bytes;
    const std::int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
    const std::int64_t piece = ((count + threads - 1) / threads + page - 1) / page * page;
    const std::int64_t begin = std::min(count, thread * piece);
    const std::int64_t end = std::min(count, begin + piece);
    if (begin < end) f(begin, end - begin);
  }
}

void stream(const Memory& p, const StreamKernel& kernel, const Arguments& arguments) {
  const std::int64_t width = bits(p.dtype) / 8;
  const Arrays& names = *std::ranges::find(arrays, p.op, &Arrays::op);
  const auto* x = names.x.empty() ? nullptr : arguments.get<const std::byte>(names.x);
  const auto* y = names.y.empty() ? nullptr : arguments.get<const std::byte>(names.y);
  auto* out = arguments.get<std::byte>(names.out);
  const auto from = [=](const std::byte* array, std::int64_t i) {
    return array == nullptr ? nullptr : array + i * width;
  };
  double total = 0;
  for_each_piece(p.bytes / width, width, [&](std::int64_t i, std::int64_t count) {
    if (kernel.map != nullptr) return kernel.map(out + i * width, from(x, i), from(y, i), count);
    const double sum = kernel.sum(from(x, i), from(y, i), count);
#pragma omp atomic
    total += sum;
  });
  if (kernel.sum != nullptr) store(p.dtype, out, 0, total);
}

Support supports_stream(const Memory& p, const DeviceInfo&) {
  if (p.op == MemoryOp::chase) return {Support::foreign, {}};
  if (p.dtype != DType::f64 && p.dtype != DType::f32)
    return {Support::no, fmt::format("the CPU streams f64 and f32, not {}", name(p.dtype))};
  return {};
}

Support supports_temporal(const Memory& p, const DeviceInfo& info) {
  const bool only_reads = p.op == MemoryOp::read || p.op == MemoryOp::dot;
  return only_reads ? Support{Support::foreign, {}} : supports_stream(p, info);
}

// What fits into the last-level cache is best left there.
std::unique_ptr<Run> prepare(CpuDevice& device, const Memory& p, const Inputs& inputs) {
  const bool fits = p.bytes <= device.info().last_level_cache_bytes;
  return prepare_stream(best_instruction_set(), fits ? Store::temporal : Store::nontemporal, p,
                        inputs);
}

std::unique_ptr<Run> prepare_temporal(CpuDevice&, const Memory& p, const Inputs& inputs) {
  return prepare_stream(best_instruction_set(), Store::temporal, p, inputs);
}

Support supports_chase(const Memory& p, const DeviceInfo&) {
  return {p.op == MemoryOp::chase ? Support::yes : Support::foreign, {}};
}

// Every load's address is the result of the load before: the time is steps times one latency.
std::unique_ptr<Run> prepare_chase(CpuDevice&, const Memory& p, const Inputs& inputs) {
  const std::int64_t steps = chase_steps(p);
  return make_run(p, inputs, [=](const Arguments& arguments) {
    const auto* next = arguments.get<const std::int32_t>("next");
    std::int64_t place = 0;
    for (std::int64_t step = 0; step < steps; ++step) place = next[place];
    *arguments.get<std::int32_t>("last") = static_cast<std::int32_t>(place);
  });
}

}  // namespace

std::unique_ptr<Run> prepare_stream(InstructionSet set, Store how, const Memory& p,
                                    const Inputs& inputs) {
  const StreamKernel kernel = stream_kernel(set, p.op, p.dtype, how);
  return make_run(
      p, inputs, [=](const Arguments& arguments) { stream(p, kernel, arguments); },
      fmt::format("{}{}", name(set),
                  how == Store::nontemporal && kernel.map ? ", nontemporal stores" : ""));
}

std::span<const Kernel> memory_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports_stream, prepare>("stream", Tier::portable),
      kernel<supports_temporal, prepare_temporal>("stream_temporal", Tier::portable),
      kernel<supports_chase, prepare_chase>("pointer_chase", Tier::portable),
  };
  return table;
}

}  // namespace steelyard::cpu
