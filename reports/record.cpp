// SPDX-License-Identifier: Apache-2.0
#include "reports/record.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "reports/json_writer.h"
#include "reports/sha256.h"

namespace steelyard {
namespace {

constexpr std::array<std::pair<Status, std::string_view>, 6> status_names = {{
    {Status::ok, "ok"},
    {Status::unsupported, "unsupported"},
    {Status::skipped, "skipped"},
    {Status::failed, "failed"},
    {Status::incorrect, "incorrect"},
    {Status::implausible, "implausible"},
}};

}  // namespace

std::string_view name(Status status) {
  return std::ranges::find(status_names, status, [](auto& row) { return row.first; })->second;
}

std::optional<Status> parse_status(std::string_view text) {
  const auto row = std::ranges::find(status_names, text, [](auto& r) { return r.second; });
  return row == status_names.end() ? std::nullopt : std::optional(row->first);
}

bool is_defect(Status status) {
  return status == Status::failed || status == Status::incorrect || status == Status::implausible;
}

std::string key(const Record& record) {
  std::string result = record.id;
  for (const std::string* part :
       {&record.kernel, &record.tier, &record.device, &record.fill, &record.cache, &record.mode}) {
    result.append("/").append(*part);
  }
  return result;
}

std::shared_ptr<const Comparability> comparability(Fields fields) {
  std::ranges::sort(fields, {}, &Fields::value_type::first);
  std::string canonical = "{";
  for (auto& [name, scalar] : fields) {
    const double* number = std::get_if<double>(&scalar);
    if (number && !std::isfinite(*number)) scalar = nullptr;
    if (canonical.size() > 1) canonical += ',';
    append_quoted(canonical, name);
    canonical += ':';
    JsonWriter(canonical).value(scalar);
  }
  canonical += '}';
  return std::make_shared<Comparability>(Comparability{sha256(canonical), std::move(fields)});
}

}  // namespace steelyard
