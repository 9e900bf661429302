// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <shared_mutex>

#include "tests/amd_emulator/fault.h"
#include "tests/amd_emulator/notes.h"

namespace amd_emulator {
namespace {

constexpr std::uint64_t gap_bytes = page_bytes;

// Both are reserved, not used: pages exist once they are written.
constexpr std::uint64_t range_bytes = std::uint64_t{1} << 40;

std::byte* reserve(int protection) {
  void* range =
      mmap(nullptr, range_bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(range);
}

std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + page_bytes - 1) / page_bytes * page_bytes;
}

struct Allocation {
  std::uint64_t bytes = 0;
  std::byte* host = nullptr;
  bool pinned = false;
};

// An allocation as a thread remembers it.
struct Remembered {
  std::uint64_t begin = 0, end = 0;
  std::byte* host = nullptr;

  bool holds(std::uint64_t address, std::uint64_t bytes) const {
    return address >= begin && address < end && bytes <= end - address;
  }
};

class Memory {
 public:
  std::uint64_t allocate(std::uint64_t bytes) {
    const std::unique_lock lock(mutex_);
    if (bytes == 0 || bytes > free_bytes()) return 0;
    const std::uint64_t address = find_place(round_up(bytes));
    if (address == 0) return 0;
    std::byte* host = backing_ + (address - begin());
    std::memset(host, static_cast<int>(poison), round_up(bytes));
    add(address, {bytes, host, false});
    next_ = address + round_up(bytes) + gap_bytes;
    return address;
  }

  void* allocate_pinned(std::uint64_t bytes) {
    const std::unique_lock lock(mutex_);
    if (bytes == 0 || bytes > free_bytes()) return nullptr;
    void* host =
        mmap(nullptr, round_up(bytes), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (host == MAP_FAILED) return nullptr;
    std::memset(host, static_cast<int>(poison), bytes);
    add(reinterpret_cast<std::uint64_t>(host), {bytes, static_cast<std::byte*>(host), true});
    return host;
  }

  bool release(std::uint64_t address) {
    const std::unique_lock lock(mutex_);
    const auto found = allocations_.find(address);
    if (found == allocations_.end()) return false;
    const Allocation& old = found->second;
    used_ -= round_up(old.bytes);
    if (old.pinned)
      munmap(old.host, round_up(old.bytes));
    else
      madvise(old.host, round_up(old.bytes), MADV_DONTNEED);
    freed_[address] = old.bytes;
    allocations_.erase(found);
    ++generation_;
    return true;
  }

  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }

  std::uint64_t free_bytes() const {
    static const std::uint64_t of_host = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                                         static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) / 2;
    const std::uint64_t all = std::min(capacity_, of_host);
    return all - std::min(all, used_);
  }

  // The allocation with the address.
  std::optional<Remembered> find(std::uint64_t address) {
    const std::shared_lock lock(mutex_);
    auto next = allocations_.upper_bound(address);
    if (next == allocations_.begin()) return std::nullopt;
    const auto& [begin, allocation] = *--next;
    if (address >= begin + allocation.bytes) return std::nullopt;
    return Remembered{begin, begin + allocation.bytes, allocation.host};
  }

  std::string describe(std::uint64_t address) {
    const std::shared_lock lock(mutex_);
    auto next = freed_.upper_bound(address);
    if (next != freed_.begin() && address < std::prev(next)->first + std::prev(next)->second)
      return fmt::format("in memory that was freed: {} bytes at {:#x}", std::prev(next)->second,
                         std::prev(next)->first);
    auto after = allocations_.upper_bound(address);
    if (after != allocations_.begin()) {
      const auto& [start, before] = *std::prev(after);
      if (address - start < 2 * before.bytes + page_bytes)
        return fmt::format("{} bytes into an allocation of {} bytes", address - start,
                           before.bytes);
    }
    if (after != allocations_.end() && after->first - address <= page_bytes)
      return fmt::format("{} bytes before an allocation", after->first - address);
    return "where no memory is allocated";
  }

  std::uint64_t begin() const { return reinterpret_cast<std::uint64_t>(range_); }
  std::uint64_t generation() const { return generation_.load(std::memory_order_relaxed); }

 private:
  void add(std::uint64_t address, const Allocation& allocation) {
    allocations_[address] = allocation;
    used_ += round_up(allocation.bytes);
    ++generation_;
  }

  // What was freed is taken again only once the whole range has been given out.
  std::uint64_t find_place(std::uint64_t bytes) {
    const std::uint64_t end = begin() + range_bytes;
    if (next_ == 0 || next_ + bytes + gap_bytes > end) {
      next_ = begin() + gap_bytes;
      freed_.clear();
    }
    std::uint64_t place = next_;
    for (auto it = allocations_.lower_bound(place);
         it != allocations_.end() && it->first < end && it->first < place + bytes + gap_bytes; ++it)
      place = it->first + round_up(it->second.bytes) + gap_bytes;
    return place + bytes + gap_bytes <= end ? place : 0;
  }

  std::byte* const range_ = reserve(PROT_NONE);
  std::byte* const backing_ = reserve(PROT_READ | PROT_WRITE);
  std::shared_mutex mutex_;
  std::map<std::uint64_t, Allocation> allocations_;
  std::map<std::uint64_t, std::uint64_t> freed_;
  std::uint64_t next_ = 0, used_ = 0, capacity_ = ~std::uint64_t{0};
  std::atomic<std::uint64_t> generation_ = 1;
};

// Lives to the end of the process: programs free device memory in destructors of static objects.
Memory& memory() {
  static Memory& all = *new Memory;
  return all;
}

// The few allocations that this thread has used last.
class Recent {
 public:
  const Remembered* find(std::uint64_t address, std::uint64_t bytes) {
    const std::uint64_t generation = memory().generation();
    if (generation != generation_) {
      entries_ = {};
      generation_ = generation;
    }
    for (const Remembered& entry : entries_)
      if (entry.holds(address, bytes)) return &entry;
    const std::optional<Remembered> found = memory().find(address);
    if (!found || !found->holds(address, bytes)) return nullptr;
    Remembered& entry = entries_[next_++ % entries_.size()];
    entry = *found;
    return &entry;
  }

 private:
  std::array<Remembered, 4> entries_ = {};
  std::uint64_t generation_ = 0;
  std::size_t next_ = 0;
};
thread_local Recent recent;

const char* verb(Access access) {
  return access == Access::read ? "reads" : access == Access::write ? "writes" : "changes";
}

}  // namespace

std::uint64_t allocate(std::size_t bytes) {
  return memory().allocate(bytes);
}
void* allocate_pinned(std::size_t bytes) {
  return memory().allocate_pinned(bytes);
}
bool release(std::uint64_t address) {
  return memory().release(address);
}
void set_capacity(std::size_t bytes) {
  memory().set_capacity(bytes);
}
std::size_t free_bytes() {
  return memory().free_bytes();
}
bool is_device_address(std::uint64_t address) {
  return address - memory().begin() < range_bytes;
}

std::byte* host_view(std::uint64_t address, std::size_t bytes) {
  const Remembered* found = recent.find(address, bytes);
  return found == nullptr ? nullptr : found->host + (address - found->begin);
}

std::byte* reach(std::uint64_t address, unsigned bytes, unsigned element_bytes, Access access) {
  const Remembered* found = recent.find(address, bytes);
  if (found == nullptr)
    throw Fault(fmt::format("it {} {} bytes at {:#x}, {}", verb(access), bytes, address,
                            memory().describe(address)));
  const bool atomic = access == Access::atomic || access == Access::float_atomic;
  const unsigned alignment = atomic ? element_bytes : std::min(element_bytes, 4u);
  if (address % alignment != 0) [[unlikely]]
    throw Fault(fmt::format("it {} {} bytes at {:#x}, which is not aligned to {} bytes",
                            verb(access), bytes, address, alignment));
  std::byte* host = found->host + (address - found->begin);
  if (noting) [[unlikely]]
    note_access(address, host, bytes, access);
  return host;
}

}  // namespace amd_emulator
