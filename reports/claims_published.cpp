// SPDX-License-Identifier: Apache-2.0
// Claims over published numbers: values of one series divided by each other.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/claim_rows.h"
#include "reports/claims_missing.h"
#include "reports/specs.h"

namespace steelyard {
namespace {

std::string vendor_of_spec(const std::string& gpu) {
  const Spec* spec = spec_named(gpu);
  return spec == nullptr ? "" : spec->vendor;
}

bool is_die(const std::string& gpu) {
  const Spec* spec = spec_named(gpu);
  return spec != nullptr && spec->unit == "gcd";
}

bool selects(const Claim::Selector& side, const std::string& gpu) {
  return matches(side.gpus, gpu) && matches(side.vendors, vendor_of_spec(gpu));
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
  std::vector<const Published*> numbers;  // that it is of
};

// Ratios that are published as such.
void add_ratios(std::vector<Quotient>& found, const Claim& claim,
                std::span<const Published> published) {
  for (const Published& number : published)
    if (number.unit == "ratio" && number.flag.empty() && !number.reference.empty() &&
        selects(claim, claim.sides[0], number) && selects(claim.sides[1], number.reference) &&
        matches(claim.sides[1].phases, number.phase)) {
      const Ratio ratio{number.value, {number.value, number.value}};
      found.push_back({number.gpu, number.reference, {number.metric, ratio}, {&number}});
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
          found.push_back(
              {a, b, {series, {value, {value, value}}}, {best_a.second, best_b.second}});
      }
  }
}

// By who made the claim: its source is the number's whole title, its address may follow.
bool is_own(const Claim& claim, const Published& number) {
  return claim.source == number.source ||
         claim.source == fmt::format("{}, {}", number.source, number.url);
}

// What no number is of one side of the claim.
void add_unmatched(Pairs& all, const Claim& claim, const Claim::Selector& side,
                   std::span<const Published> published) {
  std::vector<std::vector<std::string>> gpus, numbers;
  for (const Published& number : published) {
    for (const std::string& gpu : {number.gpu, number.reference})
      if (!gpu.empty()) gpus.push_back({gpu, vendor_of_spec(gpu)});
    if (!selects(side, number.gpu) && !selects(side, number.reference)) continue;
    numbers.push_back({number.scenario, number.phase});
    numbers.push_back({number.series, number.phase});
  }
  std::string what = unmatched({{"gpu", side.gpus}, {"vendor", side.vendors}}, gpus);
  if (what.empty()) {
    what = unmatched({{"scenario", claim.scenarios}, {"phase", side.phases}}, numbers);
    if (!what.empty()) what += " on " + text_of_device(side);
  }
  if (!what.empty()) all.missing.push_back("published numbers: " + what);
}

// The quotients of two GPUs, by their prices where the claim is of them.
struct Found {
  std::vector<PairedRow> rows;
  std::vector<const Published*> numbers;
};
using ByGpus = std::map<std::pair<std::string, std::string>, Found>;

ByGpus by_gpus(Pairs& all, const Claim& claim, const Evidence& evidence) {
  std::vector<Quotient> quotients;
  add_ratios(quotients, claim, evidence.published);
  add_quotients(quotients, claim, evidence.published);
  const bool by_price = claim.quantity == Claim::Quantity::speed_per_price;
  ByGpus found;
  std::set<std::string> left_out;
  for (const auto& [a, b, row, numbers] : quotients) {
    const auto price =
        by_price ? price_ratio(offers_of(a, evidence.prices), offers_of(b, evidence.prices))
                 : Ratio{1, {1, 1}};
    const std::string names = fmt::format("published numbers of {} and {}: ", a, b);
    if (claim.per_package && (is_die(a) || is_die(b))) {
      left_out.insert(names + "those of one die are not of a package");
    } else if (!price) {
      left_out.insert(names + "no prices in one currency");
    } else {
      Found& of = found[{a, b}];
      of.rows.push_back({row.id, per_price(row.ratio, *price)});
      of.numbers.insert(of.numbers.end(), numbers.begin(), numbers.end());
    }
  }
  all.missing.insert(all.missing.end(), left_out.begin(), left_out.end());
  return found;
}

}  // namespace

Pairs published_pairs(const Claim& claim, const Evidence& evidence) {
  const bool by_price = claim.quantity == Claim::Quantity::speed_per_price;
  const bool by_speed = claim.quantity == Claim::Quantity::speed;
  if (claim.scenarios.empty() || claim.sides.size() != 2 || !(by_price || by_speed)) return {};
  Pairs all;
  for (const Claim::Selector& side : claim.sides)
    add_unmatched(all, claim, side, evidence.published);
  if (by_price && evidence.prices.empty()) {
    all.missing.push_back("published numbers: no prices");
    return all;
  }
  for (auto& [gpus, found] : by_gpus(all, claim, evidence)) {
    std::set<std::string> sources;
    for (const Published* number : found.numbers) sources.insert(said(*number));
    all.pairs.push_back(
        {.a = gpus.first,
         .b = gpus.second,
         .rows = std::move(found.rows),
         .by_own_source = std::ranges::all_of(
             found.numbers, [&](const Published* number) { return is_own(claim, *number); }),
         .note = fmt::format("{}", fmt::join(sources, "; "))});
  }
  if (all.pairs.empty() && all.missing.empty())
    all.missing.push_back(fmt::format("published numbers: no series with both {} and {}",
                                      text_of_device(claim.sides[0]),
                                      text_of_device(claim.sides[1])));
  return all;
}

}  // namespace steelyard
