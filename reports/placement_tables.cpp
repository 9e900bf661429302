// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/maturity.h"
#include "reports/placement.h"
#include "reports/step_fields.h"

namespace steelyard {
namespace {

const std::string not_measured = "not measured";

// The one with most of something, if two or more have it.
const Contender* best_by(const PhasePlace& place,
                         const std::function<std::optional<double>(const Contender&)>& value) {
  const Contender* best = nullptr;
  int having = 0;
  for (const Contender& contender : place.contenders) {
    const auto mine = value(contender);
    if (!mine) continue;
    ++having;
    if (best == nullptr || *mine > *value(*best)) best = &contender;
  }
  return having > 1 ? best : nullptr;
}

std::optional<double> tokens_for_money(const Contender& contender) {
  if (!contender.cost_of_tokens) return std::nullopt;
  return 1 / *contender.cost_of_tokens;
}

std::string cost_text(const Contender& contender) {
  return contender.cost_of_tokens
             ? fmt::format("{:.4g} {}", *contender.cost_of_tokens, contender.offer->price->currency)
             : "no price";
}

std::string energy_text(const PhasePlace& place, const Contender& contender) {
  if (!contender.tokens_per_joule) return not_measured;
  return fmt::format("{:.4g} ({})", *contender.tokens_per_joule,
                     place.by_measured_power ? "measured" : "TDP");
}

std::string by_price(const PhasePlace& place) {
  const Contender* best = best_by(place, tokens_for_money);
  return best == nullptr ? "no prices" : fmt::format("{}: {}", best->side->label, cost_text(*best));
}

std::string by_energy(const PhasePlace& place) {
  const Contender* best = best_by(place, [](const Contender& c) { return c.tokens_per_joule; });
  return best == nullptr ? not_measured
                         : fmt::format("{}: {}", best->side->label, energy_text(place, *best));
}

std::vector<std::string> place_row(const PhasePlace& place) {
  if (place.rows == 0)
    return {place.phase, place.contenders.size() > 1 ? "no row in common" : not_measured,
            "",          "",
            "",          "",
            "",          "",
            place.settle};
  const Contender& first = place.contenders[0];
  const std::string best =
      fmt::format("{}: {}", first.side->label, token_rate(first.tokens_per_second, 1));
  if (!place.lead)
    return {place.phase, best, "the only one measured",       "",          "",
            "",          "",   fmt::format("{}", place.rows), place.settle};
  const MeanRatio& lead = *place.lead;
  const std::string second = place.contenders[1].side->label;
  return {place.phase,
          best,
          fmt::format("x {:.3f} ({:.3f} to {:.3f}) of {}", lead.value, lead.wider().lower,
                      lead.wider().upper, second),
          place.is_sure() ? "sure" : "open",
          by_price(place),
          by_energy(place),
          fmt::format("{} below {:.3f} of {}'s price", second, 1 / lead.value, first.side->label),
          fmt::format("{}", place.rows),
          place.settle};
}

std::string labels(const std::vector<const Side*>& sides) {
  std::vector<std::string> found;
  for (const Side* side : sides) found.push_back(side->label);
  return fmt::format("{}", fmt::join(found, ", "));
}

bool any_offer(std::span<const PhasePlace> places) {
  for (const PhasePlace& place : places)
    for (const Contender& contender : place.contenders)
      if (contender.offer) return true;
  return false;
}

// Without prices nothing is said of costs.
void leave_out(Table& table, std::string_view heading) {
  const auto found = std::ranges::find(table.columns, heading, &Column::heading);
  const auto at = found - table.columns.begin();
  table.columns.erase(found);
  for (auto& row : table.rows) row.erase(row.begin() + at);
}

Table best_table(std::span<const PhasePlace> places) {
  Table table{
      .title = "Placement: which device for which work",
      .columns = {{"phase", Align::left},
                  {"fastest", Align::left},
                  {"lead (interval)", Align::left},
                  {"how sure", Align::left},
                  {"lowest cost of 1M tokens", Align::left},
                  {"most tokens/J", Align::left},
                  {"better value", Align::left},
                  {"n"},
                  {"what would settle it", Align::left}},
      .notes = {
          std::string(tokens_note),
          "Of whole models, extrapolated from the blocks measured: geometric means over the n rows "
          "that all devices have whose whole model fits them, the "
          "fastest kernel of each. Sure: the whole interval of the lead lies above 1; it is the "
          "wider of that of these rows and that of rows like these. Better value: the price ratio "
          "below which the second is the better value.",
          "tokens/J: by measured power where all rows of all devices have it, else by the power of "
          "their datasheets (TDP)."}};
  for (const PhasePlace& place : places) {
    table.rows.push_back(place_row(place));
    if (!place.do_not_fit.empty())
      table.notes.push_back(fmt::format("{}: no measured model fits {} as a whole.", place.phase,
                                        labels(place.do_not_fit)));
    if (!place.not_measured.empty() && !place.contenders.empty())
      table.notes.push_back(
          fmt::format("{}: not measured on {}.", place.phase, labels(place.not_measured)));
  }
  if (any_offer(places))
    table.notes.emplace_back("Cost: at the lowest price given of each device.");
  else
    leave_out(table, "lowest cost of 1M tokens");
  return table;
}

std::vector<std::string> price_notes(std::span<const PhasePlace> places) {
  std::vector<std::string> notes;
  for (const PhasePlace& place : places)
    for (const Contender& contender : place.contenders) {
      if (!contender.offer) continue;
      const Price& price = *contender.offer->price;
      const std::string note =
          fmt::format("{}: {:.4g} {} an hour, {}, {}, {}, {}.", contender.side->label,
                      contender.offer->per_hour, price.currency, price.provider, price.contract,
                      price.date, price.source);
      if (std::ranges::count(notes, note) == 0) notes.push_back(note);
    }
  return notes;
}

Table all_table(std::span<const PhasePlace> places, std::span<const Results> results) {
  Table table{.title = "Performance, cost and ecosystem",
              .columns = {{"device", Align::left},
                          {"phase", Align::left},
                          {"performance"},
                          {"of fastest"},
                          {"cost of 1M tokens"},
                          {"tokens/J"},
                          {"ecosystem", Align::left}},
              .notes = price_notes(places)};
  for (const PhasePlace& place : places)
    for (const Contender& contender : place.contenders) {
      if (place.rows == 0) continue;
      table.rows.push_back(
          {contender.side->label, place.phase, token_rate(contender.tokens_per_second, 1),
           percent(contender.tokens_per_second / place.contenders[0].tokens_per_second),
           cost_text(contender), energy_text(place, contender),
           ecosystem(results, *contender.side)});
    }
  std::ranges::stable_sort(table.rows, {}, [](const auto& row) { return row[0]; });
  if (!any_offer(places)) leave_out(table, "cost of 1M tokens");
  return table;
}

}  // namespace

std::vector<Table> placement_tables(std::span<const PhasePlace> places,
                                    std::span<const Results> results) {
  if (std::ranges::all_of(places, [](const PhasePlace& place) {
        return place.contenders.empty() && place.do_not_fit.empty();
      }))
    return {Table{.title = "Placement: which device for which work",
                  .notes = {"Not measured: no steps of models. On each device: steelyard-llm "
                            "--suite standard."}}};
  return {best_table(places), all_table(places, results)};
}

}  // namespace steelyard
