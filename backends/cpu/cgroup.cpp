// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/cgroup.h"

#include <algorithm>
#include <string>
#include <vector>

#include "backends/cpu/files.h"

namespace steelyard::cpu {
namespace {

namespace fs = std::filesystem;

bool lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const auto comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == wanted) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

void append_ancestry(const fs::path& mount, fs::path group, std::vector<fs::path>& folders) {
  for (group = group.relative_path(); !group.empty(); group = group.parent_path())
    folders.push_back(mount / group);
  folders.push_back(mount);
}

// The folders that may hold limits of a controller. Lines of /proc/self/cgroup are
// hierarchy:controllers:path, of version 2 with no controllers. In a container the path may belong
// to the host and the mount point itself is the group: the root of the mount is always looked at.
std::vector<fs::path> folders_of(const fs::path& root, std::string_view controller) {
  std::vector<fs::path> folders;
  const fs::path mounts = root / "sys/fs/cgroup";
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) append_ancestry(mounts, group, folders);
    if (lists(controllers, controller)) append_ancestry(mounts / controller, group, folders);
  }
  return folders;
}

std::optional<double> quota(const fs::path& folder) {
  const std::string line = first_line(folder / "cpu.max");  // "200000 100000" or "max 100000"
  if (const auto allowed = parse_number<double>(line)) {
    const auto period = parse_number<double>(std::string_view(line).substr(line.find(' ') + 1));
    if (period && *period > 0) return *allowed / *period;
  }
  const auto allowed = read_number<double>(folder / "cpu.cfs_quota_us");  // -1: no limit
  const auto period = read_number<double>(folder / "cpu.cfs_period_us");
  if (allowed && period && *allowed > 0 && *period > 0) return *allowed / *period;
  return std::nullopt;
}

std::optional<std::int64_t> memory_left(const fs::path& folder) {
  auto limit = read_number<std::int64_t>(folder / "memory.max");
  auto used = read_number<std::int64_t>(folder / "memory.current");
  if (!limit) limit = read_number<std::int64_t>(folder / "memory.limit_in_bytes");
  if (!used) used = read_number<std::int64_t>(folder / "memory.usage_in_bytes");
  if (!limit || !used) return std::nullopt;
  // Unused file pages count as used and are given up on demand.
  const auto cached = parse_number<std::int64_t>(field(folder / "memory.stat", "inactive_file"));
  return std::max<std::int64_t>(0, *limit - *used + cached.value_or(0));
}

template <class Read>
auto smallest(const std::vector<fs::path>& folders, Read read) {
  decltype(read(folders.front())) least;
  for (const fs::path& folder : folders)
    if (const auto value = read(folder)) least = least ? std::min(*least, *value) : *value;
  return least;
}

}  // namespace

std::optional<double> cgroup_cpus(const fs::path& root) {
  return smallest(folders_of(root, "cpu"), quota);
}

std::optional<std::int64_t> cgroup_memory_left(const fs::path& root) {
  return smallest(folders_of(root, "memory"), memory_left);
}

}  // namespace steelyard::cpu
