// SPDX-License-Identifier: Apache-2.0
#include "reports/compare_tables.h"
#include "reports/exit_code.h"
#include "reports/json_writer.h"

namespace steelyard {
namespace {

void write(JsonWriter& json, const char* name, const Interval& interval) {
  json.name(name);
  json.begin_array();
  json.value(interval.lower);
  json.value(interval.upper);
  json.end();
}

void write_side(JsonWriter& json, const char* name, const Series& series) {
  json.name(name);
  json.begin_array();
  for (const double value : series.values) json.value(value);
  json.end();
}

std::string_view name(Action action) {
  return action == Action::gate ? "gate" : action == Action::warn ? "warn" : "track";
}

void write(JsonWriter& json, const Change& change) {
  json.begin_object();
  json.member("row", change.candidate->row);
  json.member("metric", change.candidate->metric);
  json.member("unit", change.candidate->unit);
  json.member("verdict", change.verdict());
  json.member("action", name(change.threshold.action));
  if (!change.reason.empty()) json.member("reason", change.reason);
  if (change.refused.empty()) json.member("ratio", change.ratio);
  if (change.shift) {
    write(json, "ci95", change.shift->ci95());
    json.member("p", change.shift->p_above(1));
    json.member("between_runs", change.shift->deviation);
    json.member("smallest_detectable", change.shift->smallest_detectable());
  }
  json.member("target", change.threshold.limits.target);
  json.member("floor", change.threshold.limits.floor);
  json.member("better", change.threshold.higher_is_better ? "higher" : "lower");
  write_side(json, "base", *change.base);
  write_side(json, "candidate", *change.candidate);
  if (!change.refused.empty()) {
    json.name("refused");
    json.begin_array();
    for (const Difference& difference : change.refused) json.value(difference.field);
    json.end();
  }
  json.end();
}

void write(JsonWriter& json, const char* name, const std::vector<RowNotMeasured>& rows) {
  json.name(name);
  json.begin_array(JsonWriter::lines);
  for (const RowNotMeasured& row : rows) {
    json.begin_object();
    json.member("row", row.row);
    json.member("status", steelyard::name(row.status));
    json.member("reason", row.reason);
    json.end();
  }
  json.end();
}

void write(JsonWriter& json, const char* name, const std::vector<std::string>& rows) {
  json.name(name);
  json.begin_array(JsonWriter::lines);
  for (const std::string& row : rows) json.value(row);
  json.end();
}

}  // namespace

std::string json_of(const Changes& changes) {
  std::string out;
  JsonWriter json(out);
  json.begin_object(JsonWriter::lines);
  json.member("form", "steelyard changes 1");
  json.member("base", changes.base);
  json.member("candidate", changes.candidate);
  json.member("headline", headline(changes));
  json.member("exit_code", exit_code(changes, false));
  json.name("rows");
  json.begin_array(JsonWriter::lines);
  for (const Change& change : changes.rows) write(json, change);
  json.end();
  if (changes.mean) {
    json.name("geometric_mean");
    json.begin_object();
    json.member("rows", changes.mean->rows);
    json.member("ratio", changes.mean->ratio);
    if (changes.mean->this_suite) write(json, "ci95_this_suite", *changes.mean->this_suite);
    if (changes.mean->other_workloads)
      write(json, "ci95_other_workloads", *changes.mean->other_workloads);
    json.end();
  }
  write(json, "not_measured", changes.not_measured);
  write(json, "not_measured_in_base", changes.not_measured_before);
  write(json, "new", changes.added);
  write(json, "missing", changes.missing);
  json.end();
  return out + "\n";
}

}  // namespace steelyard
