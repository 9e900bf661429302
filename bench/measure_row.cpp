// SPDX-License-Identifier: Apache-2.0
#include "bench/measure_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "bench/environment.h"
#include "bench/reproduce.h"
#include "reports/render.h"
#include "reports/specs.h"

namespace steelyard {
namespace {

// Thrown inside a row to end it with a status that is no failure of the program.
struct RowEnds {
  Status status;
  std::string reason;
};

// The larger of what the run time and the datasheet know: some drivers report an inner cache only.
std::int64_t last_level_cache(const DeviceInfo& info) {
  std::int64_t bytes_known = info.last_level_cache_bytes;
  if (const Spec* spec = find_spec(info.name); spec != nullptr && spec->last_level_cache)
    bytes_known = std::max(bytes_known, static_cast<std::int64_t>(spec->last_level_cache->value));
  return bytes_known;
}

Inputs inputs_of(const Row& row, const Options& options, Fill fill, bool timed) {
  Inputs inputs = {.fill = fill, .seed = options.seed};
  if (timed && row.cache == CachePolicy::rotate)
    inputs.copies = copies_for_rotation(row.problem, last_level_cache(row.device->info()));
  return inputs;
}

std::unique_ptr<Run> prepare(const Row& row, const Inputs& inputs) {
  const DeviceInfo& info = row.device->info();
  const double needed = static_cast<double>(footprint(row.problem, inputs)) +
                        (info.shares_host_memory ? truth_bytes(row.problem) : 0);
  const auto free = static_cast<double>(row.device->free_bytes());
  if (needed > free)
    throw RowEnds{Status::unsupported, fmt::format("does not fit: {} needed, {} free on {}",
                                                   bytes(needed), bytes(free), device_id(info))};
  return row.kernel.prepare(*row.device, row.problem, inputs);
}

Fields scalars(const Problem& problem) {
  Fields all;
  for (const auto& [field, value] : fields(problem))
    std::visit([&, &field = field](const auto& v) { all.emplace_back(field, Scalar(v)); }, value);
  return all;
}

// Faster than the datasheet allows: a wrong clock or a wrong count, never a result. Peaks are
// rounded and boost clocks vary: 5 % of room.
std::string implausibility(const Record& record, const Problem& problem, const DeviceInfo& info) {
  constexpr double room = 1.05;
  const Spec* spec = find_spec(info.name);
  if (spec == nullptr) return {};
  const double median = record.timing.median_seconds;
  const Fact* peak = spec->peak(name(compute_type(problem)));
  if (peak != nullptr && record.flops / median > room * peak->value)
    return fmt::format("{} is above the peak of {}", rate(record.flops / median, "FLOP/s"),
                       rate(peak->value, "FLOP/s"));
  const bool from_memory = record.family == "memory" && record.cache != name(CachePolicy::hot);
  if (from_memory && spec->memory_bandwidth &&
      record.bytes / median > room * spec->memory_bandwidth->value)
    return fmt::format("{} is above the peak of {}", rate(record.bytes / median, "B/s"),
                       rate(spec->memory_bandwidth->value, "B/s"));
  return {};
}

std::string disproof(const Verdict& verdict) {
  return fmt::format("error {:.3g} times the tolerance ({})", verdict.error, verdict.check);
}

Plan plan_of(const Row& row, const Options& options, double max_seconds,
             const std::function<bool()>& interrupted) {
  const bool brief = options.suite == Suite::quick || options.suite == Suite::gate;
  return {
      .min_samples = options.min_samples,
      .min_seconds = std::min(0.5, max_seconds),
      .max_seconds = max_seconds,
      .target_half_width = brief ? 0.02 : 0.01,
      .launches = launches_per_sample(row.problem, row.device->info()),
      .flush_bytes = row.cache == CachePolicy::flush ? 3 * last_level_cache(row.device->info()) : 0,
      .interrupted = interrupted};
}

}  // namespace

Measurer::Measurer(const Family& family, const Options& options, std::string program,
                   std::function<bool()> interrupted)
    : family_(family),
      options_(options),
      program_(std::move(program)),
      interrupted_(std::move(interrupted)) {}

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
    ends(Status::unsupported, fmt::format("does not fit: {}", error.what()));
  } catch (const std::bad_alloc&) {
    ends(Status::unsupported, "does not fit: the host ran out of memory");
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
  const DeviceInfo& info = row.device->info();
  const Work cost = work(row.problem);
  return {.id = id(row.problem),
          .family = family_.name,
          .kernel = std::string(row.kernel.name),
          .tier = std::string(name(row.kernel.tier)),
          .device = device_id(info),
          .device_name = info.name,
          .unit = info.unit,
          .fill = std::string(name(options_.fill)),
          .cache = std::string(name(row.cache)),
          .mode = std::string(name(options_.mode)),
          .seed = options_.seed,
          .reproduce = reproduce_command(program_, options_, row.key),
          .problem = scalars(row.problem),
          .flops = cost.flops,
          .bytes = cost.bytes,
          .steps = cost.steps};
}

void Measurer::fill_in(Record& record, const Row& row, double max_seconds) {
  const DeviceInfo& info = row.device->info();
  const Support support = row.kernel.supports(row.problem, info);
  if (support.answer != Support::yes) throw RowEnds{Status::unsupported, support.reason};

  const std::optional<Verdict> exact = exactness(row);
  const Inputs inputs = inputs_of(row, options_, options_.fill, true);
  const std::unique_ptr<Run> run = prepare(row, inputs);
  record.detail = run->detail();
  const Truth& truth = truth_of(row, options_.fill);
  record.verdict = verify(*row.device, *run, 0, truth);
  if (exact) record.verdict.check = exact->check + "; bounds, " + record.verdict.check;
  if (!record.verdict.ok) throw RowEnds{Status::incorrect, disproof(record.verdict)};
  if (info.emulated) throw RowEnds{Status::skipped, "emulated"};

  const Plan plan = plan_of(row, options_, max_seconds, interrupted_);
  record.identity = comparability({{"id", record.id},
                                   {"fill", record.fill},
                                   {"seed", static_cast<std::int64_t>(record.seed)},
                                   {"cache", record.cache},
                                   {"mode", record.mode},
                                   {"verified", true},
                                   {"suite_major", std::string(suite_version.substr(0, 1))}});
  record.conditions = comparability(conditions_of(info, options_, record.detail, plan.launches));
  time(record, row, *run, plan);

  const int last = run->copies() - 1;
  const Verdict after = verify(*row.device, *run, last, truth);
  if (!after.ok) throw RowEnds{Status::incorrect, "after the timed launches: " + disproof(after)};
  if (const std::string why = implausibility(record, row.problem, info); !why.empty())
    throw RowEnds{Status::implausible, why};
}

std::optional<Verdict> Measurer::exactness(const Row& row) {
  if (!exact_in_integers(row.problem)) return std::nullopt;
  const auto run = prepare(row, inputs_of(row, options_, Fill::integers, false));
  const Verdict verdict = verify_exactly(*row.device, *run, truth_of(row, Fill::integers));
  if (!verdict.ok) throw RowEnds{Status::incorrect, disproof(verdict)};
  return verdict;
}

const Truth& Measurer::truth_of(const Row& row, Fill fill) {
  const Encoding encoding = row.device->info().fp8;
  const std::string problem = fmt::format("{} {}", id(row.problem), name(encoding));
  if (problem_ != problem) {
    truths_.clear();  // before the next ones are made: large ones of two problems may not fit
    problem_ = problem;
  }
  auto& truth = truths_[fill];
  if (truth == nullptr) truth = std::make_unique<Truth>(row.problem, fill, options_.seed, encoding);
  return *truth;
}

void Measurer::time(Record& record, const Row& row, Run& run, const Plan& plan) {
  if (options_.mode == Mode::steady && !soaked_) {
    settled_ = soak(*row.device, run, plan);
    soaked_ = true;
  }
  const Telemetry before = row.device->telemetry();
  record.timing = measure(*row.device, run, plan);
  const Telemetry after = row.device->telemetry();
  if (soaked_) record.timing.settled = settled_;
  for (const std::string& reason : after.throttle_reasons)
    record.timing.flags.push_back("clock held down: " + reason);
  record.clocks = {.before_hz = before.clock_hz,
                   .after_hz = after.clock_hz,
                   .temperature_before_celsius = before.temperature_celsius,
                   .temperature_after_celsius = after.temperature_celsius,
                   .reason = after.missing};
  record.power = {.valid = false, .reasons = {"energy is not measured"}};
}

}  // namespace steelyard
