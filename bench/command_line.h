// SPDX-License-Identifier: Apache-2.0
// The options of every bench binary.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"

namespace steelyard {

// A mistake of the caller: one line for stderr, exit code 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

enum class Suite { quick, gate, standard, full };

// Operand sets in the last-level cache: rotate through sets larger than it, keep one set in it, or
// read other memory before every window.
enum class CachePolicy { rotate, hot, flush };

// burst measures at once; steady first runs until times settle; sustained runs every row for a
// minute and reports the last third of it.
enum class Mode { burst, steady, sustained };
inline constexpr double sustained_seconds = 60;

std::string_view name(Suite suite);
std::string_view name(CachePolicy policy);
std::string_view name(Mode mode);

// Name and values of one -a option.
struct Axis {
  std::string name;
  std::vector<std::string> values;
};

struct Options {
  bool list = false, dry_run = false, profile = false, anonymise = false;
  bool together = false, energy = false, data_sensitivity = false, strict = false;
  std::string filter;  // regular expression over row keys; a leading '-' excludes
  Suite suite = Suite::quick;
  std::vector<std::string> devices;  // "cpu", "cuda:0", "hip:all"; empty: all
  std::string kernel;
  std::optional<Tier> tier;
  std::vector<Axis> axes;
  std::string json, csv;
  CachePolicy cache = CachePolicy::rotate;
  Fill fill = Fill::normal;
  std::uint64_t seed = 42;
  Mode mode = Mode::burst;
  std::optional<double> budget_seconds;
  int min_samples = 30;
  int repetitions = 1;
  std::string model;        // steelyard-llm: a name or a TOML file; empty: the suite's
  std::int64_t layers = 0;  // steelyard-llm: blocks to measure; 0: the suite's
  std::string trace;        // steelyard-llm: a file for the timelines of its steps; empty: none
  std::vector<std::pair<std::string, std::string>> labels;
};

// Null when --help or --version has been answered on stdout. Throws UsageError. `family` names the
// binary in help texts: "gemm" of steelyard-gemm.
std::optional<Options> parse_command_line(const std::string& family, int argc, char** argv);

// "m=[1024:8192:*2]" or "dtype=bf16,f32": start, end (included) and a step that adds, or multiplies
// after '*'.
Axis parse_axis(const std::string& text);

// "90", "90s", "10m", "1h" in seconds.
double parse_duration(const std::string& text);

}  // namespace steelyard
