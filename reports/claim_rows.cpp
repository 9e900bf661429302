// SPDX-License-Identifier: Apache-2.0
#include "reports/claim_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/claims_missing.h"
#include "reports/efficiency.h"
#include "reports/mean_ratio.h"
#include "reports/product.h"
#include "reports/specs.h"
#include "reports/step_fields.h"
#include "reports/steps.h"

namespace steelyard {
namespace {

using Selector = Claim::Selector;

// A Spec's name, of both dies of a package together that of the package; else what the driver says.
std::string gpu_of(const Side& side) {
  const Product of = product(side);
  if (of.spec == nullptr) return side.device_name;
  const Spec* package = package_of(*of.spec);
  return !of.is_die && package != nullptr ? package->name : of.spec->name;
}

bool selects(const Selector& selector, const Side& side) {
  return matches(selector.gpus, gpu_of(side)) && matches(selector.devices, side.device) &&
         matches(selector.vendors, vendor_of(side.device_name));
}

bool selects(const Claim& claim, const Selector& selector, const Record& row) {
  return matches(claim.rows, row.id) && matches(claim.tiers, row.tier) &&
         matches(selector.phases, text_of(row, "phase"));
}

// What the claim's side has of a device, and how many rows were left out for what they are of.
struct Selected {
  Side side;
  std::string gpu;
  int of_dies = 0, of_several = 0;
};

std::vector<Selected> select(const Claim& claim, const Selector& selector,
                             std::span<const Side> sides) {
  std::vector<Selected> all;
  for (const Side& side : sides) {
    if (!selects(selector, side)) continue;
    Selected selected{.side = side, .gpu = gpu_of(side)};
    std::erase_if(selected.side.measurements, [&](const Measurement& m) {
      if (!selects(claim, selector, m.row())) return true;
      if (!claim.per_package) return false;
      const bool several = is_of_several_packages(m.row()),
                 die = !several && packages_of(m.row()) < 1;
      selected.of_several += several;
      selected.of_dies += die;
      return several || die;
    });
    if (!selected.side.measurements.empty() || selected.of_dies + selected.of_several > 0)
      all.push_back(std::move(selected));
  }
  return all;
}

// What no device or row is of one side of the claim, once.
void add_unmatched(Pairs& found, const Claim& claim, const Selector& selector,
                   std::span<const Side> sides) {
  std::vector<std::vector<std::string>> devices, rows;
  for (const Side& side : sides) {
    devices.push_back({gpu_of(side), vendor_of(side.device_name), side.device});
    if (!selects(selector, side)) continue;
    for (const Measurement& m : side.measurements) {
      if (selects(claim, selector, m.row())) return;
      rows.push_back({m.row().id, m.row().tier, text_of(m.row(), "phase")});
    }
  }
  std::string what = unmatched(
      {{"gpu", selector.gpus}, {"vendor", selector.vendors}, {"device", selector.devices}},
      devices);
  if (what.empty()) {
    what =
        unmatched({{"rows", claim.rows}, {"tier", claim.tiers}, {"phase", selector.phases}}, rows);
    if (!what.empty()) what += " on " + text_of_device(selector);
  }
  if (!what.empty() && std::ranges::count(found.missing, what) == 0) found.missing.push_back(what);
}

// Where the model fits only one of the devices the other has no speed to compare.
std::optional<Ratio> where_it_fits(const Measurement& a, const Measurement& b, const Ratio& speed) {
  const bool a_fits = fits(a.row()), b_fits = fits(b.row());
  if (a_fits && b_fits) return speed;
  if (!a_fits && !b_fits) return std::nullopt;
  const double value = a_fits ? std::numeric_limits<double>::infinity() : 0;
  return Ratio{value, {value, value}};
}

std::optional<Ratio> quantity_of(const Claim& claim, const ComparedRow& row,
                                 const std::optional<Ratio>& price) {
  const Measurement &b = *row.cells[0].measurement, &a = *row.cells[1].measurement;
  const Ratio speed = *row.cells[1].ratio;
  if (claim.must_fit) return where_it_fits(a, b, speed);
  if (claim.quantity == Claim::Quantity::speed_per_price) return per_price(speed, *price);
  if (claim.quantity != Claim::Quantity::share_of_peak) return speed;
  const auto share_a = share_of_peak(a), share_b = share_of_peak(b);
  if (!share_a || !share_b) return std::nullopt;
  const double factor = *share_a / *share_b / speed.value;
  return Ratio{speed.value * factor, {speed.ci95.lower * factor, speed.ci95.upper * factor}};
}

std::vector<PairedRow> common_rows(const Claim& claim, const Side& a, const Side& b,
                                   const std::optional<Ratio>& price) {
  std::vector<PairedRow> rows;
  const std::vector<Side> both = {b, a};
  const Relative relative = relate(both, 0);
  for (const Comparison* comparison : widest_comparisons(relative))
    for (const ComparedRow& row : comparison->rows)
      if (row.cells[1].ratio)
        if (const auto ratio = quantity_of(claim, row, price)) rows.push_back({row.id, *ratio});
  return rows;
}

void add_pair(Pairs& found, const Claim& claim, const Selected& a, const Selected& b,
              std::span<const Price> prices) {
  const std::string names = fmt::format("{} and {}", a.side.label, b.side.label);
  const bool have_rows = !a.side.measurements.empty() && !b.side.measurements.empty();
  std::optional<Ratio> price;
  if (have_rows && claim.quantity == Claim::Quantity::speed_per_price) {
    price = price_ratio(offers(a.side, prices), offers(b.side, prices));
    if (!price) {
      found.missing.push_back(names + ": no prices in one currency: --prices FILE gives them");
      return;
    }
  }
  Pair pair{.a = a.side.label, .b = b.side.label};
  if (have_rows) pair.rows = common_rows(claim, a.side, b.side, price);
  if (!pair.rows.empty()) return found.pairs.push_back(std::move(pair));
  std::string why = "no row in common that may be compared";
  if (a.of_dies + b.of_dies > 0) why += ", and rows of one die are not rows of a package";
  if (a.of_several + b.of_several > 0) why += ", and rows of several packages are not rows of one";
  found.missing.push_back(names + ": " + why);
}

Pairs pairs_of_devices(const Claim& claim, const Evidence& evidence) {
  Pairs found;
  std::vector<std::vector<Selected>> selected;
  for (const Selector& selector : claim.sides) {
    selected.push_back(select(claim, selector, evidence.sides));
    add_unmatched(found, claim, selector, evidence.sides);
  }
  for (const Selected& a : selected[0])
    for (const Selected& b : selected[1])
      if (a.gpu != b.gpu) add_pair(found, claim, a, b, evidence.prices);
  if (found.pairs.empty() && found.missing.empty())
    found.missing.push_back(fmt::format("two GPUs, {} and {}", text_of_device(claim.sides[0]),
                                        text_of_device(claim.sides[1])));
  return found;
}

// One over the share of the device's matrix product rate that a step reached, by what model it is of.
std::map<std::string, std::vector<Ratio>> unused(const Claim& claim, const Selector& selector,
                                                 const Side& side) {
  std::map<std::string, std::vector<Ratio>> by_model;
  for (const Measurement& m : side.measurements) {
    const Record& row = m.row();
    const bool is_fastest = !claim.tiers.empty() || m.share_of_best.value_or(1) == 1;
    if (!is_fastest || !selects(claim, selector, row) || !row.step ||
        !(row.step->model_flops > 0 && row.step->flops_per_second > 0))
      continue;
    const double factor = row.step->flops_per_second / row.step->model_flops;
    const auto& [seconds, ci95] = m.time;
    by_model[text_of(row, "model")].push_back(
        {seconds * factor, {ci95.lower * factor, ci95.upper * factor}});
  }
  return by_model;
}

Pairs pairs_of_phases(const Claim& claim, const Evidence& evidence) {
  Pairs found;
  for (const Selector& selector : claim.sides)
    add_unmatched(found, claim, selector, evidence.sides);
  for (std::size_t i = 0; i + 1 < claim.sides.size(); ++i)
    for (const Side& side : evidence.sides) {
      if (!selects(claim.sides[i], side) || !selects(claim.sides[i + 1], side)) continue;
      const auto first = unused(claim, claim.sides[i], side),
                 next = unused(claim, claim.sides[i + 1], side);
      Pair pair{.a = fmt::format("{}, {}", side.label, text_of(claim.sides[i])),
                .b = text_of(claim.sides[i + 1]),
                .chain = side.label};
      for (const auto& [model, shares] : first)
        if (const auto other = next.find(model); other != next.end()) {
          const MeanRatio a = mean_ratio(shares), b = mean_ratio(other->second);
          pair.rows.push_back(
              {model, speed_ratio({b.value, b.these_rows}, {a.value, a.these_rows})});
        }
      if (!pair.rows.empty())
        found.pairs.push_back(std::move(pair));
      else if (!first.empty() || !next.empty())
        found.missing.push_back(fmt::format("{} and {}: no model with both", pair.a, pair.b));
    }
  if (found.pairs.empty() && found.missing.empty())
    found.missing.push_back("steps beside which the rate of matrix products was measured");
  return found;
}

Estimate seconds_per_flop(const Measurement& m) {
  const double flops = m.row().step->model_flops;
  return {m.time.seconds / flops, {m.time.ci95.lower / flops, m.time.ci95.upper / flops}};
}

std::string knee_of(const std::vector<const Measurement*>& curve) {
  std::vector<std::pair<double, double>> speeds;
  for (const Measurement* m : curve)
    speeds.emplace_back(number_of(m->row(), "batch"), 1 / seconds_per_flop(*m).seconds);
  const auto at = knee(speeds);
  return at ? fmt::format("{:g}", *at) : "none";
}

// The curves of a device, each by batch, of two sizes or more.
std::vector<std::vector<const Measurement*>> curves_of(const Claim& claim, const Side& side) {
  std::map<std::string, std::map<std::int64_t, const Measurement*>> curves;
  for (const Measurement& m : side.measurements)
    if (selects(claim, claim.sides.front(), m.row()) && m.row().step &&
        m.row().step->model_flops > 0)
      curves[all_but(m.row(), {"batch"})][number_of(m.row(), "batch")] = &m;
  std::vector<std::vector<const Measurement*>> found;
  for (const auto& [what, by_batch] : curves) {
    if (by_batch.size() < 2) continue;
    auto& curve = found.emplace_back();
    for (const auto& [batch, measurement] : by_batch) curve.push_back(measurement);
  }
  return found;
}

Pairs pairs_of_batches(const Claim& claim, const Evidence& evidence) {
  Pairs found;
  for (const Side& side : evidence.sides) {
    if (!selects(claim.sides.front(), side)) continue;
    Pair pair{.a = side.label + ", largest batch", .b = "smallest batch"};
    std::vector<std::string> knees;
    for (const auto& curve : curves_of(claim, side)) {
      const Measurement &smallest = *curve.front(), &largest = *curve.back();
      pair.rows.push_back(
          {largest.row().id, speed_ratio(seconds_per_flop(smallest), seconds_per_flop(largest))});
      knees.push_back(knee_of(curve));
    }
    if (pair.rows.empty()) continue;
    pair.note = fmt::format("knees of these curves at batch {}", fmt::join(knees, ", "));
    found.pairs.push_back(std::move(pair));
  }
  const Selector& selector = claim.sides.front();
  add_unmatched(found, claim, selector, evidence.sides);
  if (found.pairs.empty() && found.missing.empty())
    found.missing.push_back("two batch sizes of one step on " + text_of_device(selector));
  return found;
}

}  // namespace

std::optional<Ratio> price_ratio(const std::vector<Offer>& offers,
                                 const std::vector<Offer>& others) {
  std::vector<double> ratios;
  for (const Offer& a : offers)
    for (const Offer& b : others)
      if (a.price->currency == b.price->currency) ratios.push_back(a.per_hour / b.per_hour);
  if (ratios.empty()) return std::nullopt;
  const auto [low, high] = std::ranges::minmax(ratios);
  return Ratio{std::sqrt(low * high), {low, high}};
}

Ratio per_price(const Ratio& speed, const Ratio& price) {
  return {speed.value / price.value,
          {speed.ci95.lower / price.ci95.upper, speed.ci95.upper / price.ci95.lower}};
}

std::string text_of(const Selector& selector) {
  std::vector<std::string> parts;
  for (const auto& [what, globs] :
       {std::pair("", &selector.gpus), std::pair("vendor ", &selector.vendors),
        std::pair("device ", &selector.devices), std::pair("phase ", &selector.phases)})
    if (!globs->empty()) parts.push_back(fmt::format("{}{}", what, fmt::join(*globs, ", ")));
  return parts.empty() ? "any device" : fmt::format("{}", fmt::join(parts, " and "));
}

std::string text_of_device(Selector selector) {
  selector.phases.clear();
  return text_of(selector);
}

Pairs measured_pairs(const Claim& claim, const Evidence& evidence) {
  if (claim.aggregate == Claim::Aggregate::largest_batch) return pairs_of_batches(claim, evidence);
  if (claim.quantity == Claim::Quantity::utilisation) return pairs_of_phases(claim, evidence);
  return pairs_of_devices(claim, evidence);
}

}  // namespace steelyard
