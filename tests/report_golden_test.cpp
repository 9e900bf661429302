// SPDX-License-Identifier: Apache-2.0
// Whole reports, compared with files that people have read. STEELYARD_UPDATE_GOLDEN=1 in the
// environment writes them anew.
#include <cstdlib>
#include <fstream>

#include "tests/catch.h"
#include "tests/made_results.h"
#include "tests/shell.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

const fs::path golden_folder = GOLDEN;

void check_golden(const std::string& name, const std::string& made) {
  const fs::path file = golden_folder / name;
  if (std::getenv("STEELYARD_UPDATE_GOLDEN")) {
    fs::create_directories(golden_folder);
    std::ofstream(file) << made;
  }
  INFO("STEELYARD_UPDATE_GOLDEN=1 writes " << file << " anew");
  CHECK(made == contents(file));
}

// Compares the reports of `results`, each a file of its own in one folder, in both formats.
void check_reports(const std::string& name, const std::vector<std::vector<Record>>& results,
                   int exit_code = 0) {
  const Sandbox sandbox;
  std::string files;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string file = std::string(1, static_cast<char>('a' + i)) + ".json";
    write_results(sandbox / file, made_results(file, results[i]).files.front());
    files += " " + file;
  }
  for (const std::string format : {"md", "csv"}) {
    const Outcome outcome = sandbox.shell("'" STEELYARD "' report" + files + " --format " + format);
    CHECK(outcome.exit_code == exit_code);
    check_golden(name + "." + format, outcome.output);
  }
}

MadeRow on_beta(MadeRow row) {
  row.device_name = "Beta";
  row.driver = "2.0";
  return row;
}

TEST_CASE("the report of one result") {
  Record flagged = made({.id = "gemm/f32/nn/64x64x64", .seconds = 2e-3});
  flagged.timing.converged = false;
  flagged.timing.flags = {"drifted +7.6 %"};
  Record chase = made({.id = "memory/chase/int32/4MiB", .kernel = "pointer_chase"});
  chase.cache = "hot";
  chase.steps = 65536;
  Record small_chase = chase;
  small_chase.id = "memory/chase/int32/16KiB";
  std::vector<Record> rows{made({.kernel = "slow", .seconds = 4e-3}),
                           made({.kernel = "quick", .tier = "library", .seconds = 1e-3}),
                           flagged,
                           chase,
                           small_chase,
                           made({.id = "memory/copy/f64/128MiB", .kernel = "stream"})};
  rows[0].zeros = {.zeros_median_seconds = 3.2e-3, .uplift = 0.25};
  rows[2].zeros = {.zeros_median_seconds = 2e-3, .uplift = 0.0};
  for (const char* size : {"1", "2", "3", "4", "5", "6", "7", "10"})
    for (const char* kernel : {"quick", "quick-packed"})
      rows.push_back(made_unmeasured(
          {.id = std::string("gemm/f64/nn/") + size + "x1x1", .kernel = kernel, .tier = "library"},
          Status::unsupported, "no f64 on this device"));
  check_reports("one", {rows});
}

TEST_CASE("the report of several runs") {
  check_reports("runs", {{made({.seconds = 1e-3}), made({.seconds = 2e-3}), made({.seconds = 4e-3}),
                          made({.kernel = "once"})}});
}

TEST_CASE("the report of two results") {
  Record refused =
      made(on_beta({.id = "gemm/f32/nn/8x8x8", .kernel = "theirs", .tier = "library"}));
  refused.identity = comparability({{"id", refused.id}, {"fill", "normal"}, {"verified", false}});
  Record unsure = made({.id = "gemm/f32/nn/7x7x7"});
  unsure.timing.converged = false;
  check_reports(
      "two",
      {{made({.id = "gemm/f32/nn/64x64x64", .kernel = "lib", .tier = "library", .seconds = 1e-3}),
        made({.id = "gemm/f32/nn/64x64x64", .seconds = 2e-3}),
        made({.kernel = "lib", .tier = "library", .seconds = 8e-3}), made({.seconds = 4e-3}),
        made({.id = "gemm/f32/nn/8x8x8", .kernel = "lib", .tier = "library"}), unsure},
       {made(on_beta({.id = "gemm/f32/nn/64x64x64",
                      .kernel = "theirs",
                      .tier = "library",
                      .seconds = 0.5e-3})),
        made(on_beta({.id = "gemm/f32/nn/64x64x64", .seconds = 4e-3})),
        made(on_beta({.kernel = "theirs", .tier = "library", .seconds = 1e-3})),
        made(on_beta({.seconds = 8e-3})), refused, made(on_beta({.id = "gemm/f32/nn/9x9x9"}))}});
}

TEST_CASE("the report of five results") {
  std::vector<std::vector<Record>> results;
  for (const char* device : {"Alpha", "Beta", "Gamma", "Delta", "Epsilon"})
    results.push_back(
        {made({.seconds = 1e-3 * static_cast<double>(results.size() + 1), .device_name = device})});
  check_reports("five", results);
}

TEST_CASE("the report of results that share nothing") {
  check_reports("apart", {{made({})}, {made(on_beta({.id = "gemm/f32/nn/64x64x64"}))}}, 3);
}

TEST_CASE("the report of names that would break a table or a terminal") {
  Record hostile = made({.id = "gemm/<b>|`x`\n# heading",
                         .kernel = "=1+1",
                         .tier = "por|table",
                         .device_name = "\x1b[2JAlpha\u202e"});
  hostile.detail = "[click](javascript:1) & \"quoted\", **bold**";
  Record failed = made_unmeasured({.id = "gemm/f32/nn/1x1x1", .kernel = "@cmd"}, Status::failed,
                                  "line one\nline | two");
  check_reports("hostile", {{hostile, failed}});
}

}  // namespace
}  // namespace steelyard
