// SPDX-License-Identifier: Apache-2.0
// Statistics of samples and of runs. All functions copy what they sort; empty input is a logic
// error.
#pragma once

#include <span>
#include <vector>

#include "reports/record.h"

namespace steelyard {

double median(std::span<const double> samples);

double geometric_mean(std::span<const double> values);

// Linear interpolation between order statistics; q in [0, 1].
double quantile(std::span<const double> samples, double q);

// Mean without the slowest tenth: what gates decide on (less noisy than the median between runs,
// and not moved by rare interruptions).
double trimmed_mean(std::span<const double> samples);

// 95 % interval of the median from order statistics, free of any assumption on the distribution.
// For fewer than 6 samples the range of the samples, which covers less.
Interval median_ci95(std::span<const double> samples);

// Half the width of that interval over the median.
double relative_half_width(std::span<const double> samples);

// Standard deviation of the logarithms: relative, for small ones. Needs two samples.
double log_deviation(std::span<const double> samples);

// How far a new sample of the same population lies from these, with 95 % probability: Student's t
// on the logarithms, s sqrt(1 + 1/n). Needs two samples.
Interval prediction_interval(std::span<const double> samples);

// The division of sorted samples in two groups that leaves the least squares within them.
struct Division {
  double lower_mean = 0, upper_mean = 0;
  double upper_share = 0;  // of the samples
  // Ashman's D = |difference of the means| / sqrt(mean of the two variances): 2.7 for a normal
  // distribution, 3.5 for a uniform one, more for two modes (Ashman and others, Detecting
  // bimodality in astronomical datasets, 1994). 0 when all samples are alike.
  double separation = 0;
};
Division divide(std::span<const double> samples);

// Indices of the samples more than three interquartile ranges outside the quartiles (Tukey's far
// out values).
std::vector<int> outlying(std::span<const double> samples);

double lag1_autocorrelation(std::span<const double> samples);

// Of the least-squares line through points; needs three, not all at one place.
struct Slope {
  double value = 0, standard_error = 0;
};
Slope slope(std::span<const double> x, std::span<const double> y);

// P(T > t) of Student's t, for the same degrees of freedom as below.
double student_t_tail(double t, double degrees_of_freedom);

// Quantile of Student's t with (possibly fractional) degrees of freedom.
double student_t_quantile(double probability, double degrees_of_freedom);

}  // namespace steelyard
