// SPDX-License-Identifier: Apache-2.0
// The threads of a block, one fiber each, and what they wait for together.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "tests/emulated_cuda/fiber.h"
#include "tests/emulated_cuda/vectors.h"

// CUDA's built-in variables, of the thread that runs.
inline uint3 threadIdx{}, blockIdx{};
inline dim3 blockDim, gridDim;
inline constexpr int warpSize = 32;

namespace emulated_cuda {

inline constexpr unsigned lanes_per_warp = 32;
using Operands = std::array<void*, lanes_per_warp>;  // by lane; null where a lane takes no part

// What a thread waits for: the lanes of `mask`, or all threads of the block where it is 0. The last
// lane to arrive calls perform with every participant's operand.
struct Meeting {
  const char* name;
  std::source_location at;
  unsigned mask = 0;
  void (*perform)(const Operands&) = nullptr;
  void* operand = nullptr;
  bool orders_memory = false;  // of a warp; barriers of a block always do
};

// A copy to shared memory that has been started and whose bytes have not arrived.
struct CopyUnderWay {
  void* to;
  const void* from;  // null: zeros
  int group;
};

struct Thread {
  Fiber fiber;
  uint3 index{};
  unsigned rank = 0;                 // x fastest, then y, then z
  const Meeting* meeting = nullptr;  // what it waits for
  bool ended = false;
  std::vector<CopyUnderWay> copies;
  int committed_groups = 0;
};

inline Thread* here = nullptr;  // the one that runs

// Suspends the thread until all participants of the meeting are there.
void meet(const Meeting& meeting);
// Lets the other threads of the block go first.
void yield();
// "(1,0,0)", of the running block's thread of that rank.
std::string thread_name(unsigned rank);
// Lanes of this warp that have not ended.
unsigned living_lanes();

// A misuse of the hardware: ends the kernel, and the message reaches the host with the launch's
// error. Called by a thread of a block; nothing on its stack is destroyed: temporary strings leak.
[[noreturn]] void fault(std::string message);

struct Launch {
  const void* kernel = nullptr;
  dim3 grid, block;
  std::size_t shared_bytes = 0;  // dynamic
  std::function<void()> body;    // the kernel with its arguments: what every thread does
};

// Runs all blocks, one after the other; the message of the fault that ended them, if one did.
std::optional<std::string> run(const Launch& launch);

}  // namespace emulated_cuda
