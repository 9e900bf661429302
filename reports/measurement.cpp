// SPDX-License-Identifier: Apache-2.0
#include "reports/measurement.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/natural_order.h"
#include "reports/render.h"
#include "reports/statistics.h"
#include "reports/step_fields.h"

namespace steelyard {
namespace {

std::string_view identity(const Record& row) {
  return row.identity ? std::string_view(row.identity->key) : std::string_view();
}

// What kernels compete in: one problem under one identity on one device.
auto contest(const Record& row) {
  return std::tuple(std::string_view(row.fill), std::string_view(row.cache),
                    std::string_view(row.mode), identity(row), std::string_view(row.device));
}

bool precedes(const Measurement& left, const Measurement& right) {
  const Record &a = left.row(), &b = right.row();
  if (a.family != b.family) return a.family < b.family;
  if (a.id != b.id) return natural_less(a.id, b.id);
  if (contest(a) != contest(b)) return contest(a) < contest(b);
  return std::pair(tier_rank(a.tier), std::string_view(a.kernel)) <
         std::pair(tier_rank(b.tier), std::string_view(b.kernel));
}

// `ordered` holds the kernels of each contest one after the other.
void set_shares_of_best(std::vector<Measurement>& ordered) {
  for (auto first = ordered.begin(); first != ordered.end();) {
    const auto last = std::find_if(first, ordered.end(), [&](const Measurement& m) {
      return m.row().id != first->row().id || contest(m.row()) != contest(first->row());
    });
    const double best = std::min_element(first, last, [](const auto& a, const auto& b) {
                          return a.time.seconds < b.time.seconds;
                        })->time.seconds;
    if (last - first > 1)
      std::for_each(first, last, [&](Measurement& m) { m.share_of_best = best / m.time.seconds; });
    first = last;
  }
}

}  // namespace

std::string_view compute_dtype(const Record& row) {
  for (const auto& [name, value] : row.problem)
    if (name == "a" || name == "dtype")
      if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return {};
}

Estimate combine(std::span<const Estimate> runs) {
  if (runs.size() == 1) return runs.front();
  std::vector<double> medians;
  double mean = 0;
  for (const auto& run : runs) {
    medians.push_back(run.seconds);
    mean += std::log(run.seconds) / static_cast<double>(runs.size());
  }
  const double degrees = static_cast<double>(runs.size() - 1);
  const double error = log_deviation(medians) / std::sqrt(static_cast<double>(runs.size()));
  const double half = student_t_quantile(0.975, degrees) * error;
  const double point = median(medians);
  return {point, {std::min(point, std::exp(mean - half)), std::max(point, std::exp(mean + half))}};
}

std::vector<Measurement> measurements(const Results& results) {
  // A folder may hold results of several machines, which name their devices alike.
  std::map<std::array<std::string, 3>, Measurement> alike;
  for (const auto& file : results.files)
    for (const auto& record : file.records)
      if (record.status == Status::ok)
        alike[{key(record), record.device_name, std::string(identity(record))}].runs.push_back(
            &record);
  std::vector<Measurement> found;
  for (auto& [name, measurement] : alike) {
    std::vector<Estimate> runs;
    for (const Record* run : measurement.runs)
      runs.push_back({run->timing.median_seconds, run->timing.ci95_seconds});
    measurement.time = combine(runs);
    found.push_back(std::move(measurement));
  }
  std::stable_sort(found.begin(), found.end(), precedes);
  set_shares_of_best(found);
  return found;
}

int tier_rank(const std::string& tier) {
  static constexpr std::string_view order[] = {"library", "best", "tuned", "portable"};
  return static_cast<int>(std::find(std::begin(order), std::end(order), tier) - std::begin(order));
}

Metric metric(const Record& row) {
  if (text_of(row, "phase") == "quantise") return Metric::bandwidth;  // of weights, not of tokens
  if (row.family == "llm") return Metric::tokens;
  if (row.steps > 0) return Metric::latency;
  const bool memory_bound = row.family == "memory" || row.family == "layers";
  return memory_bound || row.flops == 0 ? Metric::bandwidth : Metric::flops;
}

bool uses_device_memory(const Record& row) {
  const bool crosses_link = row.id.starts_with("copy/") && !row.id.starts_with("copy/d2d/");
  return row.cache != "hot" && !crosses_link;
}

double problems_at_once(const Record& row) {
  if (row.together.empty() || metric(row) == Metric::latency) return 1;
  return static_cast<double>(row.together.size());
}

std::string performance(const Measurement& measurement) {
  const Record& row = measurement.row();
  switch (metric(row)) {
    case Metric::flops:
      return rate(row.flops / measurement.time.seconds, "FLOP/s");
    case Metric::bandwidth:
      return rate(row.bytes / measurement.time.seconds, "B/s");
    case Metric::latency:
      return seconds(measurement.time.seconds / row.steps) + "/step";
    case Metric::tokens:
      break;
  }
  return token_rate(tokens_of_all(row), measurement.time.seconds);
}

const Fact* peak(const Record& row) {
  const Spec* spec = find_spec(row);
  if (!spec) return nullptr;
  switch (metric(row)) {
    case Metric::flops:
      return spec->peak(compute_dtype(row));
    case Metric::bandwidth:
      return spec->memory_bandwidth && uses_device_memory(row) ? &*spec->memory_bandwidth : nullptr;
    case Metric::latency:
    case Metric::tokens:
      break;
  }
  return nullptr;
}

std::optional<double> share_of_peak(const Measurement& measurement) {
  const Record& row = measurement.row();
  const Fact* fact = peak(row);
  if (!fact) return std::nullopt;
  const double work = metric(row) == Metric::flops ? row.flops : row.bytes;
  return work / measurement.time.seconds / (fact->value * devices_of(row));
}

std::string half_width(const Estimate& estimate) {
  const double half =
      std::max(estimate.ci95.upper - estimate.seconds, estimate.seconds - estimate.ci95.lower);
  const double percent = 100 * half / estimate.seconds;
  return percent < 1000 ? fmt::format("{:.2f} %", percent) : "> 999 %";
}

std::string flags(const Measurement& measurement) {
  std::vector<std::string> found;
  const auto add = [&](const std::string& flag) {
    if (std::find(found.begin(), found.end(), flag) == found.end()) found.push_back(flag);
  };
  for (const Record* run : measurement.runs) {
    if (!run->timing.converged) add("not converged");
    if (run->timing.settled == false) add("not settled");
    if (run->verdict.deterministic == false) add("nondeterministic");
    for (const auto& flag : run->timing.flags) add(flag);
  }
  return fmt::format("{}", fmt::join(found, ", "));
}

std::string settings(const Record& row) {
  return row.fill + "/" + row.cache + "/" + row.mode;
}

}  // namespace steelyard
