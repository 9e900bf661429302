// SPDX-License-Identifier: Apache-2.0
#include "reports/overview.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "reports/differences.h"
#include "reports/natural_order.h"

namespace steelyard {
namespace {

// Distinct texts in the order of their first appearance.
class Distinct {
 public:
  void add(const std::string& text) {
    if (!text.empty() && std::find(texts_.begin(), texts_.end(), text) == texts_.end())
      texts_.push_back(text);
  }
  std::string joined(const char* separator = ", ") const {
    return fmt::format("{}", fmt::join(texts_, separator));
  }

 private:
  std::vector<std::string> texts_;
};

std::string find(const Fields& fields, const std::string& name) {
  for (const auto& [field, value] : fields)
    if (field == name && !std::holds_alternative<std::nullptr_t>(value)) return text_of(value);
  return {};
}

std::string dates(const Results& results) {
  Distinct found;
  for (const auto& file : results.files) found.add(find(file.context.google, "date"));
  return found.joined();
}

std::string hosts(const Results& results) {
  Distinct found;
  for (const auto& file : results.files) found.add(find(file.context.google, "host_name"));
  return found.joined();
}

std::string suites(const Results& results) {
  Distinct found;
  for (const auto& file : results.files) found.add(file.context.suite);
  return found.joined();
}

std::string devices(const Results& results) {
  Distinct found;
  for (const auto& file : results.files)
    for (const auto& device : file.context.devices)
      found.add(fmt::format("{} {}", find(device, "id"), find(device, "name")));
  return found.joined("; ");
}

// "version 0.1.0, compiler g++ 12.2.0", without what is unknown.
std::string listed(const Fields& fields) {
  Distinct found;
  for (const auto& [name, value] : fields)
    if (!std::holds_alternative<std::nullptr_t>(value) && !name.ends_with("_reason"))
      found.add(fmt::format("{} {}", name, text_of(value)));
  return found.joined();
}

std::string builds(const Results& results) {
  Distinct found;
  for (const auto& file : results.files) found.add(listed(file.context.build));
  return found.joined("; ");
}

std::string labels(const Results& results) {
  Distinct found;
  for (const auto& file : results.files) found.add(listed(file.context.labels));
  return found.joined("; ");
}

template <class Visit>
void for_each_ok(const Results& results, Visit visit) {
  for (const auto& file : results.files)
    for (const auto& record : file.records)
      if (record.status == Status::ok) visit(record);
}

std::string rows(const Results& results) {
  std::size_t all = 0, ok = 0;
  for (const auto& file : results.files) all += file.records.size();
  for_each_ok(results, [&](const Record&) { ++ok; });
  return fmt::format("{} measured, {} not measured", ok, all - ok);
}

std::string inputs(const Results& results) {
  Distinct fills, caches, modes;
  for_each_ok(results, [&](const Record& row) {
    fills.add(row.fill);
    caches.add(row.cache);
    modes.add(row.mode);
  });
  return fmt::format("fill {}; cache {}; mode {}", fills.joined(), caches.joined(), modes.joined());
}

std::string sampling(const Results& results) {
  std::size_t fewest = std::numeric_limits<std::size_t>::max(), most = 0, converged = 0, count = 0;
  for_each_ok(results, [&](const Record& row) {
    fewest = std::min(fewest, row.timing.samples_seconds.size());
    most = std::max(most, row.timing.samples_seconds.size());
    converged += row.timing.converged;
    ++count;
  });
  if (count == 0) return {};
  return fmt::format("{} to {} samples a row; {} of {} rows converged", fewest, most, converged,
                     count);
}

std::string verification(const Results& results) {
  std::size_t verified = 0, count = 0;
  double worst = 0;
  for_each_ok(results, [&](const Record& row) {
    verified += row.verdict.ok;
    worst = std::max(worst, row.verdict.error);
    ++count;
  });
  if (count == 0) return {};
  return fmt::format("{} of {} rows; worst error {:.2g} of its tolerance", verified, count, worst);
}

}  // namespace

Table overview(std::span<const Results> results) {
  static constexpr std::pair<const char*, std::string (*)(const Results&)> lines[] = {
      {"suite", suites},      {"date", dates},           {"host", hosts}, {"devices", devices},
      {"build", builds},      {"labels", labels},        {"rows", rows},  {"inputs", inputs},
      {"sampling", sampling}, {"verified", verification}};
  Table table{.columns = {{"result", Align::left}}};
  for (const auto& set : results) table.columns.push_back({set.name, Align::left});
  for (const auto& [what, value] : lines) {
    std::vector<std::string> row{what};
    for (const auto& set : results) row.push_back(value(set));
    const bool known = std::any_of(row.begin() + 1, row.end(), [](auto& v) { return !v.empty(); });
    if (known) table.rows.push_back(std::move(row));
  }
  return table;
}

Table not_measured(std::span<const Results> results) {
  struct Naturally {
    bool operator()(const std::string& a, const std::string& b) const { return natural_less(a, b); }
  };
  using Why = std::tuple<std::string, std::string, std::string, std::string, std::string>;
  std::map<Why, std::set<std::string, Naturally>> groups;
  for (const auto& set : results)
    for (const auto& file : set.files)
      for (const auto& row : file.records)
        if (row.status != Status::ok)
          groups[{set.name, std::string(name(row.status)), row.reason, row.device, row.kernel}]
              .insert(row.id);
  Table table{.title = "Not measured",
              .columns = {{"result", Align::left},
                          {"status", Align::left},
                          {"reason", Align::left},
                          {"device", Align::left},
                          {"kernel", Align::left},
                          {"problems"},
                          {"which", Align::left}}};
  for (const auto& [why, ids] : groups) {
    const auto& [set, status, reason, device, kernel] = why;
    table.rows.push_back({set, status, reason, device, kernel, std::to_string(ids.size()),
                          fmt::format("{}", fmt::join(ids, ", "))});
  }
  return table;
}

std::vector<std::string> commands(const Results& results) {
  std::vector<std::string> found;
  std::set<std::string> seen;
  for (const auto& file : results.files)
    for (const auto& row : file.records)
      if (!row.reproduce.empty() && seen.insert(row.reproduce).second)
        found.push_back(row.reproduce);
  return found;
}

}  // namespace steelyard
