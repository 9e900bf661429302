// SPDX-License-Identifier: Apache-2.0
// Device memory for a Run's tensors.
#pragma once

#include <vector>

#include "backends/gpu/device.h"

namespace steelyard::gpu {

class DeviceArena final : public Arena {
 public:
  explicit DeviceArena(const GpuDevice& device);

  std::byte* allocate(const Operand& operand, std::int64_t bytes) override;
  void upload(std::byte* to, const std::byte* from, std::int64_t bytes) override;
  void download(std::byte* to, const std::byte* from, std::int64_t bytes) override;
  void fill(std::byte* to, std::uint64_t word, std::int64_t bytes) override;
  std::uint64_t checksum(const std::byte* from, std::int64_t bytes) override;

 private:
  const GpuDevice& device_;
  std::vector<Buffer<std::byte>> tensors_;
  Buffer<std::uint64_t> sum_;
};

// Adds to *sum a number that changes, in all likelihood, with any of the bytes at `from`, which is
// aligned to 8 bytes.
void enqueue_checksum(std::uint64_t* sum, const std::byte* from, std::int64_t bytes,
                      StreamHandle stream);

}  // namespace steelyard::gpu
