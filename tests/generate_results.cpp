// SPDX-License-Identifier: Apache-2.0
#include "tests/generate_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

namespace steelyard {
namespace {

constexpr std::array statuses = {Status::unsupported, Status::skipped, Status::failed,
                                 Status::incorrect, Status::implausible};

Timing generate_timing(int samples, std::mt19937_64& bits) {
  // Not std::normal_distribution, whose values differ between standard libraries.
  const auto unit = [&] { return static_cast<double>(bits() >> 11) * 0x1p-53; };
  Timing timing{.launches = 8, .copies = 3, .converged = true};
  const double seconds = 1e-6 * (1 + 1000 * unit());
  for (int i = 0; i < samples; ++i) {
    timing.samples_seconds.push_back(seconds * (1 + 0.05 * unit()));
  }
  auto sorted = timing.samples_seconds;
  std::ranges::sort(sorted);
  timing.median_seconds = sorted[sorted.size() / 2];
  timing.trimmed_mean_seconds = timing.median_seconds;
  timing.minimum_seconds = sorted.front();
  timing.lower_quartile_seconds = sorted[sorted.size() / 4];
  timing.upper_quartile_seconds = sorted[3 * sorted.size() / 4];
  timing.lag1_autocorrelation = unit() - 0.5;
  timing.bimodality = 3 * unit();
  timing.reported_from = static_cast<int>(bits() % 3);
  timing.outlying = {0, samples - 1};
  timing.throttled = {samples / 2};
  timing.ci95_seconds = {sorted[sorted.size() / 3], sorted[2 * sorted.size() / 3]};
  if (bits() % 2) timing.settled = true;
  if (bits() % 8 == 0) timing.flags = {"autocorrelated"};
  return timing;
}

void generate_measurement(Record& record, int samples, std::mt19937_64& bits) {
  record.timing = generate_timing(samples, bits);
  record.clocks = {.before_hz = 3.1e9,
                   .after_hz = 3.05e9,
                   .mean_hz = 3.07e9,
                   .cycles = 3.07e9 * record.timing.median_seconds,
                   .throttle_reasons = {"sw_power_cap"},
                   .reason = "no temperature sensor"};
  record.power = {.watts = 301.5,
                  .joules_per_launch = 0.25,
                  .joules_by_counter = 0.25,
                  .joules_by_trapezoid = 0.26,
                  .scope = "package",
                  .valid = false,
                  .reasons = {"the row lasted less than 2 s"}};
  if (bits() % 4 == 0)
    record.trace = {{.seconds = 1, .median_seconds = 2e-6, .clock_hz = 3e9},
                    {.seconds = 2, .median_seconds = 3e-6, .temperature_celsius = 60, .watts = 99}};
  if (bits() % 4 == 0)
    record.together = {{"cpu:0", 2e-6, 2.5e-6, 3e9, 200}, {"cpu:1", 3e-6, 3.5e-6, {}, {}}};
  if (bits() % 4 == 0) record.zeros = {.zeros_median_seconds = 1e-6, .uplift = 0.125};
  if (bits() % 4 == 0) {
    record.step = {.model_flops = 3e9,
                   .roof_bytes = 2e8,
                   .resident_bytes = 5e8,
                   .largest_batch = 40,
                   .read_bytes_per_second = 1.5e10,
                   .flops_per_second = 2e11,
                   .quantisation_error = 0.0234,
                   .taken_bytes = 6e8,
                   .whole_model = Capacity{.weight_bytes = 7e9,
                                           .sequence_bytes = 2e8,
                                           .largest_batch = 25,
                                           .largest_context = 131072,
                                           .allocated = true}};
    record.parts = {
        {"block 0: q", "gemm/bf16/nt/1x768x768", "onednn", "library", 2e-6, 4e-6},
        {"block 0: \"up\"", "layer/gelu/bf16/1x3072", "openmp", "portable", 1e-6, 3e-6}};
  }
  record.verdict = {.ok = true,
                    .error = 0.25,
                    .tolerance = 1.5e-6,
                    .check = "exact integers, element bound on 4096 of 4194304 elements",
                    .relative_error = 3.1e-8,
                    .deterministic = true,
                    .seconds = 0.125};
}

void generate_reason(Record& record, Status status) {
  record.status = status;
  record.reason = fmt::format("made up: {}", name(status));
  if (status == Status::incorrect) {
    record.verdict = {.ok = false, .error = 17.5, .tolerance = 1e-6, .check = "exact integers"};
  }
}

Context generate_context() {
  return {
      .google = {{"date", "2026-01-02T03:04:05+00:00"},
                 {"host_name", "node"},
                 {"executable", "steelyard-gemm"},
                 {"num_cpus", std::int64_t{2}},
                 {"mhz_per_cpu", std::int64_t{3100}},
                 {"cpu_scaling_enabled", false},
                 {"library_build_type", "release"}},
      .caches = {{.type = "Data", .level = 1, .size_bytes = 32768, .sharing = 1},
                 {.type = "Unified", .level = 3, .size_bytes = 33554432, .sharing = 2}},
      .load_average = {0.25, 0.5, 1.0},
      .suite = "gemm quick",
      .build = {{"version", "0.1.0"}, {"compiler", "g++ 12.2.0"}, {"dirty", false}},
      .host = {{"kernel", "6.1.0"}, {"governor", nullptr}, {"governor_reason", "no cpufreq"}},
      .devices = {{{"id", "cpu:0"}, {"name", "CPU"}, {"memory_bytes", std::int64_t{1} << 34}}},
      .timer = {{"resolution_ns", 1.0}, {"overhead_ns", 25.5}},
      .preflight = {{{"device", "cpu:0"},
                     {"check", "governor"},
                     {"value", "powersave"},
                     {"warning", "clocks follow the load"}}},
      .settings = {{"suite", "quick"}, {"min_samples", std::int64_t{10}}},
      .labels = {{"rack", "7"}},
      .argv = {"steelyard-gemm", "--suite", "quick"},
  };
}

}  // namespace

ResultFile generate_results(int rows, int samples, std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  ResultFile file{.context = generate_context()};
  const auto conditions = comparability({{"device", "CPU"}, {"host", "node"}, {"ecc", nullptr}});
  for (int i = 0; i < rows; ++i) {
    const auto m = std::int64_t{i + 1};
    const std::string id = fmt::format("gemm/f32/nn/{}x64x64", m);
    Record record{
        .id = id,
        .family = "gemm",
        .kernel = "onednn",
        .tier = "library",
        .detail = "oneDNN 2.6",
        .device = "cpu:0",
        .device_name = "CPU",
        .unit = "package",
        .fill = "normal",
        .cache = "rotate",
        .mode = "burst",
        .seed = i % 2 ? 42 : bits(),
        .repetitions = 1,
        .reproduce = fmt::format("steelyard-gemm --filter '^{}$'", id),
        .problem = {{"m", m}, {"n", std::int64_t{64}}, {"k", std::int64_t{64}}, {"alpha", 1.0}},
        .flops = 2.0 * 64 * 64 * static_cast<double>(m),
        .bytes = 4.0 * (128.0 * static_cast<double>(m) + 64 * 64),
        .identity = comparability({{"problem", id}, {"fill", "normal"}, {"seed", 42.0}}),
        .conditions = conditions,
    };
    if (i % 10 == 9) {
      generate_reason(record, statuses[(i / 10) % statuses.size()]);
    } else {
      generate_measurement(record, samples, bits);
    }
    file.records.push_back(std::move(record));
  }
  return file;
}

}  // namespace steelyard
