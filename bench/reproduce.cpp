// SPDX-License-Identifier: Apache-2.0
#include "bench/reproduce.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace steelyard {
namespace {

std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string exactly(const std::string& key) {
  std::string expression = "^";
  for (const char c : key) {
    if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) expression += '\\';
    expression += c;
  }
  return expression + "$";
}

}  // namespace

std::string reproduce_command(const std::string& program, const Options& options,
                              const std::string& key) {
  const Options defaults;
  std::string command = program;
  const auto add = [&](std::string_view option, const auto& value) {
    command += fmt::format(" {} {}", option, value);
  };
  if (options.axes.empty()) add("--suite", name(options.suite));
  for (const Axis& axis : options.axes)
    add("-a", shell_quoted(fmt::format("{}={}", axis.name, fmt::join(axis.values, ","))));
  if (!options.model.empty()) add("--model", shell_quoted(options.model));
  if (options.layers != defaults.layers) add("--layers", options.layers);
  if (options.cache != defaults.cache) add("--cache", name(options.cache));
  if (options.fill != defaults.fill) add("--fill", name(options.fill));
  if (options.seed != defaults.seed) add("--seed", options.seed);
  if (options.min_samples != defaults.min_samples) add("--min-samples", options.min_samples);
  add("--mode", name(options.mode));
  if (options.together && !options.devices.empty())
    add("--device", fmt::format("{}", fmt::join(options.devices, ",")));
  if (options.together) command += " --together";
  if (options.energy) command += " --energy";
  if (options.data_sensitivity) command += " --data-sensitivity";
  add("--filter", shell_quoted(exactly(key)));
  return command;
}

}  // namespace steelyard
