// SPDX-License-Identifier: Apache-2.0
// The bytes of a tensor on the host.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace steelyard {

// Copies share their bytes until one of them is written to: inputs of hundreds of megabytes go from hand to
// hand. Not cleared when they are made, but for the last byte, which may hold a single int4.
class HostBytes {
 public:
  HostBytes() = default;
  explicit HostBytes(std::int64_t size)
      : size_(static_cast<std::size_t>(size)), data_(new std::byte[size_]) {
    if (size_ > 0) data_[size_ - 1] = {};
  }

  HostBytes(const HostBytes&) = default;
  HostBytes(HostBytes&& other) noexcept
      : size_(std::exchange(other.size_, 0)), data_(std::move(other.data_)) {}
  HostBytes& operator=(HostBytes other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }

  // Those at a place that outlives this and its copies: nobody's own.
  static HostBytes borrowed(void* data, std::int64_t size) {
    HostBytes bytes;
    bytes.size_ = static_cast<std::size_t>(size);
    bytes.data_ = {std::shared_ptr<std::byte[]>(), static_cast<std::byte*>(data)};
    return bytes;
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  const std::byte* data() const { return data_.get(); }
  const std::byte* begin() const { return data(); }
  const std::byte* end() const { return data() + size_; }

  // To be written to. Copies what is not its own alone: not from several threads at once then.
  std::byte* data() {
    if (data_.use_count() != 1) *this = copied();
    return data_.get();
  }
  std::byte& operator[](std::size_t i) { return data()[i]; }

  friend bool operator==(const HostBytes& a, const HostBytes& b) {
    return std::ranges::equal(a, b);
  }

 private:
  HostBytes copied() const {
    HostBytes copy(static_cast<std::int64_t>(size_));
    std::ranges::copy(*this, copy.data_.get());
    return copy;
  }

  std::size_t size_ = 0;
  std::shared_ptr<std::byte[]> data_;
};

}  // namespace steelyard
