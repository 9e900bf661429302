// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/region.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "backends/large_blocks.h"

namespace steelyard::cpu {

Region::Region(std::int64_t bytes)
    : data_(static_cast<std::byte*>(take_large_block(static_cast<std::size_t>(bytes)))),
      bytes_(bytes) {
  if (data_ == nullptr)
    throw std::runtime_error(
        fmt::format("cannot allocate {} bytes of host memory: {}", bytes, std::strerror(errno)));
}

Region::~Region() {
  if (data_ != nullptr) give_back_large_block(data_);
}

}  // namespace steelyard::cpu
