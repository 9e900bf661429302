// SPDX-License-Identifier: Apache-2.0
#include "reports/overview.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/differences.h"

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

// Without repeated blanks and those at the ends.
std::string squeezed(const std::string& text) {
  std::string result;
  for (const char c : text)
    if (c != ' ' || (!result.empty() && result.back() != ' ')) result += c;
  return result.ends_with(' ') ? result.substr(0, result.size() - 1) : result;
}

std::string find(const Fields& fields, const std::string& name) {
  for (const auto& [field, value] : fields)
    if (field == name && !std::holds_alternative<std::nullptr_t>(value))
      return squeezed(text_of(value));
  return {};
}

double number(const Fields& fields, const std::string& name) {
  for (const auto& [field, value] : fields)
    if (const auto* count = std::get_if<std::int64_t>(&value); count && field == name)
      return static_cast<double>(*count);
  return 0;
}

// "version 0.1.0, compiler g++ 12.2.0", without what is unknown or left out.
std::string listed(const Fields& fields, const std::set<std::string>& left_out = {}) {
  Distinct found;
  for (const auto& [name, value] : fields)
    if (!name.ends_with("_reason") && !left_out.contains(name))
      if (const std::string text = find(fields, name); !text.empty())
        found.add(fmt::format("{} {}", name, text));
  return found.joined();
}

// What every file says of itself, once; where the files of a result differ, which one says what.
std::string by_file(const Results& results, std::string (*value)(const Context&)) {
  std::vector<std::pair<std::string, Distinct>> found;
  for (const ResultFile& file : results.files) {
    const std::string text = value(file.context);
    auto same = std::find_if(found.begin(), found.end(),
                             [&](const auto& entry) { return entry.first == text; });
    if (same == found.end()) same = found.insert(found.end(), {text, {}});
    same->second.add(file.origin ? file.origin->path : "");
  }
  if (found.size() == 1) return found.front().first;
  Distinct texts;
  for (const auto& [text, files] : found)
    texts.add(fmt::format("{} ({})", text.empty() ? "unknown" : text, files.joined()));
  return texts.joined("; ");
}

std::string suites(const Results& results) {
  Distinct found;
  for (const auto& file : results.files) found.add(file.context.suite);
  return found.joined();
}

// Files of one run begin one after the other.
std::string dates(const Results& results) {
  std::set<std::string> found;
  for (const auto& file : results.files)
    if (const auto date = find(file.context.google, "date"); !date.empty()) found.insert(date);
  if (found.size() < 2) return found.empty() ? "" : *found.begin();
  return *found.begin() + " to " + *found.rbegin();
}

std::string hosts(const Results& results) {
  return by_file(results, [](const Context& context) {
    Distinct found;
    found.add(find(context.google, "host_name"));
    found.add(find(context.host, "operating_system"));
    return found.joined();
  });
}

// The caches that hold data: "L1 32 KiB, L2 1 MiB".
void add_caches(Distinct& facts, const std::vector<Cache>& caches) {
  for (const auto& cache : caches)
    if (cache.type != "Instruction")
      facts.add(fmt::format("L{} {}", cache.level, bytes(cache.size_bytes)));
}

std::string device(const Context& context, const Fields& fields) {
  const std::string id = find(fields, "id");
  const bool is_host = id.starts_with("cpu:");
  Distinct facts;
  if (const auto units = find(fields, "compute_units"); !units.empty())
    facts.add(fmt::format("{} {}", units, is_host ? "cores" : "compute units"));
  facts.add(find(fields, "architecture"));
  if (is_host)
    add_caches(facts, context.caches);
  else if (const double size = number(fields, "last_level_cache_bytes"); size > 0)
    facts.add("last-level cache " + bytes(size));
  if (const double size = number(fields, "memory_bytes"); size > 0)
    facts.add("memory " + bytes(size));
  return fmt::format("{} {}: {}", id, find(fields, "name"), facts.joined());
}

std::string devices(const Results& results) {
  return by_file(results, [](const Context& context) {
    Distinct found;
    for (const auto& fields : context.devices) found.add(device(context, fields));
    return found.joined("; ");
  });
}

std::string drivers(const Results& results) {
  return by_file(results, [](const Context& context) {
    Distinct found;
    for (const auto& fields : context.devices) found.add(find(fields, "driver"));
    return found.joined();
  });
}

std::string builds(const Results& results) {
  return by_file(results, [](const Context& context) {
    return listed(context.build, {"commit", "dirty"});
  });
}

std::string commits(const Results& results) {
  return by_file(results, [](const Context& context) {
    const std::string commit = find(context.build, "commit").substr(0, 12);
    return find(context.build, "dirty") == "true" ? commit + " with uncommitted changes" : commit;
  });
}

std::string labels(const Results& results) {
  return by_file(results, [](const Context& context) { return listed(context.labels); });
}

// What was wrong with the devices before the first row.
std::string warnings(const Results& results) {
  Distinct found;
  for (const auto& file : results.files)
    for (const auto& check : file.context.preflight)
      if (const auto warning = find(check, "warning"); !warning.empty())
        found.add(fmt::format("{}: {}", find(check, "device"), warning));
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
  const std::string range =
      fewest == most ? std::to_string(most) : fmt::format("{} to {}", fewest, most);
  return fmt::format("{} samples a row; {} of {} rows converged", range, converged, count);
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
      {"suite", suites},         {"date", dates},   {"host", hosts},     {"devices", devices},
      {"driver", drivers},       {"build", builds}, {"commit", commits}, {"labels", labels},
      {"warnings", warnings},    {"rows", rows},    {"inputs", inputs},  {"sampling", sampling},
      {"verified", verification}};
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

}  // namespace steelyard
