// SPDX-License-Identifier: Apache-2.0
// What a report says of the steps of models beside their times.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "reports/chart.h"
#include "reports/measurement.h"
#include "reports/render.h"

namespace steelyard {

// Seconds of a step of the whole model, as if all of its blocks took as long as those measured: the time
// of the step, divided between blocks and the rest as its parts divide theirs. Absent for rows without
// parts.
std::optional<double> whole_model_seconds(const Measurement& measurement);

// How far each step is from what its device can do, pre-training first; what it takes of the memory; the
// whole model by extrapolation. Without rows where there are no steps.
Table utilisation(std::span<const Measurement> measurements);

// How much of whole models each device has room for.
Table capacities(std::span<const Measurement> measurements);

// What weights lose by being made narrow, and how fast that goes.
Table quantisation(std::span<const Measurement> measurements);

// Steps that their device had no room for: "does not fit: 6 TiB needed, 21 GiB free on cpu:0". Points into
// `results`.
std::vector<const Record*> without_room(const Results& results);

// Tables of the rows that differ in one field of their problem alone, "batch" or "context", where there
// are at least three: how speed grows with it, and where it stops. Those without room are among them.
std::vector<Table> curves(std::span<const Measurement> measurements,
                          std::span<const Record* const> unfit, std::string_view field);

// The same as charts, one for each model.
std::vector<Curves> curve_charts(std::span<const Measurement> measurements, std::string_view field);

// Of sizes and speeds, ordered by size: from where on a doubling of the size brings less than half as much
// speed again. Nothing where each brings more.
std::optional<double> knee(std::span<const std::pair<double, double>> curve);

// For each step its operations alone, those of one problem and kernel together, their sum, and how the
// step compares with it.
std::vector<Table> parts_of_steps(std::span<const Measurement> measurements);

}  // namespace steelyard
