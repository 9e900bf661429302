// SPDX-License-Identifier: Apache-2.0
// One row from question to record: ask, prepare, verify, measure, verify again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "bench/measure.h"
#include "bench/rows.h"
#include "bench/verify.h"

namespace steelyard {

// Rows of one process: keeps the truth of the last problem, which the next kernel shares, and
// whether the machine has been brought to its steady state.
class Measurer {
 public:
  Measurer(const Family& family, const Options& options, std::string program,
           std::function<bool()> interrupted);

  // Never throws for what one row does wrong: its status says so. Throws Interrupted and DeviceLost.
  // Without seconds the row is skipped: the time budget is spent.
  Record measure_row(const Row& row, std::optional<double> max_seconds);

  // The row of a device that was lost.
  Record failed(const Row& row, const std::string& reason) const;

 private:
  Record describe(const Row& row) const;
  void fill_in(Record& record, const Row& row, double max_seconds);
  std::optional<Verdict> exactness(const Row& row);
  const Truth& truth_of(const Row& row, Fill fill);
  void time(Record& record, const Row& row, Run& run, const Plan& plan);

  const Family& family_;
  const Options& options_;
  std::string program_;
  std::function<bool()> interrupted_;
  std::string problem_;  // whose truths are kept
  std::map<Fill, std::unique_ptr<Truth>> truths_;
  bool soaked_ = false, settled_ = false;
};

}  // namespace steelyard
