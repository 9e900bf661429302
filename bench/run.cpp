// SPDX-License-Identifier: Apache-2.0
#include "bench/run.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>

#include "bench/environment.h"
#include "bench/interruption.h"
#include "bench/measure_row.h"
#include "bench/progress.h"
#include "bench/repetitions.h"
#include "bench/results.h"
#include "bench/soak.h"
#include "reports/exit_code.h"
#include "reports/render.h"

namespace steelyard {
namespace {

using Devices = std::vector<std::unique_ptr<Device>>;

// Seconds that the rows still to come may take, each.
class Allowance {
 public:
  Allowance(const Options& options, std::size_t rows)
      : budget_(options.budget_seconds), rows_left_(rows) {
    const bool brief = options.suite == Suite::quick || options.suite == Suite::gate;
    longest_ = brief ? 1 : options.suite == Suite::standard ? 5 : 15;
    if (options.mode == Mode::sustained) longest_ = sustained_seconds;
    if (options.mode == Mode::steady) soak_ = longest_soak_seconds;
    measured_twice_ = options.data_sensitivity;
  }

  // Of soaking and of all rows, as far as their samples go.
  double most_seconds() const {
    const double most =
        soak_ + longest_ * static_cast<double>(rows_left_) * (measured_twice_ ? 2 : 1);
    return budget_ ? std::min(*budget_, most) : most;
  }

  // Null when the budget is spent.
  std::optional<double> next_row() {
    const auto rows = static_cast<double>(rows_left_--);
    if (!budget_) return longest_;
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start_;
    const double left = *budget_ - spent.count();
    if (left <= 0) return std::nullopt;
    return std::min(longest_, left / rows);
  }

 private:
  std::optional<double> budget_;
  std::size_t rows_left_;
  double longest_, soak_ = 0;
  bool measured_twice_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// One process's measuring, with Google Benchmark as the shell that calls row after row.
class Session : public benchmark::BenchmarkReporter {
 public:
  Session(const Family& family, const Options& options, const Calibrations& calibrations,
          const std::vector<Row>& rows, Results& results)
      : rows_(rows),
        results_(results),
        measurer_(family, options, calibrations, interruption_asked),
        allowance_(options, rows.size()),
        progress_(rows, allowance_.most_seconds()) {}

  int run() {
    for (const Row& row : rows_)
      benchmark::RegisterBenchmark(row.key.c_str(),
                                   [this, &row](benchmark::State& state) { visit(row, state); })
          ->Iterations(1)
          ->UseManualTime();
    benchmark::RunSpecifiedBenchmarks(this);
    benchmark::ClearRegisteredBenchmarks();
    if (error_) std::rethrow_exception(error_);
    return code_;
  }

  bool ReportContext(const Context&) override { return true; }

  void ReportRuns(const std::vector<Run>&) override {
    if (!record_ || error_) return;
    try {
      results_.add(*record_);
      progress_.end(*record_);
    } catch (...) {
      error_ = std::current_exception();  // Google Benchmark is not to be unwound
    }
    code_ = stronger(code_, code_of(record_->status));
    record_.reset();
  }

 private:
  static int code_of(Status status) {
    if (status == Status::incorrect || status == Status::implausible) return incorrect_rows;
    return status == Status::failed ? device_error : passed;
  }

  void visit(const Row& row, benchmark::State& state) {
    if (code_ == interrupted || lost_ || error_) return state.SkipWithError("not measured");
    progress_.begin(row);
    measure(row);
    if (!record_ || record_->status != Status::ok) return state.SkipWithError("not measured");
    for (auto _ : state) state.SetIterationTime(record_->timing.median_seconds);
  }

  void measure(const Row& row) {
    try {
      const auto seconds_allowed = allowance_.next_row();
      record_ = measurer_.measure_row(row, seconds_allowed);
    } catch (const Interrupted&) {
      code_ = interrupted;
    } catch (const DeviceLost& lost) {
      lost_ = true;
      record_ = measurer_.failed(row, lost.what());
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  const std::vector<Row>& rows_;
  Results& results_;
  Measurer measurer_;
  Allowance allowance_;
  Progress progress_;
  std::optional<Record> record_;
  std::exception_ptr error_;
  bool lost_ = false;
  int code_ = passed;
};

void list(const std::vector<Row>& rows) {
  for (const Row& row : rows) fmt::print("{}\n", row.key);
}

void dry_run(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const Support support = row.kernel.supports(row.problem, row.devices.front()->info());
    const auto size = static_cast<double>(footprint(row.problem, {.copies = 1}));
    fmt::print("{}  {}\n", row.key,
               support.answer == Support::yes ? bytes(size) + " per operand set"
                                              : "unsupported: " + support.reason);
  }
}

void profile(const std::vector<Row>& rows, const Options& options) {
  for (const Row& row : rows) {
    if (row.kernel.supports(row.problem, row.devices.front()->info()).answer != Support::yes)
      continue;
    for (Device* device : row.devices) {
      const auto prepared =
          row.kernel.prepare(*device, row.problem, {.fill = options.fill, .seed = options.seed});
      device->time(*prepared, {.launches = 1});
    }
    fmt::print("launched {}\n", row.key);
  }
}

std::string result_path(const Family& family, const Options& options) {
  if (!options.json.empty()) return options.json;
  return fmt::format("results/{}-{}-{}/steelyard-{}.json", utc_stamp(), host_name(options),
                     name(options.suite), family.name);
}

// Warns of what makes a device unfit; returns whether anything does.
bool warn(const std::string& program, const std::vector<Check>& checks) {
  bool unfit = false;
  for (const Check& check : checks) {
    if (check.warning.empty()) continue;
    unfit = true;
    fmt::print(stderr, "{}: {}: warning: {}\n", program, check.device, check.warning);
  }
  return unfit;
}

Calibrations calibrate_all(std::span<const Backend> backends, std::span<Device* const> devices,
                           const std::vector<Row>& rows) {
  Calibrations all;
  for (Device* device : devices) {
    // What this device's rows ask for; hot when there are none.
    CachePolicy policy = CachePolicy::hot;
    for (const Row& row : rows)
      if (row.cache != CachePolicy::hot && std::ranges::count(row.devices, device) > 0)
        policy = row.cache;
    Calibration& calibration = all[device];
    try {
      calibration = calibrate(*device, backend_of(backends, device->info()), policy);
    } catch (const std::exception& error) {
      calibration.reason = error.what();  // its rows will say so too
    }
  }
  return all;
}

int measure_all(const Family& family, std::span<const Backend> backends, const Options& options,
                const Devices& devices, const std::vector<Row>& rows, int argc, char** argv) {
  catch_interruptions();
  const std::string path = result_path(family, options);
  const auto repetition = this_repetition();
  if (options.repetitions > 1 && !repetition)
    return run_repetitions(options.repetitions, path, argc, argv);

  const std::string program = "steelyard-" + family.name;
  std::vector<Device*> used;  // a device without rows may be as it likes
  for (const auto& device : devices)
    if (std::ranges::any_of(rows, [&](const Row& row) {
          return std::ranges::count(row.devices, device.get()) > 0;
        }))
      used.push_back(device.get());
  Inspection inspection = {.checks = preflight(used)};
  if (warn(program, inspection.checks) && options.strict) {
    fmt::print(stderr, "{}: nothing was measured: --strict takes no device with a warning\n",
               program);
    return device_error;
  }
  const auto context = [&] {
    return capture_environment(family.name, options, devices, inspection, argc, argv);
  };
  Results results(options, path, repetition.value_or(Repetition{}), context());
  inspection.calibrations = calibrate_all(backends, used, rows);
  results.describe(context());
  Session session(family, options, inspection.calibrations, rows, results);
  const int code = session.run();
  fmt::print("\n{} written\n", path);
  return interruption_asked() ? interrupted : code;
}

int dispatch(const Family& family, std::span<const Backend> backends, int argc, char** argv) {
  const auto options = parse_command_line(family.name, argc, argv);
  if (!options) return passed;
  const auto [devices, absence] = open_devices(backends, options->devices);
  if (!absence.empty()) fmt::print(stderr, "steelyard-{}: {}\n", family.name, absence);
  const auto rows = make_rows(family, backends, devices, *options);
  if (options->list) return list(rows), passed;
  if (options->dry_run) return dry_run(rows), passed;
  if (options->profile) return profile(rows, *options), passed;
  return measure_all(family, backends, *options, devices, rows, argc, argv);
}

}  // namespace

int run(const Family& family, std::span<const Backend> backends, int argc, char** argv) {
  const auto explain = [&](const std::exception& error, int code) {
    fmt::print(stderr, "steelyard-{}: {}\n", family.name, error.what());
    return code;
  };
  try {
    return dispatch(family, backends, argc, argv);
  } catch (const UsageError& error) {
    return explain(error, usage_error);
  } catch (const FileError& error) {
    return explain(error, usage_error);
  } catch (const DeviceAbsent& error) {
    return explain(error, device_error);
  } catch (const std::exception& error) {
    return explain(error, device_error);
  }
}

}  // namespace steelyard
