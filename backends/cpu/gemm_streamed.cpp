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

DotKernel dot_kernel(InstructionSet set, const Gemm& p) {
  return compiled_for(set, baseline::dot_kernel, v3::dot_kernel, v4::dot_kernel,
                      v4_dot::dot_kernel)(p);
}

constexpr std::int64_t most_rows = 16;

std::int64_t packed_bytes(const Gemm& p, const DotKernel& kernel) {
  return p.m * align(p.k * kernel.element_bytes);
}

// Ranges of columns, four per thread so that all end at about the same time.
std::vector<Tile> cut(const Gemm& p, std::span<const Group> groups, std::int64_t threads) {
  const std::int64_t ranges = std::min(4 * threads, p.n);
  std::vector<Tile> tiles;
  for (const auto& [number, first_row, rows] : groups)
    for (std::int64_t i = 0; i < ranges; ++i) {
      const std::int64_t first = i * p.n / ranges, end = (i + 1) * p.n / ranges;
      tiles.push_back({first_row, first, rows, end - first, number});
    }
  return tiles;
}

void multiply(const Gemm& p, const DotKernel& kernel, const Region& packed_a,
              const Arguments& arguments) {
  const GemmOperands operands = gemm_operands(p, arguments);
  const std::vector<Tile> tiles = cut(p, gemm_groups(p, arguments), omp_get_max_threads());
#pragma omp parallel if (p.m * p.n * p.k > worth_dividing)
  {
    std::byte* a = packed_a.data() + omp_get_thread_num() * packed_bytes(p, kernel);
    kernel.pack(operands, a);
#pragma omp for schedule(dynamic)
    for (std::size_t i = 0; i < tiles.size(); ++i) kernel.compute(operands, a, tiles[i]);
  }
}

Support supports(const Gemm& p, const DeviceInfo&) {
  // Made for the linear layers of a decode step, and no row anywhere else.
  if (p.m > most_rows || p.layout != Layout::nt) return {Support::foreign, {}};
  if (baseline::dot_kernel(p).compute == nullptr)
    return {Support::no,
            fmt::format("the streamed CPU kernel does not multiply {} by {} into {}{}", name(p.a),
                        name(p.b), name(p.c), p.scaling == Scaling::none ? "" : " with scales")};
  if (bits(p.b) < 8 && p.k % 2 != 0)
    return {Support::no,
            fmt::format("with k={} columns of {} start inside a byte", p.k, name(p.b))};
  return {};
}

std::unique_ptr<Run> prepare(CpuDevice& device, const Gemm& p, const Inputs& inputs) {
  return prepare_streamed_gemm(best_instruction_set(), device, p, inputs);
}

}  // namespace

std::unique_ptr<Run> prepare_streamed_gemm(InstructionSet set, CpuDevice& device, const Gemm& p,
                                           const Inputs& inputs) {
  const DotKernel kernel = dot_kernel(set, p);
  const auto packed_a =
      std::make_shared<Region>(packed_bytes(p, kernel) * device.info().compute_units);
  return make_run(
      p, inputs, [=](const Arguments& arguments) { multiply(p, kernel, *packed_a, arguments); },
      std::string(name(set)));
}

std::span<const Kernel> streamed_gemm_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("streamed_weights", Tier::portable)};
  return table;
}

}  // namespace steelyard::cpu
