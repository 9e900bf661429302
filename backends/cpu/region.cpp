// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/region.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace steelyard::cpu {

Region::Region(std::int64_t bytes) : bytes_(bytes) {
  constexpr std::size_t huge_page = std::size_t{2} << 20;
  // Small ones lie side by side and become one mapping, of which a process may have 65530.
  const bool is_small = static_cast<std::size_t>(bytes) < huge_page;
  const std::size_t alignment = is_small ? 1 : huge_page;
  mapped_bytes_ = static_cast<std::size_t>(bytes) + alignment;  // room to align
  mapping_ = mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping_ == MAP_FAILED)
    throw std::runtime_error(
        fmt::format("cannot allocate {} bytes of host memory: {}", bytes, std::strerror(errno)));
  const auto address = reinterpret_cast<std::uintptr_t>(mapping_);
  const std::uintptr_t aligned = (address + alignment - 1) / alignment * alignment;
  data_ = static_cast<std::byte*>(mapping_) + (aligned - address);
  if (!is_small)
    madvise(data_, static_cast<std::size_t>(bytes), MADV_HUGEPAGE);  // small pages do as well
}

Region::~Region() {
  if (mapping_ != nullptr) munmap(mapping_, mapped_bytes_);
}

}  // namespace steelyard::cpu
