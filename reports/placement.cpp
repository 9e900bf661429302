// SPDX-License-Identifier: Apache-2.0
#include "reports/placement.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "reports/costs.h"
#include "reports/efficiency.h"
#include "reports/placement_rows.h"
#include "reports/product.h"
#include "reports/statistics.h"
#include "reports/step_fields.h"

namespace steelyard {
namespace {

struct Phase {
  std::string_view name, filter;  // what picks its rows among the keys of a suite
  bool (*has)(const std::string& phase, std::int64_t batch);
};
constexpr std::array phases = {
    Phase{"pre-training", "/train/",
          [](const std::string& p, std::int64_t) { return p == "train"; }},
    Phase{"post-training", "/(lora|score)/",
          [](const std::string& p, std::int64_t) { return p == "lora" || p == "score"; }},
    Phase{"prefill", "/prefill/",
          [](const std::string& p, std::int64_t) { return p == "prefill"; }},
    Phase{"decode, batch to 8", "/decode/",
          [](const std::string& p, std::int64_t batch) { return p == "decode" && batch <= 8; }},
    Phase{"decode, batch from 32", "/decode/",
          [](const std::string& p, std::int64_t batch) { return p == "decode" && batch >= 32; }}};

// The sides that have rows of the phase whose whole model fits, with these rows alone.
std::vector<Side> contending(const Phase& phase, std::span<const Side> sides, PhasePlace& place) {
  std::vector<Side> found;
  for (const Side& side : sides) {
    if (is_of_several_packages(side.measurements.front().row())) {
      place.several.push_back(&side);
      continue;
    }
    Side rows = side;
    std::erase_if(rows.measurements, [&](const Measurement& m) {
      return metric(m.row()) != Metric::tokens ||
             !phase.has(text_of(m.row(), "phase"), number_of(m.row(), "batch"));
    });
    const bool is_measured = !rows.measurements.empty();
    std::erase_if(rows.measurements, [](const Measurement& m) { return !fits(m.row()); });
    if (rows.measurements.empty()) {
      (is_measured ? place.do_not_fit : place.not_measured).push_back(&side);
    } else {
      place.contenders.push_back({.side = &side});
      found.push_back(std::move(rows));
    }
  }
  return found;
}

template <class Value>
double mean_of(const std::vector<Measurement>& rows, Value value) {
  std::vector<double> values;
  for (const Measurement& m : rows) values.push_back(value(m));
  return geometric_mean(values);
}

// Of the whole model, for each problem that is solved at once; only rows that tell it are compared.
Estimate whole(const Measurement& m) {
  const double factor = whole_seconds(m).value() / m.time.seconds / problems_at_once(m.row());
  return {m.time.seconds * factor, {m.time.ci95.lower * factor, m.time.ci95.upper * factor}};
}

double token_speed(const Measurement& m) {
  return tokens(m.row()) / whole(m).seconds;
}

// Either all by what was measured, or all by their datasheets.
void set_energy(PhasePlace& place) {
  bool all_measured = true;
  for (const Contender& contender : place.contenders) {
    const Product of = product(*contender.side);
    for (const Measurement& m : contender.rows) {
      const auto power = watts(m, of);
      all_measured = all_measured && power && power->is_measured;
    }
  }
  for (Contender& contender : place.contenders) {
    const Product of = product(*contender.side);
    const auto datasheet = datasheet_watts(of);
    if (!all_measured && !datasheet) continue;
    contender.tokens_per_joule = mean_of(contender.rows, [&](const Measurement& m) {
      return token_speed(m) / (all_measured ? watts(m, of)->value : *datasheet);
    });
  }
  place.by_measured_power = all_measured;
}

// The currency in which most contenders have an offer; the first by name of several.
std::string currency_of(const PhasePlace& place, std::span<const Price> prices) {
  std::map<std::string, std::set<const Side*>> having;
  for (const Contender& contender : place.contenders)
    for (const Offer& offer : offers(*contender.side, prices))
      having[offer.price->currency].insert(contender.side);
  const auto most =
      std::ranges::max_element(having, {}, [](const auto& one) { return one.second.size(); });
  return most == having.end() ? "" : most->first;
}

std::optional<Offer> lowest(const std::vector<Offer>& offers, const std::string& currency) {
  std::optional<Offer> found;
  for (const Offer& offer : offers)
    if (offer.price->currency == currency && (!found || offer.per_hour < found->per_hour))
      found = offer;
  return found;
}

void set_costs(PhasePlace& place, std::span<const Price> prices) {
  constexpr double seconds_per_hour = 3600, million = 1e6;
  place.currency = currency_of(place, prices);
  for (Contender& contender : place.contenders) {
    const std::vector<Offer> all = offers(*contender.side, prices);
    contender.offer = lowest(all, place.currency);
    if (!contender.offer && !all.empty())
      contender.offer = lowest(all, all.front().price->currency);
    if (contender.offer)
      contender.cost_of_tokens =
          contender.offer->per_hour / seconds_per_hour / contender.tokens_per_second * million;
  }
}

MeanRatio lead_of(const Contender& first, const Contender& second) {
  std::vector<Ratio> ratios;
  for (std::size_t i = 0; i < first.rows.size(); ++i)
    ratios.push_back(speed_ratio(whole(second.rows[i]), whole(first.rows[i])));
  return mean_ratio(ratios);
}

double width(const Measurement& m) {
  return m.time.ci95.upper / m.time.ci95.lower;
}

const Measurement& least_certain(const Contender& contender) {
  return *std::ranges::max_element(contender.rows, {}, width);
}

std::string suite_command(const Phase& phase, std::string_view suite) {
  return fmt::format("steelyard-llm --suite {} --filter '{}'", suite, phase.filter);
}

std::string what_settles(const Phase& phase, const PhasePlace& place) {
  const std::string standard = suite_command(phase, "standard");
  if (place.contenders.empty() && place.do_not_fit.empty()) return standard;
  if (!place.not_measured.empty())
    return fmt::format("on {}: {}", place.not_measured.front()->label, standard);
  if (place.contenders.empty()) return "";
  if (place.rows == 0) return "on each: " + standard;
  if (!place.unrelated.empty())
    return fmt::format("on {}: {}", place.unrelated.front()->label, standard);
  if (!place.lead || place.is_sure()) return "";
  if (place.lead->these_rows.lower > 1) return "on both: " + suite_command(phase, "full");
  const Contender &first = place.contenders[0], &second = place.contenders[1];
  const bool first_is_wider = width(least_certain(first)) > width(least_certain(second));
  const Contender& wider = first_is_wider ? first : second;
  return fmt::format("on {}: {} --repetitions 10", wider.side->label,
                     least_certain(wider).row().reproduce);
}

void set_rows(PhasePlace& place, std::span<const Side> contending) {
  auto rows = shared_rows(contending);
  std::vector<Contender> all = std::exchange(place.contenders, {});
  for (std::size_t i = 0; i < all.size(); ++i)
    if (rows[i]) {
      all[i].rows = std::move(*rows[i]);
      place.contenders.push_back(std::move(all[i]));
    } else {
      place.unrelated.push_back(all[i].side);
    }
  place.rows = static_cast<int>(place.contenders.front().rows.size());
}

PhasePlace place_of(const Phase& phase, std::span<const Side> sides,
                    std::span<const Price> prices) {
  PhasePlace place{.phase = std::string(phase.name)};
  const std::vector<Side> rows = contending(phase, sides, place);
  if (!rows.empty()) set_rows(place, rows);
  if (place.rows > 0) {
    for (Contender& contender : place.contenders)
      contender.tokens_per_second = mean_of(contender.rows, token_speed);
    std::ranges::stable_sort(place.contenders, std::greater(), &Contender::tokens_per_second);
    set_energy(place);
    set_costs(place, prices);
    if (place.contenders.size() > 1) place.lead = lead_of(place.contenders[0], place.contenders[1]);
  }
  place.settle = what_settles(phase, place);
  return place;
}

}  // namespace

bool PhasePlace::is_sure() const {
  return lead && lead->rows_like_these && lead->wider().lower > 1;
}

std::vector<PhasePlace> place(std::span<const Side> sides, std::span<const Price> prices) {
  std::vector<PhasePlace> places;
  for (const Phase& phase : phases) places.push_back(place_of(phase, sides, prices));
  return places;
}

}  // namespace steelyard
