// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "backends/cuda/code_version.h"

namespace steelyard::gpu {
namespace {

std::string version(int number) {  // 13020 is 13.2
  return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

std::string uuid_text(const cudaUUID_t& uuid) {
  std::string text = "GPU";
  for (int i = 0; i < 16; ++i) {
    if (i == 0 || i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

}  // namespace

Error read_properties(int device, Properties* properties) {
  cudaDeviceProp found;
  if (const Error error = cudaGetDeviceProperties(&found, device); error != success) return error;
  int driver = 0, runtime = 0;
  if (const Error error = cudaDriverGetVersion(&driver); error != success) return error;
  if (const Error error = cudaRuntimeGetVersion(&runtime); error != success) return error;
  int code = 0;
  if (const Error error = select_device(device); error != success) return error;
  if (const Error error = read_code_version(&code); error != success) return error;
  *properties = {
      .name = found.name,
      .architecture = fmt::format("sm_{}", std::min(10 * found.major + found.minor, code)),
      .uuid = uuid_text(found.uuid),
      .pci_bus_id = fmt::format("{:04x}:{:02x}:{:02x}.0", found.pciDomainID, found.pciBusID,
                                found.pciDeviceID),
      .driver = "CUDA driver " + version(driver),
      .runtime = "CUDA runtime " + version(runtime),
      .compute_units = found.multiProcessorCount,
      .memory_bytes = static_cast<std::int64_t>(found.totalGlobalMem),
      .last_level_cache_bytes = found.l2CacheSize,
      .shared_bytes_per_block = static_cast<std::int64_t>(found.sharedMemPerBlockOptin)};
  return success;
}

}  // namespace steelyard::gpu
