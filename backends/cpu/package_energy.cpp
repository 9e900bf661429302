// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/package_energy.h"

#include <algorithm>
#include <string>

#include "backends/cpu/files.h"

namespace steelyard::cpu {

namespace fs = std::filesystem;

// intel-rapl:0, intel-rapl:1 are packages (AMD's counters bear the name as well); a part of one,
// intel-rapl:0:0, is contained in it.
PackageEnergy::PackageEnergy(const fs::path& root) {
  for (const fs::path& zone : entries(root / "sys/class/powercap")) {
    const std::string id = zone.filename();
    if (!id.starts_with("intel-rapl:") || std::ranges::count(id, ':') != 1) continue;
    if (const auto now = read_number<double>(zone / "energy_uj")) counters_.push_back({zone, *now});
  }
}

std::optional<double> PackageEnergy::joules() {
  if (counters_.empty()) return std::nullopt;
  for (auto& [zone, last] : counters_) {
    const auto now = read_number<double>(zone / "energy_uj");
    if (!now) return std::nullopt;
    double advance = *now - last;
    if (advance < 0) {
      const auto range = read_number<double>(zone / "max_energy_range_uj");
      if (!range) return std::nullopt;
      advance += *range;
    }
    joules_ += advance * 1e-6;
    last = *now;
  }
  return joules_;
}

}  // namespace steelyard::cpu
