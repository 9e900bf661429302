// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/maturity.h"
#include "reports/placement.h"
#include "reports/step_fields.h"

namespace steelyard {
namespace {

const std::string not_measured = "not measured";

std::string labels(const std::vector<const Side*>& sides) {
  std::vector<std::string> found;
  for (const Side* side : sides) found.push_back(side->label);
  return fmt::format("{}", fmt::join(found, ", "));
}

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

bool any_offer(const PhasePlace& place) {
  return std::ranges::any_of(place.contenders,
                             [](const Contender& one) { return one.offer.has_value(); });
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
  const Contender* best = best_by(place, [&](const Contender& one) -> std::optional<double> {
    if (!one.cost_of_tokens || one.offer->price->currency != place.currency) return std::nullopt;
    return 1 / *one.cost_of_tokens;
  });
  if (best != nullptr) return fmt::format("{}: {}", best->side->label, cost_text(*best));
  return any_offer(place) ? "no two in one currency" : "no prices";
}

std::string by_energy(const PhasePlace& place) {
  const Contender* best = best_by(place, [](const Contender& c) { return c.tokens_per_joule; });
  return best == nullptr ? not_measured
                         : fmt::format("{}: {}", best->side->label, energy_text(place, *best));
}

std::string why_none(const PhasePlace& place) {
  if (place.contenders.size() > 1) return "no row in common";
  if (!place.do_not_fit.empty()) return "fits none";
  return place.several.empty() ? not_measured : "not measured on one package";
}

std::string why_alone(const PhasePlace& place) {
  if (!place.do_not_fit.empty()) return "the only one that it fits";
  return place.several.empty() ? "the only one measured" : "the only single package measured";
}

std::string how_sure(const PhasePlace& place) {
  if (place.rows == 1) return "open: one row";
  return place.is_sure() ? "sure" : "open";
}

std::vector<std::string> place_row(const PhasePlace& place) {
  if (place.rows == 0) return {place.phase, why_none(place), "", "", "", "", "", "", place.settle};
  const Contender& first = place.contenders[0];
  const std::string best =
      fmt::format("{}: {}", first.side->label, token_rate(first.tokens_per_second, 1));
  if (!place.lead)
    return {place.phase, best, why_alone(place), "", "", "", "", fmt::format("{}", place.rows),
            place.settle};
  const MeanRatio& lead = *place.lead;
  const std::string second = place.contenders[1].side->label;
  return {place.phase,
          best,
          fmt::format("x {} of {}", mean_text(lead), second),
          how_sure(place),
          by_price(place),
          by_energy(place),
          fmt::format("{} below {:.3f} of {}'s price", second, 1 / lead.value, first.side->label),
          fmt::format("{}", place.rows),
          place.settle};
}

bool any_offer(std::span<const PhasePlace> places) {
  return std::ranges::any_of(places, [](const PhasePlace& place) { return any_offer(place); });
}

// Without prices nothing is said of costs.
void leave_out(Table& table, std::string_view heading) {
  const auto found = std::ranges::find(table.columns, heading, &Column::heading);
  const auto at = found - table.columns.begin();
  table.columns.erase(found);
  for (auto& row : table.rows) row.erase(row.begin() + at);
}

// Which devices are missing in a phase, and why.
std::vector<std::string> left_out(const PhasePlace& place) {
  std::vector<std::string> notes;
  const auto note = [&](std::string_view what, const std::vector<const Side*>& sides) {
    if (!sides.empty())
      notes.push_back(fmt::format("{}: {} {}.", place.phase, what, labels(sides)));
  };
  note("no measured model fits as a whole on", place.do_not_fit);
  if (!place.contenders.empty()) note("not measured on", place.not_measured);
  note("no row in common with these, so left out:", place.unrelated);
  return notes;
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
          "fastest kernel of each. Sure: the whole interval of the lead lies above 1 and several "
          "rows say so; it is the wider of that of these rows and that of rows like these. Better "
          "value: the price ratio "
          "below which the second is the better value.",
          "tokens/J: by measured power where all rows of all devices have it, else by the power of "
          "their datasheets (TDP)."}};
  for (const PhasePlace& place : places) {
    table.rows.push_back(place_row(place));
    std::ranges::copy(left_out(place), std::back_inserter(table.notes));
  }
  if (!places.empty() && !places.front().several.empty())
    table.notes.push_back(fmt::format("Left out as several packages at work together: {}.",
                                      labels(places.front().several)));
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
  table.notes.insert(table.notes.begin(), std::string(tokens_note));
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
        return place.contenders.empty() && place.do_not_fit.empty() && place.several.empty();
      }))
    return {Table{.title = "Placement: which device for which work",
                  .notes = {"Not measured: no steps of models. On each device: steelyard-llm "
                            "--suite standard."}}};
  return {best_table(places), all_table(places, results)};
}

}  // namespace steelyard
