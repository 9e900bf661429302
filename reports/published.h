// SPDX-License-Identifier: Apache-2.0
// What others measured and published, from data/published.json, which is compiled in. Never mixed with
// results: reports mark it "published by others".
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steelyard {

struct Published {
  std::string id;   // "mi300x-mamf-gemm-bf16"
  std::string gpu;  // a Spec's name; several devices together where `devices` says so
  int devices = 1;  // that made the value together; 1 where a source gives its share of a device
  std::string metric;
  double value = 0;       // SI: FLOP/s, bytes/s, tokens/s, seconds
  std::string unit;       // of the value: "FLOP/s", "bytes/s", "tokens/s", "s", "ratio", "number"
  std::string reference;  // of a ratio of speeds: the Spec's name that it is to
  std::string peak;       // of the datasheet, that bounds it: "bf16", "memory"; empty: none
  std::string conditions;
  std::string source, url, date, confidence;
  // The id of the suite's problem of the same pass, type, shape and count of operations, or the scenario of
  // the same lengths, whatever its model; empty where there is none.
  std::string problem, scenario;
  // What makes values comparable with each other: the same tool, shapes, batch. Values of one series may be
  // divided by each other; empty: by nothing.
  std::string series;
  std::string phase;  // train, lora, prefill, serve (prompts and outputs together), or empty
  std::string flag;  // why it must not be compared: "above the dense peak of 312 TFLOP/s"; or empty
};

// Of one device: the higher the better. Nothing for what is neither a rate nor a time.
std::optional<double> speed(const Published& published);

// Its value and its source as reports print them.
std::string value_text(const Published& published);
std::string source_text(const Published& published);

std::span<const Published> published();

// Of a text like data/published.json. Throws std::logic_error, naming the entry.
std::vector<Published> parse_published(std::string_view text);

}  // namespace steelyard
