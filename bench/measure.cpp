// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "reports/statistics.h"

namespace steelyard {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Draws samples from one Run, going on with the next operand set where the last window ended.
class Sampler {
 public:
  Sampler(Device& device, Run& run, const Plan& plan) : device_(device), run_(run), plan_(plan) {}

  // Seconds of one launch. Throws std::runtime_error for a time that cannot be.
  double draw() {
    if (plan_.interrupted()) throw Interrupted{};
    const Elapsed elapsed = device_.time(
        run_,
        {.launches = plan_.launches, .first_copy = next_copy_, .flush_bytes = plan_.flush_bytes});
    next_copy_ = (next_copy_ + plan_.launches) % run_.copies();
    if (!(elapsed.device_seconds > 0))
      throw std::runtime_error("the device's clock gave a time that is not positive");
    return elapsed.device_seconds / plan_.launches;
  }

 private:
  Device& device_;
  Run& run_;
  const Plan& plan_;
  int next_copy_ = 0;
};

double relative_half_width(const Interval& interval, double center) {
  return (interval.upper - interval.lower) / (2 * center);
}

// The half-width shrinks with the root of the number of samples.
std::size_t samples_needed(std::size_t pilot, double half_width, double target) {
  const double factor = half_width / target;
  return static_cast<std::size_t>(
      std::ceil(static_cast<double>(pilot) * std::max(1.0, factor * factor)));
}

void summarise(Timing& timing, double target) {
  const auto& samples = timing.samples_seconds;
  timing.median_seconds = median(samples);
  timing.trimmed_mean_seconds = trimmed_mean(samples);
  timing.minimum_seconds = std::ranges::min(samples);
  timing.ci95_seconds = median_ci95(samples);
  timing.converged = relative_half_width(timing.ci95_seconds, timing.median_seconds) <= target;
  if (!timing.converged) timing.flags.emplace_back("not converged");
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  const double shift = median({middle, samples.end()}) / median({samples.begin(), middle}) - 1;
  if (std::abs(shift) > target)
    timing.flags.push_back(fmt::format("drifted {:+.1f} %", 100 * shift));
}

}  // namespace

int launches_per_sample(const Problem& problem) {
  constexpr double window = 1e-3, flop_rate = 100e9, byte_rate = 20e9;
  const double step_seconds = std::holds_alternative<Launch>(problem) ? 2e-6 : 2e-9;
  const Work w = work(problem);
  const double nominal =
      std::max({w.flops / flop_rate, w.bytes / byte_rate, w.steps * step_seconds, 1e-9});
  return static_cast<int>(std::ceil(std::min(window / nominal, 1e6)));
}

int copies_for_rotation(const Problem& problem, std::int64_t last_level_cache_bytes) {
  constexpr std::int64_t times_cache = 3;
  const std::int64_t one = footprint(problem, {.copies = 1, .guard_bytes = 0});
  if (one == 0) return 1;
  return static_cast<int>(
      std::clamp<std::int64_t>((times_cache * last_level_cache_bytes + one - 1) / one, 1, 4096));
}

Timing measure(Device& device, Run& run, const Plan& plan) {
  Timing timing = {.launches = plan.launches, .copies = run.copies()};
  Sampler sampler(device, run, plan);
  for (int warm = 0; warm < run.copies(); warm += plan.launches) sampler.draw();

  const auto start = Clock::now();
  auto& samples = timing.samples_seconds;
  const auto pilot = static_cast<std::size_t>(plan.min_samples);
  const auto in_time = [&] { return seconds_since(start) < plan.max_seconds; };
  // A slow problem still gets the six samples without which there is no interval.
  constexpr std::size_t fewest = 6;
  while (samples.size() < pilot && (samples.size() < fewest || in_time()))
    samples.push_back(sampler.draw());

  const double per_sample = seconds_since(start) / static_cast<double>(samples.size());
  const double half_width = relative_half_width(median_ci95(samples), median(samples));
  const std::size_t needed =
      std::max(samples_needed(samples.size(), half_width, plan.target_half_width),
               static_cast<std::size_t>(plan.min_seconds / per_sample));
  while (samples.size() < needed && in_time()) samples.push_back(sampler.draw());
  summarise(timing, plan.target_half_width);
  return timing;
}

bool soak(Device& device, Run& run, const Plan& plan) {
  constexpr double stretch_seconds = 1.5, longest_seconds = 30, slope = 0.005;
  Sampler sampler(device, run, plan);
  double previous = 0;
  for (const auto start = Clock::now(); seconds_since(start) < longest_seconds;) {
    std::vector<double> samples;
    for (const auto begin = Clock::now(); seconds_since(begin) < stretch_seconds;)
      samples.push_back(sampler.draw());
    const double now = median(samples);
    if (previous > 0 && std::abs(now - previous) < slope * previous) return true;
    previous = now;
  }
  return false;
}

}  // namespace steelyard
