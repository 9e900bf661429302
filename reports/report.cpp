// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/appendix.h"
#include "reports/commands.h"
#include "reports/exit_code.h"
#include "reports/output.h"
#include "reports/overview.h"
#include "reports/relative_tables.h"
#include "reports/scenarios.h"
#include "reports/steps.h"
#include "reports/summary.h"

namespace steelyard {
namespace {

struct Report {
  std::string text;
  int exit_code = passed;
};

const Table method{
    .title = "Method",
    .notes = {
        "A sample is one window of launches, divided by their number. The median is that of a "
        "run's samples and its 95 % interval (ci95) comes from their order statistics. Several "
        "runs (processes) of a row make the median of their medians, with an interval from the "
        "spread between runs (Student's t on logarithms). ± is the larger half of the interval, "
        "in percent of the median: the interval may be narrower on its other side.",
        "Rates count the least work that any kernel must do, over the median. The share of the "
        "best is the rate in percent of the fastest median's on that problem and device. The share "
        "of the peak refers to the datasheet's dense peak of the data type or, for memory-bound "
        "rows, to its bandwidth."}};

const Table relative_method{
    .notes = {"A ratio is the reference's time divided by this side's: above 1 is faster than the "
              "reference. Its 95 % interval (ci95) joins both intervals on the logarithmic scale. "
              "A geometric mean is taken over the rows that both have and may be compared; it has "
              "no interval, since the rows are no sample of anything."}};

std::string heading(std::span<const Results> results) {
  return "# Steelyard report\n\n" + markdown(overview(results));
}

std::string appendix(std::span<const Results> results, const std::string& how) {
  std::string text;
  for (const Table& table : {speed_on_zeros(results), not_measured(results)})
    if (!table.rows.empty()) text += markdown(table);
  text += how;
  text += "## Commands\n\n";
  for (const auto& set : results) {
    text += markdown({.notes = {"These make the rows of " + set.name + " again:"}});
    text += markdown_code(commands(set));
  }
  return text;
}

std::string about_steps(std::span<const Measurement> rows) {
  std::vector<Table> tables = {utilisation(rows), scenarios(rows), learning(rows), capacities(rows),
                               quantisation(rows)};
  for (const std::string_view field : {"batch", "context"})
    std::ranges::move(curves(rows, field), std::back_inserter(tables));
  std::ranges::move(parts_of_steps(rows), std::back_inserter(tables));
  std::string text;
  for (const Table& table : tables)
    if (!table.rows.empty()) text += markdown(table);
  return text;
}

Report summarise(const Results& results, const std::string& format) {
  if (format == "csv") return {csv(summary_data(results))};
  const auto rows = measurements(results);
  std::string text = heading({&results, 1});
  for (const auto& table : summary(rows)) text += markdown(table);
  text += about_steps(rows);
  return {text + appendix({&results, 1}, markdown(method))};
}

Report relate(std::span<const Results> results, const ReportOptions& options) {
  const auto all = sides(results);
  if (all.size() < 2)
    throw std::invalid_argument(
        "a reference needs a second device or result to be compared with it");
  const Relative relative = relate(all, find_side(all, options.reference));
  const int exit_code = anything_compared(relative) ? passed : incomparable;
  if (options.format == "csv") return {csv(relative_data(all, relative)), exit_code};
  std::string text = heading(results);
  text += markdown(mean_table(all, relative));
  text += markdown(condition_table(all, relative));
  for (const auto& table : comparison_tables(all, relative)) text += markdown(table);
  for (const auto& table : {kernel_table(all), refusal_table(all, relative)})
    if (!table.rows.empty()) text += markdown(table);
  return {text + appendix(results, markdown(method) + markdown(relative_method)), exit_code};
}

}  // namespace

int report(const ReportOptions& options) try {
  std::vector<Results> results;
  for (const auto& path : options.results) results.push_back(load_results(path));
  const bool side_by_side = results.size() > 1 || !options.reference.empty();
  const Report made =
      side_by_side ? relate(results, options) : summarise(results.front(), options.format);
  write_output(made.text, options.output);
  if (made.exit_code == incomparable)
    complain(
        "nothing comparable: the results share no row, or every shared row differs in what "
        "must agree; the report lists the fields");
  return made.exit_code;
} catch (const FileError& error) {
  complain(error.what());
  return usage_error;
} catch (const std::invalid_argument& error) {
  complain(error.what());
  return usage_error;
}

}  // namespace steelyard
