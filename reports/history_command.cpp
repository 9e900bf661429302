// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "reports/change_points.h"
#include "reports/commands.h"
#include "reports/exit_code.h"
#include "reports/glob.h"
#include "reports/history.h"
#include "reports/output.h"
#include "reports/record.h"
#include "reports/render.h"

namespace steelyard {
namespace {

std::vector<double> values_of(const std::vector<HistoryPoint>& points) {
  std::vector<double> values;
  for (const HistoryPoint& point : points) values.push_back(point.value);
  return values;
}

// The lowest value is the lowest bar, the highest the highest.
std::string sparkline(const std::vector<double>& values) {
  constexpr const char* bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const auto [low, high] = std::ranges::minmax(values);
  std::string line;
  for (const double value : values) {
    const double place = high > low ? (value - low) / (high - low) : 0;
    line += bars[std::min(7, static_cast<int>(8 * place))];
  }
  return line;
}

std::string commit_of(const HistoryPoint& point) {
  return point.commit.empty() ? "-" : point.commit.substr(0, 12);
}

Table trend(const std::string& row, const std::vector<HistoryPoint>& points) {
  Table table{.title = row,
              .columns = {{"date", Align::left},
                          {"commit", Align::left},
                          {"time"},
                          {"to the one before"},
                          {"runs"}},
              .notes = {sparkline(values_of(points)) +
                        " (on the newest of its conditions: device, driver, libraries, compiler)"}};
  for (std::size_t i = 0; i < points.size(); ++i)
    table.rows.push_back({points[i].date, commit_of(points[i]), seconds(points[i].value),
                          i == 0 ? "-" : percent_change(points[i].value / points[i - 1].value),
                          fmt::format("{}", points[i].runs)});
  return table;
}

// What every command does around its work.
template <class Work>
int with_history(const HistoryOptions& options, Database::Mode mode, Work work) try {
  History history(options.database, mode);
  return work(history);
} catch (const FileError& error) {
  complain(error.what());
  return usage_error;
}

}  // namespace

int import_history(const HistoryOptions& options) {
  return with_history(options, Database::write, [&](History& history) {
    std::fprintf(stderr, "steelyard: %d new files\n", history.import(options.results));
    return passed;
  });
}

int rebuild_history(const HistoryOptions& options) {
  return with_history(options, Database::write, [&](History& history) {
    std::fprintf(stderr, "steelyard: %d files read again\n", history.rebuild());
    return passed;
  });
}

int show_trend(const HistoryOptions& options) {
  return with_history(options, Database::read, [&](const History& history) {
    std::string text;
    for (const std::string& row : history.rows())
      if (row == options.row || matches(options.row, row))
        text +=
            steelyard::text(trend(row, history.points(row, history.newest_conditions(row)))) + "\n";
    if (text.empty()) {
      complain(
          fmt::format("no row matches {}; a glob such as 'gemm/*' names several", options.row));
      return usage_error;
    }
    write_output(text, {});
    return passed;
  });
}

int show_changes(const HistoryOptions& options) {
  return with_history(options, Database::read, [&](const History& history) {
    Table table{.title = "Changes of level",
                .columns = {{"change"},
                            {"p"},
                            {"first seen", Align::left},
                            {"commit", Align::left},
                            {"row", Align::left}},
                .notes = {"Of 1.5 % at least, with three files on either side: a history finds the "
                          "commit of a change days later, it is no gate."}};
    for (const std::string& row : history.rows()) {
      const auto points = history.points(row, history.newest_conditions(row));
      for (const ChangePoint& change : change_points(values_of(points))) {
        const HistoryPoint& first = points[change.index];
        table.rows.push_back({percent_change(change.ratio), fmt::format("{:.1e}", change.p_value),
                              first.date, commit_of(first), row});
      }
    }
    write_output(text(table), {});
    return passed;
  });
}

}  // namespace steelyard
