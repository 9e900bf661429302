// SPDX-License-Identifier: Apache-2.0
#include "bench/calibrate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "bench/window.h"
#include "reports/specs.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

// Launches nothing: a window of it holds the cost of timing alone.
class NoRun final : public Run {
 public:
  void launch(int) override {}
  std::vector<Tensor> tensors(int) const override { return {}; }
  void reset(int, int) override {}
  std::string damage(int) const override { return {}; }
  int copies() const override { return 1; }
};

// The smallest distance between two readings that differ; of one reading alone, what it shows.
double smallest_step(std::vector<double> times) {
  std::ranges::sort(times);
  double least = times.back();
  for (std::size_t i = 1; i < times.size(); ++i)
    if (times[i] > times[i - 1]) least = std::min(least, times[i] - times[i - 1]);
  return std::max(least, 0.0);
}

void time_nothing(Device& device, Calibration& calibration) {
  NoRun nothing;
  std::vector<double> times(301);
  for (double& time : times)
    time = device.time(nothing, {.launches = 0, .back_to_back = true}).device_seconds;
  calibration.overhead_p50_seconds = median(times);
  calibration.overhead_p99_seconds = quantile(times, 0.99);
  calibration.resolution_seconds = smallest_step(times);
}

// Median time of one launch; windows as for `launches` of them.
double launch_seconds(Device& device, Run& run, int launches, std::int64_t flush_bytes) {
  device.time(run, {.launches = 1});  // loads the code
  std::vector<double> times(9);       // the first ones may be slow: a median
  int copy = 0;
  for (double& time : times) {
    time = device
               .time(run, {.launches = launches,
                           .first_copy = copy,
                           .flush_bytes = flush_bytes,
                           .back_to_back = true})
               .device_seconds /
           launches;
    copy = (copy + launches) % run.copies();
  }
  return median(times);
}

// Sets what it finds; returns why there is nothing to find.
std::string try_cache_policy(Device& device, const Backend& backend, CachePolicy policy,
                             Calibration& calibration) {
  // Caches that are barely faster than memory would not bias a row that should be cold.
  constexpr double clearly_faster = 1.1;
  const std::int64_t cache = last_level_cache(device.info());
  if (policy == CachePolicy::hot) return "hot operands were asked for";
  if (cache == 0) return "the size of the last-level cache is not known";
  constexpr std::int64_t page = 4096;
  const Problem problem = Memory{MemoryOp::read, DType::f64, cache / 4 / page * page};
  const auto kernel = std::ranges::find_if(backend.kernels, [&](const Kernel& k) {
    return k.supports(problem, device.info()).answer == Support::yes;
  });
  if (kernel == backend.kernels.end()) return "this device has no kernel that reads memory";

  const std::int64_t flush_bytes = policy == CachePolicy::flush ? 3 * cache : 0;
  const int copies = policy == CachePolicy::rotate ? copies_for_rotation(problem, cache) : 1;
  if (footprint(problem, {.copies = copies + 1}) + flush_bytes > device.free_bytes())
    return "operands of three times the cache do not fit";
  // Beyond what a launch of a page takes: a quarter of a small cache is read as fast as launched.
  const auto seconds = [&](const Problem& what, int sets, std::int64_t flushed) {
    const auto run = kernel->prepare(device, what, {.fill = Fill::ones, .copies = sets});
    const int launches = flushed > 0 ? 1 : launches_per_sample(problem, device.info());
    return launch_seconds(device, *run, launches, flushed);
  };
  const Problem next_to_nothing = Memory{MemoryOp::read, DType::f64, page};
  const double hot = seconds(problem, 1, 0) - seconds(next_to_nothing, 1, 0);
  const double cold =
      seconds(problem, copies, flush_bytes) - seconds(next_to_nothing, 1, flush_bytes);
  if (!(hot > 0 && cold > 0)) return "reading a quarter of the cache takes no longer than a launch";
  calibration.hot_bytes_per_second = work(problem).bytes / hot;
  calibration.cold_bytes_per_second = work(problem).bytes / cold;
  calibration.cache_policy_effective =
      calibration.hot_bytes_per_second > clearly_faster * calibration.cold_bytes_per_second;
  return {};
}

}  // namespace

Fields Calibration::fields() const {
  constexpr double nano = 1e9;  // written to the picosecond
  Fields all;
  const auto add = [&](std::string name, bool known, Scalar value) {
    all.emplace_back(name, known ? std::move(value) : Scalar(nullptr));
    if (!known) all.emplace_back(name + "_reason", reason.empty() ? "every reading was 0" : reason);
  };
  const auto nanoseconds = [](double seconds) { return std::round(seconds * nano * 1000) / 1000; };
  const bool timed = overhead_p99_seconds > 0 || resolution_seconds > 0;
  add("timer_overhead_p50_ns", timed, nanoseconds(overhead_p50_seconds));
  add("timer_overhead_p99_ns", timed, nanoseconds(overhead_p99_seconds));
  add("timer_resolution_ns", timed, nanoseconds(resolution_seconds));
  add("cache_policy_effective", cache_policy_effective.has_value(),
      cache_policy_effective.value_or(false));
  add("hot_bytes_per_second", cache_policy_effective.has_value(), hot_bytes_per_second);
  add("cold_bytes_per_second", cache_policy_effective.has_value(), cold_bytes_per_second);
  return all;
}

Calibration calibrate(Device& device, const Backend& backend, CachePolicy policy) {
  Calibration calibration;
  if (device.info().emulated) {
    calibration.reason = "emulated devices are not timed";
    return calibration;
  }
  time_nothing(device, calibration);
  calibration.reason = try_cache_policy(device, backend, policy, calibration);
  return calibration;
}

std::int64_t last_level_cache(const DeviceInfo& info) {
  std::int64_t bytes_known = info.last_level_cache_bytes;
  if (const Spec* spec = find_spec(info.name); spec != nullptr && spec->last_level_cache)
    bytes_known = std::max(bytes_known, static_cast<std::int64_t>(spec->last_level_cache->value));
  return bytes_known;
}

}  // namespace steelyard
