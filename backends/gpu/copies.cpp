// SPDX-License-Identifier: Apache-2.0
// Copies between host and device, by the runtime's own copy: the copy engines, or whatever the
// runtime takes.
#include <cstring>
#include <vector>

#include "backends/gpu/arena.h"
#include "backends/gpu/kernels.h"

namespace steelyard::gpu {
namespace {

struct FreePinned {
  void operator()(std::byte* memory) const { (void)release_pinned(memory); }
};

std::unique_ptr<std::byte, FreePinned> make_pinned(std::int64_t bytes) {
  void* memory = nullptr;
  check(allocate_pinned(&memory, static_cast<std::size_t>(bytes)));
  return std::unique_ptr<std::byte, FreePinned>(static_cast<std::byte*>(memory));
}

struct FreePageable {
  void operator()(std::byte* memory) const {
    ::operator delete[](memory, std::align_val_t{tensor_alignment});
  }
};

std::unique_ptr<std::byte, FreePageable> make_pageable(std::int64_t bytes) {
  return std::unique_ptr<std::byte, FreePageable>(static_cast<std::byte*>(
      ::operator new[](static_cast<std::size_t>(bytes), std::align_val_t{tensor_alignment})));
}

// Places `from` and `to` on the sides that the copy is about. What lies in host memory is filled and
// summed by the host.
class CopyArena final : public Arena {
 public:
  CopyArena(const GpuDevice& device, const Copy& copy) : copy_(copy), on_device_(device) {}

  std::byte* allocate(const Operand& operand, std::int64_t bytes) override {
    const CopyPath from_host = CopyPath::host_to_device, to_host = CopyPath::device_to_host;
    if (copy_.path != (operand.access == Access::in ? from_host : to_host))
      return on_device_.allocate(operand, bytes);
    std::byte* memory = copy_.pinned ? pinned_.emplace_back(make_pinned(bytes)).get()
                                     : pageable_.emplace_back(make_pageable(bytes)).get();
    host_.push_back({memory, memory + bytes});
    return memory;
  }
  void upload(std::byte* to, const std::byte* from, std::int64_t bytes) override {
    on_device_.upload(to, from, bytes);
  }
  void download(std::byte* to, const std::byte* from, std::int64_t bytes) override {
    on_device_.download(to, from, bytes);
  }
  void fill(std::byte* to, std::uint64_t word, std::int64_t bytes) override {
    if (!is_host(to)) return on_device_.fill(to, word, bytes);
    for (std::int64_t i = 0; i < bytes; ++i) to[i] = static_cast<std::byte>(word >> i % 8 * 8);
  }
  std::uint64_t checksum(const std::byte* from, std::int64_t bytes) override {
    if (!is_host(from)) return on_device_.checksum(from, bytes);
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
    for (std::int64_t i = 0; i < bytes; ++i)
      hash = (hash ^ static_cast<std::uint64_t>(from[i])) * 0x100000001b3;
    return hash;
  }

 private:
  struct Range {
    const std::byte *begin, *end;
  };
  bool is_host(const std::byte* at) const {
    for (const Range& range : host_)
      if (at >= range.begin && at < range.end) return true;
    return false;
  }

  Copy copy_;
  DeviceArena on_device_;
  std::vector<std::unique_ptr<std::byte, FreePinned>> pinned_;
  std::vector<std::unique_ptr<std::byte, FreePageable>> pageable_;
  std::vector<Range> host_;
};

Support supports(const Copy&, const DeviceInfo&) {
  return {};
}

std::unique_ptr<Run> prepare(GpuDevice& device, const Copy& p, const Inputs& inputs) {
  const auto body = [=, &device](const Arguments& arguments) {
    check(copy(arguments.data("to"), arguments.data("from"), static_cast<std::size_t>(p.bytes),
               device.stream()));
  };
  return make_run(std::make_unique<CopyArena>(device, p), p, inputs, body);
}

}  // namespace

std::span<const Kernel> copy_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("runtime_copy", Tier::library)};
  return table;
}

}  // namespace steelyard::gpu
