// SPDX-License-Identifier: Apache-2.0
#include "reports/chrome_trace.h"

#include "reports/json_writer.h"

namespace steelyard {
namespace {

constexpr double micro = 1e6;  // the format's unit

void write_name(JsonWriter& json, const std::string& row, int process) {
  json.begin_object();
  json.member("name", "process_name");
  json.member("ph", "M");
  json.member("pid", process);
  json.name("args");
  json.begin_object();
  json.member("name", row);
  json.end();
  json.end();
}

void write_event(JsonWriter& json, const Part& part, double begin_seconds, int process) {
  json.begin_object();
  json.member("name", part.name);
  json.member("cat", part.tier);
  json.member("ph", "X");
  json.member("pid", process);
  json.member("tid", 0);
  json.member("ts", micro * begin_seconds);
  json.member("dur", micro * part.chained_seconds);
  json.name("args");
  json.begin_object();
  json.member("operation", part.operation);
  json.member("kernel", part.kernel);
  json.end();
  json.end();
}

}  // namespace

std::string chrome_trace(std::span<const Record> records) {
  std::string text;
  JsonWriter json(text);
  json.begin_object(JsonWriter::lines);
  json.name("traceEvents");
  json.begin_array(JsonWriter::lines);
  int process = 0;
  for (const Record& record : records) {
    if (record.parts.empty()) continue;
    write_name(json, key(record), ++process);
    double now = 0;
    for (const Part& part : record.parts) {
      write_event(json, part, now, process);
      now += part.chained_seconds;
    }
  }
  json.end();
  json.end();
  return text + '\n';
}

}  // namespace steelyard
