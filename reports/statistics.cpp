// SPDX-License-Identifier: Apache-2.0
#include "reports/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace steelyard {
namespace {

std::vector<double> sorted(std::span<const double> samples) {
  if (samples.empty()) throw std::logic_error("statistics of no samples");
  std::vector<double> values(samples.begin(), samples.end());
  std::sort(values.begin(), values.end());
  return values;
}

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Type 7 of Hyndman and Fan (Sample quantiles in statistical packages, 1996).
double interpolate(const std::vector<double>& ascending, double q) {
  const double position = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto above = std::min(below + 1, ascending.size() - 1);
  return std::lerp(ascending[below], ascending[above], position - static_cast<double>(below));
}

// The largest rank r (from 1) with P(x_r <= median <= x_(n+1-r)) >= 95 %: fewer than r of n samples
// lie below the median with the probability of a binomial distribution with p = 1/2.
std::size_t lower_rank(std::size_t n) {
  const double count = static_cast<double>(n);
  double log_term = -count * std::log(2.0);  // of C(n, 0) / 2^n
  double below = std::exp(log_term);
  std::size_t rank = 1;
  for (;; ++rank) {
    const double k = static_cast<double>(rank);
    log_term += std::log((count - k + 1) / k);
    below += std::exp(log_term);
    if (below > 0.025) return rank;
  }
}

// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), evaluated
// by the modified method of Lentz. Converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double numerator = 1, denominator = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double result = denominator;
  for (int m = 1; m <= 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    double change = 0;
    for (const double coefficient : {even, odd}) {
      denominator = 1 / away_from_zero(1 + coefficient * denominator);
      numerator = away_from_zero(1 + coefficient / numerator);
      change = denominator * numerator;
      result *= change;
    }
    if (std::abs(change - 1) < 1e-15) break;
  }
  return result;
}

double regularised_beta(double a, double b, double x) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularised_beta(b, a, 1 - x);
  const double log_front =
      a * std::log(x) + b * std::log1p(-x) + std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b);
  return std::exp(log_front) / a * beta_fraction(a, b, x);
}

}  // namespace

double quantile(std::span<const double> samples, double q) {
  if (!(q >= 0 && q <= 1)) throw std::logic_error("a quantile outside [0, 1]");
  return interpolate(sorted(samples), q);
}

double median(std::span<const double> samples) {
  return quantile(samples, 0.5);
}

double geometric_mean(std::span<const double> values) {
  if (values.empty()) throw std::logic_error("a mean of no values");
  std::vector<double> logarithms;
  for (const double value : values) logarithms.push_back(std::log(value));
  return std::exp(mean(logarithms));
}

double trimmed_mean(std::span<const double> samples) {
  const auto values = sorted(samples);
  return mean(std::span(values).first(values.size() - values.size() / 10));
}

Interval median_ci95(std::span<const double> samples) {
  const auto values = sorted(samples);
  const std::size_t n = values.size();
  const std::size_t rank = n < 6 ? 1 : lower_rank(n);
  return {.lower = values[rank - 1], .upper = values[n - rank]};
}

double relative_half_width(std::span<const double> samples) {
  const Interval interval = median_ci95(samples);
  return (interval.upper - interval.lower) / (2 * median(samples));
}

double log_deviation(std::span<const double> samples) {
  if (samples.size() < 2) throw std::logic_error("the deviation of fewer than two samples");
  std::vector<double> logs;
  for (const double sample : samples) logs.push_back(std::log(sample));
  const double centre = mean(logs);
  double squares = 0;
  for (const double value : logs) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(logs.size() - 1));
}

Interval prediction_interval(std::span<const double> samples) {
  const double deviation = log_deviation(samples), n = static_cast<double>(samples.size());
  double centre = 0;
  for (const double sample : samples) centre += std::log(sample) / n;
  const double half = student_t_quantile(0.975, n - 1) * deviation * std::sqrt(1 + 1 / n);
  return {.lower = std::exp(centre - half), .upper = std::exp(centre + half)};
}

Division divide(std::span<const double> samples) {
  const auto values = sorted(samples);
  const auto n = static_cast<double>(values.size());
  const double origin = values.front();  // keeps the sums of squares exact enough
  double sum = 0, squares = 0;
  for (const double value : values) {
    sum += value - origin;
    squares += (value - origin) * (value - origin);
  }
  Division best;
  double least = std::numeric_limits<double>::infinity(), below = 0, below_squares = 0;
  for (std::size_t i = 0; i + 1 < values.size(); ++i) {
    below += values[i] - origin;
    below_squares += (values[i] - origin) * (values[i] - origin);
    const double count = static_cast<double>(i + 1), rest = n - count;
    const double within_lower = below_squares - below * below / count;
    const double within_upper = squares - below_squares - (sum - below) * (sum - below) / rest;
    if (within_lower + within_upper >= least) continue;
    least = within_lower + within_upper;
    const double variance = std::max(0.0, (within_lower / count + within_upper / rest) / 2);
    const double lower = below / count, upper = (sum - below) / rest;
    // Groups without any spread, such as two readings of a coarse clock, are a clean division.
    const double spread = std::max(std::sqrt(variance), 1e-3 * (upper - lower));
    best = {.lower_mean = origin + lower,
            .upper_mean = origin + upper,
            .upper_share = rest / n,
            .separation = upper > lower ? (upper - lower) / spread : 0};
  }
  return best;
}

std::vector<int> outlying(std::span<const double> samples) {
  const auto values = sorted(samples);
  const double lower = interpolate(values, 0.25), upper = interpolate(values, 0.75);
  const double fence = 3 * (upper - lower);
  std::vector<int> found;
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (samples[i] < lower - fence || samples[i] > upper + fence)
      found.push_back(static_cast<int>(i));
  return found;
}

double lag1_autocorrelation(std::span<const double> samples) {
  if (samples.empty()) throw std::logic_error("statistics of no samples");
  if (std::ranges::adjacent_find(samples, std::not_equal_to()) == samples.end()) return 0;
  const double centre = mean(samples);
  double variance = 0, covariance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    variance += (samples[i] - centre) * (samples[i] - centre);
    if (i > 0) covariance += (samples[i - 1] - centre) * (samples[i] - centre);
  }
  return variance > 0 ? covariance / variance : 0;
}

Slope slope(std::span<const double> x, std::span<const double> y) {
  if (x.size() != y.size() || x.size() < 3) throw std::logic_error("a slope needs three points");
  const double x_centre = mean(x), y_centre = mean(y);
  double xx = 0, xy = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xx += (x[i] - x_centre) * (x[i] - x_centre);
    xy += (x[i] - x_centre) * (y[i] - y_centre);
    yy += (y[i] - y_centre) * (y[i] - y_centre);
  }
  const double residue = std::max(0.0, yy - xy * xy / xx);
  return {.value = xy / xx,
          .standard_error = std::sqrt(residue / static_cast<double>(x.size() - 2) / xx)};
}

double student_t_tail(double t, double degrees_of_freedom) {
  if (t < 0) return 1 - student_t_tail(-t, degrees_of_freedom);
  const double x = degrees_of_freedom / (degrees_of_freedom + t * t);
  return regularised_beta(degrees_of_freedom / 2, 0.5, x) / 2;
}

double student_t_quantile(double probability, double degrees_of_freedom) {
  if (!(probability > 0 && probability < 1 && degrees_of_freedom > 0))
    throw std::logic_error("a t quantile needs 0 < probability < 1 and degrees of freedom > 0");
  if (probability < 0.5) return -student_t_quantile(1 - probability, degrees_of_freedom);
  double low = 0, high = 1;
  while (student_t_tail(high, degrees_of_freedom) > 1 - probability) high *= 2;
  while (high - low > 4 * std::numeric_limits<double>::epsilon() * high) {
    const double middle = std::midpoint(low, high);
    (student_t_tail(middle, degrees_of_freedom) > 1 - probability ? low : high) = middle;
  }
  return std::midpoint(low, high);
}

}  // namespace steelyard
