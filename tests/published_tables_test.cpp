// SPDX-License-Identifier: Apache-2.0
#include "reports/published_tables.h"

#include "tests/catch.h"
#include "tests/made_results.h"
#include "tests/table_cells.h"

namespace steelyard {
namespace {

const std::string problem = "attention/forward/bf16/b1-h64-kv8/1024x1024x128";

Published of(const std::string& gpu, double value, const std::string& unit) {
  return {.gpu = gpu,
          .value = value,
          .unit = unit,
          .conditions = "c",
          .source = "s",
          .url = "https://s",
          .date = "2024",
          .confidence = "primary"};
}

Side side_of(std::vector<Record> rows, std::vector<Results>& kept) {
  kept.push_back(made_results("r", std::move(rows)));
  return sides(kept).front();
}

TEST_CASE("a published value stands beside the fastest row of its problem and GPU") {
  std::vector<Results> kept;
  const MadeRow slow{.id = problem, .seconds = 2e-3, .device_name = "AMD Instinct MI300X"};
  MadeRow fast = slow;
  fast.kernel = "fast";
  fast.seconds = 1e-3;
  const std::vector<Side> all = {side_of({made(slow), made(fast)}, kept)};
  std::vector<Published> published = {of("MI300X", 5e14, "FLOP/s"), of("MI355X", 9e14, "FLOP/s"),
                                      of("MI300X", 6e14, "FLOP/s")};
  published[0].problem = published[1].problem = problem;
  published[2].problem = "attention/forward/bf16/b1-h64-kv8/2048x2048x128";
  published[0].flag = "doubtful";
  const Table table = published_problems(all, published);
  CHECK(column(table, "published") == Cells{"500.0 TFLOP/s"});
  CHECK(column(table, "measured here") == Cells{"2.000 TFLOP/s"});
  CHECK(column(table, "kernel") == Cells{"fast"});
  CHECK(column(table, "flag") == Cells{"doubtful"});
  CHECK(column(table, "source") == Cells{"s, https://s (primary)"});
}

TEST_CASE(
    "easy inputs and a warm cache stand beside a published value only where nothing else was "
    "measured, and say so") {
  std::vector<Results> kept;
  const auto row = [](const std::string& kernel, double seconds, const char* fill,
                      const char* cache) {
    Record record = made({.id = problem,
                          .kernel = kernel,
                          .seconds = seconds,
                          .fill = fill,
                          .device_name = "AMD Instinct MI300X"});
    record.cache = cache;
    return record;
  };
  std::vector<Published> published = {of("MI300X", 5e14, "FLOP/s")};
  published[0].problem = problem;
  const std::vector<Side> all = {
      side_of({row("easy", 1e-4, "zeros", "rotate"), row("warm", 1e-4, "normal", "hot"),
               row("usual", 1e-3, "normal", "rotate")},
              kept)};
  CHECK(column(published_problems(all, published), "measured here") == Cells{"2.000 TFLOP/s"});
  CHECK(column(published_problems(all, published), "kernel") == Cells{"usual"});
  std::vector<Results> other;
  const std::vector<Side> easy = {side_of({row("easy", 1e-3, "zeros", "rotate")}, other)};
  CHECK(column(published_problems(easy, published), "measured here") ==
        Cells{"2.000 TFLOP/s (zeros/rotate/burst)"});
}

TEST_CASE("training and serving stand apart, by phase and series, in units that people use") {
  std::vector<Results> kept;
  const std::vector<Side> all = {side_of({made({.device_name = "AMD Instinct MI300X"})}, kept)};
  std::vector<Published> published = {
      of("MI300X", 22677.6, "tokens/s"),   of("MI300X", 1696.2, "s"),
      of("MI300X", 0.78, "ratio"),         of("MI300X", 8.71e-7, "USD/token"),
      of("H200-SXM-141GB", 1, "tokens/s"), of("MI300X", 5e14, "FLOP/s")};
  for (std::size_t i : {0, 3, 4}) published[i].phase = "serve";
  published[0].devices = 8;
  published[1].phase = "lora";
  published[2].phase = "train";
  published[2].reference = "H100-SXM5-80GB";
  published[3].series = "z";
  published[0].scenario = "chat 1k/1k";
  const Table table = published_phases(all, published, true);
  CHECK(column(table, "phase") == Cells{"train", "lora", "serve", "serve"});
  CHECK(column(table, "published") ==
        Cells{"0.780 times H100-SXM5-80GB", "1696 s", "22678 tokens/s", "0.871 USD per 1M tokens"});
  CHECK(column(table, "devices") == Cells{"1", "1", "8", "1"});
  CHECK(column(table, "scenario") == Cells{"", "", "chat 1k/1k", ""});
  CHECK(published_phases(all, published, false).rows.size() == 3);
  CHECK_THAT(table.notes.at(0), ContainsSubstring("kernel-level bound"));
}

TEST_CASE("a die has no published value of its package, and the package none of its die") {
  std::vector<Results> kept;
  Record die = made({.device = "hip:0", .device_name = "AMD Instinct MI250X / MI250"});
  die.unit = "gcd";
  Record package = die;
  package.unit = "package";
  package.together = {{.device = "hip:0"}, {.device = "hip:1"}};
  std::vector<Published> published = {of("MI250", 0.73, "ratio"), of("MI250-GCD", 88, "tokens/s")};
  published[0].phase = "train";
  published[1].phase = "serve";
  const std::vector<Side> of_die = {side_of({die}, kept)};
  CHECK(column(published_phases(of_die, published, false), "GPU") == Cells{"MI250-GCD"});
  std::vector<Results> other;
  const std::vector<Side> of_package = {side_of({package}, other)};
  CHECK(column(published_phases(of_package, published, false), "GPU") == Cells{"MI250"});
}

}  // namespace
}  // namespace steelyard
