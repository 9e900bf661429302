// SPDX-License-Identifier: Apache-2.0
// Threads of control that hand the core to each other, some nanoseconds per switch.
#pragma once

#include <cstddef>

namespace emulated_cuda {

// A stack, and where on it a thread of control goes on.
struct Fiber {
  void* stack_pointer = nullptr;
  std::byte* stack = nullptr;  // its lowest byte
  std::size_t stack_bytes = 0;
  void* fake_stack = nullptr;  // the address sanitizer's
};

// The number of fibers there may be: the threads of the largest block.
inline constexpr int most_fibers = 1024;

// A fiber that begins with entry(), which must not return, on stack `index` of most_fibers. What ran
// on that stack before is forgotten.
Fiber make_fiber(int index, void (*entry)());

// The calling thread of the host, as something to switch from and back to.
Fiber host_fiber();

// Goes on with `to`; returns when something switches back to `from`, which is the one running.
void switch_fiber(Fiber& from, Fiber& to);

// The first thing an entry does.
void begin_fiber();

}  // namespace emulated_cuda
