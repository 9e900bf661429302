// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "reports/replace_file.h"
#include "reports/validate.h"
#include "tests/catch.h"
#include "tests/corpus.h"

using namespace steelyard;

namespace {

std::vector<std::string> faults_of(const std::string& text) {
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("steelyard-schema-{}.json", ::getpid());
  replace_file(path, text);
  try {
    auto faults = validate(path);
    std::filesystem::remove(path);
    return faults;
  } catch (...) {
    std::filesystem::remove(path);
    throw;
  }
}

// Names of all members below `value` that a schema describes.
void collect_described(const nlohmann::json& value, std::set<std::string>& names) {
  if (value.is_object() && value.contains("properties")) {
    for (const auto& [name, property] : value["properties"].items()) names.insert(name);
  }
  for (const auto& part : value) {
    if (part.is_structured()) collect_described(part, names);
  }
}

// Members of a file, apart from those of objects that hold any fields.
void collect_used(const nlohmann::json& value, std::set<std::string>& names) {
  static const std::set<std::string> free = {"build",  "host",     "devices", "timer",
                                             "labels", "settings", "problem"};
  for (const auto& [name, member] : value.items()) {
    if (value.is_object()) names.insert(name);
    if (!member.is_structured() || (value.is_object() && free.contains(name))) continue;
    if (name != "comparability" || member.contains("identity")) collect_used(member, names);
  }
}

}  // namespace

TEST_CASE("what the writer writes conforms to the schema") {
  for (const auto& [name, file] : good_files()) {
    INFO(name);
    CHECK(faults_of(to_json(file)) == std::vector<std::string>{});
  }
}

TEST_CASE("the schema refuses each fault of form") {
  for (const Mutation& fault : faults_of_form()) {
    INFO(fault.name);
    CHECK_FALSE(faults_of(mutate(valid_text(), fault)).empty());
  }
}

TEST_CASE("a fault is named by its JSON pointer") {
  const auto at = [](std::string_view name) {
    const auto& all = faults_of_form();
    return faults_of(mutate(valid_text(), *std::ranges::find(all, name, &Mutation::name)));
  };
  CHECK_THAT(at("median_is_a_string").at(0),
             ContainsSubstring("/benchmarks/0/steelyard/timing/median_ns: "));
  CHECK_THAT(at("no_suite").at(0),
             ContainsSubstring("/context/steelyard: Missing required property 'suite'"));
  CHECK(at("median_is_a_string").size() == 1);
}

TEST_CASE("the schema describes every member that is written") {
  std::set<std::string> described, used;
  collect_described(nlohmann::json::parse(schema()), described);
  collect_used(nlohmann::json::parse(valid_text()), used);
  CHECK(used.size() > 60);
  for (const std::string& name : used) {
    INFO(name);
    CHECK(described.contains(name));
  }
}

TEST_CASE("every property of the schema has a description") {
  const auto document = nlohmann::json::parse(schema());
  for (const auto& [name, definition] : document["definitions"].items()) {
    if (!definition.contains("properties")) continue;
    for (const auto& [property, value] : definition["properties"].items()) {
      INFO(name << "." << property);
      CHECK((value.contains("description") || value.contains("$ref") || value.contains("const")));
    }
  }
}

TEST_CASE("validation refuses what is not JSON") {
  CHECK_THROWS_WITH(faults_of("{\"a\": "), ContainsSubstring("line 1, column 7"));
  CHECK_THROWS_WITH(faults_of(""), ContainsSubstring("line 1"));
  CHECK_THROWS_WITH(faults_of(std::string(100000, '[')), ContainsSubstring("deeper than 64"));
  CHECK_THROWS_AS(validate("/nonexistent/file.json"), FileError);
}
