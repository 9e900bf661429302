// SPDX-License-Identifier: Apache-2.0
// The result file of a run: whole and valid after every row.
#pragma once

#include <string>

#include "bench/repetitions.h"
#include "reports/record.h"

namespace steelyard {

class Results {
 public:
  // Creates the folder and writes the file without rows, so that an output that cannot be written
  // ends the run before it has cost anything. A later repetition goes on with the file of the
  // first.
  Results(std::string json, std::string csv, Repetition repetition, Context context);

  // The context as it is known now; that of the first repetition stays.
  void describe(Context context);

  void add(Record record);

 private:
  void write() const;

  std::string json_, csv_;
  Repetition repetition_;
  ResultFile file_;
};

}  // namespace steelyard
