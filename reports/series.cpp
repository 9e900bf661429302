// SPDX-License-Identifier: Apache-2.0
#include "reports/series.h"

#include <algorithm>
#include <map>
#include <set>

#include "reports/file_error.h"
#include "reports/foreign.h"
#include "reports/measurement.h"
#include "reports/natural_order.h"
#include "reports/open_file.h"
#include "reports/results.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

// What files hold, row by row, until all are read.
class Collector {
 public:
  void add(Series run);
  void add_origin(const std::string& date, const std::string& host, const std::string& commit);
  void add(RowNotMeasured row) { not_measured_.try_emplace(row.row, std::move(row)); }
  RunSet take(std::string name);

 private:
  RunSet origin_;                                                 // name and rows apart
  std::map<std::pair<std::string, std::string>, Series> series_;  // by row and metric
  std::map<std::string, RowNotMeasured> not_measured_;
};

using Comparabilities = std::vector<std::shared_ptr<const Comparability>>;

void add_new(Comparabilities& all, const Comparabilities& more) {
  for (const auto& one : more)
    if (std::ranges::none_of(all, [&](const auto& known) { return known->key == one->key; }))
      all.push_back(one);
}

void Collector::add_origin(const std::string& date, const std::string& host,
                           const std::string& commit) {
  if (!origin_.date.empty()) return;
  origin_.date = date;
  origin_.host = host;
  origin_.commit = commit;
}

void Collector::add(Series run) {
  const auto [place, is_new] = series_.try_emplace({run.row, run.metric});
  Series& all = place->second;
  if (is_new) {
    all = std::move(run);
    return;
  }
  all.values.insert(all.values.end(), run.values.begin(), run.values.end());
  all.clocks_hz.insert(all.clocks_hz.end(), run.clocks_hz.begin(), run.clocks_hz.end());
  add_new(all.identities, run.identities);
  add_new(all.conditions, run.conditions);
}

RunSet Collector::take(std::string name) {
  RunSet set = origin_;
  set.name = std::move(name);
  std::set<std::string> measured;
  for (auto& [place, series] : series_) {
    measured.insert(series.row);
    set.series.push_back(std::move(series));
  }
  std::ranges::stable_sort(set.series, [](const Series& a, const Series& b) {
    return a.row != b.row ? natural_less(a.row, b.row) : a.metric < b.metric;
  });
  for (auto& [row, not_measured] : not_measured_)
    if (is_defect(not_measured.status) || !measured.contains(row))
      set.not_measured.push_back(std::move(not_measured));
  return set;
}

Comparabilities known(const std::shared_ptr<const Comparability>& one) {
  return one ? Comparabilities{one} : Comparabilities{};
}

void add(const Record& record, Collector& all) {
  const std::string row = key(record);
  if (record.status != Status::ok)
    return all.add(RowNotMeasured{row, record.status, record.reason});
  Series run{.row = row,
             .metric = "time",
             .unit = "s",
             .device = record.device,
             .dtype = std::string(compute_dtype(record)),
             .tier = record.tier,
             .values = {record.timing.trimmed_mean_seconds},
             .identities = known(record.identity),
             .conditions = known(record.conditions)};
  if (record.clocks.mean_hz) run.clocks_hz = {*record.clocks.mean_hz};
  if (record.power.valid && record.power.joules_per_launch) {
    Series energy = run;
    energy.metric = "energy";
    energy.unit = "J";
    energy.values = {*record.power.joules_per_launch};
    all.add(std::move(energy));
  }
  all.add(std::move(run));
}

std::string text_in(const Fields& fields, std::string_view name) {
  for (const auto& [field, value] : fields)
    if (const auto* text = std::get_if<std::string>(&value); text && field == name) return *text;
  return {};
}

// Two rows of one key and run could be of two programs, or of a file that was put together by hand.
void add(const ResultFile& file, const fs::path& path, Collector& all) {
  all.add_origin(text_in(file.context.google, "date"), text_in(file.context.google, "host_name"),
                 text_in(file.context.build, "commit"));
  std::set<std::pair<std::string, int>> seen;
  for (const Record& record : file.records) {
    if (!seen.emplace(key(record), record.repetition).second)
      throw file_error(path, "holds the row " + key(record) + " twice in one run", "measure again");
    add(record, all);
  }
}

// Logarithms are taken of values.
void require_positive(const RunSet& run, const fs::path& path) {
  for (const Series& series : run.series)
    if (series.metric == "time" && !(series.values.front() > 0))
      throw file_error(path, "the time of " + series.row + " is not above 0", "measure again");
}

void add_file(const fs::path& path, Collector& all) {
  const std::string text = text_of_file(path);
  const FileFormat format = format_of(text, path);
  if (format == FileFormat::steelyard) return add(from_json(text, path.string()), path, all);
  RunSet run =
      format == FileFormat::nvbench ? read_nvbench(text, path) : read_google_benchmark(text, path);
  require_positive(run, path);
  all.add_origin(run.date, run.host, run.commit);
  for (Series& series : run.series)
    if (series.values.front() > 0) all.add(std::move(series));
  for (RowNotMeasured& row : run.not_measured) all.add(std::move(row));
}

}  // namespace

RunSet load_runs(const fs::path& path) {
  return load_runs({&path, 1}, path.string());
}

RunSet load_runs(std::span<const fs::path> paths, std::string name) {
  Collector all;
  for (const fs::path& path : paths)
    for (const fs::path& file : result_files(path)) add_file(file, all);
  return all.take(std::move(name));
}

}  // namespace steelyard
