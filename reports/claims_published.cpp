// SPDX-License-Identifier: Apache-2.0
// Claims over published numbers: values of one series divided by each other.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/claim_rows.h"
#include "reports/specs.h"

namespace steelyard {
namespace {

bool selects(const Claim::Selector& side, const std::string& gpu) {
  const Spec* spec = spec_named(gpu);
  return matches(side.gpus, gpu) && matches(side.vendors, spec == nullptr ? "" : spec->vendor);
}

bool selects(const Claim& claim, const Claim::Selector& side, const Published& number) {
  return selects(side, number.gpu) && matches(side.phases, number.phase) &&
         (matches(claim.scenarios, number.scenario) || matches(claim.scenarios, number.series));
}

using Best = std::map<std::string, std::pair<double, const Published*>>;  // by GPU

std::map<std::string, Best> by_series(const Claim& claim, const Claim::Selector& side,
                                      std::span<const Published> published) {
  std::map<std::string, Best> found;
  for (const Published& number : published) {
    if (number.series.empty() || !number.flag.empty() || !selects(claim, side, number)) continue;
    const auto value = speed(number);
    if (!value) continue;
    auto& best = found[number.series][number.gpu];
    if (best.second == nullptr || *value > best.first) best = {*value, &number};
  }
  return found;
}

std::string said(const Published& number) {
  return fmt::format("{}, {}", number.source, number.date);
}

std::vector<Offer> offers_of(const std::string& gpu, std::span<const Price> prices) {
  std::vector<Offer> offers;
  for (const Price& price : prices)
    if (price.gpu == gpu) offers.push_back({&price, price.per_device_hour});
  return offers;
}

struct Quotient {
  std::string a, b;  // GPUs
  PairedRow row;
  std::set<std::string> sources;
};

// Ratios that are published as such.
void add_ratios(std::vector<Quotient>& found, const Claim& claim,
                std::span<const Published> published) {
  for (const Published& number : published)
    if (number.unit == "ratio" && number.flag.empty() && !number.reference.empty() &&
        selects(claim, claim.sides[0], number) && selects(claim.sides[1], number.reference)) {
      const Ratio ratio{number.value, {number.value, number.value}};
      found.push_back({number.gpu, number.reference, {number.metric, ratio}, {said(number)}});
    }
}

void add_quotients(std::vector<Quotient>& found, const Claim& claim,
                   std::span<const Published> published) {
  const auto first = by_series(claim, claim.sides[0], published),
             second = by_series(claim, claim.sides[1], published);
  for (const auto& [series, of_a] : first) {
    const auto other = second.find(series);
    if (other == second.end()) continue;
    for (const auto& [a, best_a] : of_a)
      for (const auto& [b, best_b] : other->second) {
        const double value = best_a.first / best_b.first;
        if (a != b)
          found.push_back({a,
                           b,
                           {series, {value, {value, value}}},
                           {said(*best_a.second), said(*best_b.second)}});
      }
  }
}

bool all_own(const Claim& claim, const std::set<std::string>& sources) {
  return !claim.source.empty() && std::ranges::all_of(sources, [&](const std::string& source) {
    return source.starts_with(claim.source);
  });
}

}  // namespace

Pairs published_pairs(const Claim& claim, const Evidence& evidence) {
  const bool by_price = claim.quantity == Claim::Quantity::speed_per_price;
  const bool by_speed = claim.quantity == Claim::Quantity::speed;
  if (claim.scenarios.empty() || claim.sides.size() != 2 || !(by_price || by_speed)) return {};
  std::vector<Quotient> quotients;
  add_ratios(quotients, claim, evidence.published);
  add_quotients(quotients, claim, evidence.published);
  std::map<std::pair<std::string, std::string>, std::pair<Pair, std::set<std::string>>> found;
  for (Quotient& one : quotients) {
    const auto price =
        by_price ? price_ratio(offers_of(one.a, evidence.prices), offers_of(one.b, evidence.prices))
                 : Ratio{1, {1, 1}};
    if (!price) continue;
    auto& [pair, sources] = found[{one.a, one.b}];
    pair.rows.push_back({one.row.id, per_price(one.row.ratio, *price)});
    sources.merge(one.sources);
  }
  Pairs all;
  for (auto& [gpus, of] : found) {
    auto& [pair, sources] = of;
    pair.a = gpus.first;
    pair.b = gpus.second;
    pair.by_own_source = all_own(claim, sources);
    pair.note = fmt::format("{}", fmt::join(sources, "; "));
    all.pairs.push_back(std::move(pair));
  }
  return all;
}

}  // namespace steelyard
