// SPDX-License-Identifier: Apache-2.0
// The runs of a gate: fresh processes of two commands, taken in turn, and the files they left.
#pragma once

#include <array>
#include <chrono>
#include <filesystem>
#include <set>
#include <string>

#include "reports/run_into.h"
#include "reports/series.h"

namespace steelyard {

// Makes `folder` that of a gate between these commands, so that an interrupted one can go on. Throws
// FileError when it is that of others.
void claim_folder(const std::filesystem::path& folder, const std::array<std::string, 2>& commands);

class GateRuns {
 public:
  enum Side { base, candidate };

  // Goes on with the runs in `folder`, which it claims.
  GateRuns(std::filesystem::path folder, std::array<std::string, 2> commands);

  int pairs() const { return pairs_; }  // that are complete
  // One run of either side, in the order ABBA; with rows whose names are given alone, with all when
  // none is. Throws RunFailed and RunInterrupted; a run that is complete is kept.
  void run_pair(const std::set<std::string>& rows);

  RunSet load(Side side) const;
  double seconds_per_pair() const;  // the mean of those that this process has run; 0 before

 private:
  std::filesystem::path result(Side side, int pair) const;

  std::filesystem::path folder_;
  std::array<std::string, 2> commands_;
  int pairs_ = 0, own_pairs_ = 0;
  std::chrono::duration<double> spent_{0};
};

}  // namespace steelyard
