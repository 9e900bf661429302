// SPDX-License-Identifier: Apache-2.0
// The exit codes of every program of the suite. They are stable: CI jobs branch on them.
#pragma once

namespace steelyard {

enum ExitCode : int {
  passed = 0,  // also with rows that are unsupported, skipped or do not fit
  regression = 1,
  usage_error = 2,  // also an input or output that cannot be read or written
  incomparable = 3,
  incorrect_rows = 4,  // or implausible ones
  inconclusive = 5,
  device_error = 6,  // a named device is absent, a device was lost, rows failed
  interrupted = 130  // after saving
};

// The one of two that the caller must hear of: 130 > 2 > 4 > 6 > 3 > 1 > 5 > 0, anything else
// first.
int stronger(int a, int b);

}  // namespace steelyard
