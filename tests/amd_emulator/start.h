// SPDX-License-Identifier: Apache-2.0
// The state that the hardware starts waves in ("User Guide for AMDGPU Backend" of LLVM, section "Initial
// Kernel Execution State").
#pragma once

#include <cstdint>

#include "tests/amd_emulator/launch.h"

namespace amd_emulator {

class Start {
 public:
  // Throws Fault where the kernel wants what is not emulated.
  Start(const Launch& launch, std::uint64_t arguments);
  ~Start();
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;

  unsigned waves() const { return waves_; }  // of a workgroup

  // Private memory for one workgroup at a time.
  void give_scratch(Workgroup& group);

  // Registers that are not set up hold `unwritten`.
  void prepare(Wave& wave, Workgroup& group, unsigned index, std::uint32_t unwritten) const;

 private:
  void set_scalar_registers(Wave& wave, const Workgroup& group) const;

  const Launch& launch_;
  std::uint64_t arguments_;
  unsigned threads_, waves_;
  std::uint64_t scratch_ = 0;
};

}  // namespace amd_emulator
