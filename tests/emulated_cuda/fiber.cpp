// SPDX-License-Identifier: Apache-2.0
#include "tests/emulated_cuda/fiber.h"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdint>
#include <new>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

// Saves what a function call preserves on the old stack, and takes it from the new one.
extern "C" void emulated_cuda_switch(void** from, void* to);
asm(R"(
  .pushsection .text
  .globl emulated_cuda_switch
  .type emulated_cuda_switch, @function
emulated_cuda_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size emulated_cuda_switch, .-emulated_cuda_switch
  .popsection
)");

namespace emulated_cuda {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr std::size_t stack_bytes = 512 << 10;  // its frames are larger
#else
constexpr std::size_t stack_bytes = 128 << 10;
#endif
constexpr std::size_t guard_bytes = 4096;  // an overflow ends the program instead of another fiber

// Stacks begin this many bytes apart within their pages: at the same place in each, they would
// share the few lines of the cache that such addresses may use.
constexpr std::size_t stagger = 192, staggered_stacks = 64;

std::byte* make_stacks() {
  constexpr std::size_t pitch = stack_bytes + guard_bytes;
  void* memory = mmap(nullptr, most_fibers * pitch, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  const auto first = static_cast<std::byte*>(memory);
  for (int i = 0; i < most_fibers; ++i) mprotect(first + i * pitch, guard_bytes, PROT_NONE);
  return first;
}

}  // namespace

Fiber make_fiber(int index, void (*entry)()) {
  static std::byte* const stacks = make_stacks();
  Fiber fiber;
  fiber.stack = stacks + index * (stack_bytes + guard_bytes) + guard_bytes;
  fiber.stack_bytes = stack_bytes;
#ifdef __SANITIZE_ADDRESS__
  __asan_unpoison_memory_region(fiber.stack, stack_bytes);
#endif
  std::byte* top = fiber.stack + stack_bytes - index % staggered_stacks * stagger;
  const auto words = reinterpret_cast<std::uintptr_t*>(top);
  words[-1] = 0;  // where entry() would return to
  words[-2] = reinterpret_cast<std::uintptr_t>(entry);
  for (int i = 3; i <= 8; ++i) words[-i] = 0;  // the six saved registers
  fiber.stack_pointer = words - 8;
  return fiber;
}

Fiber host_fiber() {
  thread_local const Fiber host = [] {
    pthread_attr_t attributes;
    void* lowest = nullptr;
    Fiber fiber;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &lowest, &fiber.stack_bytes);
    pthread_attr_destroy(&attributes);
    fiber.stack = static_cast<std::byte*>(lowest);
    return fiber;
  }();
  return host;
}

void switch_fiber(Fiber& from, Fiber& to) {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_start_switch_fiber(&from.fake_stack, to.stack, to.stack_bytes);
#endif
  emulated_cuda_switch(&from.stack_pointer, to.stack_pointer);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

void begin_fiber() {
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

}  // namespace emulated_cuda
