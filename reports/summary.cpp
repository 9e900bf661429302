// SPDX-License-Identifier: Apache-2.0
#include "reports/summary.h"

#include <algorithm>
#include <set>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/sources.h"

namespace steelyard {
namespace {

// Columns that would say nothing are left out. What is alike in all rows stands in a note.
enum class Omit { never, when_empty, when_alike };

struct Field {
  Column column;
  std::string (*cell)(const Measurement&);
  Omit omit = Omit::never;
};

std::string share(const Measurement& measurement) {
  const auto value = share_of_peak(measurement);
  return value ? percent(*value) : "";
}

std::string share_of_best(const Measurement& measurement) {
  if (!measurement.share_of_best) return "";
  return *measurement.share_of_best == 1 ? "best" : percent(*measurement.share_of_best);
}

// Nothing for the usual single run.
std::string several_runs(const Measurement& measurement) {
  return measurement.runs.size() > 1 ? std::to_string(measurement.runs.size()) : "";
}

std::string detail(const Measurement& measurement) {
  return measurement.row().detail;
}

const Field fields[] = {
    {{"problem", Align::left}, [](const Measurement& m) { return m.row().id; }},
    {{"kernel", Align::left}, [](const Measurement& m) { return m.row().kernel; }},
    {{"tier", Align::left}, [](const Measurement& m) { return m.row().tier; }},
    {{"device", Align::left},
     [](const Measurement& m) { return m.row().device; },
     Omit::when_alike},
    {{"fill", Align::left}, [](const Measurement& m) { return m.row().fill; }, Omit::when_alike},
    {{"cache", Align::left}, [](const Measurement& m) { return m.row().cache; }, Omit::when_alike},
    {{"mode", Align::left}, [](const Measurement& m) { return m.row().mode; }, Omit::when_alike},
    {{"runs"}, several_runs, Omit::when_empty},
    {{"median"}, [](const Measurement& m) { return seconds(m.time.seconds); }},
    {{"± (ci95)"}, [](const Measurement& m) { return half_width(m.time); }},
    {{"rate"}, performance},
    {{"of best"}, share_of_best, Omit::when_empty},
    {{"of peak"}, share, Omit::when_empty},
    {{"flags", Align::left}, flags, Omit::when_empty},
    {{"detail", Align::left}, detail, Omit::when_empty},
};

bool omitted(const Field& field, std::span<const Measurement> rows) {
  if (field.omit == Omit::never) return false;
  const std::string first = field.cell(rows.front());
  if (field.omit == Omit::when_empty && !first.empty()) return false;
  return std::all_of(rows.begin(), rows.end(),
                     [&](const Measurement& row) { return field.cell(row) == first; });
}

// The datasheets behind the shares of the peak.
std::vector<std::string> datasheets(std::span<const Measurement> rows) {
  std::set<std::string> found;
  for (const auto& row : rows)
    if (const Fact* fact = peak(row.row()))
      found.insert(fmt::format("Peak of {}: {} ({}).", row.row().device_name, fact->source,
                               fact->confidence));
  return {found.begin(), found.end()};
}

Table family_table(std::span<const Measurement> rows) {
  Table table{.title = rows.front().row().family};
  table.rows.resize(rows.size());
  std::vector<std::string> alike;
  for (const auto& field : fields) {
    if (omitted(field, rows)) {
      if (field.omit == Omit::when_alike)
        alike.push_back(fmt::format("{} {}", field.column.heading, field.cell(rows.front())));
      continue;
    }
    table.columns.push_back(field.column);
    for (std::size_t i = 0; i < rows.size(); ++i) table.rows[i].push_back(field.cell(rows[i]));
  }
  if (!alike.empty()) table.notes.push_back(fmt::format("All rows: {}.", fmt::join(alike, ", ")));
  if (metric(rows.front().row()) == Metric::tokens)
    table.notes.insert(table.notes.end(), {std::string(tokens_note), std::string(blocks_note)});
  for (const auto& source : datasheets(rows)) table.notes.push_back(source);
  return table;
}

// As many digits as two implementations of log and exp agree on.
std::string number(double value) {
  return fmt::format("{:.12g}", value);
}

// Empty for a row that was not measured.
template <double (*value)(const Measurement&)>
std::string if_ok(const Measurement& measurement) {
  return measurement.row().status == Status::ok ? number(value(measurement)) : "";
}

double time(const Measurement& m) {
  return m.time.seconds;
}
double lower(const Measurement& m) {
  return m.time.ci95.lower;
}
double upper(const Measurement& m) {
  return m.time.ci95.upper;
}
double flop_rate(const Measurement& m) {
  return m.row().flops / m.time.seconds;
}
double bandwidth(const Measurement& m) {
  return m.row().bytes / m.time.seconds;
}

std::string step_time(const Measurement& m) {
  return m.row().status == Status::ok && m.row().steps > 0 ? number(m.time.seconds / m.row().steps)
                                                           : "";
}

std::string share_of_best_data(const Measurement& m) {
  return m.share_of_best ? number(*m.share_of_best) : "";
}

std::string share_data(const Measurement& m) {
  const auto value = m.row().status == Status::ok ? share_of_peak(m) : std::nullopt;
  return value ? number(*value) : "";
}

std::string flags_data(const Measurement& m) {
  return m.row().status == Status::ok ? flags(m) : "";
}

const Field data_fields[] = {
    {{"family"}, [](const Measurement& m) { return m.row().family; }},
    {{"problem"}, [](const Measurement& m) { return m.row().id; }},
    {{"kernel"}, [](const Measurement& m) { return m.row().kernel; }},
    {{"tier"}, [](const Measurement& m) { return m.row().tier; }},
    {{"detail"}, detail},
    {{"device"}, [](const Measurement& m) { return m.row().device; }},
    {{"device_name"}, [](const Measurement& m) { return m.row().device_name; }},
    {{"unit"}, [](const Measurement& m) { return m.row().unit; }},
    {{"fill"}, [](const Measurement& m) { return m.row().fill; }},
    {{"cache"}, [](const Measurement& m) { return m.row().cache; }},
    {{"mode"}, [](const Measurement& m) { return m.row().mode; }},
    {{"runs"}, [](const Measurement& m) { return std::to_string(m.runs.size()); }},
    {{"status"}, [](const Measurement& m) { return std::string(name(m.row().status)); }},
    {{"reason"}, [](const Measurement& m) { return m.row().reason; }},
    {{"median_seconds"}, if_ok<time>},
    {{"ci95_lower_seconds"}, if_ok<lower>},
    {{"ci95_upper_seconds"}, if_ok<upper>},
    {{"flops_per_second"}, if_ok<flop_rate>},
    {{"bytes_per_second"}, if_ok<bandwidth>},
    {{"seconds_per_step"}, step_time},
    {{"share_of_best"}, share_of_best_data},
    {{"share_of_peak"}, share_data},
    {{"flags"}, flags_data},
    {{"reproduce"}, [](const Measurement& m) { return m.row().reproduce; }},
    {{"file"}, files_of},
    {{"sha256"}, hashes_of},
};

std::vector<std::string> data_row(const Measurement& measurement) {
  std::vector<std::string> cells;
  for (const auto& field : data_fields) cells.push_back(field.cell(measurement));
  return cells;
}

}  // namespace

std::vector<Table> summary(std::span<const Measurement> measurements) {
  std::vector<Table> tables;
  for (auto rows = measurements; !rows.empty();) {
    const std::string& family = rows.front().row().family;
    const auto end = std::find_if(rows.begin(), rows.end(), [&](const Measurement& row) {
      return row.row().family != family;
    });
    const auto count = static_cast<std::size_t>(end - rows.begin());
    tables.push_back(family_table(rows.first(count)));
    rows = rows.subspan(count);
  }
  return tables;
}

Table summary_data(const Results& results) {
  Table table;
  for (const auto& field : data_fields) table.columns.push_back(field.column);
  for (const auto& measurement : measurements(results)) table.rows.push_back(data_row(measurement));
  for (const auto& file : results.files)
    for (const auto& record : file.records)
      if (record.status != Status::ok) table.rows.push_back(data_row({.runs = {&record}}));
  return table;
}

}  // namespace steelyard
