// SPDX-License-Identifier: Apache-2.0
// Attention's rate of bf16 arithmetic as a share of what oneDNN's GEMM reaches on the same cores:
// both take turns; one ratio per round.
#include <algorithm>
#include <stdexcept>

#include "backends/cpu/kernels.h"
#include "backends/cpu/run.h"
#include "scripts/interleave.h"

using namespace steelyard;

namespace {

constexpr int rounds = 20;

const Kernel& row(std::span<const Kernel> kernels, std::string_view wanted) {
  for (const Kernel& kernel : kernels)
    if (kernel.name == wanted) return kernel;
  throw std::out_of_range(fmt::format("the table has no row named {}", wanted));
}

void compare(const Attention& attention, const Gemm& gemm, Device& device, Run& library) {
  const auto run = row(cpu::attention_kernels(), "online_softmax").prepare(device, attention, {});
  const auto turn = [&](Run& contestant) {
    return [&] { return device.time(contestant, {}).device_seconds; };
  };
  const std::vector<Times> times = interleave(rounds, std::vector<Turn>{turn(*run), turn(library)});
  const double ours = work(attention).flops, theirs = work(gemm).flops;
  fmt::print("{}: {:.0f} GFLOP/s, {} of oneDNN's {:.0f}, {}\n", id(attention),
             ours / quantile(times[0], 0.5) / 1e9, speed_ratio(times[0], times[1], ours / theirs),
             theirs / quantile(times[1], 0.5) / 1e9, run->detail());
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
