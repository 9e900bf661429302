// SPDX-License-Identifier: Apache-2.0
// Which device does which work, and how sure that is.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/costs.h"
#include "reports/mean_ratio.h"
#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// A device in one phase. Rates are geometric means over the rows that all contenders have.
struct Contender {
  const Side* side = nullptr;
  double tokens_per_second = 0;
  std::optional<double> tokens_per_joule;  // by measured power, or all by their datasheets'
  std::optional<Offer> offer;              // the lowest in PhasePlace::currency, else in its own
  std::optional<double> cost_of_tokens;    // of a million
  std::vector<Measurement> rows;           // the fastest of each, in one order for all contenders
};

struct PhasePlace {
  std::string phase;
  std::vector<Contender> contenders;  // those that fit, the fastest first
  std::vector<const Side*> do_not_fit, not_measured;
  std::vector<const Side*> several;    // left out as several packages at work together
  std::vector<const Side*> unrelated;  // left out since they share no row with all contenders
  int rows = 0;                        // that all contenders have
  bool by_measured_power = false;
  std::string currency;           // the one that most contenders have a price in; empty: no price
  std::optional<MeanRatio> lead;  // of the first over the second
  std::string settle;             // what to run for what is missing or unsure

  // The whole interval of the lead lies above 1, and several rows say so.
  bool is_sure() const;
};

std::vector<PhasePlace> place(std::span<const Side> sides, std::span<const Price> prices);

// Best devices by phase; and performance, cost and ecosystem of every device in every phase.
std::vector<Table> placement_tables(std::span<const PhasePlace> places,
                                    std::span<const Results> results);

}  // namespace steelyard
