// SPDX-License-Identifier: Apache-2.0
// Programs that are run one after the other, and end when this one is told to.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace steelyard {

// While it lives, SIGINT, SIGTERM and SIGHUP go on to the running child, which saves what it has
// and ends. Children have a process group of their own, so that a key in a terminal reaches them
// once.
class SignalForwarding {
 public:
  SignalForwarding();
  ~SignalForwarding();
  SignalForwarding(const SignalForwarding&) = delete;
  SignalForwarding& operator=(const SignalForwarding&) = delete;

  static bool interrupted();
};

struct Ended {
  int exit_code = 0;
  int signal = 0;              // that killed it, else 0
  std::string output, errors;  // of capture()
};

// They run a program (a path or a name on PATH, then its arguments) to its end: with this program's
// stdout and stderr, with both in a file, or with what it writes returned. Throw std::system_error
// when it cannot be started.
Ended run_child(const std::vector<std::string>& command);
Ended run_child(const std::vector<std::string>& command, const std::filesystem::path& log);
Ended capture(const std::vector<std::string>& command);

}  // namespace steelyard
