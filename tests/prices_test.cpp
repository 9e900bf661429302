// SPDX-License-Identifier: Apache-2.0
#include "reports/prices.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "reports/record.h"
#include "tests/catch.h"

namespace steelyard {
namespace {

constexpr std::string_view rent = R"([[rent]]
gpu = "H100-SXM5-80GB"
provider = "Cloud"
instance = "big.8"
gpus = 8
contract = "on demand"
price = 24
currency = "USD"
date = 2026-05-18
source = "its price list"
)";

constexpr std::string_view own = R"([[own]]
gpu = "MI300X"
provider = "us"
gpus = 8
contract = "owned"
capital = 280512
years = 4
kwh_price = 0.2
pue = 1.5
watts = 1000
currency = "EUR"
date = 2026-05-18
source = "our books"
)";

std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string changed(text);
  const auto at = changed.find(from);
  REQUIRE(at != changed.npos);
  return changed.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  try {
    parse_prices(text, "my.toml");
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("the price of a device is its share of the instance's") {
  const auto prices = parse_prices(rent, "my.toml");
  REQUIRE(prices.size() == 1);
  CHECK(prices[0].per_device_hour == 3);
  CHECK(prices[0].gpu == "H100-SXM5-80GB");
  CHECK(prices[0].instance == "big.8");
  CHECK(prices[0].currency == "USD");
  CHECK(prices[0].date == "2026-05-18");
}

TEST_CASE("an owned device costs its capital over its hours, and its electricity") {
  // 280512 / 8 / (4 * 8766) is 1.0; a kilowatt at PUE 1.5 and 0.2 a kWh is 0.3.
  CHECK(parse_prices(own, "my.toml")[0].per_device_hour == Approx(1.3));
  // By its datasheet an MI300X takes 750 W: 0.225.
  CHECK(parse_prices(with(own, "watts = 1000\n", ""), "my.toml")[0].per_device_hour ==
        Approx(1.225));
}

TEST_CASE("the shipped examples are dated, sourced and marked") {
  const auto prices = read_prices(PRICES_TOML);
  CHECK(prices.size() >= 20);
  for (const Price& price : prices) {
    CAPTURE(price.gpu, price.provider);
    CHECK(price.date.size() == 10);
    CHECK(price.source.find("https://") != price.source.npos);
    CHECK(price.per_device_hour > 0.5);
    CHECK(price.per_device_hour < 10);
  }
}

TEST_CASE("bad prices are refused with their place and key") {
  using Catch::Matchers::StartsWith;
  const std::string text(rent);
  CHECK_THAT(error_of(with(text, "price = 24", "price = 0")),
             StartsWith("my.toml: line 7: `price` must be a number above 0"));
  CHECK_THAT(error_of(with(text, "price = 24", "price = -1")), ContainsSubstring("`price`"));
  CHECK_THAT(error_of(with(text, "price = 24", "price = inf")), ContainsSubstring("`price`"));
  CHECK_THAT(error_of(with(text, "price = 24", "price = \"24 USD\"")),
             ContainsSubstring("`price`"));
  CHECK_THAT(error_of(with(text, "gpus = 8", "gpus = 1.5")), ContainsSubstring("whole number"));
  CHECK_THAT(error_of(with(text, "gpus = 8", "gpus = 0")), ContainsSubstring("`gpus`"));
  CHECK_THAT(error_of(with(text, "currency = \"USD\"\n", "")),
             StartsWith("my.toml: line 1: a price without `currency`"));
  CHECK_THAT(error_of(with(text, "date = 2026-05-18\n", "")),
             ContainsSubstring("a price without `date`"));
  CHECK_THAT(error_of(with(text, "date = 2026-05-18", "date = \"May\"")),
             ContainsSubstring("`date`"));
  CHECK_THAT(error_of(with(text, "source = \"its price list\"\n", "")),
             ContainsSubstring("`source`"));
  CHECK_THAT(error_of(with(text, "\"H100-SXM5-80GB\"", "\"H100\"")),
             StartsWith("my.toml: line 2: gpu = \"H100\" is not known"));
  CHECK_THAT(error_of(with(text, "instance", "instanse")),
             ContainsSubstring("`instanse` is not known"));
  CHECK_THAT(error_of(with(text, "[[rent]]", "[[hire]]")),
             ContainsSubstring("`hire` is not known"));
  CHECK_THAT(error_of(with(text, "[[rent]]", "[rent]")), ContainsSubstring("must be tables"));
  CHECK_THAT(error_of("price ="), StartsWith("my.toml: line 1"));
  CHECK_THAT(error_of(""), ContainsSubstring("no price"));
  CHECK_THAT(error_of(with(own, "pue = 1.5", "pue = 0.9")), ContainsSubstring("`pue`"));
  CHECK_THAT(error_of(with(own, "years = 4\n", "")), ContainsSubstring("a price without `years`"));
  CHECK_THAT(error_of(with(own, "capital = 280512", "capital = 1\nprice = 3")),
             ContainsSubstring("`price` is not known"));
  CHECK_THAT(error_of(with(with(own, "watts = 1000\n", ""), "MI300X", "MI250-GCD")),
             ContainsSubstring("no power of MI250-GCD"));
}

}  // namespace
}  // namespace steelyard
