// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <map>

#include "reports/foreign.h"
#include "reports/json_place.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

// Members of a row that are not counters (src/json_reporter.cc of Google Benchmark 1.7 to 1.9).
constexpr std::array no_counters = {"family_index",
                                    "per_family_instance_index",
                                    "repetitions",
                                    "repetition_index",
                                    "threads",
                                    "iterations",
                                    "real_time",
                                    "cpu_time",
                                    "cpu_coefficient",
                                    "real_coefficient",
                                    "rms",
                                    "allocs_per_iter",
                                    "max_bytes_used",
                                    "total_allocated_bytes",
                                    "net_heap_growth"};

double seconds_of(const JsonPlace& row) {
  const std::string unit = row.has("time_unit") ? row.at("time_unit").text() : "ns";
  for (const auto& [name, seconds] :
       {std::pair("ns", 1e-9), std::pair("us", 1e-6), std::pair("ms", 1e-3), std::pair("s", 1.0)})
    if (unit == name) return seconds;
  row.at("time_unit").fail("is " + unit + ": it must be ns, us, ms or s", "measure again");
}

// Whether it stands for others: mean, stddev, BigO.
bool is_aggregate(const JsonPlace& row) {
  return row.has("run_type") && row.at("run_type").text() == "aggregate";
}

struct Value {
  std::string unit;
  std::vector<double> repetitions;
};

using Values = std::map<std::pair<std::string, std::string>, Value>;  // by row and metric

void take_values(const JsonPlace& row, const std::string& name, Values& values) {
  const double unit = seconds_of(row);
  const auto add = [&](const std::string& metric, const std::string& of, double value) {
    Value& all = values[{name, metric}];
    all.unit = of;
    all.repetitions.push_back(value);
  };
  add("time", "s", unit * row.at("real_time").number());
  add("cpu_time", "s", unit * row.at("cpu_time").number());
  for (const auto& [member, value] : row.json().items())
    if (value.is_number() && std::ranges::count(no_counters, member) == 0)
      add(member, "", value.get<double>());
}

}  // namespace

RunSet read_google_benchmark(std::string_view text, const std::filesystem::path& file) {
  const nlohmann::json document = parse_json(text, file);
  const JsonPlace root(document, file);
  const JsonPlace context = root.at("context");
  const auto told = [&](const char* name) {
    return context.has(name) ? context.at(name).text() : std::string();
  };
  RunSet run{.name = file.string(), .date = told("date"), .host = told("host_name")};
  Values values;
  bool aggregates = false;
  for (const JsonPlace& row : root.at("benchmarks").elements()) {
    const std::string name = row.at(row.has("run_name") ? "run_name" : "name").text();
    const auto flagged = [&](const char* flag) {
      return row.has(flag) && row.at(flag).json() == nlohmann::json(true);
    };
    if (flagged("error_occurred"))
      run.not_measured.push_back({name, Status::failed, row.at("error_message").text()});
    else if (flagged("skipped"))
      run.not_measured.push_back({name, Status::skipped, row.at("skip_message").text()});
    else if (is_aggregate(row))
      aggregates = true;
    else
      take_values(row, name, values);
  }
  if (aggregates && values.empty())
    root.fail("holds aggregates only", "run without --benchmark_report_aggregates_only");
  for (auto& [place, value] : values)
    run.series.push_back({.row = place.first,
                          .metric = place.second,
                          .unit = value.unit,
                          .values = {trimmed_mean(value.repetitions)}});
  return run;
}

}  // namespace steelyard
