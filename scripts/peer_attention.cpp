// SPDX-License-Identifier: Apache-2.0
// Attention's rate of bf16 arithmetic as a share of what oneDNN's GEMM reaches on the same cores:
// both take turns; one ratio per round.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "backends/cpu/kernels.h"
#include "backends/cpu/run.h"

using namespace steelyard;

namespace {

constexpr int rounds = 20;

const Kernel& row(std::span<const Kernel> kernels, std::string_view wanted) {
  for (const Kernel& kernel : kernels)
    if (kernel.name == wanted) return kernel;
  throw std::out_of_range(fmt::format("the table has no row named {}", wanted));
}

double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

double rate(Device& device, Run& run, const Problem& problem) {
  return work(problem).flops / device.time(run, {}).device_seconds / 1e9;
}

void compare(const Attention& attention, const Gemm& gemm, Device& device, Run& library) {
  const auto run = row(cpu::attention_kernels(), "online_softmax").prepare(device, attention, {});
  run->launch(0);
  std::vector<double> ours, theirs, ratios;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(rate(device, *run, attention));
    theirs.push_back(rate(device, library, gemm));
    ratios.push_back(ours.back() / theirs.back());
  }
  fmt::print("{}: {:.0f} GFLOP/s, {:.3f} of oneDNN's {:.0f} (quartiles {:.3f} to {:.3f}), {}\n",
             id(attention), quantile(ours, 0.5), quantile(ratios, 0.5), quantile(theirs, 0.5),
             quantile(ratios, 0.25), quantile(ratios, 0.75), run->detail());
}

}  // namespace

int main() {
  cpu::CpuDevice device;
  const Gemm gemm = {.m = 2048, .n = 2048, .k = 2048};
  const auto rows = cpu::onednn_kernels();
  const auto supported = std::ranges::find_if(rows, [&](const Kernel& kernel) {
    return kernel.supports(gemm, device.info()).answer == Support::yes;
  });
  if (supported == rows.end()) {
    fmt::print("oneDNN multiplies no bf16 here: nothing to compare with\n");
    return 1;
  }
  const auto library = supported->prepare(device, gemm, {});
  library->launch(0);
  for (const bool causal : {false, true})
    for (const std::int64_t head_dim : {64, 128})
      compare({.heads = 16,
               .kv_heads = 16,
               .queries = 2048,
               .keys = 2048,
               .head_dim = head_dim,
               .causal = causal},
              gemm, device, *library);
}
