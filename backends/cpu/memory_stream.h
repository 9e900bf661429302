// SPDX-License-Identifier: Apache-2.0
// One thread's share of a memory operation: what memory_stream.cpp, compiled once per instruction
// set, offers to memory.cpp, compiled once.
#pragma once

#include <cstdint>

#include "backends/cpu/store.h"
#include "backends/problem.h"

namespace steelyard::cpu {

// One of the two, or neither for an operation or type that no kernel has. Arrays start at a
// multiple of 64 bytes; x and y are null where the operation reads fewer.
struct StreamKernel {
  void (*map)(void* out, const void* x, const void* y, std::int64_t count) = nullptr;
  double (*sum)(const void* x, const void* y, std::int64_t count) = nullptr;
};

namespace baseline {
StreamKernel stream_kernel(MemoryOp op, DType type, Store store);
}
namespace v3 {
StreamKernel stream_kernel(MemoryOp op, DType type, Store store);
}
namespace v4 {
StreamKernel stream_kernel(MemoryOp op, DType type, Store store);
}
namespace v4_dot {
StreamKernel stream_kernel(MemoryOp op, DType type, Store store);
}

}  // namespace steelyard::cpu
