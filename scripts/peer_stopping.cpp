// SPDX-License-Identifier: Apache-2.0
// How long it takes to know a median so well: the harness against Google Benchmark's loop, repeated
// until the interval of its repetitions' median is as narrow as the harness's. Both launch the same
// Run; verification counts for neither. Of the harness's time it is told what no window took:
// bookkeeping, and sensors that were read.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cmath>

#include "bench/measure_row.h"
#include "bench/suites.h"
#include "bench/window.h"
#include "reports/statistics.h"

using namespace steelyard;

namespace {

// Seconds until the interval is as narrow, or all repetitions together with `reached` false.
struct Outcome {
  double seconds = 0;
  bool reached = false;
};

// Keeps every repetition's time of one iteration.
class Repetitions final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration) continue;
      times.push_back(run.real_accumulated_time / static_cast<double>(run.iterations));
      taken.push_back(run.real_accumulated_time);
    }
  }

  std::vector<double> times, taken;
};

Outcome google_benchmark(Run& run, double min_time, int repetitions, double target) {
  int copy = 0;
  benchmark::RegisterBenchmark("row",
                               [&](benchmark::State& state) {
                                 for (auto _ : state) {
                                   run.launch(copy);
                                   copy = (copy + 1) % run.copies();
                                 }
                               })
      ->UseRealTime()
      ->MinTime(min_time)
      ->Repetitions(repetitions);
  Repetitions reporter;
  const double begin = steady_seconds();
  benchmark::RunSpecifiedBenchmarks(&reporter);
  const double total = steady_seconds() - begin;
  benchmark::ClearRegisteredBenchmarks();
  double repeated = 0;
  for (const double taken : reporter.taken) repeated += taken;
  Outcome outcome = {.seconds = total - repeated};  // what finding the iterations took
  for (std::size_t n = 1; n <= reporter.times.size(); ++n) {
    outcome.seconds += reporter.taken[n - 1];
    if (n < 6) continue;
    outcome.reached = relative_half_width(std::span(reporter.times).first(n)) <= target;
    if (outcome.reached) break;
  }
  return outcome;
}

// A device that adds up how long its windows take.
class Accounting final : public Device {
 public:
  explicit Accounting(Device& device) : device_(device) {}

  const DeviceInfo& info() const override { return device_.info(); }
  std::int64_t free_bytes() const override { return device_.free_bytes(); }
  HostTensor read(const Tensor& tensor) override { return device_.read(tensor); }
  Telemetry telemetry() override { return device_.telemetry(); }
  Elapsed time(Run& run, const Window& window) override {
    const Elapsed elapsed = device_.time(run, window);
    seconds += elapsed.host_seconds;
    return elapsed;
  }

  double seconds = 0;

 private:
  Device& device_;
};

struct Sweep {
  const Family& family;
  std::vector<Axis> axes;
  std::string kernel;
};

std::vector<Sweep> sweeps() {
  return {{gemm_family(),
           {{"dtype", {"f32", "bf16"}}, {"size", {"128", "256", "512", "1024"}}},
           "packed"},
          {memory_family(),
           {{"op", {"read", "copy", "triad", "dot"}}, {"bytes", {"1048576", "67108864"}}},
           "stream"},
          {layers_family(), {{"op", {"rms_norm", "swiglu"}}, {"rows", {"512", "4096"}}}, ""}};
}

class Comparison {
 public:
  void add(Device& device, const Row& row) {
    const Inputs inputs = {.copies =
                               copies_for_rotation(row.problem, last_level_cache(device.info()))};
    const auto run = row.kernel.prepare(device, row.problem, inputs);
    const Plan plan = {.max_seconds = 15,
                       .target_half_width = 0.02,
                       .launches = launches_per_sample(row.problem, device.info())};
    Accounting accounting(device);
    Monitor monitor({&accounting});
    const double begin = steady_seconds();
    const Samples samples = measure(accounting, *run, plan, monitor);
    const double ours = steady_seconds() - begin;
    seconds_ += ours;
    in_windows_ += accounting.seconds;
    const double target = relative_half_width(samples.timing.samples_seconds);
    const Outcome usual = google_benchmark(*run, 0.5, 20, target);
    const Outcome tuned = google_benchmark(*run, 0.05, 100, target);
    fmt::print("{:<44} {:>6.2f} {:>7.2f} {:>12} {:>12}\n", id(row.problem), 100 * target, ours,
               text(usual), text(tuned));
    std::fflush(stdout);
    usual_ratios_.push_back(usual.seconds / ours);
    tuned_ratios_.push_back(tuned.seconds / ours);
  }

  void print() const {
    fmt::print("bookkeeping: {:.2f} % of {:.1f} s of the harness\n",
               100 * (1 - in_windows_ / seconds_), seconds_);
    for (const auto& [name, ratios] :
         {std::pair("0.5 s", &usual_ratios_), {"0.05 s", &tuned_ratios_}}) {
      double logs = 0;
      for (const double ratio : *ratios) logs += std::log(ratio);
      fmt::print(
          "Google Benchmark, repetitions of {}: {:.2f} times as long (geometric mean of {}, "
          "at least; median {:.2f})\n",
          name, std::exp(logs / static_cast<double>(ratios->size())), ratios->size(),
          median(*ratios));
    }
  }

 private:
  static std::string text(const Outcome& outcome) {
    return fmt::format("{}{:.2f}", outcome.reached ? "" : "> ", outcome.seconds);
  }

  double seconds_ = 0, in_windows_ = 0;
  std::vector<double> usual_ratios_, tuned_ratios_;
};

}  // namespace

int main() {
  const Backend& cpu = *std::ranges::find(backends(), "cpu", &Backend::name);
  const auto devices = cpu.open().devices;
  fmt::print("{:<44} {:>6} {:>7} {:>12} {:>12}\n", "problem", "± [%]", "ours [s]", "gb 0.5 s [s]",
             "gb 0.05 s [s]");
  Comparison comparison;
  for (const Sweep& sweep : sweeps()) {
    const Options options = {.kernel = sweep.kernel, .tier = Tier::portable, .axes = sweep.axes};
    for (const Row& row : make_rows(sweep.family, std::span(&cpu, 1), devices, options))
      comparison.add(*row.devices.front(), row);
  }
  comparison.print();
}
