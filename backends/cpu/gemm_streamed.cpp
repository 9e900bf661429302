// SPDX-License-Identifier: Apache-2.0
// Divides the columns of B, for products with few rows, among the team: each thread streams its own
// once.
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "backends/cpu/gemm.h"
#include "backends/cpu/gemm_dot.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/region.h"

namespace steelyard::cpu {
namespace {

DotKernel dot_kernel(InstructionSet set, DType input, DType output) {
  return compiled_for(set, baseline::dot_kernel, v3::dot_kernel, v4::dot_kernel,
                      v4_dot::dot_kernel)(input, output);
}

constexpr std::int64_t most_rows = 16;

std::int64_t packed_bytes(const Gemm& p) {
  return p.m * align(bytes(p.a, p.k));
}

// Ranges of columns, four per thread so that all end at about the same time.
void multiply(const Gemm& p, const DotKernel& kernel, const Region& packed_a,
              const Arguments& arguments) {
  const GemmOperands operands = gemm_operands(p, arguments);
#pragma omp parallel if (p.m * p.n * p.k > worth_dividing)
  {
    std::byte* a = packed_a.data() + omp_get_thread_num() * packed_bytes(p);
    kernel.pack(operands, a);
    const std::int64_t ranges = std::min<std::int64_t>(4 * omp_get_num_threads(), p.n);
#pragma omp for schedule(dynamic)
    for (std::int64_t i = 0; i < ranges; ++i)
      kernel.compute(operands, a, i * p.n / ranges, (i + 1) * p.n / ranges);
  }
}

Support supports(const Gemm& p, const DeviceInfo&) {
  // Made for the linear layers of a decode step, and no row anywhere else.
  const bool few_rows = p.m <= most_rows && p.layout == Layout::nt && p.groups == 1;
  if (!few_rows || p.scaling != Scaling::none) return {Support::foreign, {}};
  if (p.a != p.b || baseline::dot_kernel(p.a, p.c).compute == nullptr)
    return {Support::no, fmt::format("the streamed CPU kernel does not multiply {} by {} into {}",
                                     name(p.a), name(p.b), name(p.c))};
  return {};
}

std::unique_ptr<Run> prepare(CpuDevice& device, const Gemm& p, const Inputs& inputs) {
  return prepare_streamed_gemm(best_instruction_set(), device, p, inputs);
}

}  // namespace

std::unique_ptr<Run> prepare_streamed_gemm(InstructionSet set, CpuDevice& device, const Gemm& p,
                                           const Inputs& inputs) {
  const DotKernel kernel = dot_kernel(set, p.a, p.c);
  const auto packed_a = std::make_shared<Region>(packed_bytes(p) * device.info().compute_units);
  return make_run(
      p, inputs, [=](const Arguments& arguments) { multiply(p, kernel, *packed_a, arguments); },
      std::string(name(set)));
}

std::span<const Kernel> streamed_gemm_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("streamed_weights", Tier::portable)};
  return table;
}

}  // namespace steelyard::cpu
