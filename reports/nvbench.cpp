// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "reports/foreign.h"
#include "reports/json_place.h"
#include "reports/statistics.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "samples are little-endian floats");

// The datum `name` of the summary `tag` of a state.
std::optional<JsonPlace> datum(const JsonPlace& state, std::string_view tag,
                               std::string_view name) {
  if (!state.has("summaries") || state.at("summaries").json().is_null()) return std::nullopt;
  for (const JsonPlace& summary : state.at("summaries").elements()) {
    if (summary.at("tag").text() != tag) continue;
    for (const JsonPlace& one : summary.at("data").elements())
      if (one.at("name").text() == name) return one.at("value");
  }
  return std::nullopt;
}

// The samples beside the file; empty where they are not, or are not as many as the file says.
std::vector<double> samples(const JsonPlace& state, const fs::path& file) {
  constexpr std::string_view tag = "nv/json/bin:nv/cold/sample_times";
  const auto name = datum(state, tag, "filename"), size = datum(state, tag, "size");
  if (!name || !size) return {};
  const fs::path folder = file.parent_path(), companion = name->text();
  const bool inside = companion.is_relative() && std::ranges::count(companion, "..") == 0;
  for (const fs::path& path : {folder / companion, folder.parent_path() / companion}) {
    std::error_code none;
    if (!inside || !fs::is_regular_file(path, none)) continue;
    std::ifstream stream(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    std::vector<double> all;
    for (std::size_t at = 0; at + sizeof(float) <= bytes.size(); at += sizeof(float)) {
      float sample = 0;
      std::memcpy(&sample, bytes.data() + at, sizeof sample);
      all.push_back(sample);
    }
    if (!all.empty() && static_cast<double>(all.size()) == size->number()) return all;
  }
  return {};
}

std::optional<double> time_of(const JsonPlace& state, const fs::path& file) {
  if (const auto all = samples(state, file); !all.empty()) return trimmed_mean(all);
  for (const char* tag :
       {"nv/cold/time/gpu/mean", "nv/batch/time/gpu/mean", "nv/cpu_only/time/cpu/mean"})
    if (const auto mean = datum(state, tag, "value")) return mean->number();
  return std::nullopt;
}

bool is_skipped(const JsonPlace& state) {
  return state.has("is_skipped") && state.at("is_skipped").json() == nlohmann::json(true);
}

}  // namespace

RunSet read_nvbench(std::string_view text, const fs::path& file) {
  const nlohmann::json document = parse_json(text, file);
  RunSet run{.name = file.string()};
  for (const JsonPlace& benchmark : JsonPlace(document, file).at("benchmarks").elements())
    for (const JsonPlace& state : benchmark.at("states").elements()) {
      const std::string row =
          fmt::format("{} {}", benchmark.at("name").text(), state.at("name").text());
      if (is_skipped(state)) {
        const bool told = state.has("skip_reason") && state.at("skip_reason").json().is_string();
        run.not_measured.push_back(
            {row, Status::skipped, told ? state.at("skip_reason").text() : "skipped"});
      } else if (const auto seconds = time_of(state, file)) {
        run.series.push_back({.row = row, .metric = "time", .unit = "s", .values = {*seconds}});
      } else {
        run.not_measured.push_back({row, Status::failed, "the file holds no time of it"});
      }
    }
  return run;
}

}  // namespace steelyard
