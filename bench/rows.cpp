// SPDX-License-Identifier: Apache-2.0
#include "bench/rows.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <regex>
#include <set>

#include "bench/capacity.h"
#include "bench/step_kernels.h"

namespace steelyard {
namespace {

// Whether "hip:all", "cuda" or "cuda:1" means this device.
bool selects(const std::string& selection, const DeviceInfo& info) {
  const auto colon = selection.find(':');
  if (selection.substr(0, colon) != info.backend) return false;
  if (colon == std::string::npos) return true;
  const std::string which = selection.substr(colon + 1);
  return which == "all" || which == std::to_string(info.index);
}

std::string known_devices(std::span<const std::unique_ptr<Device>> devices) {
  if (devices.empty()) return "none";
  std::vector<std::string> ids;
  for (const auto& device : devices) ids.push_back(device_id(device->info()));
  return fmt::format("{}", fmt::join(ids, ", "));
}

class Filter {
 public:
  explicit Filter(const std::string& text) : excludes_(text.starts_with('-')) {
    try {
      expression_ = std::regex(excludes_ ? text.substr(1) : text, std::regex::ECMAScript);
    } catch (const std::regex_error& error) {
      throw UsageError(
          fmt::format("--filter {}: not a regular expression: {}", text, error.what()));
    }
  }

  bool keeps(const std::string& key) const {
    return std::regex_search(key, expression_) != excludes_;
  }

 private:
  bool excludes_;
  std::regex expression_;
};

// A working-set sweep measures the caches themselves: it is always hot.
CachePolicy policy_of(const Problem& problem, CachePolicy asked) {
  const auto* memory = std::get_if<Memory>(&problem);
  return memory != nullptr && memory->op == MemoryOp::chase ? CachePolicy::hot : asked;
}

std::string key_of(const Row& row, const Options& options) {
  return fmt::format("{}/{}/{}/{}/{}/{}/{}", id(row.problem), row.kernel.name,
                     name(row.kernel.tier), device_id(row.devices), name(options.fill),
                     name(row.cache), name(options.mode));
}

// Why no row is left: a kernel's name that is unknown, or selections that exclude each other.
std::string emptiness(const Options& options, const std::set<std::string_view>& kernels) {
  if (!options.kernel.empty() && !kernels.contains(options.kernel))
    return fmt::format("--kernel {}: no such kernel; there are: {}", options.kernel,
                       fmt::join(kernels, ", "));
  return "no row matches --filter, --kernel, --tier and --device together; --list without them "
         "shows "
         "every row of the suite";
}

std::vector<Problem> problems_of(Family family, const Options& options) {
  if (family.adapt != nullptr) family.adapt(family.basis, options);
  if (!options.axes.empty()) return sweep(family, options.axes);
  std::vector<Problem> all = family.problems(options.suite);
  if (family.adapt == nullptr) return all;
  for (Problem& problem : all) family.adapt(problem, options);
  std::set<std::string> seen;  // steps of several models are one step when asked of one
  std::erase_if(all, [&](const Problem& problem) {
    return !fault(with_closed_batch(problem)).empty() || !seen.insert(id(problem)).second;
  });
  return all;
}

std::span<const Kernel> kernels_for(const Problem& problem, const Backend& backend) {
  return std::holds_alternative<Transformer>(problem) ? step_kernels() : backend.kernels;
}

// A quick look does without the step of which every operation has its fastest kernel: that takes as long
// as either of the tiers it is chosen from.
bool is_asked(Tier tier, const Options& options) {
  if (options.tier) return tier == *options.tier;
  return tier != Tier::best || options.suite != Suite::quick || !options.axes.empty();
}

using Team = std::vector<Device*>;  // what one row runs on

std::vector<Team> teams_of(std::span<const std::unique_ptr<Device>> devices, bool together) {
  std::vector<Team> teams;
  for (const auto& device : devices) {
    const bool joins =
        together && !teams.empty() && teams.back()[0]->info().backend == device->info().backend;
    joins ? teams.back().push_back(device.get()) : teams.push_back({device.get()});
  }
  if (!together) return teams;
  std::erase_if(teams, [](const Team& team) { return team.size() < 2; });
  for (const Team& team : teams)
    for (const Device* device : team)
      if (device->info().name != team.front()->info().name)
        throw UsageError(
            fmt::format("--together: {} is {} and {} is {}: choose devices of one "
                        "model with --device",
                        device_id(team.front()->info()), team.front()->info().name,
                        device_id(device->info()), device->info().name));
  if (teams.empty())
    throw UsageError(
        fmt::format("--together: it takes two devices of one backend at least; there are: {}",
                    known_devices(devices)));
  return teams;
}

}  // namespace

std::string device_id(const DeviceInfo& info) {
  return fmt::format("{}:{}", info.backend, info.index);
}

std::string device_id(std::span<Device* const> together) {
  std::string id = device_id(together.front()->info());
  for (const Device* device : together.subspan(1)) id += fmt::format("+{}", device->info().index);
  return id;
}

std::string fact_value(const DeviceInfo& info, std::string_view name) {
  const auto found = std::ranges::find(info.facts, name, &DeviceFact::name);
  return found == info.facts.end() ? std::string() : found->value;
}

std::string unit_of(std::span<Device* const> together) {
  const DeviceInfo& first = together.front()->info();
  if (together.size() == 1) return first.unit;
  const std::string package = fact_value(first, "package");
  const bool one_package = first.unit == "gcd" && !package.empty() &&
                           std::ranges::all_of(together, [&](const Device* d) {
                             return fact_value(d->info(), "package") == package;
                           });
  return one_package ? "package" : "node";
}

const Backend& backend_of(std::span<const Backend> backends, const DeviceInfo& info) {
  return *std::ranges::find(backends, info.backend, &Backend::name);
}

std::vector<Kernel> able_kernels(const Problem& problem, const DeviceInfo& info) {
  std::vector<Kernel> all = backend_of(backends(), info).kernels;
  std::erase_if(all, [&](const Kernel& kernel) {
    return kernel.supports(problem, info).answer != Support::yes;
  });
  return all;
}

Found open_devices(std::span<const Backend> backends, const std::vector<std::string>& selection) {
  Found found;
  auto& all = found.devices;
  for (const Backend& backend : backends) {
    Found here = backend.open();
    std::ranges::move(here.devices, std::back_inserter(all));
    if (!here.absence.empty())
      found.absence += fmt::format("{}no {} device: {}", found.absence.empty() ? "" : "; ",
                                   backend.name, here.absence);
  }
  for (const std::string& wanted : selection)
    if (std::ranges::none_of(all, [&](const auto& d) { return selects(wanted, d->info()); }))
      throw DeviceAbsent(fmt::format("--device {}: no such device here; there are: {}{}{}", wanted,
                                     known_devices(all), found.absence.empty() ? "" : "; ",
                                     found.absence));
  if (selection.empty()) return found;
  found.absence.clear();
  std::erase_if(all, [&](const auto& device) {
    return std::ranges::none_of(
        selection, [&](const std::string& wanted) { return selects(wanted, device->info()); });
  });
  return found;
}

std::vector<Row> make_rows(const Family& family, std::span<const Backend> backends,
                           std::span<const std::unique_ptr<Device>> devices,
                           const Options& options) {
  const Filter filter(options.filter);
  const std::vector<Problem> problems = problems_of(family, options);
  std::vector<Row> rows;
  std::set<std::string_view> kernels;  // of this family
  std::set<std::string> keys;          // a batch of a sweep may stand in the suite as well
  const auto add = [&](const Problem& problem, const Team& team) {
    const DeviceInfo& info = team.front()->info();
    for (const Kernel& kernel : kernels_for(problem, backend_of(backends, info))) {
      if (kernel.supports(problem, info).answer == Support::foreign) continue;
      kernels.insert(kernel.name);
      if (!options.kernel.empty() && kernel.name != options.kernel) continue;
      if (!is_asked(kernel.tier, options)) continue;
      Row row = {.problem = problem,
                 .kernel = kernel,
                 .devices = team,
                 .cache = policy_of(problem, options.cache)};
      row.key = key_of(row, options);
      if (filter.keeps(row.key) && keys.insert(row.key).second) rows.push_back(std::move(row));
    }
  };
  const std::vector<Team> teams = teams_of(devices, options.together);
  for (const Problem& open : problems)
    for (const Team& team : teams)
      for (const Problem& problem : batches_that_fit(open, team.front()->info()))
        add(problem, team);
  if (rows.empty()) throw UsageError(emptiness(options, kernels));
  return rows;
}

}  // namespace steelyard
