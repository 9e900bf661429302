// SPDX-License-Identifier: Apache-2.0
// What AMD's management library, AMD SMI, says of a GPU. Needs no toolkit to build and no library to
// run.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "backends/backend.h"
#include "backends/library.h"
#include "backends/sensor.h"

namespace steelyard::hip {

// One session with AMD SMI. Without the library, the driver or a permission every value is absent,
// with the reason. GPUs are named by PCI bus id, "0000:65:00.0", as the HIP run time gives it: its
// indices follow HIP_VISIBLE_DEVICES, AMD SMI's do not. Threads may share a session.
class AmdSmi {
 public:
  explicit AmdSmi(Library library = Library{"libamd_smi.so.27", "libamd_smi.so.26", "libamd_smi.so",
                                            "/opt/rocm/lib/libamd_smi.so"});
  ~AmdSmi();
  AmdSmi(const AmdSmi&) = delete;
  AmdSmi& operator=(const AmdSmi&) = delete;

  // Adds facts; sets the driver's version, and the UUID where `info` has none. The fact `package` is
  // the serial number of the board: the GCDs of one MI250 have it in common.
  void describe(const std::string& pci_bus_id, DeviceInfo& info);

  // Power and energy are those of a package. Of two GCDs only the first has them, for both; a
  // partition of a GPU has none. Where they are not the device's they are absent.
  Telemetry read(const std::string& pci_bus_id);

 private:
  using Gpu = void*;  // amdsmi_processor_handle
  using Residencies = std::array<std::uint64_t, 5>;

  template <class... Arguments>
  std::string call(const char* function, Arguments... arguments);
  template <class Value, class... Arguments>
  Answer<Value> value(const char* function, Arguments... arguments);

  std::string start();
  Answer<Gpu> find(const std::string& pci_bus_id);
  Answer<std::string> partition(const char* function, Gpu gpu);
  std::vector<DeviceFact> identity(Gpu gpu);
  std::vector<DeviceFact> modes(Gpu gpu);
  std::vector<DeviceFact> limits(Gpu gpu);
  std::vector<DeviceFact> link(Gpu gpu);
  std::vector<DeviceFact> health(Gpu gpu);
  Answer<std::string> ecc(Gpu gpu);
  Answer<std::string> performance_level(Gpu gpu);
  std::string uuid(Gpu gpu);  // empty where there is none
  Answer<double> power(Gpu gpu);
  Answer<double> energy(Gpu gpu);
  std::vector<std::string> throttle_reasons(Gpu gpu, std::string& missing);

  std::mutex mutex_;
  Library library_;
  unsigned version_ = 0;
  std::string absent_;                      // why nothing can be asked; empty while it can
  std::map<Gpu, Residencies> residencies_;  // of the previous reading
};

}  // namespace steelyard::hip
