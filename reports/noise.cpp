// SPDX-License-Identifier: Apache-2.0
#include "reports/noise.h"

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "reports/shift.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

double false_alarm_share(std::vector<double> runs) {
  constexpr int divisions = 2000;
  constexpr double alpha = 0.01;
  std::mt19937_64 bits(1);
  const std::size_t half = runs.size() / 2;
  int alarms = 0;
  for (int i = 0; i < divisions; ++i) {
    for (std::size_t j = runs.size() - 1; j > 0; --j) std::swap(runs[j], runs[bits() % (j + 1)]);
    const std::span all(runs);
    alarms += judge(shift(all.first(half), all.subspan(half)), {}, alpha) == Finding::regression;
  }
  return static_cast<double>(alarms) / divisions;
}

}  // namespace

NoiseCard noise_of(const RunSet& runs) {
  constexpr std::size_t fewest = 4;
  NoiseCard card;
  for (const Series& series : runs.series) {
    if (series.metric != "time" || series.values.size() < fewest) continue;
    card.rows[series.row] = {.runs = static_cast<int>(series.values.size()),
                             .deviation = log_deviation(series.values),
                             .autocorrelation = lag1_autocorrelation(series.values),
                             .bimodality = divide(series.values).separation,
                             .false_alarm_share = false_alarm_share(series.values)};
  }
  return card;
}

Table noise_table(const NoiseCard& card) {
  Table table{
      .title = "Noise between runs",
      .columns = {{"row", Align::left},
                  {"runs"},
                  {"deviation"},
                  {"autocorrelation"},
                  {"bimodality"},
                  {"false alarms"},
                  {"detectable, 5 runs"},
                  {"10 runs"},
                  {"15 runs"}},
      .notes = {"deviation: standard deviation of the runs. bimodality: Ashman's D, above 4 "
                "two levels. false alarms: share of random halvings of the runs that a test "
                "at 1 % calls a regression of more than 1.5 %. detectable: the change that "
                "so many runs a side find with 95 % probability."}};
  std::vector<std::pair<std::string, RowNoise>> rows(card.rows.begin(), card.rows.end());
  std::ranges::stable_sort(rows, std::greater(),
                           [](const auto& row) { return row.second.deviation; });
  const auto percent = [](double share) { return fmt::format("{:.2f} %", 100 * share); };
  for (const auto& [row, noise] : rows)
    table.rows.push_back({row, fmt::format("{}", noise.runs), percent(noise.deviation),
                          fmt::format("{:+.2f}", noise.autocorrelation),
                          fmt::format("{:.1f}", noise.bimodality), percent(noise.false_alarm_share),
                          percent(smallest_detectable(noise.deviation, 5)),
                          percent(smallest_detectable(noise.deviation, 10)),
                          percent(smallest_detectable(noise.deviation, 15))});
  return table;
}

}  // namespace steelyard
