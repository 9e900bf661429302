// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>

#include "reports/json_writer.h"
#include "reports/record.h"
#include "reports/replace_file.h"
#include "reports/step_write.h"

namespace steelyard {
namespace {

// Whole numbers beyond this are not exact in readers that hold every number as a double.
constexpr std::uint64_t largest_exact_integer = std::uint64_t{1} << 53;

void write_object(JsonWriter& json, std::string_view name, const Fields& fields) {
  json.name(name);
  json.begin_object();
  json.fields(fields);
  json.end();
}

void write_objects(JsonWriter& json, std::string_view name, const std::vector<Fields>& objects) {
  json.name(name);
  json.begin_array(JsonWriter::lines);
  for (const Fields& fields : objects) {
    json.begin_object();
    json.fields(fields);
    json.end();
  }
  json.end();
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.name(name);
  json.begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end();
}

template <class T>
void write_optional(JsonWriter& json, std::string_view name, const std::optional<T>& value) {
  value ? json.member(name, *value) : json.member(name, nullptr);
}

template <class T>
void write_explained(JsonWriter& json, std::string_view name, const std::optional<T>& value,
                     std::string_view reason) {
  write_optional(json, name, value);
  if (!value) json.member(std::string(name) + "_reason", reason);
}

void write_seed(JsonWriter& json, std::uint64_t seed) {
  json.name("seed");
  if (seed <= largest_exact_integer) {
    json.value(static_cast<std::int64_t>(seed));
  } else {
    json.value(std::to_string(seed));
  }
}

void write_indices(JsonWriter& json, std::string_view name, const std::vector<int>& indices) {
  json.name(name);
  json.begin_array();
  for (int index : indices) json.value(static_cast<std::int64_t>(index));
  json.end();
}

void write_measured(JsonWriter& json, const Timing& timing) {
  json.member("launches", timing.launches);
  json.member("copies", timing.copies);
  json.name("samples_ns");
  json.begin_array();
  for (double sample : timing.samples_seconds) json.nanoseconds(sample);
  json.end();
  json.time("median_ns", timing.median_seconds);
  json.time("trimmed_mean_ns", timing.trimmed_mean_seconds);
  json.time("minimum_ns", timing.minimum_seconds);
  json.time("lower_quartile_ns", timing.lower_quartile_seconds);
  json.time("upper_quartile_ns", timing.upper_quartile_seconds);
  json.name("ci95_ns");
  json.begin_array();
  json.nanoseconds(timing.ci95_seconds.lower);
  json.nanoseconds(timing.ci95_seconds.upper);
  json.end();
  json.number("lag1_autocorrelation", timing.lag1_autocorrelation);
  json.number("bimodality", timing.bimodality);
  json.member("reported_from", timing.reported_from);
  write_indices(json, "outlying", timing.outlying);
  write_indices(json, "throttled", timing.throttled);
  json.member("converged", timing.converged);
  write_explained(json, "settled", timing.settled, "not observed");
  write_texts(json, "flags", timing.flags);
}

void write_timing(JsonWriter& json, const Record& record) {
  json.name("timing");
  json.begin_object();
  json.member("mode", record.mode);
  json.member("cache", record.cache);
  json.member("fill", record.fill);
  write_seed(json, record.seed);
  if (record.status == Status::ok) write_measured(json, record.timing);
  json.end();
}

void write_clocks(JsonWriter& json, const Clocks& clocks) {
  json.name("clocks");
  json.begin_object();
  write_optional(json, "before_hz", clocks.before_hz);
  write_optional(json, "after_hz", clocks.after_hz);
  write_optional(json, "mean_hz", clocks.mean_hz);
  write_optional(json, "cycles", clocks.cycles);
  write_optional(json, "temperature_before_celsius", clocks.temperature_before_celsius);
  write_optional(json, "temperature_after_celsius", clocks.temperature_after_celsius);
  write_texts(json, "throttle_reasons", clocks.throttle_reasons);
  json.member("reason", clocks.reason);
  json.end();
}

void write_power(JsonWriter& json, const Power& power) {
  json.name("power");
  json.begin_object();
  json.member("valid", power.valid);
  write_optional(json, "watts", power.watts);
  write_optional(json, "joules_per_launch", power.joules_per_launch);
  write_optional(json, "joules_by_counter", power.joules_by_counter);
  write_optional(json, "joules_by_trapezoid", power.joules_by_trapezoid);
  json.member("scope", power.scope);
  write_texts(json, "reasons", power.reasons);
  json.end();
}

void write_trace(JsonWriter& json, const std::vector<TracePoint>& trace) {
  json.name("trace");
  json.begin_array();
  for (const TracePoint& point : trace) {
    json.begin_object();
    json.number("seconds", point.seconds);
    json.time("median_ns", point.median_seconds);
    write_optional(json, "clock_hz", point.clock_hz);
    write_optional(json, "temperature_celsius", point.temperature_celsius);
    write_optional(json, "watts", point.watts);
    json.end();
  }
  json.end();
}

void write_rate(JsonWriter& json, std::string_view name, double work, double seconds) {
  const double rate = work / seconds;
  if (rate > 0 && std::isfinite(rate)) json.member(name, rate);
}

void write_together(JsonWriter& json, const Record& record) {
  const auto devices = static_cast<double>(record.together.size());
  double launches_per_second = 0;
  const Member* slowest = &record.together.front();
  json.name("together");
  json.begin_object();
  json.name("each");
  json.begin_array();
  for (const Member& member : record.together) {
    launches_per_second += 1 / member.median_seconds;
    if (member.median_seconds > slowest->median_seconds) slowest = &member;
    json.begin_object();
    json.member("device", member.device);
    json.time("median_ns", member.median_seconds);
    json.time("trimmed_mean_ns", member.trimmed_mean_seconds);
    write_optional(json, "mean_hz", member.mean_hz);
    write_optional(json, "watts", member.watts);
    json.end();
  }
  json.end();
  json.member("slowest", slowest->device);
  write_rate(json, "sum_flops_per_second", record.flops, devices / launches_per_second);
  write_rate(json, "sum_bytes_per_second", record.bytes, devices / launches_per_second);
  json.end();
}

void write_zeros(JsonWriter& json, const DataSensitivity& zeros) {
  json.name("data_sensitivity");
  json.begin_object();
  json.time("zeros_median_ns", zeros.zeros_median_seconds);
  json.number("uplift", zeros.uplift);
  json.end();
}

void write_verdict(JsonWriter& json, const Verdict& verdict) {
  json.name("verdict");
  json.begin_object();
  json.member("ok", verdict.ok);
  json.number("error", verdict.error);
  json.number("tolerance", verdict.tolerance);
  json.member("check", verdict.check);
  write_explained(json, "relative_error", verdict.relative_error, "not computed");
  write_explained(json, "deterministic", verdict.deterministic, "not tested");
  json.number("seconds", verdict.seconds);
  json.end();
}

void write_keys(JsonWriter& json, const Record& record) {
  json.name("comparability");
  json.begin_object();
  if (record.identity) json.member("identity", record.identity->key);
  if (record.conditions) json.member("conditions", record.conditions->key);
  json.end();
}

// The members of `steelyard`, of a measured row and of a row that was not measured.
void write_members(JsonWriter& json, const Record& record, int index) {
  json.member("index", index);
  json.member("id", record.id);
  json.member("family", record.family);
  write_object(json, "problem", record.problem);
  write_object(json, "kernel",
               {{"name", record.kernel}, {"tier", record.tier}, {"detail", record.detail}});
  json.member("backend", record.device.substr(0, record.device.find(':')));
  json.member("device", record.device);
  json.member("device_name", record.device_name);
  json.member("unit", record.unit);
  json.member("status", name(record.status));
  if (record.status != Status::ok) json.member("reason", record.reason);
  json.member("method_version", record.method_version);
  json.member("reproduce", record.reproduce);
  write_timing(json, record);
  if (record.status == Status::ok) {
    write_clocks(json, record.clocks);
    write_power(json, record.power);
    if (!record.trace.empty()) write_trace(json, record.trace);
    if (!record.together.empty()) write_together(json, record);
    if (record.zeros) write_zeros(json, *record.zeros);
    write_step(json, record);
  }
  write_object(json, "work",
               {{"flops", record.flops}, {"bytes", record.bytes}, {"steps", record.steps}});
  if (record.status == Status::ok || !record.verdict.check.empty()) {
    write_verdict(json, record.verdict);
  }
  write_keys(json, record);
}

void write_measured_row(JsonWriter& json, const Record& record, int index) {
  const Timing& timing = record.timing;
  const auto samples = static_cast<std::int64_t>(timing.samples_seconds.size());
  const std::string row_key = key(record);
  json.begin_object();
  json.member("name", row_key);
  json.member("run_name", row_key);
  json.member("run_type", "iteration");
  json.member("repetitions", record.repetitions);
  json.member("repetition_index", record.repetition);
  json.member("threads", 1);
  json.member("iterations", samples * timing.launches);
  json.time("real_time", timing.median_seconds);
  json.time("cpu_time", timing.median_seconds);  // readers of the format insist on it
  json.member("time_unit", "ns");
  write_rate(json, "flops_per_second", record.flops, timing.median_seconds);
  write_rate(json, "bytes_per_second", record.bytes, timing.median_seconds);
  json.name("steelyard");
  json.begin_object();
  write_members(json, record, index);
  json.end();
  json.end();
}

void write_row_not_measured(JsonWriter& json, const Record& record, int index) {
  json.begin_object();
  json.member("name", key(record));
  json.member("repetitions", record.repetitions);
  json.member("repetition_index", record.repetition);
  write_members(json, record, index);
  json.end();
}

void write_rows(JsonWriter& json, std::string_view name, const std::vector<Record>& records,
                bool measured) {
  json.name(name);
  json.begin_array(JsonWriter::lines);
  for (std::size_t i = 0; i < records.size(); ++i) {
    if ((records[i].status == Status::ok) != measured) continue;
    const int index = static_cast<int>(i);
    measured ? write_measured_row(json, records[i], index)
             : write_row_not_measured(json, records[i], index);
  }
  json.end();
}

// Every set of fields once, by its key: conditions repeat in all rows of a device.
void write_comparability(JsonWriter& json, const std::vector<Record>& records) {
  std::map<std::string_view, const Fields*> sets;
  for (const Record& record : records) {
    for (const auto* set : {record.identity.get(), record.conditions.get()}) {
      if (set) sets.emplace(set->key, &set->fields);
    }
  }
  json.name("comparability");
  json.begin_object(JsonWriter::lines);
  for (const auto& [set_key, fields] : sets) write_object(json, set_key, *fields);
  json.end();
}

void write_caches(JsonWriter& json, const std::vector<Cache>& caches) {
  json.name("caches");
  json.begin_array(JsonWriter::lines);
  for (const Cache& cache : caches) {
    json.begin_object();
    json.member("type", cache.type);
    json.member("level", cache.level);
    json.member("size", cache.size_bytes);
    json.member("num_sharing", cache.sharing);
    json.end();
  }
  json.end();
}

void write_steelyard_context(JsonWriter& json, const ResultFile& file) {
  const Context& context = file.context;
  json.name("steelyard");
  json.begin_object(JsonWriter::lines);
  json.member("schema_version", schema_version);
  json.member("suite", context.suite);
  write_object(json, "build", context.build);
  write_object(json, "host", context.host);
  write_objects(json, "devices", context.devices);
  write_objects(json, "preflight", context.preflight);
  write_object(json, "timer", context.timer);
  write_object(json, "settings", context.settings);
  write_object(json, "labels", context.labels);
  write_texts(json, "argv", context.argv);
  write_comparability(json, file.records);
  write_rows(json, "not_measured", file.records, false);
  json.end();
}

void write_context(JsonWriter& json, const ResultFile& file) {
  json.name("context");
  json.begin_object(JsonWriter::lines);
  json.fields(file.context.google);
  write_caches(json, file.context.caches);
  json.name("load_avg");
  json.begin_array();
  for (double load : file.context.load_average) json.value(load);
  json.end();
  json.member("json_schema_version", 1);
  write_steelyard_context(json, file);
  json.end();
}

}  // namespace

std::string to_json(const ResultFile& file) {
  std::string text;
  JsonWriter json(text);
  json.begin_object(JsonWriter::lines);
  write_context(json, file);
  write_rows(json, "benchmarks", file.records, true);
  json.end();
  text += '\n';
  return text;
}

void write_results(const std::filesystem::path& path, const ResultFile& file) {
  replace_file(path, to_json(file));
}

}  // namespace steelyard
