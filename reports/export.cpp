// SPDX-License-Identifier: Apache-2.0
#include "reports/export.h"

#include "reports/json_writer.h"

namespace steelyard {

std::string github_action_json(std::span<const Measurement> measurements) {
  std::string out;
  JsonWriter json(out);
  json.begin_array(JsonWriter::lines);
  for (const Measurement& measurement : measurements) {
    json.begin_object();
    json.member("name", key(measurement.row()));
    json.member("unit", "s");
    json.member("value", measurement.time.seconds);
    json.member("range", "± " + half_width(measurement.time));
    json.member("extra", performance(measurement));
    json.end();
  }
  json.end();
  return out + "\n";
}

std::string bencher_json(std::span<const Measurement> measurements) {
  std::string out;
  JsonWriter json(out);
  json.begin_object(JsonWriter::lines);
  for (const Measurement& measurement : measurements) {
    json.name(key(measurement.row()));
    json.begin_object();
    json.name("latency");
    json.begin_object();
    json.name("value");
    json.nanoseconds(measurement.time.seconds);
    json.name("lower_value");
    json.nanoseconds(measurement.time.ci95.lower);
    json.name("upper_value");
    json.nanoseconds(measurement.time.ci95.upper);
    json.end();
    json.end();
  }
  json.end();
  return out + "\n";
}

}  // namespace steelyard
