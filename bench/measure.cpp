// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bench/sampler.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

// Without six samples there is no interval: slow problems get these in any case.
constexpr std::size_t fewest_for_interval = 6;

// The half-width shrinks with the root of the number of samples.
std::size_t samples_needed(std::size_t drawn, double half_width, double target) {
  const double factor = half_width / target;
  return static_cast<std::size_t>(
      std::ceil(static_cast<double>(drawn) * std::max(1.0, factor * factor)));
}

void flag_two_speeds(Timing& timing, std::span<const double> samples, double target) {
  constexpr double clearly_apart = 4, smallest_share = 0.1;
  const Division parts = divide(samples);
  timing.bimodality = parts.separation;
  const double gap = parts.upper_mean / parts.lower_mean - 1;
  const double share = std::min(parts.upper_share, 1 - parts.upper_share);
  if (parts.separation > clearly_apart && share >= smallest_share && gap > target)
    timing.flags.push_back(fmt::format("bimodal: {:.0f} % of the samples are {:.1f} % slower",
                                       100 * parts.upper_share, 100 * gap));
}

void flag_drift(Timing& timing, std::span<const double> samples, double target) {
  const std::size_t half = samples.size() / 2;
  if (half == 0) return;
  const double shift = median(samples.subspan(half)) / median(samples.first(half)) - 1;
  if (std::abs(shift) > target)
    timing.flags.push_back(fmt::format("drifted {:+.1f} %", 100 * shift));
  constexpr double strong = 0.5;
  if (timing.lag1_autocorrelation > strong)
    timing.flags.push_back(fmt::format("autocorrelated {:.2f}: the interval is too narrow",
                                       timing.lag1_autocorrelation));
}

void summarise(Timing& timing, double target) {
  const auto samples = std::span<const double>(timing.samples_seconds)
                           .subspan(static_cast<std::size_t>(timing.reported_from));
  timing.median_seconds = median(samples);
  timing.trimmed_mean_seconds = trimmed_mean(samples);
  timing.minimum_seconds = std::ranges::min(samples);
  timing.lower_quartile_seconds = quantile(samples, 0.25);
  timing.upper_quartile_seconds = quantile(samples, 0.75);
  timing.ci95_seconds = median_ci95(samples);
  timing.lag1_autocorrelation = lag1_autocorrelation(samples);
  for (const int index : outlying(samples)) timing.outlying.push_back(index + timing.reported_from);
  timing.converged =
      samples.size() >= fewest_for_interval && relative_half_width(samples) <= target;
  if (!timing.converged) timing.flags.emplace_back("not converged");
  flag_drift(timing, samples, target);
  flag_two_speeds(timing, samples, target);
}

// Until the target's number of samples, or out of time. The number follows from the width that the
// samples so far have. Each look at it makes a third more of them at least: a handful of looks does
// not narrow the intervals that are stated (tests/coverage_test.cpp), one after every sample would.
// And twice as many at most: a pilot that met a disturbance costs little.
void draw_to_target(Sampler& sampler, const Plan& plan) {
  const double start = plan.now();
  const auto seconds = [&] { return plan.now() - start; };
  const auto& samples = sampler.samples();
  // One less each time: the last sample is drawn apart.
  const auto draw_to = [&](std::size_t number) {
    while (samples.size() + 1 < number &&
           (samples.size() + 1 < fewest_for_interval || seconds() < plan.max_seconds))
      sampler.draw();
  };
  draw_to(static_cast<std::size_t>(plan.min_samples));
  while (seconds() < plan.max_seconds) {
    const std::size_t drawn = samples.size() + 1;
    const double each = seconds() / static_cast<double>(samples.size());
    const auto in_least_time = static_cast<std::size_t>(plan.min_seconds / each);
    std::size_t needed =
        samples_needed(drawn, relative_half_width(samples), plan.target_half_width);
    if (needed > drawn) needed = std::clamp(needed, drawn + drawn / 3, 2 * drawn);
    if (drawn >= std::max(needed, in_least_time)) break;
    draw_to(std::max(needed, in_least_time));
  }
  sampler.draw_last();
}

// One second after the other; returns the index of the first sample of the last third.
int draw_sustained(Sampler& sampler, const Plan& plan, const Monitor& monitor,
                   std::vector<TracePoint>& trace) {
  const double start = plan.now();
  const auto& samples = sampler.samples();
  std::size_t from = 0, last_third = 0;
  while (true) {
    const double elapsed = plan.now() - start;
    const bool over = elapsed >= plan.sustained_seconds && last_third > 0 &&
                      samples.size() + 1 - last_third >= fewest_for_interval;
    over ? sampler.draw_last() : sampler.draw();
    if (last_third == 0 && elapsed >= plan.sustained_seconds * 2 / 3)
      last_third = samples.size() - 1;
    const double previous = trace.empty() ? 0 : trace.back().seconds;
    if (over || elapsed >= previous + 1) {
      const Telemetry& sensors = monitor.of(0).back().sensors;
      trace.push_back({.seconds = elapsed,
                       .median_seconds = median(std::span(samples).subspan(from)),
                       .clock_hz = sensors.clock_hz,
                       .temperature_celsius = sensors.temperature_celsius,
                       .watts = sensors.power_watts});
      from = samples.size();
    }
    if (over) return static_cast<int>(last_third);
  }
}

}  // namespace

Samples measure(Device& device, Run& run, const Plan& plan, Monitor& monitor) {
  Samples result;
  Sampler sampler(device, run, plan, monitor);
  sampler.warm_up();
  if (plan.sustained_seconds > 0)
    result.timing.reported_from = draw_sustained(sampler, plan, monitor, result.trace);
  else
    draw_to_target(sampler, plan);
  sampler.check_clocks();
  result.timing.samples_seconds = sampler.samples();
  result.timing.launches = plan.launches;
  result.timing.copies = run.copies();
  result.timing.throttled = throttled_samples(monitor);
  result.last_copy = sampler.last_copy();
  summarise(result.timing, plan.target_half_width);
  if (sampler.gave_up())
    result.timing.flags.emplace_back("not enqueued ahead: gaps between launches may be the host's");
  return result;
}

}  // namespace steelyard
