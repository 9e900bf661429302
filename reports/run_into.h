// SPDX-License-Identifier: Apache-2.0
// One run of a command in a fresh process.
#pragma once

#include <filesystem>
#include <stdexcept>
#include <string>

namespace steelyard {

// A run that left no result: what follows cannot go on.
struct RunFailed : std::runtime_error {
  RunFailed(const std::string& what, int code) : std::runtime_error(what), exit_code(code) {}
  int exit_code;
};
struct RunInterrupted {};

// Until its result stands in `file`, or a folder of that name; what it prints goes into a .log beside
// it. Nothing is done where the file is there already. `command` and `filter` are those of
// command_for(); errors name the run `who`. Throws RunFailed, RunInterrupted and FileError.
void run_into(const std::filesystem::path& file, const std::string& command,
              const std::string& filter, const std::string& who);

}  // namespace steelyard
