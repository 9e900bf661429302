// SPDX-License-Identifier: Apache-2.0
// A place in a JSON document of another program: what is not as expected there ends in an error
// that names file and place.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace steelyard {

class JsonPlace {
 public:
  // The root. `json` and `file` must outlive all places.
  JsonPlace(const nlohmann::json& json, const std::filesystem::path& file)
      : json_(&json), file_(&file) {}

  const nlohmann::json& json() const { return *json_; }

  bool has(const char* member) const;
  JsonPlace at(const char* member) const;
  std::vector<JsonPlace> elements() const;
  std::string text() const;
  double number() const;  // also of a string that holds one, as nvbench writes them

  [[noreturn]] void fail(std::string_view what, std::string_view remedy) const;

 private:
  JsonPlace(const JsonPlace& parent, const nlohmann::json& json, std::string_view step);

  const nlohmann::json* json_;
  const std::filesystem::path* file_;
  std::string pointer_;
};

// Throws FileError, also for a document nested deeper than 64 levels.
nlohmann::json parse_json(std::string_view text, const std::filesystem::path& file);

}  // namespace steelyard
