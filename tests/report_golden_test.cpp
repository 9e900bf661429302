// SPDX-License-Identifier: Apache-2.0
// Whole reports, compared with files that people have read. STEELYARD_UPDATE_GOLDEN=1 in the
// environment writes them anew.
#include <cstdlib>
#include <fstream>
#include <regex>

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

// Without what stands in templates/ and changes with it.
std::string without_templates(std::string page) {
  page = std::regex_replace(page, std::regex("sha256-[^']*"), "sha256-");
  for (const std::string element : {"style", "script"}) {
    const auto begin = page.find("<" + element + ">") + element.size() + 2;
    page.erase(begin, page.find("</" + element + ">") - begin);
  }
  return page;
}

// Compares the reports of `results`, each a file of its own in one folder, in every format.
void check_reports(const std::string& name, const std::vector<std::vector<Record>>& results,
                   int exit_code = 0, const std::string& prices = "",
                   const std::string& claims = "") {
  const Sandbox sandbox;
  std::string files;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const std::string file = std::string(1, static_cast<char>('a' + i)) + ".json";
    write_results(sandbox / file, made_results(file, results[i]).files.front());
    files += " " + file;
  }
  if (!prices.empty()) {
    std::ofstream(sandbox / "prices.toml") << prices;
    files += " --prices prices.toml";
  }
  if (!claims.empty()) {
    std::ofstream(sandbox / "claims.toml") << claims;
    files += " --claims claims.toml";
  }
  for (const std::string format : {"md", "csv", "html"}) {
    if (format == "csv" && !(prices.empty() && claims.empty())) continue;  // refused
    const Outcome outcome = sandbox.shell("'" STEELYARD "' report" + files + " --format " + format);
    CHECK(outcome.exit_code == exit_code);
    check_golden(name + "." + format,
                 format == "html" ? without_templates(outcome.output) : outcome.output);
  }
}

MadeRow on_beta(MadeRow row) {
  row.device_name = "Beta";
  row.driver = "2.0";
  return row;
}

TEST_CASE("the example of a measured machine is the report of its files") {
  const Outcome outcome = Sandbox().shell("cd '" REPORTS "/data/measured' && '" STEELYARD
                                          "' report cpu-epyc-2-threads-quick --format html");
  CHECK(outcome.output == contents(REPORTS "/examples/measured.html"));
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

MadeRow on_h100(MadeRow row) {
  row.device_name = "NVIDIA H100 80GB HBM3";
  return row;
}

// One GCD of an MI250, whose sensor covers both.
Record on_die(MadeRow row) {
  row.device = "hip:0";
  row.device_name = "AMD Instinct MI250X / MI250";
  Record record = made(row);
  record.unit = "gcd";
  record.power = {.watts = 300, .reasons = {"the package's other die"}};
  return record;
}

Record on_package(MadeRow row) {
  row.device = "hip:0+1";
  row.device_name = "AMD Instinct MI250X / MI250";
  Record record = made(row);
  record.together = {{.device = "hip:0"}, {.device = "hip:1"}};
  record.flops *= 2;
  record.bytes *= 2;
  return record;
}

Record reading(Record row) {
  row.flops = 0;
  return row;
}

// A decoding step of one of two blocks, which is nearly all of it.
Record decode(Record record) {
  record.family = "llm";
  record.problem = {{"kind", "transformer"},     {"model", "toy"},
                    {"phase", "decode"},         {"dtype", "bf16"},
                    {"weights", "bf16"},         {"batch", std::int64_t{8}},
                    {"tokens", std::int64_t{1}}, {"context", std::int64_t{4096}},
                    {"layers", std::int64_t{1}}, {"blocks", std::int64_t{2}}};
  record.parts = {{"block 0: q", "product", "fast", "library", 1e-3, 1e-3}};
  record.step.emplace();
  record.step->whole_model = Capacity{
      .weight_bytes = 0x1p34, .largest_batch = 64, .largest_context = 65536, .allocated = true};
  return record;
}

TEST_CASE("the report of a GPU, a die and its package, with prices") {
  const MadeRow small{.id = "gemm/f32/nn/64x64x64", .seconds = 2e-3}, large{.seconds = 1e-3},
      read{.id = "memory/read/f64/1GiB", .kernel = "stream", .seconds = 1e-4},
      step{.id = "transformer/toy/decode/bf16/b8", .kernel = "chained", .tier = "best"};
  const auto measured = [](Record record) {
    record.power = {.watts = 500, .valid = true};
    record.clocks.mean_hz = 1.5e9;
    return record;
  };
  check_reports("priced",
                {{measured(made(on_h100(small))), measured(made(on_h100(large))),
                  reading(measured(made(on_h100(read)))), decode(made(on_h100(step)))},
                 {on_die(small), on_die(large), reading(on_die(read)), decode(on_die(step)),
                  on_package(small), on_package(large)}},
                0,
                R"([[rent]]
gpu = "H100-SXM5-80GB"
provider = "A"
instance = "eight"
gpus = 8
contract = "on demand"
price = 24
currency = "USD"
date = 2026-05-18
source = "made for this test"

[[own]]
gpu = "MI250"
provider = "us"
contract = "owned"
capital = 17532
years = 4
kwh_price = 0.2
pue = 1.25
currency = "USD"
date = 2026-05-19
source = "made for this test"
)");
}

TEST_CASE("the report that says which device does which work") {
  const auto device = [](const std::string& name, const std::string& library, double pace) {
    std::vector<Record> rows;
    for (const char* phase : {"train", "lora", "prefill"})
      rows.push_back(made_step(name, phase, 1, 4e-3 / pace, 0.01));
    for (const std::int64_t batch : {1, 4, 32, 64}) {
      rows.push_back(made_step(name, "decode", batch,
                               (1e-3 + 2e-5 * static_cast<double>(batch)) * pace, 0.01));
      rows.back().step->whole_model = Capacity{.largest_batch = pace < 1 ? 64 : 32};
    }
    for (const std::string& kernel : {library, library + "-default"})
      rows.push_back(made({.id = "gemm/bf16/nn/4096x4096x4096",
                           .kernel = kernel,
                           .tier = "library",
                           .seconds = (kernel == library ? 1e-3 : 1.25e-3) / pace,
                           .device_name = name}));
    for (std::size_t i = rows.size() - 2; i < rows.size(); ++i) {
      rows[i].problem = {{"kind", "gemm"}, {"a", "bf16"}};
      rows[i].flops = 5e11;
    }
    return rows;
  };
  check_reports("decided",
                {device("NVIDIA H100 80GB HBM3", "cublaslt", 1.25),
                 device("AMD Instinct MI300X", "hipblaslt", 0.8)},
                0,
                R"([[rent]]
gpu = "H100-SXM5-80GB"
provider = "A"
contract = "on demand"
price = 3
currency = "USD"
date = 2026-05-18
source = "made for this test"

[[rent]]
gpu = "MI300X"
provider = "B"
contract = "spot"
price = 1.5
currency = "USD"
date = 2026-05-18
source = "made for this test"
)",
                R"([[claim]]
name = "of-a-user"
text = "H100 multiplies 1.5 times as fast as MI300X"
date = 2026-06-01
source = "made for this test"
rows = "gemm/*"
band = [1.4, 1.7]
sides = [{ gpu = "H100-SXM5-80GB" }, { gpu = "MI300X" }]
)");
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
