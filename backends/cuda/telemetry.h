// SPDX-License-Identifier: Apache-2.0
// What NVIDIA's management library, NVML, says of a GPU. Needs no toolkit to build and no library
// to run.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/library.h"
#include "backends/sensor.h"

namespace steelyard::cuda {

// One session with NVML. Without the library, the driver or a permission every value is absent,
// with the reason. GPUs are named by PCI bus id, "0000:65:00.0", as the CUDA run time gives it: its
// indices follow CUDA_VISIBLE_DEVICES, NVML's do not. Threads may share a session.
class Nvml {
 public:
  explicit Nvml(Library library = Library{"libnvidia-ml.so.1"});
  ~Nvml();
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  // Adds facts; sets the driver's version, and the UUID where `info` has none.
  void describe(const std::string& pci_bus_id, DeviceInfo& info);

  // A MIG instance has neither power nor energy of its own: they are absent while MIG is on.
  Telemetry read(const std::string& pci_bus_id);

 private:
  using Gpu = void*;  // nvmlDevice_t

  template <class... Arguments>
  std::string call(const char* function, Arguments... arguments);
  template <class Unit, class Number, class... Arguments>
  Answer<double> number(const char* function, Arguments... arguments);
  template <class... Arguments>
  Answer<std::string> text(const char* function, Arguments... arguments);

  Answer<Gpu> find(const std::string& pci_bus_id);
  Answer<std::string> other_processes(Gpu gpu);
  Answer<std::string> remapped_rows(Gpu gpu);
  Answer<std::string> mode(const char* function, Gpu gpu);
  std::vector<std::string> throttle_reasons(Gpu gpu, std::string& missing);
  std::vector<std::string> violations(Gpu gpu, std::string& missing);

  std::mutex mutex_;
  Library library_;
  std::string absent_;  // why nothing can be asked; empty while it can
  std::map<std::pair<Gpu, int>, unsigned long long> violation_times_;  // of the previous reading
};

}  // namespace steelyard::cuda
