// SPDX-License-Identifier: Apache-2.0
// Charts as SVG inside of HTML, whose style gives them their colours (templates/charts.css). The same
// bytes for the same chart; what is no number is left out and counted.
#pragma once

#include <string>
#include <string_view>

#include "reports/chart.h"

namespace steelyard {

// `id` begins the ids inside, which are unique in a page.
std::string svg(const Chart& chart, std::string_view id);

// The names that charts have in common.
std::string title(const Chart& chart);
std::string description(const Chart& chart);

}  // namespace steelyard
