// SPDX-License-Identifier: Apache-2.0
// The rows of a run: which kernel computes which problem on which device.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "bench/command_line.h"
#include "bench/suites.h"

namespace steelyard {

struct Row {
  Problem problem;
  Kernel kernel;
  std::vector<Device*> devices;  // several of one backend: measured together
  CachePolicy cache = CachePolicy::rotate;
  std::string key;
};

std::string device_id(const DeviceInfo& info);             // "cuda:0"
std::string device_id(std::span<Device* const> together);  // "hip:0+1"

// What several devices are together: the package whose dies they are, else a node.
std::string unit_of(std::span<Device* const> together);

// A fact of a device by its name; empty where it has no value.
std::string fact_value(const DeviceInfo& info, std::string_view name);

// The backend of `backends` that a device is of.
const Backend& backend_of(std::span<const Backend> backends, const DeviceInfo& info);

// The kernels of its backend that take a problem on a device.
std::vector<Kernel> able_kernels(const Problem& problem, const DeviceInfo& info);

// The devices that --device names, of all backends when it names none; then `absence` says which
// backends have none. Throws DeviceAbsent.
Found open_devices(std::span<const Backend> backends, const std::vector<std::string>& selection);

// A device that was asked for by name and is not there: exit code 6.
struct DeviceAbsent : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// All rows that the options select, each once, problems first, then devices, then kernels; with --together
// the devices of each backend make one row. Throws UsageError for a filter that is no regular
// expression or that nothing matches, and for --together with a single device or several models.
std::vector<Row> make_rows(const Family& family, std::span<const Backend> backends,
                           std::span<const std::unique_ptr<Device>> devices,
                           const Options& options);

}  // namespace steelyard
