// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/claims.h"

namespace steelyard {
namespace {

int rows_of(const Judged& judged, bool is_published) {
  int rows = 0;
  for (const Finding& finding : judged.findings)
    if (finding.is_published == is_published) rows += finding.rows;
  return rows;
}

std::string verdict(const Judged& judged, bool is_published) {
  const Judgement judgement = overall(judged, is_published);
  if (judgement == Judgement::not_measured) return is_published ? "" : std::string(name(judgement));
  const bool own = std::ranges::any_of(judged.findings, &Finding::by_own_source);
  return fmt::format("{} (n = {}{})", name(judgement), rows_of(judged, is_published),
                     is_published && own ? ", its own source's" : "");
}

std::string ratio_text(double value) {
  if (std::isinf(value)) return "fits the first alone";
  return value == 0 ? "fits the second alone" : fmt::format("{:.3f}", value);
}

// A single published value has none.
std::string interval_text(const Finding& finding) {
  const Interval& interval = finding.interval;
  if (std::isinf(interval.lower) || interval.upper == 0) return "";
  if (finding.is_published && interval.lower == interval.upper) return "none";
  return fmt::format("{:.3f} to {:.3f}", interval.lower, interval.upper);
}

std::string band_text(const Interval& band) {
  if (std::isinf(band.upper)) return fmt::format("{:g} or more", band.lower);
  return fmt::format("{:g} to {:g}", band.lower, band.upper);
}

std::string quantity_text(const Claim& claim) {
  if (claim.aggregate == Claim::Aggregate::largest_batch) return "model FLOP/s";
  switch (claim.quantity) {
    case Claim::Quantity::speed:
      return "speed";
    case Claim::Quantity::utilisation:
      return "share of GEMM rate";
    case Claim::Quantity::share_of_peak:
      return "share of peak";
    case Claim::Quantity::speed_per_price:
      break;
  }
  return "speed per price";
}

// Only so many: the pairs of twenty devices would hide the rest.
std::string missing_text(const std::vector<std::string>& missing) {
  constexpr std::size_t most = 4;
  if (missing.empty()) return "";
  const auto shown = std::span(missing).first(std::min(most, missing.size()));
  const std::size_t more = missing.size() - shown.size();
  return fmt::format(" Not found: {}{}.", fmt::join(shown, "; "),
                     more > 0 ? fmt::format("; and {} more", more) : "");
}

Table verdicts(std::span<const Judged> judged) {
  Table table{.title = "Claims",
              .columns = {{"claim", Align::left},
                          {"name", Align::left},
                          {"by these results", Align::left},
                          {"by numbers published by others", Align::left}}};
  for (const Judged& one : judged) {
    const Claim& claim = one.claim;
    table.rows.push_back({claim.text, claim.name, verdict(one, false), verdict(one, true)});
    table.notes.push_back(fmt::format("{}: {}, {}.{}{}{}", claim.name, claim.source, claim.date,
                                      claim.decides.empty() ? "" : " ", claim.decides,
                                      missing_text(one.missing)));
  }
  return table;
}

Table evidence(std::span<const Judged> judged) {
  Table table{
      .title = "What claims rest on",
      .columns = {{"claim", Align::left},
                  {"numbers", Align::left},
                  {"first", Align::left},
                  {"second", Align::left},
                  {"quantity", Align::left},
                  {"first over second"},
                  {"95 % interval"},
                  {"band"},
                  {"n"},
                  {"verdict", Align::left},
                  {"note", Align::left}},
      .notes = {
          "A ratio is the geometric mean over n rows, or the largest where a claim is of some "
          "rows. "
          "Its interval is the wider of two: how well the mean of these rows is known, and, from "
          "their spread, how far that of other rows like these may lie (Student's t on "
          "logarithms). "
          "Supported: all of it lies in the band. Contradicted: all of it lies outside. Else "
          "mixed.",
          "Published by others: values of one series divided by each other; nothing of it was "
          "measured "
          "here."}};
  for (const Judged& one : judged)
    for (const Finding& f : one.findings)
      table.rows.push_back({one.claim.name, f.is_published ? "published by others" : "measured",
                            f.a, f.b, quantity_text(one.claim), ratio_text(f.value),
                            interval_text(f), band_text(one.claim.band), fmt::format("{}", f.rows),
                            std::string(name(f.judgement)), f.note});
  return table;
}

}  // namespace

std::vector<Table> claim_tables(std::span<const Judged> judged) {
  return {verdicts(judged), evidence(judged)};
}

}  // namespace steelyard
