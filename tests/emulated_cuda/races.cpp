// SPDX-License-Identifier: Apache-2.0
#include "tests/emulated_cuda/races.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>
#include <span>

#include "tests/emulated_cuda/block.h"
#include "tests/emulated_cuda/shared_memory.h"
#include "tests/emulated_cuda/symbols.h"

namespace emulated_cuda {
namespace {

std::uint32_t block_epoch = 1;  // counts barriers and blocks
std::uint32_t warp_epochs[most_fibers / lanes_per_warp];

// A thread's access, and when it was.
struct Visit {
  std::uint32_t block_epoch, warp_epoch;
  unsigned thread;
};
// Of a byte: two readers are enough to have one that is not the next writer.
struct History {
  Visit writer, reader, earlier_reader;
};

// All bytes between the first and the last shared variable, and their histories.
struct Shadow {
  const std::byte *begin, *end;
  History* histories;
};

Shadow make_shadow() {
  const std::span<std::byte> dynamic = dynamic_shared_memory();
  const std::byte *begin = dynamic.data(), *end = begin + dynamic.size();
  for (const std::span<std::byte> variable : shared_variables()) {
    begin = std::min<const std::byte*>(begin, variable.data());
    end = std::max<const std::byte*>(end, variable.data() + variable.size());
  }
  const std::size_t bytes = static_cast<std::size_t>(end - begin) * sizeof(History);
  void* histories = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (histories == MAP_FAILED) throw std::bad_alloc();
  return {begin, end, static_cast<History*>(histories)};
}

const Shadow& shadow() {
  static const Shadow made = make_shadow();
  return made;
}

bool is_ordered(const Visit& before, const Visit& now) {
  return before.block_epoch != now.block_epoch || before.thread == now.thread ||
         (before.thread / lanes_per_warp == now.thread / lanes_per_warp &&
          before.warp_epoch != now.warp_epoch);
}

[[noreturn]] void race(const void* place, const Visit& other, const char* now, const char* before) {
  std::string message = fmt::format(
      "thread {} {} {} that thread {} {}, and no barrier stands between the two",
      thread_name(here->rank), now, shared_name(place), thread_name(other.thread), before);
  fault(std::move(message));
}

void visit(History& history, const void* place, const Visit& now, Access access) {
  if (!is_ordered(history.writer, now))
    race(place, history.writer, access == Access::read ? "reads" : "writes", "has written");
  if (access == Access::read) {
    if (history.reader.thread != now.thread) history.earlier_reader = history.reader;
    history.reader = now;
    return;
  }
  for (const Visit& reader : {history.reader, history.earlier_reader})
    if (!is_ordered(reader, now)) race(place, reader, "writes", "has read");
  history.writer = now;
}

}  // namespace

void record_access(const void* memory, std::size_t bytes, Access access) {
  if (!here) return;  // the host's code
  const auto* first = static_cast<const std::byte*>(memory);
  const Shadow& all = shadow();
  if (first < all.begin || first >= all.end) return;
  const Visit now = {block_epoch, warp_epochs[here->rank / lanes_per_warp], here->rank};
  for (std::size_t i = 0; i < bytes; ++i)
    visit(all.histories[first - all.begin + static_cast<std::ptrdiff_t>(i)], first + i, now,
          access);
}

void order_block() {
  ++block_epoch;
}
void order_warp(unsigned warp) {
  ++warp_epochs[warp];
}

}  // namespace emulated_cuda

// What g++ calls for -fsanitize=thread. Kernels' accesses are recorded; the rest is what the host's code
// in the same files needs.
using emulated_cuda::Access;
using emulated_cuda::record_access;

extern "C" {

#define EMULATED_CUDA_ACCESSES(bytes)               \
  void __tsan_read##bytes(void* place) {            \
    record_access(place, bytes, Access::read);      \
  }                                                 \
  void __tsan_write##bytes(void* place) {           \
    record_access(place, bytes, Access::write);     \
  }                                                 \
  void __tsan_unaligned_read##bytes(void* place) {  \
    record_access(place, bytes, Access::read);      \
  }                                                 \
  void __tsan_unaligned_write##bytes(void* place) { \
    record_access(place, bytes, Access::write);     \
  }
EMULATED_CUDA_ACCESSES(1)
EMULATED_CUDA_ACCESSES(2)
EMULATED_CUDA_ACCESSES(4)
EMULATED_CUDA_ACCESSES(8)
EMULATED_CUDA_ACCESSES(16)
#undef EMULATED_CUDA_ACCESSES
void __tsan_read_range(void* place, std::size_t bytes) {
  record_access(place, bytes, Access::read);
}
void __tsan_write_range(void* place, std::size_t bytes) {
  record_access(place, bytes, Access::write);
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}

#define EMULATED_CUDA_ATOMICS(bits)                                                                \
  std::uint##bits##_t __tsan_atomic##bits##_load(const volatile std::uint##bits##_t* place, int) { \
    return __atomic_load_n(place, __ATOMIC_SEQ_CST);                                               \
  }                                                                                                \
  void __tsan_atomic##bits##_store(volatile std::uint##bits##_t* place, std::uint##bits##_t value, \
                                   int) {                                                          \
    __atomic_store_n(place, value, __ATOMIC_SEQ_CST);                                              \
  }                                                                                                \
  std::uint##bits##_t __tsan_atomic##bits##_fetch_add(volatile std::uint##bits##_t* place,         \
                                                      std::uint##bits##_t value, int) {            \
    return __atomic_fetch_add(place, value, __ATOMIC_SEQ_CST);                                     \
  }                                                                                                \
  std::uint##bits##_t __tsan_atomic##bits##_fetch_sub(volatile std::uint##bits##_t* place,         \
                                                      std::uint##bits##_t value, int) {            \
    return __atomic_fetch_sub(place, value, __ATOMIC_SEQ_CST);                                     \
  }                                                                                                \
  std::uint##bits##_t __tsan_atomic##bits##_exchange(volatile std::uint##bits##_t* place,          \
                                                     std::uint##bits##_t value, int) {             \
    return __atomic_exchange_n(place, value, __ATOMIC_SEQ_CST);                                    \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile std::uint##bits##_t* place,           \
                                                    std::uint##bits##_t* expected,                 \
                                                    std::uint##bits##_t value, int, int) {         \
    return __atomic_compare_exchange_n(place, expected, value, false, __ATOMIC_SEQ_CST,            \
                                       __ATOMIC_SEQ_CST);                                          \
  }
EMULATED_CUDA_ATOMICS(8)
EMULATED_CUDA_ATOMICS(16)
EMULATED_CUDA_ATOMICS(32)
EMULATED_CUDA_ATOMICS(64)
#undef EMULATED_CUDA_ATOMICS

}  // extern "C"
