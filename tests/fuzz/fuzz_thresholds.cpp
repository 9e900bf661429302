// SPDX-License-Identifier: Apache-2.0
// Whatever the bytes: thresholds that can be asked, or a FileError.
#include "reports/thresholds.h"
#include "tests/fuzz/fuzz.h"

using namespace steelyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  try {
    const auto today = std::chrono::sys_days(std::chrono::days(20'000));
    const Thresholds thresholds = parse_thresholds(text_of(bytes, size), "fuzz", today);
    (void)thresholds.of({.row = "gemm/bf16/nn/1x1x1", .metric = "time", .device = "cpu:0"});
  } catch (const FileError&) {
  }
  return 0;
}
