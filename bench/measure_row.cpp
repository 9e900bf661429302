// SPDX-License-Identifier: Apache-2.0
#include "bench/measure_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>

#include "bench/capacity.h"
#include "bench/environment.h"
#include "bench/plausibility.h"
#include "bench/reproduce.h"
#include "bench/row_power.h"
#include "bench/soak.h"
#include "bench/step_facts.h"
#include "bench/step_values.h"
#include "bench/together.h"
#include "bench/window.h"
#include "reports/render.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

// Thrown inside a row to end it with a status that is no failure of the program.
struct RowEnds {
  Status status;
  std::string reason;
};

// Before the truth is made, which takes memory as well, and time.
void require_room(const Row& row, const Device& device, const Inputs& inputs) {
  const DeviceInfo& info = device.info();
  const double needed = static_cast<double>(footprint(row.problem, inputs)) +
                        (info.shares_host_memory ? truth_bytes(row.problem) : 0);
  const auto free = static_cast<double>(device.free_bytes());
  if (needed > free)
    throw RowEnds{Status::unsupported, fmt::format("{}{} needed, {} free on {}", no_room,
                                                   bytes(needed), bytes(free), device_id(info))};
}

Fields scalars(const Problem& problem) {
  Fields all;
  for (const auto& [field, value] : fields(problem))
    std::visit([&, &field = field](const auto& v) { all.emplace_back(field, Scalar(v)); }, value);
  return all;
}

std::vector<HostTensor> inputs_of(const Problem& problem, Fill fill, std::uint64_t seed,
                                  Encoding encoding) {
  const auto* transformer = std::get_if<Transformer>(&problem);
  return transformer != nullptr ? kept_values(step_of(*transformer), fill, seed, encoding)
                                : make_inputs(problem, fill, seed, encoding);
}

void require(const Verdict& verdict, std::string_view when) {
  if (verdict.ok) return;
  const bool boundless = verdict.error == std::numeric_limits<double>::max();
  const std::string error = boundless
                                ? "not finite, or not what it must be exactly"
                                : fmt::format("error {:.3g} times the tolerance", verdict.error);
  throw RowEnds{Status::incorrect, fmt::format("{}{} ({})", when, error, verdict.check)};
}

// Adds to a sum how long its scope takes.
class Lap {
 public:
  Lap(double& sum, const HostClock& now) : sum_(sum), now_(now) {}
  ~Lap() { sum_ += now_() - begin_; }
  Lap(const Lap&) = delete;
  Lap& operator=(const Lap&) = delete;

 private:
  double& sum_;
  const HostClock& now_;
  double begin_ = now_();
};

std::vector<Member> members_of(const Row& row, const Together& together, const Monitor& monitor,
                               const Timing& timing) {
  std::vector<Member> members;
  for (std::size_t i = 0; i < row.devices.size(); ++i) {
    const auto windows = together.windows(i).last(timing.samples_seconds.size());
    std::vector<double> samples;
    for (const double window : windows.subspan(static_cast<std::size_t>(timing.reported_from)))
      samples.push_back(window / timing.launches);
    members.push_back({.device = device_id(row.devices[i]->info()),
                       .median_seconds = median(samples),
                       .trimmed_mean_seconds = trimmed_mean(samples),
                       .mean_hz = mean(monitor.of(i, timing.reported_from), &Telemetry::clock_hz),
                       .watts = power_of(monitor.of(i, timing.reported_from), "", "").watts});
  }
  return members;
}

// The highest clock of the readings, where there are enough to have caught it under load.
std::optional<double> highest_clock(std::span<const Reading> readings) {
  constexpr std::size_t enough = 5;
  std::optional<double> highest;
  if (readings.size() < enough) return highest;
  for (const Reading& reading : readings)
    if (reading.sensors.clock_hz)
      highest = std::max(highest.value_or(0), *reading.sensors.clock_hz);
  return highest;
}

}  // namespace

Measurer::Measurer(const Family& family, const Options& options, const Calibrations& calibrations,
                   std::function<bool()> interrupted, HostClock now)
    : family_(family),
      options_(options),
      calibrations_(calibrations),
      interrupted_(std::move(interrupted)),
      now_(std::move(now)) {}

Record Measurer::measure_row(const Row& row, std::optional<double> max_seconds) {
  Record record = describe(row);
  const auto ends = [&](Status status, std::string reason) {
    record.status = status;
    record.reason = std::move(reason);
  };
  try {
    if (!max_seconds) throw RowEnds{Status::skipped, "the time budget was spent"};
    fill_in(record, row, *max_seconds);
  } catch (const RowEnds& end) {
    ends(end.status, end.reason);
  } catch (const DeviceLost&) {
    throw;
  } catch (const OutOfMemory& error) {
    ends(Status::unsupported, fmt::format("{}{}", no_room, error.what()));
  } catch (const std::bad_alloc&) {
    ends(Status::unsupported, fmt::format("{}the host ran out of memory", no_room));
  } catch (const std::exception& error) {
    ends(Status::failed, error.what());
  }
  return record;
}

Record Measurer::failed(const Row& row, const std::string& reason) const {
  Record record = describe(row);
  record.status = Status::failed;
  record.reason = reason;
  return record;
}

Record Measurer::describe(const Row& row) const {
  const DeviceInfo& info = row.devices.front()->info();
  const auto devices = static_cast<double>(row.devices.size());
  const Work cost = work(row.problem);
  return {.id = id(row.problem),
          .family = family_.name,
          .kernel = std::string(row.kernel.name),
          .tier = std::string(name(row.kernel.tier)),
          .device = device_id(row.devices),
          .device_name = info.name,
          .unit = unit_of(row.devices),
          .fill = std::string(name(options_.fill)),
          .cache = std::string(name(row.cache)),
          .mode = std::string(name(options_.mode)),
          .seed = options_.seed,
          .reproduce = reproduce_command("steelyard-" + family_.name, options_, row.key),
          .problem = scalars(row.problem),
          .flops = devices * cost.flops,
          .bytes = devices * cost.bytes,
          .steps = cost.steps,
          .method_version = method_version};
}

void Measurer::fill_in(Record& record, const Row& row, double max_seconds) {
  verifying_ = 0;
  for (const Device* device : row.devices) {
    const Support support = row.kernel.supports(row.problem, device->info());
    if (support.answer != Support::yes) throw RowEnds{Status::unsupported, support.reason};
  }
  if (options_.mode == Mode::sustained && max_seconds < sustained_seconds)
    throw RowEnds{Status::skipped, fmt::format("the time budget leaves {:.0f} s, and a sustained "
                                               "row takes {:.0f} s",
                                               max_seconds, sustained_seconds)};
  std::optional<Verdict> exact;
  for (Device* device : row.devices) exact = exactness(row, *device);
  Device& device = *row.devices.front();
  const std::int64_t free = device.free_bytes();
  std::vector<Prepared> prepared = prepare_all(row, options_.fill);
  record.detail = prepared.front().run->detail();
  record.verdict = prepared.front().verdict;
  if (exact) record.verdict.check = exact->check + "; bounds, " + record.verdict.check;
  for (const Prepared& one : prepared) {
    if (!one.verdict.ok) record.verdict = one.verdict;
    require(one.verdict, "");
  }
  if (device.info().emulated) throw RowEnds{Status::skipped, "emulated"};

  const Plan plan = plan_of(row, max_seconds);
  set_comparability(record, row, plan.launches);
  time(record, row, prepared, plan, options_.fill);
  if (options_.suite != Suite::gate)  // which judges times alone
    describe_step(record, device, row.problem, *prepared.front().run,
                  options_.suite == Suite::quick ? 1 : 3);
  if (record.step && !device.info().shares_host_memory)
    record.step->taken_bytes = static_cast<double>(free - device.free_bytes());
  prepared.clear();  // before zeros take as much memory
  if (record.step) {
    const auto& transformer = std::get<Transformer>(row.problem);
    add_rates(*record.step, device, transformer);
    record.step->whole_model = capacity_of(device, transformer);
  }
  if (options_.data_sensitivity && options_.fill != Fill::zeros) time_zeros(record, row, plan);
}

std::optional<Verdict> Measurer::exactness(const Row& row, Device& device) {
  if (!exact_in_integers(row.problem)) return std::nullopt;
  Inputs inputs = {.fill = Fill::integers, .seed = options_.seed};
  require_room(row, device, inputs);
  const Truth& truth = truth_of(row, Fill::integers);
  inputs.made = truth.inputs();
  const Lap lap(verifying_, now_);
  const auto run = row.kernel.prepare(device, row.problem, inputs);
  const Verdict verdict = verify_exactly(device, *run, truth);
  require(verdict, "");
  return verdict;
}

std::vector<Measurer::Prepared> Measurer::prepare_all(const Row& row, Fill fill) {
  Inputs inputs = {.fill = fill, .seed = options_.seed};
  if (row.cache == CachePolicy::rotate)
    inputs.copies = copies_for_rotation(row.problem, last_level_cache(row.devices.front()->info()));
  for (const Device* device : row.devices) require_room(row, *device, inputs);
  const Truth& truth = truth_of(row, fill);
  inputs.made = truth.inputs();
  std::vector<Prepared> all;
  for (Device* device : row.devices) {
    Prepared& one = all.emplace_back(Prepared{.device = device});
    one.run = row.kernel.prepare(*device, row.problem, inputs);
    const Lap lap(verifying_, now_);
    one.verdict = verify(*device, *one.run, 0, truth, &one.fingerprint);
    launch_once(*device, *one.run, 0);
    one.repeats = fingerprint(*device, *one.run, 0) == one.fingerprint;
  }
  return all;
}

const Truth& Measurer::truth_of(const Row& row, Fill fill) {
  const Encoding encoding = row.devices.front()->info().fp8;
  const std::string problem = fmt::format("{} {}", id(row.problem), name(encoding));
  if (problem_ != problem) {
    truths_.clear();  // before the next ones are made: large ones of two problems may not fit
    problem_ = problem;
  }
  auto& truth = truths_[fill];
  if (truth == nullptr) {
    auto inputs = inputs_of(row.problem, fill, options_.seed, encoding);  // the Runs' as well
    const Lap lap(verifying_, now_);
    truth = std::make_unique<Truth>(row.problem, std::move(inputs), encoding);
  }
  return *truth;
}

Plan Measurer::plan_of(const Row& row, double max_seconds) const {
  constexpr double shortest_for_energy = 2.4;  // 2 s between the first reading and the last
  const DeviceInfo& info = row.devices.front()->info();
  const bool brief = options_.suite == Suite::quick || options_.suite == Suite::gate;
  const double least = options_.energy ? shortest_for_energy : 0.5;
  return {.min_samples = options_.min_samples,
          .min_seconds = options_.energy ? least : std::min(least, max_seconds),
          .max_seconds = options_.energy ? std::max(least, max_seconds) : max_seconds,
          .target_half_width = brief ? 0.02 : 0.01,
          .sustained_seconds = options_.mode == Mode::sustained ? sustained_seconds : 0,
          .launches = launches_per_sample(row.problem, info),
          .flush_bytes = row.cache == CachePolicy::flush ? 3 * last_level_cache(info) : 0,
          .back_to_back = can_be_enqueued_ahead(row.problem),
          .graph = is_graph(row.problem),
          .interrupted = interrupted_,
          .now = now_};
}

void Measurer::set_comparability(Record& record, const Row& row, int launches) const {
  record.identity = comparability({{"id", record.id},
                                   {"fill", record.fill},
                                   {"seed", static_cast<std::int64_t>(record.seed)},
                                   {"cache", record.cache},
                                   {"mode", record.mode},
                                   {"verified", true},
                                   {"suite_major", std::string(suite_version.substr(0, 1))}});
  record.conditions = comparability(conditions_of(row.devices, options_, record.detail, launches));
}

void Measurer::time(Record& record, const Row& row, std::vector<Prepared>& prepared, Plan plan,
                    Fill fill) {
  std::optional<Together> together;
  std::unique_ptr<Run> joined;
  if (prepared.size() > 1) {
    std::vector<Run*> runs;
    for (const Prepared& one : prepared) runs.push_back(one.run.get());
    together.emplace(row.devices);
    joined = together->join(std::move(runs));
  }
  Device& device = together ? *together : *row.devices.front();
  Run& run = joined ? *joined : *prepared.front().run;

  const std::optional<bool> settled = settle(row, device, run, plan);
  // Operands that several launches of one window update hold what all of them made: one more launch
  // is verified then.
  const bool overwritten = updates_in_place(run) && plan.launches > run.copies();
  if (!overwritten) plan.before_last_window = [&](int copy) { run.reset(copy, 0); };
  Monitor monitor(row.devices, now_);
  Samples samples = measure(device, run, plan, monitor);
  if (overwritten)
    for (const Prepared& one : prepared) launch_once(*one.device, *one.run, samples.last_copy);
  record.timing = std::move(samples.timing);
  record.trace = std::move(samples.trace);
  if (settled) record.timing.settled = settled;
  if (together) record.together = members_of(row, *together, monitor, record.timing);
  const int from = record.timing.reported_from;
  record.clocks = clocks_of(monitor.of(0, from), record.timing.median_seconds);
  for (std::size_t i = 1; i < monitor.devices(); ++i)
    for (const std::string& reason : clocks_of(monitor.of(i, from), 0).throttle_reasons)
      record.clocks.throttle_reasons.push_back(device_id(row.devices[i]->info()) + ": " + reason);
  record.power = total_power(row, monitor, record.timing);
  verify_last(record, prepared, samples.last_copy, truth_of(row, fill));
  judge_speed(record, row, monitor);
}

std::optional<bool> Measurer::settle(const Row& row, Device& device, Run& run, const Plan& plan) {
  if (options_.mode != Mode::steady) return std::nullopt;
  const auto known = settled_.find(row.devices);
  if (known != settled_.end()) return known->second;
  Monitor monitor(row.devices, now_);
  return settled_[row.devices] = soak(device, run, plan, monitor);
}

void Measurer::verify_last(Record& record, const std::vector<Prepared>& prepared, int copy,
                           const Truth& truth) {
  bool deterministic = true;
  for (const Prepared& one : prepared) {
    const Lap lap(verifying_, now_);
    std::size_t left = 0;
    const Verdict after = check(*one.device, *one.run, copy, truth, &left);
    if (!after.ok) record.verdict = after;
    require(after, "the last timed launch: ");
    deterministic = deterministic && one.repeats && left == one.fingerprint;
  }
  record.verdict.deterministic = deterministic;
  record.verdict.seconds = verifying_;
}

void Measurer::judge_speed(Record& record, const Row& row, const Monitor& monitor) const {
  const Device* device = row.devices.front();
  const DeviceInfo& info = device->info();
  for (const std::string& reason : record.clocks.throttle_reasons)
    record.timing.flags.push_back("clock held down: " + reason);
  const auto calibration = calibrations_.find(device);
  const bool calibrated = calibration != calibrations_.end();
  if (calibrated && calibration->second.cache_policy_effective == false &&
      row.cache != CachePolicy::hot)
    record.timing.flags.emplace_back("cache policy not effective");
  if (row.cache == CachePolicy::flush && record.timing.launches > 1)
    record.timing.flags.push_back(
        fmt::format("flushed once for {} launches", record.timing.launches));
  const double resolution = calibrated ? calibration->second.resolution_seconds : 0;
  const std::string why =
      too_fast(record, row.problem, info, highest_clock(monitor.of(0, 0)), resolution);
  if (!why.empty()) throw RowEnds{Status::implausible, why};
  if (const std::string expected = slow_for_class(record, row.problem, info); !expected.empty())
    record.timing.flags.push_back(fmt::format("slow_for_class: {} expected", expected));
}

// What goes wrong on zeros leaves the row as it is; a device that was lost fails the next one.
void Measurer::time_zeros(Record& record, const Row& row, const Plan& plan) try {
  std::vector<Prepared> prepared = prepare_all(row, Fill::zeros);
  for (const Prepared& one : prepared) require(one.verdict, "on zeros: ");
  Record on_zeros = describe(row);
  time(on_zeros, row, prepared, plan, Fill::zeros);
  const double zeros = on_zeros.timing.median_seconds;
  record.zeros = {.zeros_median_seconds = zeros,
                  .uplift = record.timing.median_seconds / zeros - 1};
} catch (const RowEnds& end) {
  record.timing.flags.push_back("not measured on zeros: " + end.reason);
} catch (const std::exception& error) {
  record.timing.flags.push_back(fmt::format("not measured on zeros: {}", error.what()));
}

}  // namespace steelyard
