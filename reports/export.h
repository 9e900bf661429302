// SPDX-License-Identifier: Apache-2.0
// A result in the forms that other programs chart.
#pragma once

#include <string>

#include "reports/measurement.h"

namespace steelyard {

// What github-action-benchmark reads as `customSmallerIsBetter`: times in seconds, "± x %" as range.
std::string github_action_json(std::span<const Measurement> measurements);

// Bencher Metric Format: the measure `latency` in nanoseconds with the bounds of the 95 % interval.
std::string bencher_json(std::span<const Measurement> measurements);

}  // namespace steelyard
