// SPDX-License-Identifier: Apache-2.0
// The limits that control groups (version 1 or 2: containers, batch systems) set to this process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace steelyard::cpu {

// Both look at the group of this process and at all groups above it; nullopt where none has a
// limit. `root` is another place for /proc and /sys.
std::optional<double> cgroup_cpus(const std::filesystem::path& root = "/");
std::optional<std::int64_t> cgroup_memory_left(const std::filesystem::path& root = "/");

}  // namespace steelyard::cpu
