// SPDX-License-Identifier: Apache-2.0
#include "reports/history.h"

#include <cmath>

#include <fmt/format.h>
#include <sqlite3.h>

#include "reports/file_error.h"
#include "reports/open_file.h"
#include "reports/results.h"
#include "reports/series.h"
#include "reports/sha256.h"

namespace steelyard {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t application_id = 0x53746C79;  // "Stly"
constexpr std::int64_t version = 1;

// Primary keys alone order the rows, so that the same files make the same database.
constexpr const char* tables = R"(
CREATE TABLE file (
  sha256 TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  date TEXT NOT NULL,
  host TEXT NOT NULL,
  commit_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE value (
  row TEXT NOT NULL,
  metric TEXT NOT NULL,
  date TEXT NOT NULL,
  sha256 TEXT NOT NULL REFERENCES file,
  run INTEGER NOT NULL,
  value REAL NOT NULL,
  unit TEXT NOT NULL,
  conditions TEXT NOT NULL,
  PRIMARY KEY (row, metric, date, sha256, run)
) STRICT, WITHOUT ROWID;
)";

bool is_empty(const Database& database) {
  Statement tables_of(database, "SELECT count(*) FROM sqlite_schema");
  return tables_of.step() && tables_of.integer(0) == 0;
}

// Before anything is written to it. Another import may be about to fill an empty one.
void require_own(const fs::path& path) {
  std::error_code none;
  if (!fs::exists(path, none) || fs::file_size(path, none) == 0) return;
  const Database database(path, Database::read);
  if (is_empty(database)) return;
  if (database.pragma("application_id") != application_id)
    throw file_error(path, "is a database of another program", "name another with --db");
  if (const auto found = database.pragma("user_version"); found != version)
    throw file_error(path, fmt::format("has version {}, this program knows {}", found, version),
                     "use a newer program, or import into another with --db");
}

std::string conditions_of(const Series& series) {
  return series.conditions.empty() ? std::string() : series.conditions.front()->key;
}

}  // namespace

History::History(const fs::path& path, Database::Mode mode)
    : database_((require_own(path), path), mode) {
  if (mode == Database::read) {
    if (is_empty(database_))
      throw file_error(path, "is empty", "fill it with steelyard history import");
    return;
  }
  Transaction transaction(database_);
  if (is_empty(database_)) {
    database_.execute(tables);
    database_.execute(
        fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}", application_id, version)
            .c_str());
  }
  transaction.commit();
  // So that readers need not wait; refused while another import is at work, and not needed then.
  sqlite3_exec(database_.handle(), "PRAGMA journal_mode = WAL", nullptr, nullptr, nullptr);
}

int History::import(const std::vector<fs::path>& results) {
  int added = 0;
  Transaction transaction(database_);
  for (const fs::path& path : results)
    for (const fs::path& file : result_files(path)) added += add(fs::absolute(file));
  transaction.commit();
  return added;
}

int History::rebuild() {
  Transaction transaction(database_);
  std::vector<fs::path> files;
  Statement known(database_, "SELECT path FROM file ORDER BY sha256");
  while (known.step()) files.emplace_back(known.text(0));
  database_.execute("DELETE FROM value; DELETE FROM file");
  for (const fs::path& file : files) add(file);
  transaction.commit();
  return static_cast<int>(files.size());
}

bool History::add(const fs::path& file) const {
  const std::string digest = sha256(text_of_file(file));
  Statement known(database_, "SELECT 1 FROM file WHERE sha256 = ?");
  if (known.bind(0, digest).step()) return false;
  const RunSet runs = load_runs(file);
  if (runs.date.empty())
    throw file_error(file, "tells no date, without which it has no place in a history",
                     "import files of Steelyard or Google Benchmark");
  Statement(database_, "INSERT INTO file VALUES (?, ?, ?, ?, ?)")
      .bind(0, digest)
      .bind(1, file.string())
      .bind(2, runs.date)
      .bind(3, runs.host)
      .bind(4, runs.commit)
      .run();
  Statement insert(database_, "INSERT INTO value VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const Series& series : runs.series)
    for (std::size_t run = 0; run < series.values.size(); ++run)
      insert.bind(0, series.row)
          .bind(1, series.metric)
          .bind(2, runs.date)
          .bind(3, digest)
          .bind(4, static_cast<std::int64_t>(run))
          .bind(5, series.values[run])
          .bind(6, series.unit)
          .bind(7, conditions_of(series))
          .run();
  return true;
}

std::vector<std::string> History::rows() const {
  std::vector<std::string> all;
  Statement rows(database_, "SELECT DISTINCT row FROM value WHERE metric = 'time' ORDER BY row");
  while (rows.step()) all.push_back(rows.text(0));
  return all;
}

std::string History::newest_conditions(const std::string& row) const {
  Statement newest(database_, R"(
    SELECT conditions FROM value WHERE row = ? AND metric = 'time'
    ORDER BY date DESC, sha256 LIMIT 1)");
  return newest.bind(0, row).step() ? newest.text(0) : std::string();
}

// Logarithms are summed here: SQLite may be built without them.
std::vector<HistoryPoint> History::points(const std::string& row,
                                          const std::string& conditions) const {
  Statement values(database_, R"(
    SELECT v.sha256, v.date, f.commit_id, v.value FROM value v JOIN file f USING (sha256)
    WHERE v.row = ? AND v.metric = 'time' AND v.conditions = ?
    ORDER BY v.date, v.sha256, v.run)");
  values.bind(0, row).bind(1, conditions);
  std::vector<HistoryPoint> points;
  std::string file;
  while (values.step()) {
    if (points.empty() || values.text(0) != file)
      points.push_back({.date = values.text(1), .commit = values.text(2)});
    file = values.text(0);
    points.back().value += std::log(values.number(3));
    ++points.back().runs;
  }
  for (HistoryPoint& point : points) point.value = std::exp(point.value / point.runs);
  return points;
}

}  // namespace steelyard
