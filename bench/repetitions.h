// SPDX-License-Identifier: Apache-2.0
// --repetitions: the process is the unit of replication, so each repetition is a process of its
// own, one after the other, all writing into one file.
#pragma once

#include <optional>
#include <string>

namespace steelyard {

struct Repetition {
  int index = 0, total = 1;
};

// Which repetition this process is, when it was started as one.
std::optional<Repetition> this_repetition();

// Starts this program `total` times with the same arguments and `--json path`. Returns the
// strongest exit code; stops at the first process that is interrupted or that fails for its usage.
// Ends with a table of what the runs say of the next one.
int run_repetitions(int total, const std::string& path, int argc, char** argv);

}  // namespace steelyard
