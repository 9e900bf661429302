// SPDX-License-Identifier: Apache-2.0
#include "bench/next_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "reports/statistics.h"

namespace steelyard {

Table next_run(std::span<const Record> records) {
  std::vector<std::pair<std::string, std::vector<double>>> rows;  // key and medians
  for (const Record& record : records) {
    if (record.status != Status::ok) continue;
    const std::string row = key(record);
    auto found = std::ranges::find(rows, row, [](const auto& entry) { return entry.first; });
    if (found == rows.end()) found = rows.insert(rows.end(), {row, {}});
    found->second.push_back(record.timing.median_seconds);
  }
  Table table = {.title = "Where the median of another run lies",
                 .columns = {{"row", Align::left},
                             {"runs"},
                             {"median"},
                             {"deviation of runs [%]"},
                             {"95 % from"},
                             {"to"}}};
  for (const auto& [row, medians] : rows) {
    if (medians.size() < 2) continue;
    const Interval next = prediction_interval(medians);
    table.rows.push_back({row, fmt::format("{}", medians.size()), seconds(median(medians)),
                          fmt::format("{:.2f}", 100 * log_deviation(medians)), seconds(next.lower),
                          seconds(next.upper)});
  }
  return table;
}

}  // namespace steelyard
