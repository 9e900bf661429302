// SPDX-License-Identifier: Apache-2.0
// What compare, gate, noise and history work with: one value of a row in each run (process),
// whatever format the files have.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reports/record.h"

namespace steelyard {

// One metric of one row over the runs of one side, in the order in which they were made.
struct Series {
  std::string row;                  // the row's key, or the name that another program gave it
  std::string metric;               // "time", "energy"; what else a file of another program counts
  std::string unit;                 // of `values`: "s", "J", "" for counts
  std::string device, dtype, tier;  // empty where a file does not tell
  std::vector<double> values;       // of one launch: the trimmed mean of the run's samples
  std::vector<double> clocks_hz;    // of the runs that know their mean clock
  // Distinct ones of all runs; none in files of other programs.
  std::vector<std::shared_ptr<const Comparability>> identities, conditions;
};

struct RowNotMeasured {
  std::string row;
  Status status = Status::failed;
  std::string reason;
};

// All runs of one side.
struct RunSet {
  std::string name;                // the path as it was given
  std::string date, host, commit;  // of the first file; "" where it does not tell
  std::vector<Series> series;      // ordered by row and metric
  // Rows without any value, and those that a run found defective: failed, incorrect, implausible.
  std::vector<RowNotMeasured> not_measured;
};

// A result file or a folder of them: Steelyard's, Google Benchmark's or nvbench's, told apart by
// what they hold. A row of a Steelyard file is a run; of the others a file is, since their
// repetitions share a process. Throws FileError.
RunSet load_runs(const std::filesystem::path& path);
// Several of them, in this order, as one side of that name.
RunSet load_runs(std::span<const std::filesystem::path> paths, std::string name);

}  // namespace steelyard
