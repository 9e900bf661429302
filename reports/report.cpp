// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>
#include <stdexcept>

#include <fmt/format.h>

#include "reports/appendix.h"
#include "reports/claims.h"
#include "reports/commands.h"
#include "reports/costs.h"
#include "reports/document.h"
#include "reports/efficiency.h"
#include "reports/exit_code.h"
#include "reports/fits.h"
#include "reports/group_by.h"
#include "reports/headline.h"
#include "reports/html.h"
#include "reports/maturity.h"
#include "reports/means.h"
#include "reports/output.h"
#include "reports/overview.h"
#include "reports/placement.h"
#include "reports/prices.h"
#include "reports/product.h"
#include "reports/published.h"
#include "reports/published_tables.h"
#include "reports/relative_charts.h"
#include "reports/relative_tables.h"
#include "reports/roofline.h"
#include "reports/scenarios.h"
#include "reports/sources.h"
#include "reports/steps.h"
#include "reports/summary.h"

namespace steelyard {
namespace {

struct Report {
  std::string text;
  int exit_code = passed;
};

// What a report knows beside results.
struct Known {
  std::vector<Price> prices;
  std::vector<Claim> claims;
};

Known known(const ReportOptions& options) {
  Known all{.claims = shipped_claims()};
  if (!options.prices.empty()) all.prices = read_prices(options.prices);
  if (!options.claims.empty())
    std::ranges::move(read_claims(options.claims), std::back_inserter(all.claims));
  return all;
}

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
        "rows, to its bandwidth, unless they move no memory of the device: in a cache, or over the "
        "host's link."}};

const Table relative_method{
    .notes = {
        "A ratio is the reference's time divided by this side's: above 1 is faster than the "
        "reference. Devices that were measured together solve a problem each, and ratios count all "
        "of them, but for latencies. A ratio's 95 % interval (ci95) joins both intervals on the "
        "logarithmic scale. "
        "A geometric mean is taken over the rows that both have and may be compared. Its two "
        "intervals answer two questions. This suite: how well the mean of just these rows is "
        "known, by their intervals joined (root of the sum of squares over n, on logarithms). "
        "Workloads like these: where the mean of other rows of their kind may lie, by the "
        "spread of the ratios (Student's t on their logarithms)."}};

void add_steps(Document& document, const Results& results, std::span<const Measurement> rows,
               std::span<const Side> devices) {
  for (const Table& table : {utilisation(rows), scenarios(rows), learning(rows), capacities(rows),
                             largest_models(devices), quantisation(rows)})
    document.add(table);
  const auto unfit = without_room(results);
  for (const std::string_view field : {"batch", "context"}) {
    document.add(curves(rows, unfit, field));
    document.add(curve_charts(rows, field));
  }
  document.add(parts_of_steps(rows));
}

void add_published(Document& document, std::span<const Side> all, bool with_costs) {
  document.add(published_problems(all, published()));
  document.add(published_phases(all, published(), with_costs));
}

// What is said of devices, and which of them does which work.
void add_verdicts(Document& document, std::span<const Results> results, std::span<const Side> sides,
                  const Known& known) {
  document.add(claim_tables(judge(known.claims, {sides, known.prices, published()})));
  document.add(placement_tables(place(sides, known.prices), results));
}

void add_appendix(Document& document, std::span<const Results> results,
                  const std::vector<Table>& how) {
  document.add(speed_on_zeros(results));
  document.add(not_measured(results));
  document.add(how);
  document.add(sources(results));
  document.add(Table{.title = "Commands"});
  for (const auto& set : results) {
    document.add(Table{.notes = {"These make the rows of " + set.name + " again:"}});
    document.add(Code{commands(set)});
  }
}

std::string spelled_out(const Document& document, const std::string& format) {
  return format == "html" ? html(document) : markdown(document);
}

// `rows_of` is the only result, or all of them in one group.
Report summarise(std::span<const Results> results, const Results& rows_of,
                 const ReportOptions& options, const Known& known) {
  if (options.format == "csv") return {csv(summary_data(rows_of))};
  const auto rows = measurements(rows_of);
  const auto devices = sides({&rows_of, 1});
  Document document{.title = "Steelyard report", .blocks = {overview(results)}};
  document.add(summary(rows));
  add_steps(document, rows_of, rows, devices);
  if (!known.prices.empty()) document.add(token_cost_table(devices, known.prices));
  if (!options.claims.empty())
    document.add(claim_tables(judge(known.claims, {devices, known.prices, published()})));
  document.add(maturity({&rows_of, 1}, devices));
  document.add(software_gap_charts(devices));
  add_rooflines(document, devices);
  add_published(document, devices, !known.prices.empty());
  add_appendix(document, results, {method});
  if (options.embed) document.attachments = attachments(results);
  return {spelled_out(document, options.format)};
}

// "; b.json has no measured row".
std::string without_rows(std::span<const Results> results) {
  std::string text;
  for (const Results& set : results)
    if (measurements(set).empty()) text += fmt::format("; {} has no measured row", set.name);
  return text;
}

// `compared` are the results themselves, or groups of them.
Report relate(std::span<const Results> results, std::span<const Results> compared,
              const ReportOptions& options, const Known& known) {
  const auto all = sides(compared);
  if (all.size() < 2)
    throw std::invalid_argument(
        "a reference needs a second device or result to be compared with it" +
        without_rows(compared));
  const Relative relative = relate(all, find_side(all, options.reference));
  const int exit_code = anything_compared(relative) ? passed : incomparable;
  if (options.format == "csv") return {csv(relative_data(all, relative)), exit_code};
  Document document{.title = "Steelyard report"};
  document.add(headline(all, relative));
  document.add(overview(results));
  document.add(mean_table(all, relative));
  add_verdicts(document, compared, all, known);
  document.add(product_table(all, relative.reference));
  if (!known.prices.empty()) {
    document.add(value_table(all, relative, known.prices));
    document.add(token_cost_table(all, known.prices));
  }
  document.add(watt_mean_table(all, relative));
  document.add(fit_table(all));
  document.add(largest_models(all));
  document.add(condition_table(all, relative));
  document.add(ratio_charts(all, relative));
  document.add(comparison_tables(all, relative));
  document.add(share_table(all, relative));
  document.add(watt_table(all, relative));
  document.add(maturity(compared, all));
  document.add(software_gap_charts(all));
  add_rooflines(document, all);
  add_published(document, all, !known.prices.empty());
  document.add(kernel_table(all));
  document.add(refusal_table(all, relative));
  add_appendix(document, results, {method, relative_method});
  if (options.embed) document.attachments = attachments(results);
  return {spelled_out(document, options.format), exit_code};
}

void check(const ReportOptions& options) {
  if (options.embed && options.format != "html")
    throw std::invalid_argument("--embed puts files into HTML; add --format html");
  if (options.format != "csv") return;
  for (const auto& [option, file] :
       {std::pair("--prices", &options.prices), std::pair("--claims", &options.claims)})
    if (!file->empty())
      throw std::invalid_argument(fmt::format(
          "{} adds tables, and CSV is the rows alone; choose --format md or html", option));
}

}  // namespace

int report(const ReportOptions& options) try {
  check(options);
  std::vector<Results> results;
  for (const auto& path : options.results) results.push_back(load_results(path));
  const Known beside = known(options);
  const auto groups =
      options.group_by.empty() ? std::vector<Results>() : grouped(results, options.group_by);
  const auto& compared = groups.empty() ? results : groups;
  const bool side_by_side = compared.size() > 1 || !options.reference.empty();
  const Report made = side_by_side ? relate(results, compared, options, beside)
                                   : summarise(results, compared.front(), options, beside);
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
