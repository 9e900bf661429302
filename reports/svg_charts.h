// SPDX-License-Identifier: Apache-2.0
// One drawing per kind of chart.
#pragma once

#include "reports/chart.h"
#include "reports/svg_marks.h"

namespace steelyard {

Drawing draw(const Forest& forest);
Drawing draw(const Bars& bars);
Drawing draw(const Curves& curves);
Drawing draw(const Roofline& roofline);

}  // namespace steelyard
