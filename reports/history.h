// SPDX-License-Identifier: Apache-2.0
// The values of rows over time. Result files are the truth and are never changed; the database is an
// index of them, which `rebuild` makes again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reports/database.h"

namespace steelyard {

// The runs of one file.
struct HistoryPoint {
  std::string date, commit;  // "" where the file does not tell
  double value = 0;          // geometric mean of the runs
  int runs = 0;
};

class History {
 public:
  // Makes the database where there is none and `mode` is write. Throws FileError for a file that is
  // no database of this program, or of a later version, and leaves it untouched.
  History(const std::filesystem::path& path, Database::Mode mode);

  // Files that are known by their content are passed over; all or none are taken. Returns how many
  // were new.
  int import(const std::vector<std::filesystem::path>& results);

  // Reads all known files again; keeps the old index when one cannot be read. Returns how many.
  int rebuild();

  std::vector<std::string> rows() const;  // that have times
  // Of a row's times under these conditions (Comparability::key), oldest first.
  std::vector<HistoryPoint> points(const std::string& row, const std::string& conditions) const;
  std::string newest_conditions(const std::string& row) const;

 private:
  bool add(const std::filesystem::path& file) const;

  Database database_;
};

}  // namespace steelyard
