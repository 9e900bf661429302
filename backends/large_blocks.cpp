// SPDX-License-Identifier: Apache-2.0
#include "backends/large_blocks.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

namespace steelyard {
namespace {

constexpr std::size_t page = 4096;

constexpr std::size_t round_up(std::size_t bytes, std::size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

std::byte* round_up(std::byte* place, std::size_t multiple) {
  const auto address = reinterpret_cast<std::uintptr_t>(place);
  return place + (round_up(address, multiple) - address);
}

// Not where pages stay on the NUMA node of the thread that touched them first, nor where sanitizers are to
// see what is used after it was given back.
bool may_keep() {
#ifdef STEELYARD_SANITIZED
  return false;
#else
  return access("/sys/devices/system/node/node1", F_OK) != 0;
#endif
}

std::byte* map_pages(std::size_t bytes) {
  void* mapping = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return mapping == MAP_FAILED ? nullptr : static_cast<std::byte*>(mapping);
}

// From a huge page's first byte on; null where the system has no room. Mappings of whole ones tend to lie
// side by side.
std::byte* map_huge_pages(std::size_t bytes) {
  std::byte* first = map_pages(bytes);
  if (first != nullptr && first != round_up(first, huge_page)) {
    munmap(first, bytes);
    std::byte* const begin = map_pages(bytes + huge_page);
    if (begin == nullptr) return nullptr;
    first = round_up(begin, huge_page);
    munmap(first + bytes, static_cast<std::size_t>(begin + huge_page - first));
    if (first > begin) munmap(begin, static_cast<std::size_t>(first - begin));
  }
  if (first != nullptr) (void)madvise(first, bytes, MADV_HUGEPAGE);  // small pages do as well
  return first;
}

// Pages that no other block shares.
std::byte* map(std::size_t bytes) {
  return bytes < huge_page ? map_pages(bytes) : map_huge_pages(bytes);
}

// Of the containers below: operator new may be what asks for a block.
template <class T>
struct Malloc {
  using value_type = T;

  Malloc() = default;
  template <class Other>
  Malloc(const Malloc<Other>&) {}

  T* allocate(std::size_t count) {
    void* memory = std::malloc(count * sizeof(T));
    if (memory == nullptr) throw std::bad_alloc();
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t) { std::free(memory); }
  friend bool operator==(Malloc, Malloc) { return true; }
};

// Bytes by where they begin.
using Ranges = std::map<std::byte*, std::size_t, std::less<>,
                        Malloc<std::pair<std::byte* const, std::size_t>>>;

// Ranges of free memory that may have pages, by their addresses. Neighbours are one range.
class FreeRanges {
 public:
  // From the smallest range with room for it; null where there is none.
  std::byte* take(std::size_t bytes, std::size_t alignment) {
    auto best = ranges_.end();
    for (auto range = ranges_.begin(); range != ranges_.end(); ++range) {
      const auto [begin, size] = *range;
      const auto skipped = static_cast<std::size_t>(round_up(begin, alignment) - begin);
      if (skipped <= size && bytes <= size - skipped &&
          (best == ranges_.end() || size < best->second))
        best = range;
    }
    if (best == ranges_.end()) return nullptr;
    std::byte* const first = round_up(best->first, alignment);
    cut_out(best, first, bytes);
    return first;
  }

  void add(std::byte* begin, std::size_t bytes) {
    bytes_ += bytes;
    auto next = ranges_.lower_bound(begin);
    if (next != ranges_.end() && begin + bytes == next->first) {
      bytes += next->second;
      next = ranges_.erase(next);
    }
    if (next != ranges_.begin()) {
      const auto previous = std::prev(next);
      if (previous->first + previous->second == begin) {
        previous->second += bytes;
        return;
      }
    }
    ranges_.emplace_hint(next, begin, bytes);
  }

  // Gives huge pages back to the system, whole ones alone, the smallest ranges first: so many bytes, or as
  // many as there are.
  void release(std::size_t bytes) {
    using Sized = std::pair<std::size_t, std::byte*>;
    std::vector<Sized, Malloc<Sized>> by_size;
    for (const auto& [begin, size] : ranges_) by_size.emplace_back(size, begin);
    std::ranges::sort(by_size);
    for (std::size_t released = 0; const auto& [size, begin] : by_size) {
      if (released >= bytes) return;
      std::byte* const first = round_up(begin, huge_page);
      if (first + huge_page > begin + size) continue;
      const std::size_t whole =
          static_cast<std::size_t>(begin + size - first) / huge_page * huge_page;
      if (munmap(first, whole) != 0) continue;  // at the limit of mappings
      cut_out(ranges_.find(begin), first, whole);
      released += whole;
    }
  }

  std::size_t bytes() const { return bytes_; }

 private:
  void cut_out(Ranges::iterator range, std::byte* first, std::size_t bytes) {
    const auto [begin, size] = *range;
    ranges_.erase(range);
    if (first > begin) ranges_.emplace(begin, static_cast<std::size_t>(first - begin));
    if (begin + size > first + bytes)
      ranges_.emplace(first + bytes, static_cast<std::size_t>(begin + size - first) - bytes);
    bytes_ -= bytes;
  }

  Ranges ranges_;
  std::size_t bytes_ = 0;
};

struct Blocks {
  std::mutex mutex;
  FreeRanges free;
  Ranges taken;
  bool keeps = may_keep();

  std::byte* take(std::size_t bytes) {
    if (std::byte* block = free.take(bytes, bytes < huge_page ? page : huge_page)) return block;
    const std::size_t mapped = round_up(bytes, huge_page);
    free.release(mapped);
    std::byte* block = map_huge_pages(mapped);
    if (block == nullptr) {
      free.release(free.bytes());
      block = map_huge_pages(mapped);
    }
    if (block != nullptr && mapped > bytes) free.add(block + bytes, mapped - bytes);
    return block;
  }
};

// Never destroyed: others give back in their destructors at the end of the process.
Blocks& blocks() {
  static Blocks& one = *new Blocks;
  return one;
}

}  // namespace

void* take_large_block(std::size_t bytes) noexcept {
  if (bytes > std::numeric_limits<std::size_t>::max() - 2 * huge_page) {
    errno = ENOMEM;
    return nullptr;
  }
  Blocks& all = blocks();
  const std::lock_guard lock(all.mutex);
  const std::size_t whole = round_up(std::max(bytes, page), page);
  std::byte* const block = all.keeps ? all.take(whole) : map(whole);
  if (block != nullptr) all.taken.emplace(block, whole);
  return block;
}

bool give_back_large_block(void* block) noexcept {
  if (reinterpret_cast<std::uintptr_t>(block) % page != 0) return false;
  Blocks& all = blocks();
  const std::lock_guard lock(all.mutex);
  const auto taken = all.taken.find(static_cast<std::byte*>(block));
  if (taken == all.taken.end()) return false;
  if (all.keeps)
    all.free.add(taken->first, taken->second);
  else
    munmap(taken->first, taken->second);
  all.taken.erase(taken);
  return true;
}

std::int64_t kept_large_block_bytes() noexcept {
  Blocks& all = blocks();
  const std::lock_guard lock(all.mutex);
  return static_cast<std::int64_t>(all.free.bytes());
}

}  // namespace steelyard
