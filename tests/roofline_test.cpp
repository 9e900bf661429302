// SPDX-License-Identifier: Apache-2.0
// Which roof bounds a row, and how much of it the row reaches.
#include "reports/roofline.h"

#include "catch.h"
#include "made_results.h"

using namespace steelyard;

namespace {

Record with_work(Record record, double flops, double bytes) {
  record.flops = flops;
  record.bytes = bytes;
  return record;
}

Record stream(const std::string& op, double flops, double seconds) {
  return with_work(
      made({.id = "memory/" + op + "/f32/128MiB", .kernel = "stream", .seconds = seconds}), flops,
      1e8);
}

// 1e12 FLOP/s of f32 and 1e11 bytes/s: the roofs meet at 10 FLOP/byte.
std::vector<Record> ceilings() {
  return {with_work(made({.id = "gemm/f32/nn/1x1x1", .seconds = 1e-3}), 1e9, 1e7),
          stream("read", 0, 1e-3)};
}

// One device; the results must stay where they are.
struct Placed {
  explicit Placed(std::vector<Record> records)
      : results(made_results("r", std::move(records))), devices(sides({&results, 1})) {
    rows = under_roofs(devices.at(0));
  }
  const Place& at(const std::string& id) const {
    for (const Place& place : rows.places)
      if (place.measurement->row().id == id) return place;
    FAIL("no place for " << id);
    std::abort();
  }

  Results results;
  std::vector<Side> devices;
  UnderRoofs rows;
};

}  // namespace

TEST_CASE("a row is bound by the lower roof at its intensity") {
  auto records = ceilings();
  // 5 FLOP/byte attain 5e11 FLOP/s, 20 FLOP/byte 1e12; both rows run at 2.5e11.
  records.push_back(with_work(made({.id = "gemm/f32/nn/2x2x2", .seconds = 4e-3}), 1e9, 2e8));
  records.push_back(with_work(made({.id = "gemm/f32/nn/3x3x3", .seconds = 4e-3}), 1e9, 5e7));
  const Placed placed(records);
  const Place& below = placed.at("gemm/f32/nn/2x2x2");
  CHECK(below.flops_per_byte == Approx(5));
  CHECK(below.bound->dtype.empty());
  CHECK(below.share == Approx(0.5));
  const Place& above = placed.at("gemm/f32/nn/3x3x3");
  CHECK(above.flops_per_byte == Approx(20));
  CHECK(above.bound->dtype == "f32");
  CHECK(above.share == Approx(0.25));
  CHECK_FALSE(above.is_only_ceiling);
  CHECK(placed.at("gemm/f32/nn/1x1x1").share == Approx(1));
}

TEST_CASE("ceilings are the best that was measured, by type, and name their row") {
  auto records = ceilings();
  records.push_back(stream("triad", 1e7, 0.5e-3));
  Record half = with_work(made({.id = "gemm/bf16/nn/1x1x1", .seconds = 0.5e-3}), 1e9, 1e7);
  half.problem = {{"kind", "gemm"}, {"a", "bf16"}};
  records.push_back(half);
  const Placed placed(records);
  REQUIRE(placed.rows.ceilings.size() == 3);
  CHECK(placed.rows.ceilings[0].dtype.empty());
  CHECK(placed.rows.ceilings[0].per_second == Approx(2e11));
  CHECK(placed.rows.ceilings[0].measured_by == key(records[2]));
  CHECK(placed.rows.ceilings[1].dtype == "f32");
  CHECK(placed.rows.ceilings[2].dtype == "bf16");
  CHECK(placed.rows.ceilings[2].per_second == Approx(2e12));
}

TEST_CASE("the rates measured beside a step are ceilings too") {
  Record step =
      with_work(made({.id = "transformer/toy/decode/bf16/b1", .seconds = 1e-3}), 1e9, 1e8);
  step.family = "llm";
  step.problem = {{"kind", "transformer"}, {"dtype", "bf16"}};
  step.step = {.read_bytes_per_second = 4e11, .flops_per_second = 2e12};
  const Placed placed({step});
  CHECK(placed.rows.ceilings.at(0).per_second == Approx(4e11));
  CHECK(placed.rows.ceilings.at(1).dtype == "bf16");
  // 1e12 of 2e12 FLOP/s, 1e11 of 4e11 bytes/s: nearer to the former.
  CHECK(placed.at(step.id).bound->dtype == "bf16");
  CHECK(placed.at(step.id).share == Approx(0.5));
}

TEST_CASE("latencies, transfers and rows out of caches have no place and set no ceiling") {
  Record chase = stream("chase", 0, 1e-6), hot = stream("copy", 0, 1e-6),
         transfer = stream("", 0, 1e-6);
  chase.steps = 1000;
  hot.cache = "hot";
  transfer.id = "copy/h2d/pinned/64MiB";
  const Placed placed({chase, hot, transfer});
  CHECK(placed.rows.ceilings.empty());
  CHECK(placed.rows.places.empty());
}

TEST_CASE("a copy within the device moves its memory, and may set the ceiling") {
  Record copy = stream("", 0, 1e-3);
  copy.id = "copy/d2d/pinned/64MiB";
  const Placed placed({copy});
  CHECK(placed.rows.ceilings.at(0).per_second == Approx(1e11));
  CHECK(placed.at(copy.id).share == Approx(1));
}

TEST_CASE("the rates beside a step count for all devices that were measured together") {
  Record step = made({.id = "transformer/toy/decode/bf16/b1"});
  step.family = "llm";
  step.problem = {{"kind", "transformer"}, {"dtype", "bf16"}};
  step.step = {.read_bytes_per_second = 4e11, .flops_per_second = 2e12};
  step.together = {{.device = "hip:0"}, {.device = "hip:1"}};
  const Placed placed({step});
  CHECK(placed.rows.ceilings.at(0).per_second == Approx(8e11));
  CHECK(placed.rows.ceilings.at(1).per_second == Approx(4e12));
}

TEST_CASE("where one roof was not measured, the other bounds and is marked") {
  const Placed placed({ceilings()[0]});
  CHECK(placed.at("gemm/f32/nn/1x1x1").is_only_ceiling);
  Document document;
  add_rooflines(document, placed.devices);
  REQUIRE(document.blocks.size() == 2);  // no chart without the slope
  const auto& table = std::get<Table>(document.blocks[1]);
  CHECK(table.rows.at(0)[6] == "f32 *");
  CHECK(table.notes.back() == "* The other roof was not measured: it may be lower.");
}

TEST_CASE("a device without ceilings has no roofline") {
  Record attention = made({.id = "attention/forward/f32/1"});
  const Placed placed({attention});
  Document document;
  add_rooflines(document, placed.devices);
  CHECK(document.blocks.empty());
}

TEST_CASE("the chart has a roof for each type and a point for each row that computes") {
  auto records = ceilings();
  const Placed placed(records);
  Document document;
  add_rooflines(document, placed.devices);
  REQUIRE(document.blocks.size() == 3);
  const auto& chart = std::get<Roofline>(std::get<Chart>(document.blocks[1]));
  REQUIRE(chart.roofs.size() == 1);
  CHECK(chart.roofs[0].flops_per_second == Approx(1e12));
  CHECK(chart.roofs[0].bytes_per_second == Approx(1e11));
  REQUIRE(chart.points.size() == 1);  // reading computes nothing
  CHECK(chart.points[0].flops_per_byte == Approx(100));
  const auto& table = std::get<Table>(document.blocks[2]);
  CHECK(table.rows.at(1) == std::vector<std::string>{"memory/read/f32/128MiB", "stream", "portable",
                                                     "normal/rotate/burst", "0", "100.0 GB/s",
                                                     "memory", "100.0 %"});
}
