// SPDX-License-Identifier: Apache-2.0
#include "bench/sampler.h"

#include <fmt/format.h>

#include <cmath>

#include "reports/statistics.h"

namespace steelyard {

void Sampler::warm_up() {
  constexpr double longest_share = 0.1;
  const double start = plan_.now();
  int warm = 0;
  do {
    time(false, monitor_.due());
    warm += plan_.launches;
  } while (warm < run_.copies() && plan_.now() - start < longest_share * plan_.max_seconds);
}

void Sampler::draw() {
  samples_.push_back(time(true, monitor_.due()));
}

void Sampler::draw_last() {
  plan_.before_last_window((next_copy_ + plan_.launches - 1) % run_.copies());
  samples_.push_back(time(true, true));
}

double Sampler::time(bool sampled, bool watched) {
  constexpr double comparable = 1e-3, outlasts_sensors = 0.1;
  if (plan_.interrupted()) throw Interrupted{};
  Window window = {.launches = plan_.launches,
                   .first_copy = next_copy_,
                   .flush_bytes = plan_.flush_bytes,
                   .graph = plan_.graph,
                   .back_to_back = back_to_back_};
  if (watched)
    window.meanwhile = [&] { monitor_.read(launches_, samples_.size() + (sampled ? 1 : 0)); };
  const auto [device, host, gave_up] = device_.time(run_, window);
  if (gave_up) back_to_back_ = false;  // trying takes seconds each time
  next_copy_ = (next_copy_ + plan_.launches) % run_.copies();
  launches_ += plan_.launches;
  if (!(device > 0))
    throw ImpossibleTime(
        fmt::format("the device's clock gave {:g} s for a window of {} launches: such a clock "
                    "cannot be used",
                    device, plan_.launches));
  // Reading the sensors may outlast a short window: its host time tells nothing then.
  const bool told = host > (watched ? outlasts_sensors : comparable);
  if (told) host_over_device_.push_back(host / device);
  return device / plan_.launches;
}

void Sampler::check_clocks() const {
  constexpr double tolerance = 0.10;
  if (host_over_device_.empty()) return;
  const double ratio = median(host_over_device_);
  if (std::abs(ratio - 1) <= tolerance) return;
  throw ImpossibleTime(fmt::format(
      "the device's clock and the host's disagree: the host waited {:.2f} times what the "
      "device's events say (median of {} windows); work escapes the events, or a clock "
      "is wrong",
      ratio, host_over_device_.size()));
}

}  // namespace steelyard
