// SPDX-License-Identifier: Apache-2.0
#include "reports/record_rules.h"

namespace steelyard {
namespace {

// What a path is taken by, from the members that lead to its place.

template <auto... path>
Complaint member(Draft& draft, JsonValue& value) {
  return assign((draft.row.record.*....*path), value);
}

template <auto... path>
Complaint time(Draft& draft, JsonValue& value) {
  return assign_seconds((draft.row.record.*....*path), value);
}

template <auto... path>
Complaint element(Draft& draft, JsonValue& value) {
  return assign((draft.row.record.*....*path).emplace_back(), value);
}

// Of the object that was begun last in a list of them.
template <auto list, auto list_member>
Complaint last(Draft& draft, JsonValue& value) {
  return assign((draft.row.record.*list).back().*list_member, value);
}

template <auto list, auto list_member>
Complaint last_time(Draft& draft, JsonValue& value) {
  return assign_seconds((draft.row.record.*list).back().*list_member, value);
}

template <auto list>
void next(Draft& draft) {
  (draft.row.record.*list).emplace_back();
}

void begin_zeros(Draft& draft) {
  draft.row.record.zeros.emplace();
}

Complaint zeros_median(Draft& draft, JsonValue& value) {
  return assign_seconds(draft.row.record.zeros->zeros_median_seconds, value);
}

Complaint zeros_uplift(Draft& draft, JsonValue& value) {
  return assign(draft.row.record.zeros->uplift, value);
}

void begin_step(Draft& draft) {
  draft.row.record.step.emplace();
}

template <auto step_member>
Complaint step(Draft& draft, JsonValue& value) {
  return assign(draft.row.record.step.value().*step_member, value);
}

void begin_capacity(Draft& draft) {
  draft.row.record.step.value().whole_model.emplace();
}

template <auto capacity_member>
Complaint capacity(Draft& draft, JsonValue& value) {
  return assign(draft.row.record.step.value().whole_model.value().*capacity_member, value);
}

Complaint seed(Draft& draft, JsonValue& value) {
  return assign_seed(draft.row.record.seed, value);
}

Complaint sample(Draft& draft, JsonValue& value) {
  return assign_seconds(draft.row.record.timing.samples_seconds.emplace_back(), value);
}

template <auto row_member>
Complaint row(Draft& draft, JsonValue& value) {
  return assign(draft.row.*row_member, value);
}

template <auto context_member>
Complaint context(Draft& draft, JsonValue& value) {
  return assign(draft.file.context.*context_member, value);
}

template <auto list>
Complaint context_element(Draft& draft, JsonValue& value) {
  return assign((draft.file.context.*list).emplace_back(), value);
}

template <auto cache_member>
Complaint cache(Draft& draft, JsonValue& value) {
  return assign(draft.file.context.caches.back().*cache_member, value);
}

template <auto fields>
Fields* context_fields(Draft& draft, const std::string&) {
  return &(draft.file.context.*fields);
}

template <auto fields>
Fields* record_fields(Draft& draft, const std::string&) {
  return &(draft.row.record.*fields);
}

template <auto list>
Fields* next_fields(Draft& draft, const std::string&) {
  return &(draft.file.context.*list).emplace_back();
}

void next_cache(Draft& draft) {
  draft.file.context.caches.emplace_back();
}

// The set of that key, also when a row has named it before it was read.
std::shared_ptr<Comparability> comparability_set(Draft& draft, const std::string& set_key) {
  auto& set = draft.comparability[set_key];
  if (!set) set = std::make_shared<Comparability>(Comparability{.key = set_key});
  return set;
}

Fields* comparability_fields(Draft& draft, const std::string& set_key) {
  return &comparability_set(draft, set_key)->fields;
}

template <auto which>
Complaint comparability_key(Draft& draft, JsonValue& value) {
  std::string set_key;
  const Complaint complaint = assign(set_key, value);
  draft.row.record.*which = comparability_set(draft, set_key);
  return complaint;
}

// Values that are fixed: with another one the numbers of the file would mean something else.

Complaint supported_version(Draft&, JsonValue& value) {
  std::string version;
  const Complaint complaint = assign(version, value);
  const auto major = schema_version.substr(0, schema_version.find('.') + 1);
  if (complaint.what.empty() && !version.starts_with(major)) {
    return {"is of another major version than the 1.x that is understood here",
            "it was made by a newer steelyard: update this one"};
  }
  return complaint;
}

Complaint nanoseconds_only(Draft&, JsonValue& value) {
  std::string unit;
  assign(unit, value);
  return unit == "ns" ? taken : Complaint{"must be \"ns\""};
}

Complaint iteration_only(Draft&, JsonValue& value) {
  std::string type;
  assign(type, value);
  return type == "iteration" ? taken : Complaint{"must be \"iteration\": aggregates are not read"};
}

Complaint ignored(Draft&, JsonValue&) {
  return taken;
}

using enum Rule::Need;

constexpr Rule context_table[] = {
    {"/context", optional, nullptr, context_fields<&Context::google>},
    {"/context/caches/*", optional, nullptr, nullptr, next_cache},
    {"/context/caches/*/type", optional, cache<&Cache::type>},
    {"/context/caches/*/level", optional, cache<&Cache::level>},
    {"/context/caches/*/size", optional, cache<&Cache::size_bytes>},
    {"/context/caches/*/num_sharing", optional, cache<&Cache::sharing>},
    {"/context/load_avg/*", optional, context_element<&Context::load_average>},
    {"/context/json_schema_version", optional, ignored},  // Google Benchmark's, not ours
    {"/context/steelyard/schema_version", always, supported_version},
    {"/context/steelyard/suite", always, context<&Context::suite>},
    {"/context/steelyard/build", always, nullptr, context_fields<&Context::build>},
    {"/context/steelyard/host", always, nullptr, context_fields<&Context::host>},
    {"/context/steelyard/devices/*", always, nullptr, next_fields<&Context::devices>},
    {"/context/steelyard/preflight/*", optional, nullptr, next_fields<&Context::preflight>},
    {"/context/steelyard/timer", always, nullptr, context_fields<&Context::timer>},
    {"/context/steelyard/settings", always, nullptr, context_fields<&Context::settings>},
    {"/context/steelyard/labels", always, nullptr, context_fields<&Context::labels>},
    {"/context/steelyard/argv/*", always, context_element<&Context::argv>},
    {"/context/steelyard/comparability/{key}", always, nullptr, comparability_fields},
    {"/context/steelyard/not_measured/*", always},
    {"/benchmarks/*", always},
};

constexpr Rule google_table[] = {
    {"/run_type", always, iteration_only},
    {"/time_unit", always, nanoseconds_only},
};

constexpr Rule row_table[] = {
    {"/name", always, row<&Draft::Row::name>},
    {"/repetitions", always, member<&Record::repetitions>},
    {"/repetition_index", always, member<&Record::repetition>},
};

constexpr Rule record_table[] = {
    {"/index", optional, row<&Draft::Row::index>},
    {"/id", always, member<&Record::id>},
    {"/family", always, member<&Record::family>},
    {"/problem", always, nullptr, record_fields<&Record::problem>},
    {"/kernel/name", always, member<&Record::kernel>},
    {"/kernel/tier", always, member<&Record::tier>},
    {"/kernel/detail", always, member<&Record::detail>},
    {"/device", always, member<&Record::device>},
    {"/device_name", always, member<&Record::device_name>},
    {"/unit", always, member<&Record::unit>},
    {"/status", always, member<&Record::status>},
    {"/reason", optional, member<&Record::reason>},
    {"/method_version", always, member<&Record::method_version>},
    {"/reproduce", always, member<&Record::reproduce>},

    {"/timing/mode", always, member<&Record::mode>},
    {"/timing/cache", always, member<&Record::cache>},
    {"/timing/fill", always, member<&Record::fill>},
    {"/timing/seed", always, seed},
    {"/timing/launches", measured, member<&Record::timing, &Timing::launches>},
    {"/timing/copies", measured, member<&Record::timing, &Timing::copies>},
    {"/timing/samples_ns/*", measured, sample},
    {"/timing/median_ns", measured, time<&Record::timing, &Timing::median_seconds>},
    {"/timing/trimmed_mean_ns", measured, time<&Record::timing, &Timing::trimmed_mean_seconds>},
    {"/timing/minimum_ns", measured, time<&Record::timing, &Timing::minimum_seconds>},
    {"/timing/lower_quartile_ns", measured, time<&Record::timing, &Timing::lower_quartile_seconds>},
    {"/timing/upper_quartile_ns", measured, time<&Record::timing, &Timing::upper_quartile_seconds>},
    {"/timing/ci95_ns/0", measured, time<&Record::timing, &Timing::ci95_seconds, &Interval::lower>},
    {"/timing/ci95_ns/1", measured, time<&Record::timing, &Timing::ci95_seconds, &Interval::upper>},
    {"/timing/lag1_autocorrelation", measured,
     member<&Record::timing, &Timing::lag1_autocorrelation>},
    {"/timing/bimodality", measured, member<&Record::timing, &Timing::bimodality>},
    {"/timing/reported_from", measured, member<&Record::timing, &Timing::reported_from>},
    {"/timing/outlying/*", measured, element<&Record::timing, &Timing::outlying>},
    {"/timing/throttled/*", measured, element<&Record::timing, &Timing::throttled>},
    {"/timing/converged", measured, member<&Record::timing, &Timing::converged>},
    {"/timing/settled", measured, member<&Record::timing, &Timing::settled>},
    {"/timing/flags/*", measured, element<&Record::timing, &Timing::flags>},

    {"/clocks/before_hz", measured, member<&Record::clocks, &Clocks::before_hz>},
    {"/clocks/after_hz", measured, member<&Record::clocks, &Clocks::after_hz>},
    {"/clocks/mean_hz", measured, member<&Record::clocks, &Clocks::mean_hz>},
    {"/clocks/cycles", measured, member<&Record::clocks, &Clocks::cycles>},
    {"/clocks/temperature_before_celsius", measured,
     member<&Record::clocks, &Clocks::temperature_before_celsius>},
    {"/clocks/temperature_after_celsius", measured,
     member<&Record::clocks, &Clocks::temperature_after_celsius>},
    {"/clocks/throttle_reasons/*", measured, element<&Record::clocks, &Clocks::throttle_reasons>},
    {"/clocks/reason", measured, member<&Record::clocks, &Clocks::reason>},

    {"/power/valid", measured, member<&Record::power, &Power::valid>},
    {"/power/watts", measured, member<&Record::power, &Power::watts>},
    {"/power/joules_per_launch", measured, member<&Record::power, &Power::joules_per_launch>},
    {"/power/joules_by_counter", measured, member<&Record::power, &Power::joules_by_counter>},
    {"/power/joules_by_trapezoid", measured, member<&Record::power, &Power::joules_by_trapezoid>},
    {"/power/scope", measured, member<&Record::power, &Power::scope>},
    {"/power/reasons/*", measured, element<&Record::power, &Power::reasons>},

    {"/trace/*", optional, nullptr, nullptr, next<&Record::trace>},
    {"/trace/*/seconds", optional, last<&Record::trace, &TracePoint::seconds>},
    {"/trace/*/median_ns", optional, last_time<&Record::trace, &TracePoint::median_seconds>},
    {"/trace/*/clock_hz", optional, last<&Record::trace, &TracePoint::clock_hz>},
    {"/trace/*/temperature_celsius", optional,
     last<&Record::trace, &TracePoint::temperature_celsius>},
    {"/trace/*/watts", optional, last<&Record::trace, &TracePoint::watts>},

    {"/together/each/*", optional, nullptr, nullptr, next<&Record::together>},
    {"/together/each/*/device", optional, last<&Record::together, &Member::device>},
    {"/together/each/*/median_ns", optional, last_time<&Record::together, &Member::median_seconds>},
    {"/together/each/*/trimmed_mean_ns", optional,
     last_time<&Record::together, &Member::trimmed_mean_seconds>},
    {"/together/each/*/mean_hz", optional, last<&Record::together, &Member::mean_hz>},
    {"/together/each/*/watts", optional, last<&Record::together, &Member::watts>},

    {"/data_sensitivity", optional, nullptr, nullptr, begin_zeros},
    {"/data_sensitivity/zeros_median_ns", optional, zeros_median},
    {"/data_sensitivity/uplift", optional, zeros_uplift},

    {"/step", optional, nullptr, nullptr, begin_step},
    {"/step/model_flops", optional, step<&StepFacts::model_flops>},
    {"/step/roof_bytes", optional, step<&StepFacts::roof_bytes>},
    {"/step/resident_bytes", optional, step<&StepFacts::resident_bytes>},
    {"/step/largest_batch", optional, step<&StepFacts::largest_batch>},
    {"/step/read_bytes_per_second", optional, step<&StepFacts::read_bytes_per_second>},
    {"/step/flops_per_second", optional, step<&StepFacts::flops_per_second>},
    {"/step/quantisation_error", optional, step<&StepFacts::quantisation_error>},
    {"/step/taken_bytes", optional, step<&StepFacts::taken_bytes>},
    {"/step/whole_model", optional, nullptr, nullptr, begin_capacity},
    {"/step/whole_model/weight_bytes", optional, capacity<&Capacity::weight_bytes>},
    {"/step/whole_model/sequence_bytes", optional, capacity<&Capacity::sequence_bytes>},
    {"/step/whole_model/largest_batch", optional, capacity<&Capacity::largest_batch>},
    {"/step/whole_model/largest_context", optional, capacity<&Capacity::largest_context>},
    {"/step/whole_model/allocated", optional, capacity<&Capacity::allocated>},
    {"/step/whole_model/largest_model", optional, capacity<&Capacity::largest_model>},

    {"/parts/*", optional, nullptr, nullptr, next<&Record::parts>},
    {"/parts/*/name", optional, last<&Record::parts, &Part::name>},
    {"/parts/*/operation", optional, last<&Record::parts, &Part::operation>},
    {"/parts/*/kernel", optional, last<&Record::parts, &Part::kernel>},
    {"/parts/*/tier", optional, last<&Record::parts, &Part::tier>},
    {"/parts/*/chained_ns", optional, last_time<&Record::parts, &Part::chained_seconds>},
    {"/parts/*/cold_ns", optional, last_time<&Record::parts, &Part::cold_seconds>},

    {"/work/flops", always, member<&Record::flops>},
    {"/work/bytes", always, member<&Record::bytes>},
    {"/work/steps", always, member<&Record::steps>},

    {"/verdict/ok", measured, member<&Record::verdict, &Verdict::ok>},
    {"/verdict/error", measured, member<&Record::verdict, &Verdict::error>},
    {"/verdict/tolerance", measured, member<&Record::verdict, &Verdict::tolerance>},
    {"/verdict/check", measured, member<&Record::verdict, &Verdict::check>},
    {"/verdict/relative_error", measured, member<&Record::verdict, &Verdict::relative_error>},
    {"/verdict/seconds", measured, member<&Record::verdict, &Verdict::seconds>},
    {"/verdict/deterministic", measured, member<&Record::verdict, &Verdict::deterministic>},

    {"/comparability/identity", optional, comparability_key<&Record::identity>},
    {"/comparability/conditions", optional, comparability_key<&Record::conditions>},
};

}  // namespace

std::span<const Rule> context_rules() {
  return context_table;
}
std::span<const Rule> google_rules() {
  return google_table;
}
std::span<const Rule> row_rules() {
  return row_table;
}
std::span<const Rule> record_rules() {
  return record_table;
}

}  // namespace steelyard
