// SPDX-License-Identifier: Apache-2.0
#include "reports/costs.h"

#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/efficiency.h"
#include "reports/mean_ratio.h"
#include "reports/natural_order.h"
#include "reports/product.h"
#include "reports/relative_tables.h"
#include "reports/step_fields.h"
#include "reports/steps.h"

namespace steelyard {
namespace {

const std::vector<Column> offer_columns = {{"provider", Align::left},
                                           {"instance", Align::left},
                                           {"contract", Align::left},
                                           {"date", Align::left},
                                           {"an hour"}};

std::vector<std::string> offer_cells(const Offer& offer) {
  const Price& price = *offer.price;
  return {price.provider, price.instance, price.contract, price.date,
          fmt::format("{:.3f} {}", offer.per_hour, price.currency)};
}

void append(std::vector<std::string>& cells, const std::vector<std::string>& more) {
  cells.insert(cells.end(), more.begin(), more.end());
}

// "No price of: Alpha.", and what a share of a price is.
std::vector<std::string> price_notes(std::span<const Side> sides, std::span<const Price> prices) {
  std::vector<std::string> without, dies;
  for (const Side& side : sides) {
    const bool has_offer = !offers(side, prices).empty();
    if (!has_offer) without.push_back(side.label);
    if (has_offer && product(side).is_die) dies.push_back(side.label);
  }
  std::vector<std::string> notes = {"Prices are the user's (--prices), as of their dates."};
  if (!dies.empty())
    notes.push_back(
        fmt::format("Of {}: a die's share of its package's price.", fmt::join(dies, ", ")));
  if (!without.empty()) notes.push_back(fmt::format("No price of: {}.", fmt::join(without, ", ")));
  return notes;
}

struct NaturalLess {
  bool operator()(const std::string& a, const std::string& b) const { return natural_less(a, b); }
};

// The fastest kernels of the steps of models, by their problem and settings.
std::map<std::string, const Measurement*, NaturalLess> fastest_steps(const Side& side) {
  std::map<std::string, const Measurement*, NaturalLess> found;
  for (const Measurement& m : side.measurements) {
    if (metric(m.row()) != Metric::tokens) continue;
    const Measurement*& best = found[m.row().id + " " + settings(m.row())];
    if (best == nullptr || m.time.seconds < best->time.seconds) best = &m;
  }
  return found;
}

}  // namespace

std::optional<double> whole_seconds(const Measurement& m) {
  const Record& row = m.row();
  if (const auto whole = whole_model_seconds(m)) return whole;
  const bool is_whole = number_of(row, "layers") == number_of(row, "blocks");
  return is_whole ? std::optional(m.time.seconds) : std::nullopt;
}

std::vector<Offer> offers(const Side& side, std::span<const Price> prices) {
  const Product of = product(side);
  if (of.spec == nullptr) return {};
  const Spec* package = package_of(*of.spec);
  std::vector<Offer> found;
  for (const Price& price : prices) {
    if (price.gpu == of.spec->name)
      found.push_back({&price, price.per_device_hour * of.devices});
    else if (package != nullptr && price.gpu == package->name)
      found.push_back({&price, price.per_device_hour * of.devices / of.spec->dies_per_package});
  }
  return found;
}

Table value_table(std::span<const Side> sides, const Relative& relative,
                  std::span<const Price> prices) {
  Table table{.title = "Speed per price",
              .columns = {{"family", Align::left},
                          {"kernels", Align::left},
                          {"side", Align::left},
                          {"speed"},
                          {"n"}},
              .notes = price_notes(sides, prices)};
  table.columns.insert(table.columns.end(), offer_columns.begin(), offer_columns.end());
  table.columns.push_back({"speed for 1 an hour"});
  for (const Comparison* comparison : widest_comparisons(relative))
    for (std::size_t i = 0; i < sides.size(); ++i) {
      const bool is_reference = i == relative.reference;
      const std::vector<Ratio> of_rows = ratios(*comparison, i);
      if (!is_reference && of_rows.empty()) continue;
      const double speed = is_reference ? 1 : mean_ratio(of_rows).value;
      for (const Offer& offer : offers(sides[i], prices)) {
        auto& cells = table.rows.emplace_back(std::vector<std::string>{
            comparison->family, selection(*comparison), sides[i].label, factor(speed),
            is_reference ? "" : std::to_string(of_rows.size())});
        append(cells, offer_cells(offer));
        cells.push_back(
            fmt::format("{} per {}", factor(speed / offer.per_hour), offer.price->currency));
      }
    }
  table.notes.push_back(
      "Speed: the geometric mean of ratios to " + sides[relative.reference].label +
      ", which is 1. Compare within one currency, and means of the same rows: n says how many.");
  return table;
}

Table token_cost_table(std::span<const Side> sides, std::span<const Price> prices) {
  Table table{.title = "Cost of tokens",
              .columns = {{"problem", Align::left},
                          {"side", Align::left},
                          {"tier", Align::left},
                          {"whole model"}},
              .notes = price_notes(sides, prices)};
  table.columns.insert(table.columns.end(), offer_columns.begin(), offer_columns.end());
  table.columns.push_back({"1M tokens"});
  for (const Side& side : sides)
    for (const auto& [problem, m] : fastest_steps(side)) {
      const Record& row = m->row();
      const auto whole = whole_seconds(*m);
      if (!whole) continue;
      const double made = tokens_of_all(row);
      for (const Offer& offer : offers(side, prices)) {
        auto& cells = table.rows.emplace_back(
            std::vector<std::string>{row.id, side.label, row.tier, token_rate(made, *whole)});
        append(cells, offer_cells(offer));
        const double cost = offer.per_hour / 3600 * *whole / made * 1e6;
        cells.push_back(fits(row) ? fmt::format("{:.4g} {}", cost, offer.price->currency)
                                  : "does not fit");
      }
    }
  table.notes.emplace_back(tokens_note);
  table.notes.emplace_back(
      "Of the whole model, extrapolated from the blocks measured, with the fastest kernels of each "
      "side. Does not fit: all blocks with this batch are larger than the device's memory.");
  return table;
}

}  // namespace steelyard
