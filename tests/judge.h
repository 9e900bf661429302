// SPDX-License-Identifier: Apache-2.0
// Verdicts on kernels that a test makes up.
#pragma once

#include "backends/cpu/run.h"
#include "bench/verify.h"

namespace steelyard {

// What verification says of a CPU kernel's body, on ordinary inputs.
inline Verdict judge(const Problem& problem, const Body& body) {
  cpu::CpuDevice device;
  const auto run = cpu::make_run(problem, {}, body);
  const Truth truth(problem, Fill::normal, Inputs{}.seed, Encoding::ocp);
  return verify(device, *run, 0, truth);
}

}  // namespace steelyard
