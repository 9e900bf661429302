// SPDX-License-Identifier: Apache-2.0
// What the user sees while rows are measured: a table on stdout, one line a row as it is done, and
// on a terminal a line on stderr with the row at work and the time left.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>

#include "bench/rows.h"
#include "reports/record.h"

namespace steelyard {

class Progress {
 public:
  // `most_seconds` is what the samples of all rows may take: the estimate until one row is done.
  Progress(std::span<const Row> rows, double most_seconds);

  void begin(const Row& row);
  void end(const Record& record);

 private:
  void erase_line() const;
  double seconds_left() const;

  std::size_t width_ = 0;  // of the row keys
  std::size_t total_, done_ = 0;
  double most_seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  bool on_terminal_;
};

}  // namespace steelyard
