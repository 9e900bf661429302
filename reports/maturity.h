// SPDX-License-Identifier: Apache-2.0
// How far the software of devices is: what runs, what it reaches, and how that changes.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reports/chart.h"
#include "reports/relative.h"
#include "reports/render.h"

namespace steelyard {

// Of each device the rows that were asked for, that it supports, that are correct; and of problems with
// several kernels, those where a tier is near the best.
Table support(std::span<const Results> results, std::span<const Side> sides);

// The same of all devices of a vendor, where there are several vendors.
Table vendors(std::span<const Results> results, std::span<const Side> sides);

// By device, family and tier: the share of the datasheet's peak, and the problem where it is worst. As a
// chart: none without datasheets, or one.
Table software_gap(std::span<const Side> sides);
std::vector<Bars> software_gap_charts(std::span<const Side> sides);

// A library's first choice of algorithm against the fastest that it offers.
Table default_algorithms(std::span<const Side> sides);

// Results of one device under several versions of driver or libraries, in the order of their dates.
Table version_trend(std::span<const Results> results, std::span<const Side> sides);

// In one line: "5 of 7 rows correct; library at 32.0 % of peak".
std::string ecosystem(std::span<const Results> results, const Side& side);

std::vector<Table> maturity(std::span<const Results> results, std::span<const Side> sides);

}  // namespace steelyard
