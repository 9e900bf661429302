// SPDX-License-Identifier: Apache-2.0
// The result file of a run, and its rows as CSV and as a trace where they were asked for: whole and
// valid after every row.
#pragma once

#include <string>

#include "bench/command_line.h"
#include "bench/repetitions.h"
#include "reports/record.h"

namespace steelyard {

class Results {
 public:
  // Creates the folder and writes the file without rows, so that an output that cannot be written
  // ends the run before it has cost anything. A later repetition goes on with the file of the
  // first.
  Results(const Options& options, std::string json, Repetition repetition, Context context);

  // The context as it is known now; that of the first repetition stays.
  void describe(Context context);

  void add(Record record);

 private:
  void write() const;

  std::string json_, csv_, trace_;
  Repetition repetition_;
  ResultFile file_;
};

}  // namespace steelyard
