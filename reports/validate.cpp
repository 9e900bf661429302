// SPDX-License-Identifier: Apache-2.0
#include "reports/validate.h"

#include <nlohmann/json.hpp>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "reports/file_error.h"
#include "reports/open_file.h"

namespace steelyard {
namespace {

using Json = nlohmann::json;
using Adapter = valijson::adapters::NlohmannJsonAdapter;

constexpr int deepest = 64;

Json parse(const std::filesystem::path& path) {
  Json document;
  with_file(path, [&](std::istream& stream) {
    const auto bounded = [&](int depth, Json::parse_event_t, Json&) {
      if (depth <= deepest) return true;
      throw file_error(path, "is nested deeper than 64 levels", "measure again");
    };
    try {
      document = Json::parse(stream, bounded);
    } catch (const Json::exception& error) {
      throw syntax_error(path, error.what());
    }
  });
  return document;
}

// "<root>", "[\"context\"]", "[3]" -> "/context/3"
std::string pointer(const std::vector<std::string>& context) {
  std::string result;
  for (std::string_view part : context) {
    if (part == "<root>") continue;
    part = part.substr(1, part.size() - 2);
    if (part.starts_with('"')) part = part.substr(1, part.size() - 2);
    result += pointer_step(part);
  }
  return result;
}

// Whether an error only repeats that something inside or a part of the schema failed.
bool is_consequence(std::string_view description) {
  return description.starts_with("Failed to validate");
}

}  // namespace

std::vector<std::string> validate(const std::filesystem::path& path) {
  const Json document = parse(path);
  const Json contract_document = Json::parse(schema());
  valijson::Schema contract;
  valijson::SchemaParser().populateSchema(Adapter(contract_document), contract);
  valijson::ValidationResults results;
  valijson::Validator().validate(contract, Adapter(document), &results);
  std::vector<std::string> faults;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    if (is_consequence(error.description)) continue;
    faults.push_back(one_line(pointer(error.context) + ": " + error.description));
  }
  return faults;
}

}  // namespace steelyard
