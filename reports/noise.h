// SPDX-License-Identifier: Apache-2.0
// What runs of one program say of the noise of a machine.
#pragma once

#include "reports/noise_card.h"
#include "reports/render.h"
#include "reports/series.h"

namespace steelyard {

// Of the times of all rows with four runs at least. The share of false alarms is over 2,000 random
// halvings, always the same ones.
NoiseCard noise_of(const RunSet& runs);

// Noisiest first, with the smallest changes that 5, 10 and 15 runs a side find.
Table noise_table(const NoiseCard& card);

}  // namespace steelyard
