// SPDX-License-Identifier: Apache-2.0
#include "reports/prices.h"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/open_file.h"
#include "reports/specs.h"
#include "reports/toml_reader.h"

namespace steelyard {
namespace {

constexpr double hours_per_year = 8766;  // of 365.25 days

class Reader : TomlReader {
 public:
  using TomlReader::TomlReader;

  std::vector<Price> read(const toml::table& root) const {
    allow_only(root, {"rent", "own"});
    std::vector<Price> prices;
    for (const toml::table* table : tables(root, "rent")) prices.push_back(rented(*table));
    for (const toml::table* table : tables(root, "own")) prices.push_back(owned(*table));
    if (prices.empty())
      fail(root, "no price in it", "write tables [[rent]] or [[own]], as reports/data/prices.toml");
    return prices;
  }

 private:
  const toml::node& needed(const toml::table& table, std::string_view name) const {
    const toml::node* node = table.get(name);
    if (node == nullptr)
      fail(table, fmt::format("a price without `{}`", name), fmt::format("add {} = ...", name));
    return *node;
  }

  std::string needed_text(const toml::table& table, std::string_view name) const {
    needed(table, name);
    return *text(table, name);
  }

  double amount(const toml::table& table, std::string_view name) const {
    const toml::node& node = needed(table, name);
    const auto value = node.value<double>();
    if (!node.is_number() || !(*value > 0) || !std::isfinite(*value))
      fail(node, fmt::format("`{}` must be a number above 0", name), "without quotes or units");
    return *value;
  }

  double amount_or(const toml::table& table, std::string_view name, double otherwise) const {
    return table.contains(name) ? amount(table, name) : otherwise;
  }

  double whole_amount_or(const toml::table& table, std::string_view name, double otherwise) const {
    const double value = amount_or(table, name, otherwise);
    if (value != std::floor(value))
      fail(*table.get(name), fmt::format("`{}` must be a whole number", name), "count the devices");
    return value;
  }

  std::string date(const toml::table& table) const {
    const toml::node& node = needed(table, "date");
    const auto value = node.value_exact<toml::date>();
    if (!value) fail(node, "`date` must be a day", "write date = 2026-05-18, without quotes");
    return fmt::format("{:04}-{:02}-{:02}", value->year, value->month, value->day);
  }

  const Spec& spec(const toml::table& table) const {
    const std::string name = needed_text(table, "gpu");
    if (const Spec* found = spec_named(name)) return *found;
    std::vector<std::string> known;
    for (const Spec& one : specs()) known.push_back(one.name);
    fail(*table.get("gpu"), fmt::format("gpu = \"{}\" is not known", name),
         fmt::format("there are: {}", fmt::join(known, ", ")));
  }

  // What both kinds have.
  Price price(const toml::table& table, const Spec& spec) const {
    return {.gpu = spec.name,
            .provider = needed_text(table, "provider"),
            .instance = text(table, "instance").value_or(""),
            .contract = needed_text(table, "contract"),
            .currency = needed_text(table, "currency"),
            .date = date(table),
            .source = needed_text(table, "source")};
  }

  Price rented(const toml::table& table) const {
    allow_only(table, {"gpu", "provider", "instance", "gpus", "contract", "price", "currency",
                       "date", "source"});
    Price one = price(table, spec(table));
    one.per_device_hour = amount(table, "price") / whole_amount_or(table, "gpus", 1);
    return one;
  }

  Price owned(const toml::table& table) const {
    allow_only(table, {"gpu", "provider", "instance", "gpus", "contract", "capital", "years",
                       "kwh_price", "pue", "watts", "currency", "date", "source"});
    const Spec& device = spec(table);
    Price one = price(table, device);
    const double capital = amount(table, "capital") / whole_amount_or(table, "gpus", 1);
    if (!table.contains("watts") && !device.power)
      fail(table, fmt::format("the datasheet has no power of {}", device.name), "add watts = ...");
    const double watts = amount_or(table, "watts", device.power ? device.power->value : 0);
    const double pue = amount(table, "pue");
    if (pue < 1) fail(*table.get("pue"), "`pue` must be at least 1", "all power over that of IT");
    one.per_device_hour = capital / (amount(table, "years") * hours_per_year) +
                          watts / 1000 * pue * amount(table, "kwh_price");
    return one;
  }
};

}  // namespace

std::vector<Price> parse_prices(std::string_view text, const std::filesystem::path& file) {
  return Reader(file).read(parse_toml(text, file));
}

std::vector<Price> read_prices(const std::filesystem::path& file) {
  return parse_prices(text_of_file(file), file);
}

}  // namespace steelyard
