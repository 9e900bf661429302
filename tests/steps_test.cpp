// SPDX-License-Identifier: Apache-2.0
// What reports say of steps of models.
#include "reports/steps.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "catch.h"
#include "made_results.h"
#include "reports/chrome_trace.h"
#include "reports/scenarios.h"
#include "reports/step_fields.h"
#include "table_cells.h"

using namespace steelyard;

namespace {

// A step of one of four blocks: 2 ms, of which the block has two thirds.
Record step(const std::string& phase, std::int64_t batch, std::int64_t context, double seconds) {
  const std::int64_t tokens = phase == "decode" ? 1 : context;
  Record record =
      made({.id = fmt::format("transformer/toy/{}/b{}-c{}/stream", phase, batch, context),
            .kernel = "chained",
            .tier = "best",
            .seconds = seconds});
  record.family = "llm";
  record.problem = {{"kind", "transformer"},
                    {"model", "toy"},
                    {"phase", phase},
                    {"dtype", "bf16"},
                    {"batch", batch},
                    {"tokens", tokens},
                    {"context", context},
                    {"page_size", std::int64_t{0}},
                    {"layers", std::int64_t{1}},
                    {"blocks", std::int64_t{4}}};
  record.step = {.model_flops = 1e9,
                 .roof_bytes = 4e7,
                 .resident_bytes = 1 << 30,
                 .largest_batch = 12,
                 .read_bytes_per_second = 4e10,
                 .flops_per_second = 2e12};
  record.parts = {{"embedding: tokens", "gather", "copy", "portable", 1e-4, 2e-4},
                  {"block 0: q", "product", "fast", "library", 5e-4, 6e-4},
                  {"block 0: k", "product", "fast", "library", 5e-4, 6e-4},
                  {"head: \"logits\"", "head", "fast", "library", 4e-4, 5e-4}};
  return record;
}

Results results_of(std::vector<Record> records) {
  return made_results("toy", std::move(records));
}

}  // namespace

TEST_CASE("shares are of the rates measured beside a step, phases stand in their order") {
  const Results results = results_of({step("decode", 1, 64, 2e-3), step("train", 2, 64, 4e-3)});
  const auto rows = measurements(results);
  const Table table = utilisation(rows);
  CHECK(column(table, "phase") == Cells{"pre-training", "inference: decode"});
  CHECK(column(table, "rate") == Cells{"32000 tokens/s", "500 tokens/s"});
  // 1e9 FLOP in 4 and 2 ms of 2e12 FLOP/s; 4e7 bytes in as much of 4e10 bytes/s.
  CHECK(column(table, "of GEMM rate") == Cells{"12.5 %", "25.0 %"});
  CHECK(column(table, "of read rate") == Cells{"25.0 %", "50.0 %"});
  CHECK(column(table, "of peak") == Cells{"", ""});  // no datasheet of this device
  CHECK(column(table, "largest batch") == Cells{"12", "12"});
}

TEST_CASE("a whole model has its other blocks by extrapolation") {
  const Results results = results_of({step("decode", 1, 64, 3e-3)});
  const auto rows = measurements(results);
  // Blocks have two thirds of 3 ms: four of them 8 ms, and 1 ms for the rest.
  CHECK(whole_model_seconds(rows.at(0)).value() == Approx(9e-3));
  CHECK(column(utilisation(rows), "blocks") == Cells{"1 of 4"});
  CHECK(column(utilisation(rows), "whole model") == Cells{"111.1 tokens/s"});
}

TEST_CASE("parts stand together by problem and kernel, the longest first, with their sum") {
  const Results results = results_of({step("decode", 1, 64, 3e-3)});
  const auto rows = measurements(results);
  const Table table = parts_of_steps(rows).at(0);
  CHECK(column(table, "operation") == Cells{"product", "head", "gather", "sum"});
  CHECK(column(table, "launches") == Cells{"2", "1", "1", "4"});
  CHECK(column(table, "chained") == Cells{"1.000 ms", "400.0 µs", "100.0 µs", "1.500 ms"});
  CHECK(column(table, "of sum") == Cells{"66.7 %", "26.7 %", "6.7 %", "100.0 %"});
  CHECK(table.notes.at(0) ==
        "The step takes 3.000 ms, its operations one by one 1.500 ms: the step is 100.0 % longer, "
        "by what lies between them.");
  CHECK(table.notes.at(1) ==
        "Row: transformer/toy/decode/b1-c64/stream/chained/best/cuda:0/normal/rotate/burst");
}

TEST_CASE(
    "a curve over the batch has its knee where doubling brings less than half as much again") {
  const Results results = results_of({step("decode", 8, 64, 4e-3), step("decode", 1, 64, 2e-3),
                                      step("decode", 4, 64, 2.2e-3), step("decode", 4, 128, 9e-3)});
  const auto rows = measurements(results);
  const auto tables = curves(rows, {}, "batch");
  REQUIRE(tables.size() == 1);  // one row of the longer context makes no curve
  CHECK(column(tables[0], "batch") == Cells{"1", "4", "8"});
  CHECK(column(tables[0], "of the first") == Cells{"x 1.00", "x 3.64", "x 4.00"});
  // 3.636 in two doublings, then 2 x 2.2 / 4.
  CHECK(column(tables[0], "per doubling") == Cells{"", "x 1.91", "x 1.10"});
  CHECK(tables[0].notes.back() ==
        "Knee at batch 4: from there on a doubling brings less than x 1.5.");
}

TEST_CASE("neighbours on a curve that are too close say nothing of a doubling") {
  const std::vector<std::pair<double, double>> straight{{1, 10}, {16, 160}, {64, 640}, {65, 640}};
  CHECK_FALSE(knee(straight));
  const std::vector<std::pair<double, double>> bent{{1, 10}, {64, 640}, {65, 640}, {128, 700}};
  CHECK(knee(bent) == 65);
}

TEST_CASE("a curve says where the whole model ends, and lists what had no room at all") {
  std::vector<Record> records;
  for (const std::int64_t batch : {1, 2, 4}) records.push_back(step("decode", batch, 64, 2e-3));
  for (Record& record : records) record.step->whole_model = Capacity{.largest_batch = 3};
  for (const std::int64_t batch : {64, 8}) {
    Record& unfit = records.emplace_back(step("decode", batch, 64, 0));
    unfit.status = Status::unsupported;
    unfit.reason = fmt::format("{}9 GiB needed, 8 GiB free on cuda:0", no_room);
    unfit.step.reset();
  }
  records.back().problem.back().second =
      std::int64_t{8};  // of another model: on no curve of this one
  records.push_back(records[3]);
  for (auto& [field, value] : records.back().problem)
    if (field == "batch") value = std::int64_t{4};  // for which there was room in another run
  const Results results = results_of(std::move(records));
  const auto rows = measurements(results);
  const auto tables = curves(rows, without_room(results), "batch");
  REQUIRE(tables.size() == 1);
  CHECK(column(tables[0], "batch") == Cells{"1", "2", "4", "64"});
  CHECK(column(tables[0], "time") == Cells{"2.000 ms", "2.000 ms", "2.000 ms", "does not fit"});
  CHECK(column(tables[0], "whole model") ==
        Cells{"fits", "fits", "does not fit", "9 GiB needed, 8 GiB free on cuda:0"});
  const auto charts = curve_charts(rows, "batch");
  CHECK(charts.at(0).lines.at(0).hollow_from == 4);
}

namespace {

// The same on a die of an MI250, and on both of its dies together, which take as long.
Record on_die(Record record) {
  record.device = "hip:0";
  record.device_name = "AMD Instinct MI250";
  record.unit = "gcd";
  return record;
}

Record on_package(Record record) {
  record = on_die(std::move(record));
  record.device = "hip:0+1";
  record.unit = "package";
  record.together = {{.device = "hip:0"}, {.device = "hip:1"}};
  record.flops *= 2;
  record.bytes *= 2;
  return record;
}

}  // namespace

TEST_CASE("a package has the rates of both of its dies, and the shares of one") {
  const Record row = step("decode", 2, 64, 3e-3);
  const Results results = results_of({on_die(row), on_package(row)});
  const Table table = utilisation(measurements(results));
  CHECK(column(table, "device") == Cells{"hip:0", "hip:0+1"});
  CHECK(column(table, "rate") == Cells{"666.7 tokens/s", "1333 tokens/s"});
  CHECK(column(table, "model FLOP/s") == Cells{"333.3 GFLOP/s", "666.7 GFLOP/s"});
  CHECK(column(table, "of peak") == Cells{"0.2 %", "0.2 %"});  // 1e9 / 3 ms of 181.05e12
  CHECK(column(table, "of GEMM rate") == Cells{"16.7 %", "16.7 %"});
  CHECK(column(table, "of read rate") == Cells{"33.3 %", "33.3 %"});
  CHECK(column(table, "whole model") == Cells{"222.2 tokens/s", "444.4 tokens/s"});  // in 9 ms
}

TEST_CASE("curves and uses of a package count the tokens of both of its dies") {
  std::vector<Record> records;
  for (const std::int64_t batch : {1, 2, 4})
    records.push_back(on_package(step("decode", batch, 8192, 2e-3)));
  for (Record& record : records) record.step->whole_model = Capacity{.largest_batch = 2};
  records.push_back(on_package(step("prefill", 1, 512, 6e-3)));
  records.push_back(on_package(step("decode", 16, 512, 1e-3)));
  records.push_back(on_package(step("score", 1, 1024, 16e-3)));
  records.push_back(on_package(step("train", 1, 1024, 48e-3)));
  const Results results = results_of(std::move(records));
  const auto rows = measurements(results);
  const std::vector<std::pair<double, double>> points{{1, 1000}, {2, 2000}, {4, 4000}};
  CHECK(curve_charts(rows, "batch").at(0).lines.at(0).points == points);
  const Table table = scenarios(rows);
  CHECK(column(table, "scenario") == Cells{"pp512", "ctx8k, best batch that fits"});
  // 1024 tokens in 18 ms, 4 in 6 ms.
  CHECK(column(table, "rate") == Cells{"56889 tokens/s", "666.7 tokens/s"});
  CHECK(column(learning(rows), "rate") == Cells{"5333 tokens/s"});  // 32768 in 6.144 s
}

TEST_CASE("tokens of a file's largest numbers are counted without overflow") {
  Record row = step("decode", std::int64_t{1} << 62, 64, 1e-3);
  for (auto& [field, value] : row.problem)
    if (field == "tokens") value = std::int64_t{1} << 62;
  CHECK(tokens(row) == 0x1p124);
}

TEST_CASE("a chart has one line for each table of a curve") {
  const Results results = results_of({step("decode", 8, 64, 4e-3), step("decode", 1, 64, 2e-3),
                                      step("decode", 4, 64, 2.5e-3), step("decode", 4, 128, 9e-3)});
  const auto rows = measurements(results);
  CHECK(curve_charts(rows, "context").empty());
  const auto charts = curve_charts(rows, "batch");
  REQUIRE(charts.size() == 1);
  CHECK(charts[0].title == "decode by batch, toy");
  REQUIRE(charts[0].lines.size() == 1);
  CHECK(charts[0].lines[0].name == "transformer/toy/decode/b1-c64/stream best on cuda:0");
  const std::vector<std::pair<double, double>> points{{1, 500}, {4, 1600}, {8, 2000}};
  CHECK(charts[0].lines[0].points == points);
}

TEST_CASE("scenarios are made of the steps that they need, and absent without them") {
  const Results results =
      results_of({step("prefill", 1, 512, 6e-3), step("decode", 1, 4160, 3e-3),
                  step("prefill", 1, 1024, 9e-3), step("decode", 1, 1536, 3e-3)});
  const auto rows = measurements(results);
  const Table table = scenarios(rows);
  CHECK(column(table, "scenario") == Cells{"pp512", "tg128 @ d4096", "chat 1k/1k"});
  // Three times the measured step, as above.
  CHECK(column(table, "time to first token") == Cells{"18.00 ms", "", "27.00 ms"});
  CHECK(column(table, "time per output token") == Cells{"", "9.000 ms", "9.000 ms"});
  // 512 / 18 ms; 128 / (128 x 9 ms); 1024 / (27 ms + 1024 x 9 ms).
  CHECK(column(table, "rate") == Cells{"28444 tokens/s", "111.1 tokens/s", "110.8 tokens/s"});
}

TEST_CASE("long answers, long prompts and several answers to one prompt are scenarios too") {
  const Results results =
      results_of({step("prefill", 1, 1024, 9e-3), step("prefill", 1, 8192, 80e-3),
                  step("decode", 1, 5120, 3e-3), step("decode", 1, 8704, 4e-3),
                  step("decode", 16, 1536, 6e-3)});
  const Table table = scenarios(measurements(results));
  CHECK(column(table, "scenario") ==
        Cells{"reasoning 1k/8k", "summarise 8k/1k", "best-of-16 1k/1k"});
  CHECK(column(table, "time to first token") == Cells{"27.00 ms", "240.0 ms", "27.00 ms"});
  // 8192 / (27 ms + 8192 x 9 ms); 1024 / (240 ms + 1024 x 12 ms); 16 x 1024 / (27 ms + 1024 x 18 ms).
  CHECK(column(table, "rate") == Cells{"111.1 tokens/s", "81.74 tokens/s", "887.6 tokens/s"});
}

TEST_CASE("of the batches that fit as a whole model the fastest counts") {
  const auto row = [](std::int64_t batch, double time, int largest) {
    Record record = step("decode", batch, 8192, time);
    record.problem.emplace_back("weights", "fp8_e4m3");
    record.step->whole_model = Capacity{.weight_bytes = 0x1p36, .largest_batch = largest};
    return record;
  };
  const Results some = results_of({row(1, 1e-3, 2), row(2, 1.25e-3, 2), row(4, 1.5e-3, 2)});
  const Table table = scenarios(measurements(some));
  CHECK(column(table, "scenario") == Cells{"ctx8k, best batch that fits"});
  CHECK(column(table, "weights") == Cells{"fp8_e4m3"});
  CHECK(column(table, "sequences") == Cells{"2"});
  CHECK(column(table, "rate") == Cells{"533.3 tokens/s"});  // 2 in three times 1.25 ms

  const Results none = results_of({row(1, 1e-3, 0), row(2, 1.25e-3, 0)});
  CHECK(column(scenarios(measurements(none)), "rate") == Cells{"does not fit: 64 GiB of weights"});
}

TEST_CASE("what fits of a whole model stands once, whatever the batch and tier") {
  Record one = step("decode", 1, 64, 1e-3), other = step("decode", 8, 64, 2e-3);
  other.tier = "portable";
  for (Record* record : {&one, &other})
    record->step->whole_model = Capacity{.weight_bytes = 0x1p31,
                                         .sequence_bytes = 0x1p20,
                                         .largest_batch = 7,
                                         .largest_context = 4096,
                                         .allocated = true};
  const Results results = results_of({one, other, step("prefill", 1, 64, 1e-3)});
  const Table table = capacities(measurements(results));
  CHECK(column(table, "weights' size") == Cells{"2 GiB"});
  CHECK(column(table, "a sequence") == Cells{"1 MiB"});
  CHECK(column(table, "largest batch") == Cells{"7"});
  CHECK(column(table, "largest context [tokens]") == Cells{"4096"});
  CHECK(column(table, "found by") == Cells{"allocating"});
}

TEST_CASE("a step of reinforcement learning has its parts' shares") {
  const Results results = results_of({step("decode", 16, 512, 1e-3), step("score", 1, 1024, 16e-3),
                                      step("train", 1, 1024, 48e-3)});
  const Table table = learning(measurements(results));
  // 1024 steps of 1 ms, 16 of 16 ms and 16 of 48 ms, each three times as long for the whole model.
  CHECK(column(table, "time") == Cells{"6.144 s"});
  CHECK(column(table, "rollout") == Cells{"50.0 %"});
  CHECK(column(table, "scoring") == Cells{"12.5 %"});
  CHECK(column(table, "update") == Cells{"37.5 %"});
  CHECK(column(table, "rate") == Cells{"2667 tokens/s"});
}

TEST_CASE("narrow weights are told by their rate and their error") {
  Record row = step("quantise", 1, 1, 1e-3);
  row.problem.emplace_back("weights", "int8");
  row.step->quantisation_error = 0.00731;
  const Results results = results_of({row, step("decode", 1, 64, 1e-3)});
  const Table table = quantisation(measurements(results));
  CHECK(column(table, "weights") == Cells{"int8"});
  CHECK(column(table, "rate") == Cells{"100.0 GB/s"});  // 1e8 bytes in 1 ms
  CHECK(column(table, "error") == Cells{"0.00731"});
  CHECK(column(utilisation(measurements(results)), "whole model").front().empty());  // no tokens
}

TEST_CASE("a trace has the operations of each step end to end") {
  const Record with_parts = step("decode", 1, 64, 3e-3);
  const std::vector<Record> records = {with_parts, made({}), with_parts};
  const auto trace = nlohmann::json::parse(chrome_trace(records));
  const auto& events = trace.at("traceEvents");
  REQUIRE(events.size() == 2 * (1 + with_parts.parts.size()));
  CHECK(events[0].at("args").at("name") == key(with_parts));
  CHECK(events[4].at("name") == "head: \"logits\"");
  CHECK(events[4].at("ph") == "X");
  CHECK(events[4].at("ts").get<double>() == Approx(1100));
  CHECK(events[4].at("dur").get<double>() == Approx(400));
  CHECK(events[4].at("pid") == 1);
  CHECK(events.back().at("pid") == 2);
}
