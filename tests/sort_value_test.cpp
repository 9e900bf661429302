// SPDX-License-Identifier: Apache-2.0
#include "reports/sort_value.h"

#include <string>

#include "reports/render.h"
#include "tests/catch.h"

namespace steelyard {
namespace {

double value(const std::string& cell) {
  INFO(cell);
  const auto found = sort_value(cell);
  REQUIRE(found);
  return *found;
}

TEST_CASE("cells sort by what they mean") {
  CHECK(value("12") == 12);
  CHECK(value("-1.5e-3") == -1.5e-3);
  CHECK(value("1.23 ms") == Approx(1.23e-3));
  CHECK(value("43.21 µs †") == Approx(43.21e-6));
  CHECK(value("3.210 ns/step") == Approx(3.21e-9));
  CHECK(value("61.2 %") == Approx(0.612));
  CHECK(value("+2.3 %") == Approx(0.023));
  CHECK(value("432.1 GFLOP/s") == Approx(432.1e9));
  CHECK(value("34.50 GB/s") == Approx(34.5e9));
  CHECK(value("1234 tokens/s") == 1234);
  CHECK(value("1.234 ktokens/s") == Approx(1234));
  CHECK(value("64 MiB") == 64.0 * (1 << 20));
  CHECK(value("3 min 05 s") == 185);
  CHECK(value("1.02 (0.99 to 1.05)") == 1.02);
  CHECK(value("-1.00 to +2.34 %") == Approx(-0.01));
  CHECK(value("x 1.91") == 1.91);
  CHECK(value("> 999 %") == Approx(9.99));
  CHECK(value("best") == 1);
  CHECK(value("8x8x8") == 8);
}

TEST_CASE("what tables print sorts by what was printed") {
  for (const double amount : {2e-9, 3e-6, 4e-3, 5.0, 6e3, 7e6, 8e9, 9e12}) {
    CHECK(value(seconds(amount)) == Approx(amount).epsilon(1e-3));
    CHECK(value(rate(amount, "FLOP/s")) == Approx(amount).epsilon(1e-3).margin(1e-3));
    CHECK(value(rate(amount, "B/s")) == Approx(amount).epsilon(1e-3).margin(1e-3));
    CHECK(value(bytes(amount)) == Approx(amount).epsilon(1e-3));
  }
  CHECK(value(duration(3725)) == 3725);
  CHECK(value(percent(0.5)) == 0.5);
}

TEST_CASE("cells without a number have no value") {
  for (const char* cell : {"", "-", "refused", "inf", "nan", "+inf", "infinite", "µs", "tile"})
    CHECK_FALSE(sort_value(cell));
}

}  // namespace
}  // namespace steelyard
