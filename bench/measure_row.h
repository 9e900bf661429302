// SPDX-License-Identifier: Apache-2.0
// One row from question to record: ask, prepare, verify, measure, verify again.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "bench/calibrate.h"
#include "bench/measure.h"
#include "bench/rows.h"
#include "bench/verify.h"

namespace steelyard {

// Rows of one process: keeps the truth of the last problem, which the next kernel shares, and
// which devices have been brought to their steady state.
class Measurer {
 public:
  Measurer(const Family& family, const Options& options, const Calibrations& calibrations,
           std::function<bool()> interrupted, HostClock now = steady_seconds);

  // Never throws for what one row does wrong: its status says so. Throws Interrupted and DeviceLost.
  // Without seconds the row is skipped: the time budget is spent.
  Record measure_row(const Row& row, std::optional<double> max_seconds);

  // The row of a device that was lost.
  Record failed(const Row& row, const std::string& reason) const;

 private:
  // A row made ready on one of its devices, with what its first launch left.
  struct Prepared {
    Device* device = nullptr;
    std::unique_ptr<Run> run;
    Verdict verdict;
    bool repeats = false;         // a second launch gave the same bits
    std::size_t fingerprint = 0;  // of both
  };

  Record describe(const Row& row) const;
  void fill_in(Record& record, const Row& row, double max_seconds);
  std::optional<Verdict> exactness(const Row& row, Device& device);
  std::vector<Prepared> prepare_all(const Row& row, Fill fill);
  const Truth& truth_of(const Row& row, Fill fill);
  Plan plan_of(const Row& row, double max_seconds) const;
  void set_comparability(Record& record, const Row& row, int launches) const;
  // Times the prepared row and verifies what its last launch left.
  void time(Record& record, const Row& row, std::vector<Prepared>& prepared, Plan plan, Fill fill);
  std::optional<bool> settle(const Row& row, Device& device, Run& run, const Plan& plan);
  void verify_last(Record& record, const std::vector<Prepared>& prepared, int copy,
                   const Truth& truth);
  void time_zeros(Record& record, const Row& row, const Plan& plan);
  void judge_speed(Record& record, const Row& row, const Monitor& monitor) const;

  const Family& family_;
  const Options& options_;
  const Calibrations& calibrations_;
  std::function<bool()> interrupted_;
  HostClock now_;
  std::string problem_;  // whose truths are kept
  std::map<Fill, std::unique_ptr<Truth>> truths_;
  std::map<std::vector<Device*>, bool> settled_;  // those that were soaked
  double verifying_ = 0;                          // seconds, of the row at hand
};

}  // namespace steelyard
