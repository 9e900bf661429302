// SPDX-License-Identifier: Apache-2.0
// Host memory in huge pages, where the system has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace steelyard::cpu {

// Holds anything until written. On machines with several NUMA nodes the thread that touches a page first
// decides on which one it lies.
class Region {
 public:
  Region() = default;
  explicit Region(std::int64_t bytes);  // throws std::runtime_error, naming the size
  Region(Region&& other) noexcept { swap(other); }
  Region& operator=(Region&& other) noexcept {
    Region taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Region();

  // 2 MiB aligned; where it is smaller than that, to a page.
  std::byte* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }

 private:
  void swap(Region& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  std::byte* data_ = nullptr;
  std::int64_t bytes_ = 0;
};

}  // namespace steelyard::cpu
