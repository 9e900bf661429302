// SPDX-License-Identifier: Apache-2.0
#include "tests/made_results.h"

#include <fmt/format.h>

namespace steelyard {
namespace {

Record common(const MadeRow& row) {
  return {.id = row.id,
          .family = row.id.substr(0, row.id.find('/')),
          .kernel = row.kernel,
          .tier = row.tier,
          .detail = row.kernel + " 1.2",
          .device = row.device,
          .device_name = row.device_name,
          .unit = "package",
          .fill = row.fill,
          .cache = "rotate",
          .mode = "burst",
          .seed = 42,
          .reproduce = fmt::format("bench --filter '{}/{}'", row.id, row.kernel),
          .problem = {{"kind", "gemm"}, {"a", "f32"}},
          .flops = 2e9,
          .bytes = 1e8,
          .identity = comparability({{"id", row.id}, {"fill", row.fill}}),
          .conditions = comparability({{"device", row.device_name}, {"driver", row.driver}})};
}

}  // namespace

Record made(const MadeRow& row) {
  Record record = common(row);
  record.timing = {.samples_seconds = std::vector<double>(7, row.seconds),
                   .median_seconds = row.seconds,
                   .trimmed_mean_seconds = row.seconds,
                   .minimum_seconds = row.seconds,
                   .ci95_seconds = {row.seconds * (1 - row.half), row.seconds * (1 + row.half)},
                   .converged = true};
  record.verdict = {.ok = true, .error = 0.5, .tolerance = 1e-6, .check = "every element"};
  return record;
}

Record made_unmeasured(const MadeRow& row, Status status, const std::string& reason) {
  Record record = common(row);
  record.status = status;
  record.reason = reason;
  return record;
}

Record made_step(const std::string& device_name, const std::string& phase, std::int64_t batch,
                 double seconds, double half) {
  Record record = made({.id = fmt::format("transformer/toy/{}/b{}", phase, batch),
                        .kernel = "chained",
                        .tier = "best",
                        .seconds = seconds,
                        .half = half,
                        .device_name = device_name});
  record.family = "llm";
  record.problem = {{"kind", "transformer"}, {"model", "toy"}, {"phase", phase},
                    {"dtype", "bf16"},       {"batch", batch}, {"tokens", std::int64_t{1}}};
  record.step = {.model_flops = 1e9 * static_cast<double>(batch), .flops_per_second = 2e12};
  return record;
}

std::vector<Results> made_results(std::vector<std::vector<Record>> of_devices) {
  std::vector<Results> results;
  for (auto& records : of_devices)
    results.push_back(
        made_results(std::string(1, static_cast<char>('a' + results.size())), std::move(records)));
  return results;
}

Results made_results(const std::string& name, std::vector<Record> records) {
  ResultFile file;
  file.context.google = {{"date", "2026-01-02T03:04:05+00:00"}, {"host_name", "node"}};
  file.context.suite = "gemm quick";
  file.context.build = {{"version", "0.1.0"},
                        {"commit", "0123456789abcdef0123456789abcdef01234567"},
                        {"dirty", false},
                        {"compiler", "GNU 12.2.0"},
                        {"flags", " -O3  -DNDEBUG"}};
  if (!records.empty())
    file.context.devices = {{{"id", records.front().device},
                             {"name", records.front().device_name},
                             {"architecture", "sm_90"},
                             {"compute_units", std::int64_t{132}},
                             {"memory_bytes", std::int64_t{1} << 36}}};
  file.records = std::move(records);
  return {.name = name, .files = {std::move(file)}};
}

}  // namespace steelyard
