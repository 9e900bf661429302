// SPDX-License-Identifier: Apache-2.0
// Programs run by a shell in a folder of their own, for tests of what a user would see.
#pragma once

#include <filesystem>
#include <string>

namespace steelyard {

struct Outcome {
  int exit_code = 0;
  std::string output, errors;
};

// An empty folder that is removed again.
class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  // What `sh` makes of the commands, with this folder as the current one.
  Outcome shell(const std::string& commands) const;

  void write(const std::string& name, const std::string& text) const;
  void write_script(const std::string& name, const std::string& commands) const;

 private:
  std::filesystem::path folder_;
};

std::string contents(const std::filesystem::path& file);

}  // namespace steelyard
