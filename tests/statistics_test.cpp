// SPDX-License-Identifier: Apache-2.0
#include "reports/statistics.h"

#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "tests/catch.h"

namespace steelyard {
namespace {

std::vector<double> ascending(int n) {
  std::vector<double> values;
  for (int i = 1; i <= n; ++i) values.push_back(i);
  return values;
}

TEST_CASE("the median is the middle sample or the middle of two") {
  CHECK(median(std::vector{3.0}) == 3);
  CHECK(median(std::vector{9.0, 1.0, 5.0}) == 5);
  CHECK(median(std::vector{9.0, 1.0, 5.0, 6.0}) == 5.5);
}

TEST_CASE("the geometric mean is the root of the product") {
  CHECK(geometric_mean(std::vector{1.0, 4.0, 16.0}) == Approx(4));
  CHECK(geometric_mean(std::vector{1e-200, 1e-300}) == Approx(1e-250));
  CHECK_THROWS_AS(geometric_mean({}), std::logic_error);
}

TEST_CASE("quantiles interpolate between order statistics") {
  const std::vector<double> values{40, 10, 30, 20};
  CHECK(quantile(values, 0) == 10);
  CHECK(quantile(values, 1) == 40);
  CHECK(quantile(values, 0.25) == Approx(17.5));  // numpy.quantile's default, R's type 7
  CHECK(quantile(values, 0.9) == Approx(37));
}

TEST_CASE("the trimmed mean leaves out the slowest tenth") {
  auto values = ascending(20);
  values[3] = 1e9;
  values[7] = 1e8;
  // What is left of 1..20: all but 4 and 8.
  CHECK(trimmed_mean(values) == Approx((210.0 - 4 - 8) / 18));
  CHECK(trimmed_mean(ascending(9)) == 5);  // less than one sample to drop
}

TEST_CASE("order statistics enclose the median with the ranks of published tables") {
  // Conover, Practical Nonparametric Statistics, and Hollander and Wolfe: binomial(n, 1/2) ranks
  // for at least 95 %.
  struct {
    int n, lower, upper;
  } const table[] = {{6, 1, 6},    {8, 1, 8},    {9, 2, 8},    {10, 2, 9},
                     {12, 3, 10},  {15, 4, 12},  {20, 6, 15},  {25, 8, 18},
                     {30, 10, 21}, {40, 14, 27}, {50, 18, 33}, {100, 40, 61}};
  for (const auto& [n, lower, upper] : table) {
    CAPTURE(n);
    const auto interval = median_ci95(ascending(n));
    CHECK(interval.lower == lower);
    CHECK(interval.upper == upper);
  }
}

TEST_CASE("few samples have their range as the interval") {
  const auto interval = median_ci95(std::vector{3.0, 1.0, 2.0});
  CHECK(interval.lower == 1);
  CHECK(interval.upper == 3);
}

TEST_CASE("very many samples keep the normal approximation of the ranks") {
  const double n = 100001, half_width = 1.959964 * std::sqrt(n) / 2;
  const auto interval = median_ci95(ascending(100001));
  CHECK(interval.lower == Approx(n / 2 - half_width).margin(2));
  CHECK(interval.upper == Approx(n / 2 + half_width).margin(2));
}

TEST_CASE(
    "the interval of the median covers it in 95 % of experiments, whatever the distribution") {
  std::mt19937_64 random(20240229);
  std::lognormal_distribution<double> lognormal(0, 1);                   // median 1
  std::exponential_distribution<double> exponential(std::numbers::ln2);  // median 1
  for (const int n : {6, 17, 30, 50}) {
    int covered = 0;
    constexpr int experiments = 4000;
    for (int experiment = 0; experiment < experiments; ++experiment) {
      std::vector<double> samples(static_cast<std::size_t>(n));
      for (auto& sample : samples)
        sample = experiment % 2 ? lognormal(random) : exponential(random);
      const auto interval = median_ci95(samples);
      covered += interval.lower <= 1 && 1 <= interval.upper;
    }
    CAPTURE(n, covered);
    // Four standard errors of the simulation below 95 %; ranks are whole, so coverage reaches 98 %.
    CHECK(covered >= experiments * 0.936);
    CHECK(covered <= experiments * 0.990);
  }
}

TEST_CASE("autocorrelation follows its closed form") {
  CHECK(lag1_autocorrelation(std::vector{5.0, 5.0, 5.0}) == 0);
  CHECK(lag1_autocorrelation(std::vector{1.0, -1.0, 1.0, -1.0}) == Approx(-0.75));
  CHECK(lag1_autocorrelation(std::vector{1.0, 2.0, 3.0, 4.0}) == Approx(0.25));
}

TEST_CASE("autocorrelation of an AR(1) process is its coefficient") {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal;
  std::vector<double> values{0};
  for (int i = 0; i < 20000; ++i) values.push_back(0.7 * values.back() + normal(random));
  CHECK(lag1_autocorrelation(values) == Approx(0.7).margin(0.02));
}

TEST_CASE("the slope of a line through points, with its standard error") {
  const std::vector<double> x = {1, 2, 3, 4};
  CHECK(slope(x, std::vector{3.0, 5.0, 7.0, 9.0}).value == Approx(2));
  CHECK(slope(x, std::vector{3.0, 5.0, 7.0, 9.0}).standard_error == Approx(0).margin(1e-9));
  // xx = 5, xy = 7, residue = 14 - 49 / 5 = 4.2: 7 / 5 and sqrt(4.2 / 2 / 5).
  const Slope bent = slope(x, std::vector{6.0, 5.0, 7.0, 10.0});
  CHECK(bent.value == Approx(1.4));
  CHECK(bent.standard_error == Approx(0.6480741));
  CHECK_THROWS_AS(slope(std::vector{1.0, 2.0}, std::vector{1.0, 2.0}), std::logic_error);
}

TEST_CASE("t quantiles agree with published tables") {
  struct {
    double probability, degrees_of_freedom, quantile;
  } const table[] = {{0.975, 1, 12.7062},  {0.975, 2, 4.30265},  {0.975, 4, 2.77645},
                     {0.975, 9, 2.26216},  {0.975, 30, 2.04227}, {0.975, 120, 1.97993},
                     {0.95, 5, 2.01505},   {0.99, 8, 2.89646},   {0.995, 18, 2.87844},
                     {0.9995, 3, 12.9240}, {0.75, 10, 0.699812}};
  for (const auto& [probability, degrees_of_freedom, expected] : table) {
    CAPTURE(probability, degrees_of_freedom);
    CHECK(student_t_quantile(probability, degrees_of_freedom) == Approx(expected).epsilon(2e-5));
    CHECK(student_t_quantile(1 - probability, degrees_of_freedom) ==
          Approx(-expected).epsilon(2e-5));
  }
}

TEST_CASE("t quantiles have closed forms at one and two degrees of freedom and a normal limit") {
  for (const double p : {0.6, 0.9, 0.975, 0.999}) {
    CHECK(student_t_quantile(p, 1) ==
          Approx(std::tan(std::numbers::pi * (p - 0.5))).epsilon(1e-10));
    CHECK(student_t_quantile(p, 2) ==
          Approx((2 * p - 1) / std::sqrt(2 * p * (1 - p))).epsilon(1e-10));
  }
  CHECK(student_t_quantile(0.975, 1e7) == Approx(1.959964).epsilon(1e-5));
  CHECK(std::abs(student_t_quantile(0.5, 3)) < 1e-12);
}

TEST_CASE("t quantiles are monotone in fractional degrees of freedom") {
  CHECK(student_t_quantile(0.975, 2.5) < student_t_quantile(0.975, 2));
  CHECK(student_t_quantile(0.975, 2.5) > student_t_quantile(0.975, 3));
  // Density of t with 2.5 degrees of freedom integrated numerically up to the quantile.
  const double nu = 2.5, quantile = student_t_quantile(0.975, nu);
  const double scale =
      std::tgamma((nu + 1) / 2) / (std::sqrt(nu * std::numbers::pi) * std::tgamma(nu / 2));
  constexpr int steps = 100000;
  double area = 0.5;
  for (int i = 0; i < steps; ++i) {
    const double t = (i + 0.5) * quantile / steps;
    area += scale * std::pow(1 + t * t / nu, -(nu + 1) / 2) * quantile / steps;
  }
  CHECK(area == Approx(0.975).epsilon(1e-8));
}

TEST_CASE("a prediction interval is Student's, for one more sample") {
  // Logarithms -1, 0, 1: deviation 1, t(0.975, 2) = 4.302652729911275 (from tables).
  const std::vector samples{std::exp(-1.0), 1.0, std::exp(1.0)};
  const double half = 4.302652729911275 * std::sqrt(1 + 1.0 / 3);
  CHECK(log_deviation(samples) == Approx(1).epsilon(1e-12));
  CHECK(prediction_interval(samples).lower == Approx(std::exp(-half)).epsilon(1e-9));
  CHECK(prediction_interval(samples).upper == Approx(std::exp(half)).epsilon(1e-9));
}

TEST_CASE("a prediction interval of five holds 95 % of next samples") {
  std::mt19937_64 generator(11);
  std::lognormal_distribution<double> noise(-7, 0.02);
  int held = 0;
  constexpr int trials = 4000;
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<double> samples(5);
    for (double& sample : samples) sample = noise(generator);
    const Interval interval = prediction_interval(samples);
    const double next = noise(generator);
    held += interval.lower <= next && next <= interval.upper;
  }
  CHECK(held / static_cast<double>(trials) == Approx(0.95).margin(0.01));
}

TEST_CASE("the best division of two groups tells their means and how far they are apart") {
  const std::vector samples{1.02, 2.0, 1.0, 2.02, 0.98, 1.98, 2.0, 1.0};
  const Division parts = divide(samples);
  CHECK(parts.lower_mean == Approx(1.0));
  CHECK(parts.upper_mean == Approx(2.0));
  CHECK(parts.upper_share == Approx(0.5));
  CHECK(parts.separation == Approx(1 / std::sqrt(2e-4)));  // both variances are 2e-4
  CHECK(divide(std::vector(9, 1e-3)).separation == 0);
}

TEST_CASE("distributions with one mode divide as theory has it") {
  std::mt19937_64 generator(3);
  std::vector<double> normal(20000), uniform(20000);
  for (double& value : normal) value = std::normal_distribution<double>(100, 1)(generator);
  for (double& value : uniform) value = std::uniform_real_distribution<double>(1, 2)(generator);
  // Halves of a normal distribution: means 2 sqrt(2 / pi) apart, variances 1 - 2 / pi.
  const double theory = 2 * std::sqrt(2 / std::numbers::pi) / std::sqrt(1 - 2 / std::numbers::pi);
  CHECK(divide(normal).separation == Approx(theory).epsilon(0.02));
  CHECK(divide(uniform).separation == Approx(std::sqrt(12.0)).epsilon(0.02));
}

TEST_CASE("far outliers are three interquartile ranges outside the quartiles") {
  std::vector<double> samples = ascending(101);  // quartiles 26 and 76
  samples[40] = 231;
  CHECK(outlying(samples) == std::vector{40});
  samples[40] = 229;
  CHECK(outlying(samples).empty());
  samples[7] = -130;
  CHECK(outlying(samples) == std::vector{7});
}

TEST_CASE("no samples are a logic error") {
  CHECK_THROWS_AS(median({}), std::logic_error);
  CHECK_THROWS_AS(median_ci95({}), std::logic_error);
  CHECK_THROWS_AS(lag1_autocorrelation({}), std::logic_error);
  CHECK_THROWS_AS(student_t_quantile(1, 3), std::logic_error);
  CHECK_THROWS_AS(prediction_interval(std::vector{1.0}), std::logic_error);
}

}  // namespace
}  // namespace steelyard
