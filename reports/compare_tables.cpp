// SPDX-License-Identifier: Apache-2.0
#include "reports/compare_tables.h"

#include <algorithm>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "reports/statistics.h"

namespace steelyard {
namespace {

std::string value_of(const Series& series) {
  const double value = median(series.values);
  if (series.unit == "s") return seconds(value);
  return fmt::format("{:.4g}{}{}", value, series.unit.empty() ? "" : " ", series.unit);
}

std::string clock_change(const Change& change) {
  const auto& before = change.base->clocks_hz;
  const auto& after = change.candidate->clocks_hz;
  return before.empty() || after.empty() ? "-" : percent_change(median(after) / median(before));
}

std::vector<std::string> cells(const Change& change) {
  const bool compared = change.refused.empty();
  const bool judged = compared && change.shift.has_value();
  std::string verdict = change.verdict();
  if (change.threshold.action == Action::warn) verdict += " (warns only)";
  if (change.threshold.action == Action::track) verdict += " (tracked)";
  return {compared ? percent_change(change.ratio) : "-",
          judged ? percent_change(change.shift->ci95()) : "-",
          verdict,
          value_of(*change.base),
          value_of(*change.candidate),
          judged ? percent(change.shift->smallest_detectable()) : "-",
          judged ? fmt::format("{:.2f} %", 100 * change.shift->deviation) : "-",
          fmt::format("{} / {}", change.base->values.size(), change.candidate->values.size()),
          clock_change(change),
          change.candidate->metric,
          change.candidate->row};
}

Table change_table(std::span<const Change> changes) {
  // Names are long: last, where they widen nothing.
  Table table{.columns = {{"change"},
                          {"ci95"},
                          {"verdict", Align::left},
                          {"before"},
                          {"after"},
                          {"detectable"},
                          {"between runs"},
                          {"runs"},
                          {"clock"},
                          {"metric", Align::left},
                          {"row", Align::left}}};
  for (const Change& change : changes) table.rows.push_back(cells(change));
  return table;
}

std::string intervals_of(const MeanChange& mean) {
  std::string text;
  if (mean.this_suite) text += "; this suite measured again: " + percent_change(*mean.this_suite);
  if (mean.other_workloads)
    text += "; other workloads like these: " + percent_change(*mean.other_workloads);
  return text;
}

// What stands before the rows.
Table summary(const Changes& changes) {
  Table table{.title = "Performance changes",
              .notes = {fmt::format("{} ({} against {})", headline(changes), changes.candidate,
                                    changes.base)}};
  if (changes.mean)
    table.notes.push_back(fmt::format("Geometric mean of {} rows: {}{}.", changes.mean->rows,
                                      percent_change(changes.mean->ratio),
                                      intervals_of(*changes.mean)));
  for (const Difference& difference : changes.lifted)
    table.notes.push_back(
        fmt::format("NOT LIKE WITH LIKE, by --allow-diff: {} is {} before and {} "
                    "after in {} rows.",
                    difference.field, difference.values[0], difference.values[1], difference.rows));
  return table;
}

const Table legend{
    .notes = {
        "change: of the geometric mean of the runs, above 0 is worse. ci95: its 95 % interval. "
        "detectable: what a test of so many runs finds with 95 % probability. between runs: "
        "the standard deviation of the runs of one side. clock: a diagnosis, which no verdict "
        "takes into account."}};

Table refusals(const Changes& changes) {
  Table table{.title = "Refused",
              .columns = {{"row", Align::left},
                          {"field", Align::left},
                          {"before", Align::left},
                          {"after", Align::left}}};
  for (const Change& change : changes.rows)
    for (const Difference& difference : change.refused)
      table.rows.push_back(
          {change.candidate->row, difference.field, difference.values[0], difference.values[1]});
  return table;
}

Table inconclusive_rows(const Changes& changes) {
  Table table{.title = "Inconclusive",
              .columns = {{"why", Align::left}, {"metric", Align::left}, {"row", Align::left}}};
  for (const Change& change : changes.rows)
    if (change.verdict() == name(Finding::inconclusive) && change.gates())
      table.rows.push_back({change.reason, change.candidate->metric, change.candidate->row});
  return table;
}

Table other_rows(const Changes& changes) {
  Table table{.title = "Not compared",
              .columns = {{"row", Align::left}, {"what", Align::left}, {"why", Align::left}}};
  for (const RowNotMeasured& row : changes.not_measured)
    table.rows.push_back({row.row, std::string(name(row.status)), row.reason});
  for (const RowNotMeasured& row : changes.not_measured_before)
    table.rows.push_back({row.row, std::string(name(row.status)) + " before", row.reason});
  for (const std::string& row : changes.added) table.rows.push_back({row, "new", ""});
  for (const std::string& row : changes.missing) table.rows.push_back({row, "missing", ""});
  return table;
}

std::string with_rows(const Changes& changes, std::string (*write)(const Table&)) {
  std::string result;
  for (const Table& table : {inconclusive_rows(changes), refusals(changes), other_rows(changes)})
    if (!table.rows.empty()) result += write(table);
  return result;
}

}  // namespace

std::string headline(const Changes& changes) {
  int failed = 0, allowed = 0, improved = 0, passes = 0, open = 0, refused = 0, gated = 0;
  for (const Change& change : changes.rows) {
    if (!change.gates()) continue;
    ++gated;
    if (change.fails())
      ++failed;
    else if (!change.refused.empty())
      ++refused;
    else if (change.finding == Finding::regression)
      ++allowed;
    else if (change.finding == Finding::improvement)
      ++improved;
    else if (change.finding == Finding::pass)
      ++passes;
    else
      ++open;
  }
  std::string text = fmt::format("{} of {} rows regressed", failed, gated);
  for (const auto& [count, what] : {std::pair(allowed, "regressed as allowed"),
                                    std::pair(open, "inconclusive"), std::pair(refused, "refused"),
                                    std::pair(improved, "improved"), std::pair(passes, "passed")})
    if (count > 0) text += fmt::format("; {} {}", count, what);
  return text + ".";
}

std::string text_of(const Changes& changes) {
  return text(summary(changes)) + text(change_table(changes.rows)) + with_rows(changes, text) +
         text(legend);
}

std::string markdown_of(const Changes& changes) {
  constexpr std::size_t shown = 20, most_bytes = 900'000;
  const std::span all(changes.rows);
  const auto worst = all.first(std::min(shown, all.size()));
  auto rest = all.subspan(worst.size());
  std::string others = with_rows(changes, markdown);
  if (others.size() > most_bytes / 3)
    others = "More rows are inconclusive, refused or not compared than fit here: see the JSON.\n\n";
  std::string result = markdown(summary(changes)) + markdown(change_table(worst));
  if (!rest.empty()) {
    std::string folded = markdown(change_table(rest));
    while (result.size() + others.size() + folded.size() > most_bytes && !rest.empty()) {
      rest = rest.first(rest.size() / 2);
      folded = markdown(change_table(rest));
    }
    const std::size_t left_out = all.size() - worst.size() - rest.size();
    result += fmt::format("<details><summary>{} more rows</summary>\n\n{}</details>\n\n",
                          rest.size(), folded);
    if (left_out > 0)
      result += fmt::format("{} rows that changed less are left out: see the JSON.\n\n", left_out);
  }
  return result + others + markdown(legend);
}

}  // namespace steelyard
