// SPDX-License-Identifier: Apache-2.0
// Small result sets with round numbers, for tests of reports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/results.h"

namespace steelyard {

// An ok row of 2e9 operations and 1e8 bytes whose interval is `half` of the median to either side.
struct MadeRow {
  std::string id = "gemm/f32/nn/1024x1024x1024";
  std::string kernel = "packed";
  std::string tier = "portable";
  double seconds = 1e-3;
  double half = 0.01;
  std::string fill = "normal";
  std::string driver = "1.0";  // a condition
  std::string device = "cuda:0";
  std::string device_name = "Alpha";
};
Record made(const MadeRow& row);

Record made_unmeasured(const MadeRow& row, Status status, const std::string& reason);

// A step of a whole toy model with one token for each sequence, in bf16: 1e9 model operations for each
// sequence, beside matrix products at 2e12 operations a second.
Record made_step(const std::string& device_name, const std::string& phase, std::int64_t batch,
                 double seconds, double half = 0);

// Those of one device each as one file: "a", "b" and so on.
std::vector<Results> made_results(std::vector<std::vector<Record>> of_devices);

// One file of these rows, on the device of the first.
Results made_results(const std::string& name, std::vector<Record> records);

}  // namespace steelyard
