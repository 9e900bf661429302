// SPDX-License-Identifier: Apache-2.0
// Fields of the problem of a step.
#pragma once

#include <cstdint>
#include <string>

#include "reports/measurement.h"

namespace steelyard {

std::int64_t number_of(const Record& row, std::string_view field);  // 0 where there is none
std::string text_of(const Record& row, std::string_view field);     // empty where there is none

// All that a row is, but for some numbers of its problem: alike in rows that differ in these alone.
std::string all_but(const Record& row, std::initializer_list<std::string_view> fields);

// New tokens of all sequences of one step, which is that of one device; and of all devices that were
// measured together, each with such a step.
double tokens(const Record& row);
double tokens_of_all(const Record& row);

// Work and rates of all devices that were measured together; what fits is what one has room for. Zeros
// where the row is no step.
StepFacts facts_of_all(const Record& row);

// Of weights, and of the cache where it is another: "bf16"; "fp8_e4m3, fp8 cache".
std::string stored_as(const Record& row);

// Whether the device has room for the whole model at the row's batch; true where that is not known.
bool fits(const Record& row);

std::string measured_blocks(const Record& row);  // "1 of 32"

// "61.2 %"; empty where either is not known.
std::string share_of_rate(double work, double seconds, double rate);

std::string token_rate(double tokens, double seconds);  // "1234 tokens/s"

}  // namespace steelyard
