// SPDX-License-Identifier: Apache-2.0
// The harness on emulated GPUs: what is verified but not timed, and what goes wrong on a device.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/run.h"
#include "reports/exit_code.h"
#include "reports/record.h"
#include "tests/catch.h"
#include "tests/emulated_cuda/emulation.h"

using namespace steelyard;

namespace steelyard {
Backend cuda_backend();
}

namespace {

struct Outcome {
  int code;
  std::vector<Record> rows;
};

// Runs `steelyard-memory` on two small problems, copy and then triad.
Outcome measure(std::vector<std::string> more = {}) {
  char folder[] = "/tmp/steelyard-emulated-XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  const std::string file = std::string(folder) + "/out.json";
  std::vector<std::string> arguments = {
      "steelyard-memory", "-a",  "op=copy,triad", "-a", "bytes=65536",
      "--cache",          "hot", "--json",        file};
  arguments.insert(arguments.end(), more.begin(), more.end());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  const Backend backend = cuda_backend();
  const int code =
      run(memory_family(), std::span(&backend, 1), static_cast<int>(argv.size()), argv.data());
  Outcome outcome = {
      code, std::filesystem::exists(file) ? read_results(file).records : std::vector<Record>()};
  std::filesystem::remove_all(folder);
  return outcome;
}

}  // namespace

TEST_CASE("Rows of an emulated device are verified and never timed") {
  emulated_cuda::restart("sm_90");
  const auto [code, rows] = measure();
  CHECK(code == passed);
  REQUIRE(rows.size() == 2);
  for (const Record& row : rows) {
    CHECK(row.status == Status::skipped);
    CHECK(row.reason == "emulated");
    CHECK(row.verdict.ok);
    CHECK(row.device == "cuda:0");
    CHECK(row.device_name.starts_with("emulated NVIDIA"));
  }
}

TEST_CASE("A launch that the device refuses fails its row and no other") {
  emulated_cuda::restart("sm_90");
  emulated_cuda::fail(emulated_cuda::Failure::launch, 2);  // the first tries to hold the stream
  const auto [code, rows] = measure();
  CHECK(code == device_error);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].status == Status::failed);
  CHECK_THAT(rows[0].reason, ContainsSubstring("backends/gpu/"));
  CHECK(rows[1].status == Status::skipped);
}

TEST_CASE("Memory that is not there when a kernel is prepared leaves its row unsupported") {
  emulated_cuda::restart("sm_90");
  emulated_cuda::fail(emulated_cuda::Failure::allocation, 2);
  const auto [code, rows] = measure();
  CHECK(code == passed);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].status == Status::unsupported);
  CHECK_THAT(rows[0].reason, ContainsSubstring("does not fit"));
  CHECK(rows[1].status == Status::skipped);
}

TEST_CASE("Operands beyond the device's memory are refused before they are made") {
  emulated_cuda::restart("sm_90");
  emulated_cuda::limit_memory(64 << 10);
  const auto [code, rows] = measure();
  CHECK(code == passed);
  REQUIRE(rows.size() == 2);
  CHECK_THAT(rows[0].reason, ContainsSubstring("does not fit") && ContainsSubstring("cuda:0"));
}

TEST_CASE("A device lost in mid-run ends the run and keeps the finished rows") {
  emulated_cuda::restart("sm_90");
  const auto whole = measure();
  REQUIRE(whole.rows.size() == 2);
  emulated_cuda::restart("sm_90");
  emulated_cuda::fail(emulated_cuda::Failure::device_lost, 25);
  const auto [code, rows] = measure();
  CHECK(code == device_error);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].status == Status::skipped);
  CHECK(rows[0].verdict.ok);
  CHECK(rows[1].status == Status::failed);
  emulated_cuda::restart("sm_90");
}

TEST_CASE("A machine without a GPU says so and names what it has") {
  emulated_cuda::restart("none");
  CHECK(measure({"--device", "cuda:0"}).code == device_error);
  emulated_cuda::restart("sm_90");
}
