// SPDX-License-Identifier: Apache-2.0
#include "bench/step_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <new>

#include "bench/calibrate.h"
#include "bench/capacity.h"
#include "bench/fastest.h"
#include "bench/rows.h"
#include "bench/sequence.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

// Of so many single launches.
double median_seconds(Device& device, Run& run, int launches, std::int64_t flush_bytes = 0) {
  std::vector<double> times(static_cast<std::size_t>(launches));
  for (double& time : times)
    time = device.time(run, {.launches = 1, .flush_bytes = flush_bytes}).device_seconds;
  return median(times);
}

// Work of one kind over the time of the fastest kernel; 0 where the device has none, or no room for it.
double rate(Device& device, const Problem& problem, double Work::*kind, Fill fill) try {
  const std::vector<Kernel> able = able_kernels(problem, device.info());
  if (able.empty()) return 0;
  const auto run = fastest(device, problem, able).prepare(device, problem, {.fill = fill});
  device.time(*run, {.launches = 1});
  return work(problem).*kind / median_seconds(device, *run, 5);
} catch (const OutOfMemory&) {
  return 0;
} catch (const std::bad_alloc&) {
  return 0;
}

Problem large_read(const DeviceInfo& info) {
  constexpr std::int64_t least = std::int64_t{64} << 20;
  return Memory{MemoryOp::read, DType::f32, std::max(least, 4 * last_level_cache(info))};
}

// Large enough for every unit of the device, and small enough for a CPU's patience.
Problem large_product(const DeviceInfo& info, DType dtype) {
  const std::int64_t n = info.shares_host_memory ? 512 : 8192;
  return Gemm{.m = n, .n = n, .k = n, .a = dtype, .b = dtype, .c = dtype, .layout = Layout::nt};
}

// Anew beside each step that is bound by it: the memory of a virtual machine has its good and bad minutes.
// Ones are made quickly, and take as long to read as other numbers.
double read_rate(Device& device, Phase phase) {
  static std::map<std::string, double> known;
  double& reached = known[device_id(device.info())];
  if (reached == 0 || phase == Phase::decode)
    reached = rate(device, large_read(device.info()), &Work::bytes, Fill::ones);
  return reached;
}

// Once per process, device and type.
double product_rate(Device& device, DType dtype) {
  static std::map<std::pair<std::string, DType>, double> known;
  double& reached = known[{device_id(device.info()), dtype}];
  if (reached == 0)
    reached = rate(device, large_product(device.info(), dtype), &Work::flops, Fill::normal);
  return reached;
}

StepFacts facts_of(const Device& device, const Transformer& transformer, const Step& step) {
  return {.model_flops = model_flops(transformer, step),
          .roof_bytes = roof_bytes(step),
          .resident_bytes = resident_bytes(step),
          .largest_batch = largest_batch(transformer, device.info().memory_bytes)};
}

// Of all weights of the step together, after it was launched.
double quantisation_error(Device& device, const Sequence& sequence) {
  double lost = 0, all = 0;
  for (const Sequence::Part& part : sequence.parts(0)) {
    const std::vector<Tensor> tensors = part.run->tensors(0);  // x, q, scale
    const HostTensor x = device.look_at(tensors[0]), q = device.look_at(tensors[1]),
                     scale = device.look_at(tensors[2]);
    const std::int64_t columns = x.operand.shape.back();
#pragma omp parallel for reduction(+ : lost, all)
    for (std::int64_t i = 0; i < elements(x.operand); ++i) {
      const double weight = x.at(i), difference = q.at(i) * scale.at(i / columns) - weight;
      lost += difference * difference;
      all += weight * weight;
    }
  }
  return std::sqrt(lost / all);
}

std::vector<Part> time_parts(Device& device, Sequence& sequence, int rounds) {
  const auto& parts = sequence.parts(0);
  std::vector<std::vector<double>> chained(parts.size());
  for (int round = 0; round < rounds; ++round)
    for (std::size_t i = 0; i < parts.size(); ++i)
      chained[i].push_back(device.time(*parts[i].run, {.launches = 1}).device_seconds);

  const std::int64_t flush_bytes = 3 * last_level_cache(device.info());
  static std::map<std::string, double> cold;  // once per process, device, operation and kernel
  std::vector<Part> all;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Operation& operation = sequence.step().operations[i];
    const Kernel& kernel = parts[i].kernel;
    const auto [entry, added] = cold.try_emplace(
        fmt::format("{} {} {}", device_id(device.info()), id(operation.problem), kernel.name));
    if (added) entry->second = median_seconds(device, *parts[i].run, rounds, flush_bytes);
    all.push_back({.name = operation.name,
                   .operation = id(operation.problem),
                   .kernel = std::string(kernel.name),
                   .tier = std::string(name(kernel.tier)),
                   .chained_seconds = median(chained[i]),
                   .cold_seconds = entry->second});
  }
  return all;
}

}  // namespace

void describe_step(Record& record, Device& device, const Problem& problem, Run& run, int rounds) {
  auto* sequence = dynamic_cast<Sequence*>(&run);
  if (sequence == nullptr) return;
  const auto& transformer = std::get<Transformer>(problem);
  record.step = facts_of(device, transformer, sequence->step());
  if (transformer.phase == Phase::quantise)
    record.step->quantisation_error = quantisation_error(device, *sequence);
  record.parts = time_parts(device, *sequence, rounds);
}

void add_rates(StepFacts& facts, Device& device, const Transformer& transformer) {
  facts.read_bytes_per_second = read_rate(device, transformer.phase);
  facts.flops_per_second = product_rate(device, transformer.dtype);
}

}  // namespace steelyard
