// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "reports/claims.h"
#include "reports/open_file.h"
#include "reports/toml_reader.h"

namespace steelyard {

std::string_view claims_text();  // of data/claims.toml

namespace {

struct Reader : TomlReader {
  using TomlReader::TomlReader;

  std::vector<Claim> read(const toml::table& root) const {
    allow_only(root, {"claim"});
    std::vector<Claim> claims;
    std::set<std::string> names;
    for (const toml::table* table : tables(root, "claim")) {
      claims.push_back(claim(*table));
      if (!names.insert(claims.back().name).second)
        fail(*table, fmt::format("there are two claims of the name \"{}\"", claims.back().name),
             "rename one");
    }
    return claims;
  }

  Claim claim(const toml::table& table) const {
    allow_only(table, {"name", "text", "date", "source", "decides", "rows", "tiers", "scenarios",
                       "quantity", "aggregate", "fits", "unit", "band", "sides"});
    Claim claim{.name = required_text(table, "name"),
                .text = required_text(table, "text"),
                .date = date(table),
                .source = required_text(table, "source"),
                .decides = text(table, "decides").value_or(""),
                .rows = texts(table, "rows"),
                .tiers = texts(table, "tiers"),
                .scenarios = texts(table, "scenarios")};
    claim.quantity = static_cast<Claim::Quantity>(
        choice(table, "quantity", {"speed", "utilisation", "share of peak", "speed per price"})
            .value_or(0));
    claim.aggregate = static_cast<Claim::Aggregate>(
        choice(table, "aggregate", {"mean", "some", "largest batch"}).value_or(0));
    claim.per_package = choice(table, "unit", {"package", "device"}).value_or(0) == 0;
    claim.must_fit = flag(table, "fits");
    claim.band = band(table);
    claim.sides = sides(table, claim);
    refuse_ignored(table, claim);
    return claim;
  }

  // What would change nothing.
  void refuse_ignored(const toml::table& table, const Claim& claim) const {
    const bool some = claim.aggregate == Claim::Aggregate::some;
    const bool speed = claim.quantity == Claim::Quantity::speed;
    const bool over_batches = claim.aggregate == Claim::Aggregate::largest_batch;
    const bool over_phases = claim.quantity == Claim::Quantity::utilisation;
    const bool by_price = claim.quantity == Claim::Quantity::speed_per_price;
    const bool asks_device = std::ranges::any_of(
        claim.sides, [](const Claim::Selector& side) { return !side.devices.empty(); });
    const auto refuse = [&](std::string_view name, bool is_ignored, std::string_view what,
                            std::string_view remedy) {
      if (is_ignored) fail(*table.get(name), fmt::format("`{}` {}", name, what), remedy);
    };
    refuse("fits", claim.must_fit && !some, "decides rows one by one",
           "write aggregate = \"some\", or leave it out");
    refuse("fits", claim.must_fit && !speed, "decides by speed alone",
           "leave out `quantity` or `fits`");
    refuse("quantity", over_batches && !speed, "of batches is model FLOP/s", "leave it out");
    refuse("unit", (over_batches || over_phases) && claim.per_package && table.contains("unit"),
           "of batches and phases is the device they ran on",
           "write unit = \"device\", or leave it out");
    const bool of_published = !claim.scenarios.empty();
    refuse("scenarios", of_published && (over_batches || !(speed || by_price)),
           "are of published numbers, which tell speed alone", "leave it out");
    refuse("scenarios", of_published && asks_device,
           "are of published numbers, which have a `gpu` and no `device`",
           "leave it out, or choose sides by gpu or vendor");
  }

  std::string required_text(const toml::table& table, std::string_view name) const {
    const auto value = text(table, name);
    if (!value)
      fail(table, fmt::format("`{}` is missing", name), fmt::format("write {} = \"...\"", name));
    return *value;
  }

  // A text or a list of texts; empty where there is none.
  Globs texts(const toml::table& table, std::string_view name) const {
    const toml::node* node = table.get(name);
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    if (array == nullptr) {
      const auto one = text(table, name);
      return one ? Globs{*one} : Globs();
    }
    Globs found;
    for (const toml::node& element : *array) {
      const auto value = element.value_exact<std::string>();
      if (!value || value->empty())
        fail(element, fmt::format("`{}` must be texts", name), "quote each");
      found.push_back(*value);
    }
    return found;
  }

  std::string date(const toml::table& table) const {
    const toml::node* node = table.get("date");
    const auto day = node == nullptr ? std::nullopt : node->value_exact<toml::date>();
    if (!day)
      fail(node == nullptr ? static_cast<const toml::node&>(table) : *node,
           "a claim without a date in `date`", "write date = 2026-12-31, when it was made");
    return fmt::format("{:04}-{:02}-{:02}", day->year, day->month, day->day);
  }

  bool flag(const toml::table& table, std::string_view name) const {
    const toml::node* node = table.get(name);
    if (node == nullptr) return false;
    const auto value = node->value_exact<bool>();
    if (!value) fail(*node, fmt::format("`{}` must be true or false", name), "without quotes");
    return *value;
  }

  Interval band(const toml::table& table) const {
    const toml::node* node = table.get("band");
    if (node == nullptr) fail(table, "`band` is missing", "write band = [0.9, 1.1], or [1.0, inf]");
    const toml::array* array = node->as_array();
    const auto bound = [&](std::size_t i) {
      const toml::node* element = array == nullptr ? nullptr : array->get(i);
      return element == nullptr ? std::nullopt : element->value<double>();
    };
    const auto low = bound(0), high = bound(1);
    if (!low || !high || array->size() != 2 || !(*low >= 0 && *low < *high))
      fail(*node, "`band` must be two ratios, the lower one first",
           "write band = [0.9, 1.1], or [1.0, inf]");
    return {*low, *high};
  }

  std::vector<Claim::Selector> sides(const toml::table& table, const Claim& claim) const {
    std::vector<Claim::Selector> found;
    const toml::node* node = table.get("sides");
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    if (array != nullptr)
      for (const toml::node& element : *array) {
        const toml::table* side = element.as_table();
        if (side == nullptr) fail(element, "a side must be a table", "write { gpu = \"H100*\" }");
        allow_only(*side, {"gpu", "vendor", "device", "phase"});
        found.push_back({texts(*side, "gpu"), texts(*side, "vendor"), texts(*side, "device"),
                         texts(*side, "phase")});
      }
    const bool over_batches = claim.aggregate == Claim::Aggregate::largest_batch;
    const bool over_phases = claim.quantity == Claim::Quantity::utilisation;
    const bool fits = over_batches  ? found.size() == 1
                      : over_phases ? found.size() >= 2
                                    : found.size() == 2;
    if (!fits)
      fail(node == nullptr ? static_cast<const toml::node&>(table) : *node,
           fmt::format("`sides` must be {}", over_batches  ? "one: batches are compared on a device"
                                             : over_phases ? "two phases or more"
                                                           : "two"),
           "write sides = [{ gpu = \"MI300X\" }, { gpu = \"H100*\" }]");
    return found;
  }
};

}  // namespace

std::vector<Claim> parse_claims(std::string_view text, const std::filesystem::path& file) {
  return Reader(file).read(parse_toml(text, file));
}

std::vector<Claim> read_claims(const std::filesystem::path& file) {
  return parse_claims(text_of_file(file), file);
}

std::vector<Claim> shipped_claims() {
  return parse_claims(claims_text(), "data/claims.toml");
}

}  // namespace steelyard
