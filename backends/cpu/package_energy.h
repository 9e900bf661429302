// SPDX-License-Identifier: Apache-2.0
// The energy counters of the CPU's packages, as the kernel's powercap files show them.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

namespace steelyard::cpu {

class PackageEnergy {
 public:
  // `root` stands for "/".
  explicit PackageEnergy(const std::filesystem::path& root = "/");

  // Joules of all packages since the construction; null when a counter cannot be read, which the
  // kernel may allow to root alone. Counters wrap, after a minute of full load at the soonest: one
  // turn between two calls is made up for.
  std::optional<double> joules();

 private:
  struct Counter {
    std::filesystem::path zone;
    double last_microjoules = 0;
  };

  std::vector<Counter> counters_;
  double joules_ = 0;
};

}  // namespace steelyard::cpu
