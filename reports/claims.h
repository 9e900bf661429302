// SPDX-License-Identifier: Apache-2.0
// What is said of devices, as data, and what results say to it.
//
//   [[claim]]
//   name = "a-in-training"
//   text = "A reaches 80 % of B in training"
//   date = 2023-06-30
//   source = "who said it, where"             # numbers published under this whole title are its own
//   decides = "what of it rows can decide"    # optional
//   rows = ["transformer/*"]                  # globs over problems; absent: all
//   tiers = ["library"]                       # absent: the fastest of any
//   scenarios = ["*"]                         # globs over scenarios and series of published numbers, which
//                                             # tell speed of a gpu; absent: they say nothing
//   quantity = "speed"                        # utilisation, share of peak, speed per price
//   aggregate = "mean"                        # some: one row is enough; largest batch: over batch 1
//   fits = true                               # of some rows' speed: where the whole model fits the device
//   unit = "package"                          # one, all of it; device: a die and several count too, as
//                                             # they always do where sides are phases or batches
//   band = [0.73, 0.80]                       # of each side's quantity over the next one's
//   sides = [{ gpu = "MI250*" }, { gpu = "A100*" }]  # globs: gpu, vendor, device, phase
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reports/glob.h"
#include "reports/prices.h"
#include "reports/published.h"
#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

struct Claim {
  enum class Quantity { speed, utilisation, share_of_peak, speed_per_price };
  enum class Aggregate { mean, some, largest_batch };
  struct Selector {
    Globs gpus, vendors, devices, phases;
  };

  std::string name, text, date, source, decides;
  Globs rows, tiers, scenarios;
  Quantity quantity = Quantity::speed;
  Aggregate aggregate = Aggregate::mean;
  bool must_fit = false, per_package = true;
  Interval band;
  std::vector<Selector> sides;  // two or more of speed; of a utilisation that falls; one of batches
};

std::vector<Claim> shipped_claims();  // data/claims.toml

// Throws FileError with line and key.
std::vector<Claim> read_claims(const std::filesystem::path& file);
std::vector<Claim> parse_claims(std::string_view text, const std::filesystem::path& file);

enum class Judgement { supported, contradicted, mixed, not_measured };
std::string_view name(Judgement judgement);

// Supported only if the whole interval lies within the band, contradicted only if it lies outside.
Judgement judge(const Interval& interval, const Interval& band);

// One pair of devices, or one device where sides are phases or batches.
struct Finding {
  std::string a, b;
  bool is_published = false;
  Judgement judgement = Judgement::not_measured;
  double value = 0;
  Interval interval;
  int rows = 0;
  bool by_own_source = false;  // published by who made the claim alone: no second opinion
  std::string chain;           // what else it must hold with: a device whose phases are in a chain
  std::string note;
};

struct Judged {
  Claim claim;
  std::vector<Finding> findings;     // measured ones first
  std::vector<std::string> missing;  // what was looked for and not found
};

// Of all findings of one kind; mixed where they disagree. A chain is as good as its worst link: contradicted
// by any, else not measured where one is missing.
Judgement overall(const Judged& judged, bool is_published);

struct Evidence {
  std::span<const Side> sides;
  std::span<const Price> prices;
  std::span<const Published> published;
};

std::vector<Judged> judge(std::span<const Claim> claims, const Evidence& evidence);

// Verdicts, and what they rest on.
std::vector<Table> claim_tables(std::span<const Judged> judged);

}  // namespace steelyard
