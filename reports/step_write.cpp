// SPDX-License-Identifier: Apache-2.0
#include "reports/step_write.h"

namespace steelyard {
namespace {

void write_capacity(JsonWriter& json, const Capacity& capacity) {
  json.name("whole_model");
  json.begin_object();
  json.number("weight_bytes", capacity.weight_bytes);
  json.number("sequence_bytes", capacity.sequence_bytes);
  json.member("largest_batch", capacity.largest_batch);
  json.member("largest_context", capacity.largest_context);
  json.member("allocated", capacity.allocated);
  if (capacity.largest_model) json.member("largest_model", *capacity.largest_model);
  json.end();
}

void write_facts(JsonWriter& json, const StepFacts& step) {
  json.name("step");
  json.begin_object();
  json.number("model_flops", step.model_flops);
  json.number("roof_bytes", step.roof_bytes);
  json.number("resident_bytes", step.resident_bytes);
  json.member("largest_batch", step.largest_batch);
  json.number("read_bytes_per_second", step.read_bytes_per_second);
  json.number("flops_per_second", step.flops_per_second);
  if (step.quantisation_error) json.number("quantisation_error", *step.quantisation_error);
  if (step.taken_bytes) json.number("taken_bytes", *step.taken_bytes);
  if (step.whole_model) write_capacity(json, *step.whole_model);
  json.end();
}

void write_parts(JsonWriter& json, const std::vector<Part>& parts) {
  json.name("parts");
  json.begin_array();
  for (const Part& part : parts) {
    json.begin_object();
    json.member("name", part.name);
    json.member("operation", part.operation);
    json.member("kernel", part.kernel);
    json.member("tier", part.tier);
    json.time("chained_ns", part.chained_seconds);
    json.time("cold_ns", part.cold_seconds);
    json.end();
  }
  json.end();
}

}  // namespace

void write_step(JsonWriter& json, const Record& record) {
  if (record.step) write_facts(json, *record.step);
  if (!record.parts.empty()) write_parts(json, record.parts);
}

}  // namespace steelyard
