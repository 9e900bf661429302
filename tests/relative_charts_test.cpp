// SPDX-License-Identifier: Apache-2.0
#include "reports/relative_charts.h"

#include "reports/headline.h"
#include "tests/catch.h"
#include "tests/made_results.h"

namespace steelyard {
namespace {

const std::string small = "gemm/f32/nn/64x64x64", large = "gemm/f32/nn/1024x1024x1024",
                  copy = "memory/copy/f64/128MiB";

Results of_device(const std::string& name, std::vector<MadeRow> rows) {
  std::vector<Record> records;
  for (MadeRow& row : rows) {
    row.device_name = name;
    records.push_back(made(row));
  }
  return made_results(name, std::move(records));
}

// Alpha, Beta twice and four times as fast at products and half as fast at copies, Gamma without any row
// of Alpha's.
std::vector<Results> three_devices() {
  return {of_device("Alpha", {{.id = small, .seconds = 4e-3},
                              {.id = large, .seconds = 4e-3},
                              {.id = copy, .seconds = 1e-3}}),
          of_device("Beta", {{.id = small, .seconds = 2e-3},
                             {.id = large, .seconds = 1e-3},
                             {.id = copy, .seconds = 2e-3}}),
          of_device("Gamma", {{.id = "gemm/f32/nn/9x9x9"}})};
}

TEST_CASE("a headline says what each side comes to, and who shares nothing") {
  const auto results = three_devices();
  const auto all = sides(results);
  const Table table = headline(all, relate(all, 0));
  REQUIRE(table.notes.size() == 3);
  CHECK(
      table.notes[0] ==
      "Beta next to Alpha: x 2.83 (2.80 to 2.86) in gemm (portable kernels, 2 rows); x 0.50 (0.49 "
      "to 0.51) in memory (portable kernels, 1 row).");
  CHECK(table.notes[1] == "Gamma has no row that may be compared with Alpha.");
}

TEST_CASE("two sides have a row for each problem") {
  auto results = three_devices();
  results.pop_back();
  const auto all = sides(results);
  const auto charts = ratio_charts(all, relate(all, 0));
  REQUIRE(charts.size() == 3);
  CHECK(charts[0].title == "Geometric means relative to Alpha");
  CHECK(charts[1].title == "gemm relative to Alpha: portable");
  REQUIRE(charts[1].rows.size() == 2);
  CHECK(charts[1].rows[0].label == small);
  CHECK(charts[1].rows[0].ratio == Approx(2));
  CHECK(charts[1].rows[1].ratio == Approx(4));
  REQUIRE(charts[1].rows[1].ci95);
  CHECK(charts[1].rows[1].ci95->lower < 4);
  CHECK(charts[1].rows[1].ci95->upper > 4);
  REQUIRE(charts[0].rows.size() == 2);
  CHECK(charts[0].rows[0].ratio == Approx(2.8284).epsilon(1e-4));
  CHECK(charts[0].rows[1].ratio == Approx(0.5));
  REQUIRE(charts[0].rows[0].ci95);
  CHECK(charts[0].rows[0].ci95->lower > 2);  // of these two rows, however far they lie apart
  CHECK(charts[0].rows[0].ci95->lower < 2.8284);
}

TEST_CASE("more sides stand together under each problem") {
  auto results = three_devices();
  results[2] = of_device("Gamma", {{.id = small, .seconds = 8e-3}});
  const auto all = sides(results);
  const auto charts = ratio_charts(all, relate(all, 0));
  const auto& rows = charts.at(1).rows;
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].group == small);
  CHECK(rows[0].label == "Beta");
  CHECK(rows[1].group == small);
  CHECK(rows[1].label == "Gamma");
  CHECK(rows[1].ratio == Approx(0.5));
  CHECK(rows[2].group == large);
}

TEST_CASE("results that share nothing have no chart") {
  std::vector<Results> results = three_devices();
  results.erase(results.begin() + 1);
  const auto all = sides(results);
  CHECK(ratio_charts(all, relate(all, 0)).empty());
}

}  // namespace
}  // namespace steelyard
