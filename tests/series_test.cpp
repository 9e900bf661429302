// SPDX-License-Identifier: Apache-2.0
// Runs from files of every format, and what no format allows.
#include "reports/series.h"

#include <fmt/format.h>

#include <cstring>

#include "tests/catch.h"
#include "tests/generate_results.h"
#include "tests/made_results.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

constexpr const char* google = R"({
  "context": {"date": "2026-01-02T03:04:05+00:00", "caches": [], "json_schema_version": 1},
  "benchmarks": [
    {"name": "BM_a/8", "run_name": "BM_a/8", "run_type": "iteration", "repetition_index": 0,
     "iterations": 10, "real_time": 2.0, "cpu_time": 1.5, "time_unit": "us", "items_per_second": 4e6},
    {"name": "BM_a/8", "run_name": "BM_a/8", "run_type": "iteration", "repetition_index": 1,
     "iterations": 10, "real_time": 4.0, "cpu_time": 2.5, "time_unit": "us", "items_per_second": 6e6},
    {"name": "BM_a/8_mean", "run_name": "BM_a/8", "run_type": "aggregate", "aggregate_name": "mean",
     "iterations": 2, "real_time": 99, "cpu_time": 99, "time_unit": "us"},
    {"name": "BM_b", "run_name": "BM_b", "run_type": "iteration", "error_occurred": true,
     "error_message": "no device"}
  ]})";

constexpr const char* nvbench = R"({
  "meta": {"argv": ["bench"], "version": {"json": {"string": "1.0.0"}}},
  "devices": [{"id": 0, "name": "H100"}],
  "benchmarks": [{"name": "copy", "axes": [], "states": [
    {"name": "Device=0 T=I32", "summaries": [
      {"tag": "nv/json/bin:nv/cold/sample_times", "data": [
        {"name": "filename", "type": "string", "value": "out.json-bin/0.bin"},
        {"name": "size", "type": "int64", "value": "2"}]},
      {"tag": "nv/cold/time/gpu/mean", "data": [
        {"name": "value", "type": "float64", "value": "1.25e-6"}]}], "is_skipped": false},
    {"name": "Device=0 T=I64", "summaries": [
      {"tag": "nv/batch/time/gpu/mean", "data": [
        {"name": "value", "type": "float64", "value": "2.5e-6"}]}], "is_skipped": false},
    {"name": "Device=0 T=F64", "summaries": null, "is_skipped": true, "skip_reason": "too large"}
  ]}]})";

const Series& find(const RunSet& runs, const std::string& row, const std::string& metric) {
  const auto found = std::ranges::find_if(
      runs.series, [&](const Series& s) { return s.row == row && s.metric == metric; });
  REQUIRE(found != runs.series.end());
  return *found;
}

void write_file(const std::filesystem::path& path, std::vector<Record> records) {
  write_results(path, made_results("r", std::move(records)).files.front());
}

TEST_CASE("a row of a Steelyard file is a run, whichever file it stands in") {
  const Sandbox sandbox;
  std::filesystem::create_directory(sandbox / "side");
  Record first = made({.seconds = 1e-3}), second = made({.seconds = 2e-3});
  second.repetition = 1;
  first.repetitions = second.repetitions = 2;
  write_file(sandbox / "side/a.json", {first, second});
  write_file(sandbox / "side/b.json", {made({.seconds = 3e-3}), made({.id = "gemm/f32/nn/1x1x1"})});
  const RunSet runs = load_runs(sandbox / "side");
  const std::string row = key(first);
  const Series& time = find(runs, row, "time");
  CHECK(time.values == std::vector{1e-3, 2e-3, 3e-3});
  CHECK(time.unit == "s");
  CHECK(time.dtype == "f32");
  CHECK(time.tier == "portable");
  CHECK(time.device == "cuda:0");
  CHECK(time.identities.size() == 1);
  CHECK(runs.series.size() == 2);
}

TEST_CASE("valid energy is a metric of its own") {
  const Sandbox sandbox;
  Record record = made({});
  record.power = {.watts = 300, .joules_per_launch = 0.3, .scope = "package", .valid = true};
  write_file(sandbox / "a.json", {record});
  CHECK(find(load_runs(sandbox / "a.json"), key(record), "energy").values == std::vector{0.3});
  record.power.valid = false;
  record.power.reasons = {"short"};
  write_file(sandbox / "a.json", {record});
  CHECK(load_runs(sandbox / "a.json").series.size() == 1);
}

TEST_CASE("defective rows are kept beside the runs that were right, unsupported ones are not") {
  const Sandbox sandbox;
  std::filesystem::create_directory(sandbox / "side");
  const MadeRow row, other = {.id = "gemm/f32/nn/2x2x2"};
  write_file(sandbox / "side/a.json", {made(row), made(other)});
  write_file(sandbox / "side/b.json", {made_unmeasured(row, Status::incorrect, "error 3"),
                                       made_unmeasured(other, Status::skipped, "budget")});
  const RunSet runs = load_runs(sandbox / "side");
  REQUIRE(runs.not_measured.size() == 1);
  CHECK(runs.not_measured[0].row == key(made(row)));
  CHECK(runs.not_measured[0].status == Status::incorrect);
}

TEST_CASE("a file of Google Benchmark is one run: repetitions share a process") {
  const Sandbox sandbox;
  sandbox.write("a.json", google);
  const RunSet runs = load_runs(sandbox / "a.json");
  CHECK(find(runs, "BM_a/8", "time").values[0] == Approx(3e-6));
  CHECK(find(runs, "BM_a/8", "cpu_time").values[0] == Approx(2e-6));
  CHECK(find(runs, "BM_a/8", "items_per_second").values[0] == Approx(5e6));
  CHECK(runs.series.size() == 3);
  REQUIRE(runs.not_measured.size() == 1);
  CHECK(runs.not_measured[0].reason == "no device");
}

TEST_CASE("runs in other units are the same runs") {
  const Sandbox sandbox;
  const auto one = [](std::string_view time, std::string_view unit) {
    return fmt::format(R"({{"context": {{}}, "benchmarks": [{{"name": "f", "run_name": "f",
      "run_type": "iteration", "repetitions": 1, "repetition_index": 0, "threads": 1,
      "iterations": 1, "real_time": {0}, "cpu_time": {0}, "time_unit": "{1}"}}]}})",
                       time, unit);
  };
  std::filesystem::create_directory(sandbox / "side");
  sandbox.write("side/a.json", one("2000", "ns"));
  sandbox.write("side/b.json", one("2", "us"));
  sandbox.write("side/c.json", one("2e-3", "ms"));
  sandbox.write("side/d.json", one("2e-6", "s"));
  const std::vector<double> values = find(load_runs(sandbox / "side"), "f", "time").values;
  CHECK(values.size() == 4);
  for (const double value : values) CHECK(value == Approx(2e-6));
}

TEST_CASE("a folder with a file of another schema version is refused") {
  const Sandbox sandbox;
  std::filesystem::create_directory(sandbox / "side");
  write_file(sandbox / "side/a.json", {made({})});
  const std::string version = fmt::format("\"{}\"", schema_version);
  std::string newer = to_json(made_results("r", {made({})}).files.front());
  sandbox.write("side/b.json", newer.replace(newer.find(version), version.size(), "\"2.0\""));
  CHECK_THROWS_WITH(load_runs(sandbox / "side"),
                    ContainsSubstring("b.json") && ContainsSubstring("newer steelyard"));
}

TEST_CASE("nvbench: samples beside the file, else means; skipped states with their reason") {
  const Sandbox sandbox;
  sandbox.write("out.json", nvbench);
  CHECK(find(load_runs(sandbox / "out.json"), "copy Device=0 T=I32", "time").values[0] ==
        Approx(1.25e-6));
  std::filesystem::create_directory(sandbox / "out.json-bin");
  const float samples[] = {1e-6F, 3e-6F};
  std::string bytes(sizeof samples, 0);
  std::memcpy(bytes.data(), samples, sizeof samples);
  sandbox.write("out.json-bin/0.bin", bytes);
  const RunSet runs = load_runs(sandbox / "out.json");
  CHECK(find(runs, "copy Device=0 T=I32", "time").values[0] == Approx(2e-6));
  CHECK(find(runs, "copy Device=0 T=I64", "time").values[0] == Approx(2.5e-6));
  REQUIRE(runs.not_measured.size() == 1);
  CHECK(runs.not_measured[0].reason == "too large");
}

TEST_CASE("a companion outside the folder of an nvbench file is not read") {
  const Sandbox sandbox;
  std::string text = nvbench;
  for (const char* elsewhere : {"/dev/zero", "../../../../dev/zero"}) {
    std::string hostile = text;
    hostile.replace(hostile.find("out.json-bin/0.bin"), 18, elsewhere);
    sandbox.write("out.json", hostile);
    CHECK(find(load_runs(sandbox / "out.json"), "copy Device=0 T=I32", "time").values[0] ==
          Approx(1.25e-6));
  }
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  REQUIRE(at != text.npos);
  return text.replace(at, what.size(), by);
}

TEST_CASE("what cannot be a run is refused with its place") {
  const Sandbox sandbox;
  const auto complaint = [&](const std::string& text) -> std::string {
    sandbox.write("a.json", text);
    try {
      load_runs(sandbox / "a.json");
    } catch (const FileError& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(complaint(""), ContainsSubstring("is empty"));
  CHECK_THAT(complaint("{}"), ContainsSubstring("no result file"));
  CHECK_THAT(complaint("[1, 2]"), ContainsSubstring("no result file"));
  CHECK_THAT(complaint(std::string(google).substr(0, 300)), ContainsSubstring("a.json"));
  CHECK_THAT(complaint(replaced(google, "\"us\"", "\"fortnight\"")),
             ContainsSubstring("/benchmarks/0/time_unit is fortnight"));
  CHECK_THAT(complaint(replaced(google, "2.0", "\"fast\"")),
             ContainsSubstring("/benchmarks/0/real_time must be a finite number"));
  CHECK_THAT(complaint(replaced(google, "2.0", "NaN")), ContainsSubstring("a.json"));
  CHECK_THAT(complaint(replaced(google, "2.0", "-9.0")), ContainsSubstring("not above 0"));
  CHECK_THAT(complaint(replaced(nvbench, "2.5e-6", "slow")),
             ContainsSubstring("/benchmarks/0/states/1/summaries/0/data/0/value"));
  CHECK_THAT(complaint(std::string(1000, '[')), ContainsSubstring("a.json"));
  std::string aggregates = replaced(google, "\"iteration\"", "\"aggregate\"");
  aggregates = replaced(aggregates, "\"iteration\"", "\"aggregate\"");
  CHECK_THAT(complaint(aggregates), ContainsSubstring("aggregates only"));
}

TEST_CASE("a row that stands twice in one run is refused") {
  const Sandbox sandbox;
  write_file(sandbox / "a.json", {made({}), made({})});
  CHECK_THROWS_WITH(load_runs(sandbox / "a.json"), ContainsSubstring("twice in one run"));
}

}  // namespace
}  // namespace steelyard
