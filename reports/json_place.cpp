// SPDX-License-Identifier: Apache-2.0
#include "reports/json_place.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "reports/file_error.h"

namespace steelyard {
namespace {

constexpr std::string_view measure_again = "write it again, or name another file";

std::optional<double> parsed(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && rest == end ? std::optional(value) : std::nullopt;
}

}  // namespace

JsonPlace::JsonPlace(const JsonPlace& parent, const nlohmann::json& json, std::string_view step)
    : json_(&json), file_(parent.file_), pointer_(parent.pointer_ + pointer_step(step)) {}

bool JsonPlace::has(const char* member) const {
  return json_->is_object() && json_->contains(member);
}

JsonPlace JsonPlace::at(const char* member) const {
  if (!json_->is_object()) fail("must be an object", measure_again);
  const auto found = json_->find(member);
  if (found == json_->end()) fail(fmt::format("has no member `{}`", member), measure_again);
  return {*this, *found, member};
}

std::vector<JsonPlace> JsonPlace::elements() const {
  if (!json_->is_array()) fail("must be an array", measure_again);
  std::vector<JsonPlace> all;
  for (std::size_t i = 0; i < json_->size(); ++i)
    all.push_back({*this, (*json_)[i], std::to_string(i)});
  return all;
}

std::string JsonPlace::text() const {
  if (!json_->is_string()) fail("must be a string", measure_again);
  return json_->get<std::string>();
}

double JsonPlace::number() const {
  const auto value = json_->is_string()   ? parsed(json_->get_ref<const std::string&>())
                     : json_->is_number() ? std::optional(json_->get<double>())
                                          : std::nullopt;
  if (!value || !std::isfinite(*value)) fail("must be a finite number", measure_again);
  return *value;
}

void JsonPlace::fail(std::string_view what, std::string_view remedy) const {
  throw file_error(*file_, fmt::format("{}{}{}", pointer_, pointer_.empty() ? "" : " ", what),
                   remedy);
}

nlohmann::json parse_json(std::string_view text, const std::filesystem::path& file) {
  constexpr int deepest = 64;
  const auto check_depth = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    if (depth > deepest)
      throw file_error(file, fmt::format("is nested deeper than {} levels", deepest),
                       measure_again);
    return true;
  };
  try {
    return nlohmann::json::parse(text, check_depth);
  } catch (const nlohmann::json::exception& error) {
    throw syntax_error(file, error.what());
  }
}

}  // namespace steelyard
