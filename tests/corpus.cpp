// SPDX-License-Identifier: Apache-2.0
#include "tests/corpus.h"

#include <limits>
#include <stdexcept>

#include "tests/generate_results.h"

namespace steelyard {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

ResultFile hostile_texts() {
  ResultFile file = generate_results(2, 3);
  Record& record = file.records.front();
  record.kernel = "\xFF\xC0\xAF \xED\xA0\x80 cut off \xE2\x82";  // none of it is UTF-8
  record.detail = "\"quoted\" \\ \n\t\x01\x1F \x7F {[,:]}";
  record.device_name = "\xF0\x9F\x90\x8C caf\xC3\xA9 \xE2\x80\xA8";
  record.problem = {{"a/b~c", "d"}, {"", ""}};
  file.context.argv = {"", "\xFE", "--label", "\r\n"};
  file.context.labels = {{"\xC3", "\xA9"}};
  return file;
}

ResultFile numbers_without_value() {
  ResultFile file = generate_results(2, 3);
  Record& record = file.records.front();
  record.timing.samples_seconds = {not_a_number, infinity, 1e-6};
  record.timing.median_seconds = not_a_number;
  record.timing.ci95_seconds = {infinity, -infinity};
  record.verdict.error = infinity;
  record.verdict.relative_error = std::nullopt;
  record.verdict.deterministic = std::nullopt;
  record.problem = {
      {"alpha", not_a_number}, {"beta", -0.0}, {"gamma", infinity}, {"gamma_reason", "given"}};
  record.conditions = comparability({{"limit", infinity}});
  return file;
}

ResultFile extreme_numbers() {
  ResultFile file = generate_results(2, 3);
  Record& record = file.records.front();
  record.seed = std::numeric_limits<std::uint64_t>::max();
  record.flops = std::numeric_limits<double>::max();
  record.timing.samples_seconds = {0, 5e-324, 0x1p-20, 1e9, std::numeric_limits<double>::min()};
  record.problem = {{"least", std::numeric_limits<std::int64_t>::min()},
                    {"most", std::numeric_limits<std::int64_t>::max()},
                    {"one", 1.0},
                    {"tiny", 5e-324}};
  return file;
}

}  // namespace

std::vector<GoodFile> good_files() {
  return {{"no_rows", generate_results(0, 0)},
          {"rows", generate_results(60, 5)},
          {"nothing_known", {}},
          {"hostile_texts", hostile_texts()},
          {"numbers_without_value", numbers_without_value()},
          {"extreme_numbers", extreme_numbers()}};
}

std::string valid_text() {
  return to_json(generate_results(10, 3));
}

std::string mutate(const std::string& text, const Mutation& mutation) {
  const auto at = text.find(mutation.from);
  if (at == text.npos) throw std::logic_error("not in the file: " + std::string(mutation.from));
  return std::string(text).replace(at, mutation.from.size(), mutation.to);
}

const std::vector<Mutation>& faults_of_form() {
  static const std::vector<Mutation> faults = {
      {"newer_major_version", R"("schema_version": "1.0")", R"("schema_version": "2.0")",
       "/context/steelyard/schema_version"},
      {"version_is_a_number", R"("schema_version": "1.0")", R"("schema_version": 1.0)",
       "/context/steelyard/schema_version"},
      {"no_suite", R"("suite": "gemm)", R"("suit": "gemm)", "/context/steelyard/suite"},
      {"no_benchmarks", R"("benchmarks": [)", R"("rows": [)", "/benchmarks"},
      {"context_is_null", R"("context": {)", R"("context": null, "x": {)", "/context"},
      {"no_steelyard_context", "\"steelyard\": {\n", "\"steelhard\": {\n", "/context"},
      {"other_time_unit", R"("time_unit": "ns")", R"("time_unit": "us")",
       "/benchmarks/0/time_unit"},
      {"aggregate_row", R"("run_type": "iteration")", R"("run_type": "aggregate")",
       "/benchmarks/0/run_type"},
      {"no_name", R"({"name": "gemm/f32/nn/1x)", R"({"nome": "gemm/f32/nn/1x)",
       "/benchmarks/0/name"},
      {"median_is_a_string", R"("median_ns": )", R"("median_ns": "x", "x": )",
       "/benchmarks/0/steelyard/timing/median_ns"},
      {"no_median", R"("median_ns")", R"("median")", "/benchmarks/0/steelyard/timing/median_ns"},
      {"sample_is_a_string", R"("samples_ns": [)", R"("samples_ns": ["x", )",
       "/benchmarks/0/steelyard/timing/samples_ns/0"},
      {"samples_are_a_number", R"("samples_ns": [)", R"("samples_ns": 3, "x": [)",
       "/benchmarks/0/steelyard/timing/samples_ns"},
      {"samples_are_an_object", R"("samples_ns": [)", R"("samples_ns": {}, "x": [)",
       "/benchmarks/0/steelyard/timing/samples_ns"},
      {"half_an_interval", R"("ci95_ns": [)", R"("ci95_ns": [1.0], "x": [)",
       "/benchmarks/0/steelyard/timing/ci95_ns/1"},
      {"negative_launches", R"("launches": 8)", R"("launches": -8)",
       "/benchmarks/0/steelyard/timing/launches"},
      {"half_a_launch", R"("launches": 8)", R"("launches": 0.5)",
       "/benchmarks/0/steelyard/timing/launches"},
      {"too_many_launches", R"("launches": 8)", R"("launches": 99999999999)",
       "/benchmarks/0/steelyard/timing/launches"},
      {"converged_is_a_number", R"("converged": true)", R"("converged": 1)",
       "/benchmarks/0/steelyard/timing/converged"},
      {"negative_seed", R"("seed": 42})", R"("seed": -42})",
       "/context/steelyard/not_measured/0/timing/seed"},
      {"seed_in_words", R"("seed": 42})", R"("seed": "forty-two"})",
       "/context/steelyard/not_measured/0/timing/seed"},
      {"problem_is_a_list", R"("problem": {"m": 1,)", R"("problem": [], "x": {"m": 1,)",
       "/benchmarks/0/steelyard/problem"},
      {"no_kernel_name", R"("kernel": {"name")", R"("kernel": {"nome")",
       "/context/steelyard/not_measured/0/kernel/name"},
      {"unknown_status", R"("status": "ok")", R"("status": "fine")",
       "/benchmarks/0/steelyard/status"},
      {"failed_row_among_benchmarks", R"("status": "ok")", R"("status": "failed")",
       "/benchmarks/0"},
      {"ok_row_not_measured", R"("status": "unsupported")", R"("status": "ok")",
       "/context/steelyard/not_measured/0"},
      {"verdict_is_null", R"("verdict": {)", R"("verdict": null, "x": {)",
       "/benchmarks/0/steelyard/verdict"},
      {"power_is_a_string", R"("power": {)", R"("power": "none", "x": {)",
       "/benchmarks/0/steelyard/power"},
      {"comparability_of_lists", R"("ecc": null)", R"("ecc": [1])",
       "/context/steelyard/comparability/"},
  };
  return faults;
}

const std::vector<Mutation>& faults_of_meaning() {
  static const std::vector<Mutation> faults = {
      {"name_of_another_row", R"("name": "gemm/f32/nn/1x)", R"("name": "gemm/f32/nn/7x)",
       "/benchmarks/0/name"},
      {"changed_condition", R"("ecc": null)", R"("ecc": true)",
       "/context/steelyard/comparability/"},
      {"unknown_key", R"("conditions": ")", R"("conditions": "00)",
       "/context/steelyard/comparability/00"},
      {"member_twice", R"("mode": "burst")", R"("mode": "burst", "mode": "burst")",
       "/context/steelyard/not_measured/0/timing/mode"},
      {"object_twice", R"("work": {)", R"("work": {}, "work": {)",
       "/context/steelyard/not_measured/0/work"},
      {"field_twice", R"("governor": null)", R"("governor": null, "governor": 1)",
       "/context/steelyard/host/governor"},
      {"seed_beyond_64_bits", R"("seed": 42})", R"("seed": "18446744073709551616"})",
       "/context/steelyard/not_measured/0/timing/seed"},
  };
  return faults;
}

}  // namespace steelyard
