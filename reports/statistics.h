// SPDX-License-Identifier: Apache-2.0
// Statistics of samples and of runs. All functions copy what they sort; empty input is a logic
// error.
#pragma once

#include <span>
#include <vector>

#include "reports/record.h"

namespace steelyard {

double median(std::span<const double> samples);

// Linear interpolation between order statistics; q in [0, 1].
double quantile(std::span<const double> samples, double q);

// Mean without the slowest tenth: what gates decide on (less noisy than the median between runs,
// and not moved by rare interruptions).
double trimmed_mean(std::span<const double> samples);

// 95 % interval of the median from order statistics, free of any assumption on the distribution.
// For fewer than 6 samples the range of the samples, which covers less.
Interval median_ci95(std::span<const double> samples);

double lag1_autocorrelation(std::span<const double> samples);

// Quantile of Student's t with (possibly fractional) degrees of freedom.
double student_t_quantile(double probability, double degrees_of_freedom);

}  // namespace steelyard
