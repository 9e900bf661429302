// SPDX-License-Identifier: Apache-2.0
#include "reports/shift.h"

#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "reports/statistics.h"

namespace steelyard {
namespace {

struct Logs {
  double mean = 0, squares = 0;  // squares about the mean
};

Logs logs_of(std::span<const double> values) {
  Logs logs;
  for (const double value : values) logs.mean += std::log(value);
  logs.mean /= static_cast<double>(values.size());
  for (const double value : values) {
    const double from_mean = std::log(value) - logs.mean;
    logs.squares += from_mean * from_mean;
  }
  return logs;
}

}  // namespace

Shift shift(std::span<const double> base, std::span<const double> candidate) {
  const auto n = static_cast<double>(base.size()), m = static_cast<double>(candidate.size());
  if (base.empty() || candidate.empty() || n + m < 3)
    throw std::logic_error("a shift needs a run on either side and one more");
  const Logs of_base = logs_of(base), of_candidate = logs_of(candidate);
  const double degrees = n + m - 2;
  const double deviation = std::sqrt((of_base.squares + of_candidate.squares) / degrees);
  return {.base_runs = static_cast<int>(base.size()),
          .candidate_runs = static_cast<int>(candidate.size()),
          .log_ratio = of_candidate.mean - of_base.mean,
          .standard_error = deviation * std::sqrt(1 / n + 1 / m),
          .deviation = deviation,
          .degrees_of_freedom = degrees};
}

double Shift::ratio() const {
  return std::exp(log_ratio);
}

Interval Shift::ci95() const {
  const double half = student_t_quantile(0.975, degrees_of_freedom) * standard_error;
  return {.lower = std::exp(log_ratio - half), .upper = std::exp(log_ratio + half)};
}

double Shift::p_above(double bound) const {
  const double distance = log_ratio - std::log(bound);
  if (distance == 0) return 0.5;
  if (standard_error == 0) return distance > 0 ? 0 : 1;
  return student_t_tail(distance / standard_error, degrees_of_freedom);
}

// Both errors of a t test, alpha = 1 % and beta = 5 %, in standard errors of a difference.
double Shift::smallest_detectable() const {
  const double errors =
      student_t_quantile(0.99, degrees_of_freedom) + student_t_quantile(0.95, degrees_of_freedom);
  return std::expm1(errors * standard_error);
}

double smallest_detectable(double deviation, int runs_a_side) {
  const double n = runs_a_side;
  return Shift{.standard_error = deviation * std::sqrt(2 / n), .degrees_of_freedom = 2 * n - 2}
      .smallest_detectable();
}

std::string_view name(Finding finding) {
  switch (finding) {
    case Finding::regression:
      return "regression";
    case Finding::improvement:
      return "improvement";
    case Finding::pass:
      return "pass";
    case Finding::inconclusive:
      return "inconclusive";
  }
  throw std::logic_error("no such finding");
}

Finding judge(const Shift& shift, const Limits& limits, double alpha) {
  constexpr double ruled_out = 0.025;
  const double p_dearer = shift.p_above(1);
  if (p_dearer < alpha && shift.ratio() > 1 + limits.floor) return Finding::regression;
  if (1 - p_dearer < alpha && shift.ratio() < 1 / (1 + limits.floor)) return Finding::improvement;
  const bool no_worse = 1 - shift.p_above(1 + limits.target) < ruled_out;
  return no_worse ? Finding::pass : Finding::inconclusive;
}

}  // namespace steelyard
