// SPDX-License-Identifier: Apache-2.0
// Result sets side by side: which rows may be compared, how much faster one side is, and what else
// differs between them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/differences.h"
#include "reports/measurement.h"

namespace steelyard {

// One device of one result set.
struct Side {
  std::string label;  // as short as tells it from the other sides
  std::string device, device_name, unit;
  std::string source;  // Results::name
  int devices = 1;  // that its rows were measured on, one after the other: one or several machines
  std::vector<Measurement> measurements;
};

std::vector<Side> sides(std::span<const Results> results);

// The side whose label, device or source is `text`, else the only one that contains it, whatever
// its case; the first when `text` is empty. Throws std::invalid_argument with the choices.
std::size_t find_side(std::span<const Side> sides, const std::string& text);

// How many times as fast as the reference: above 1 is faster.
struct Ratio {
  double value = 1;
  Interval ci95;
};

// The half-widths of both intervals, added as squares on the logarithmic scale (Zou and Donner,
// 2008).
Ratio speed_ratio(const Estimate& reference, const Estimate& other);

// Of all problems that each solves at once.
Ratio speed_ratio(const Measurement& reference, const Measurement& other);

struct Cell {
  const Measurement* measurement = nullptr;  // null: this side lacks it, or it was refused
  std::optional<Ratio> ratio;                // to the reference; absent in its own cells
  bool refused = false;
};

struct ComparedRow {
  std::string id, settings;
  std::vector<Cell> cells;  // by side
};

// Two measurements that are never compared: their identities differ.
struct Refusal {
  std::size_t side = 0;
  const Measurement* reference = nullptr;
  const Measurement* other = nullptr;
  std::vector<Difference> fields;  // values: reference, other
};

// The best kernel of each side for every problem of one family, from one tier or from all.
struct Comparison {
  std::string family;
  std::string tier;  // library, portable; empty: best of each side
  std::vector<ComparedRow> rows;
  std::vector<Refusal> refusals;
};

// Of the rows that both the side and the reference have.
std::vector<Ratio> ratios(const Comparison& comparison, std::size_t side);

struct Relative {
  std::size_t reference = 0;
  std::vector<Comparison> comparisons;  // by family: library, best of each, portable
  std::vector<Difference> conditions;   // values by side
};

Relative relate(std::span<const Side> sides, std::size_t reference);

bool anything_compared(const Relative& relative);

}  // namespace steelyard
