// SPDX-License-Identifier: Apache-2.0
#include "reports/published_gpus.h"

#include "tests/catch.h"
#include "tests/shell.h"
#include "tests/table_cells.h"

namespace steelyard {
namespace {

Published of(const std::string& gpu, double value, const std::string& unit,
             const std::string& series) {
  return {
      .gpu = gpu, .metric = "m", .value = value, .unit = unit, .date = "2024", .series = series};
}

TEST_CASE("published ratios are of one device, within a series, by its fastest values") {
  std::vector<Published> numbers = {
      of("H100-SXM5-80GB", 8e14, "FLOP/s", "products"), of("MI300X", 6e14, "FLOP/s", "products"),
      of("MI300X", 7e14, "FLOP/s", "products"),         of("MI300X", 9e14, "FLOP/s", "others"),
      of("H100-SXM5-80GB", 1800, "s", "training"),      of("MI300X", 1200, "s", "training"),
      of("A100-SXM4-80GB", 4e14, "FLOP/s", "products"), of("MI250", 0.7, "ratio", "")};
  numbers[5].devices = 2;  // 1200 s of two are 2400 s of one
  numbers[5].phase = numbers[4].phase = "train";
  numbers[6].flag = "above its peak";
  numbers[7].reference = "H100-SXM5-80GB";
  const auto ratios = published_ratios(numbers, "H100-SXM5-80GB");
  REQUIRE(ratios.size() == 3);
  CHECK(ratios[0].series == "training");  // phases of models come before kernels
  CHECK(ratios[0].value == Approx(0.75));
  CHECK(ratios[1].gpu == "MI250");
  CHECK(ratios[1].value == Approx(0.7));
  CHECK(ratios[2].series == "products");
  CHECK(ratios[2].value == Approx(7.0 / 8));
}

TEST_CASE("a GPU may be named in part, if no other has that part") {
  const std::vector<Published> numbers = {of("H100-SXM5-80GB", 1, "s", "x"),
                                          of("H100-PCIe-80GB", 1, "s", "x"),
                                          of("MI300X", 1, "s", "x")};
  CHECK(published_gpu(numbers, "mi300") == "MI300X");
  CHECK(published_gpu(numbers, "H100-PCIe-80GB") == "H100-PCIe-80GB");
  CHECK_THROWS_WITH(published_gpu(numbers, "h100"),
                    ContainsSubstring("several GPUs; there are: H100-PCIe-80GB, H100-SXM5-80GB"));
  CHECK_THROWS_WITH(published_gpu(numbers, "h900"), ContainsSubstring("no such GPU; there are: "));
}

TEST_CASE(
    "the page of published numbers says whose they are and shows the GPUs that are compared most") {
  const Document document = published_document(published(), {"H100-SXM5-80GB", "A100-SXM4-80GB"});
  const std::string text = markdown(document);
  CHECK(text.find("none was measured by Steelyard") != std::string::npos);
  for (const char* gpu : {"A100-SXM4-80GB", "H200-SXM-141GB", "MI250", "MI300X"})
    CHECK(text.find(std::string("| ") + gpu) != std::string::npos);
  CHECK(text.find("times as fast as A100-SXM4-80GB") != std::string::npos);
  for (const Block& block : document.blocks)
    if (const auto* table = std::get_if<Table>(&block); table && table->title == "Datasheets")
      CHECK(table->rows.size() == specs().size());
}

TEST_CASE("the page that the README shows is what the program prints") {
  const Outcome outcome = Sandbox().shell("'" STEELYARD "' published --format html");
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.output == contents(EXAMPLE));
}

TEST_CASE("a reference that nobody published is named with its remedy") {
  const Outcome outcome = Sandbox().shell("'" STEELYARD "' published --reference mi9");
  CHECK(outcome.exit_code == 2);
  CHECK_THAT(outcome.errors, ContainsSubstring("--reference mi9: no such GPU; there are: "));
}

}  // namespace
}  // namespace steelyard
