// SPDX-License-Identifier: Apache-2.0
// Libraries have several algorithms for one problem and a guess at the best; timing them knows it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "backends/gpu/device.h"

namespace steelyard::gpu {

// One of a library's ways to do a problem.
struct Algorithm {
  std::string description;
  Body launch;
};

// What timing several algorithms has told.
struct Choice {
  std::size_t fastest = 0;
  std::size_t failed = 0;     // algorithms that threw, and
  std::string first_failure;  // what the first of them said
};

// Times `run` after each use(0) ... use(count - 1) by the device's clock, and calls use() with the
// fastest. Leaves the outputs of every operand set poisoned. Throws std::runtime_error where all
// fail, and DeviceLost.
Choice choose_fastest(Device& device, Run& run, std::size_t count,
                      const std::function<void(std::size_t)>& use);

// A Run of the fastest of the algorithms, which it finds on its own operands. Its detail() is
// `library`, how many there were, and the description of the chosen one. A single algorithm is taken
// as it is, and so is the first where trying would change an operand that was bound.
std::unique_ptr<Run> make_fastest_run(GpuDevice& device, const Problem& problem,
                                      const Inputs& inputs, std::vector<Algorithm> algorithms,
                                      const std::string& library);

}  // namespace steelyard::gpu
