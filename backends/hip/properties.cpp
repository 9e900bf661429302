// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "backends/gpu/gpu.h"

namespace steelyard::gpu {
namespace {

std::string version(int number) {  // 60443484 is 6.4.43484
  return fmt::format("{}.{}.{}", number / 10000000, number / 100000 % 100, number % 100000);
}

// "gfx942:sramecc+:xnack-" without the features.
std::string architecture(std::string_view name) {
  return std::string(name.substr(0, name.find(':')));
}

}  // namespace

Error read_properties(int device, Properties* properties) {
  hipDeviceProp_t found;
  if (const Error error = hipGetDeviceProperties(&found, device); error != success) return error;
  int driver = 0, runtime = 0;
  if (const Error error = hipDriverGetVersion(&driver); error != success) return error;
  if (const Error error = hipRuntimeGetVersion(&runtime); error != success) return error;
  *properties = {.name = found.name,
                 .architecture = architecture(found.gcnArchName),
                 .uuid = std::string(found.uuid.bytes, strnlen(found.uuid.bytes, 16)),
                 .pci_bus_id = fmt::format("{:04x}:{:02x}:{:02x}.0", found.pciDomainID,
                                           found.pciBusID, found.pciDeviceID),
                 .driver = "HIP driver " + version(driver),
                 .runtime = "HIP runtime " + version(runtime),
                 .compute_units = found.multiProcessorCount,
                 .memory_bytes = static_cast<std::int64_t>(found.totalGlobalMem),
                 .last_level_cache_bytes = found.l2CacheSize,
                 .shared_bytes_per_block = static_cast<std::int64_t>(found.sharedMemPerBlock)};
  properties->fp8 = properties->architecture == "gfx942" ? Encoding::fnuz : Encoding::ocp;
  return success;
}

}  // namespace steelyard::gpu
