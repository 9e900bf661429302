// SPDX-License-Identifier: Apache-2.0
// What executes the instructions, by mnemonic: a table beside each group of them.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tests/amd_emulator/instruction.h"

namespace amd_emulator {

struct NamedHandler {
  const char* name;  // as Instruction::name
  Handler handler;
};

// What instructions do that change nothing here.
inline void nothing(Wave&, const Instruction&) {}

// A table whose names are put together when it is made.
class HandlerTable {
 public:
  void add(std::string name, Handler handler) {
    handlers_.push_back({names_.emplace_back(std::move(name)).c_str(), handler});
  }
  std::span<const NamedHandler> all() const { return handlers_; }

 private:
  std::deque<std::string> names_;
  std::vector<NamedHandler> handlers_;
};

std::span<const NamedHandler> scalar_handlers();   // s_*: arithmetic
std::span<const NamedHandler> control_handlers();  // s_*: exec, branches, barriers, loads
std::span<const NamedHandler> vector_handlers();   // v_*: 32-bit integers and floating point
std::span<const NamedHandler> compare_handlers();  // v_cmp*
std::span<const NamedHandler>
function_handlers();                            // v_*: roots, exponentials, rounding, division; f64
std::span<const NamedHandler> half_handlers();  // 16-bit and packed arithmetic
std::span<const NamedHandler> convert_handlers();  // v_cvt*
std::span<const NamedHandler> lane_handlers();     // between lanes: readlane, permute in registers
std::span<const NamedHandler> indexed_handlers();  // by m0; v_mov_b32
std::span<const NamedHandler> dot_handlers();      // v_dot*
std::span<const NamedHandler> matrix_handlers();   // v_mfma*
std::span<const NamedHandler> global_handlers();   // global_*, flat_*, buffer_*, scratch_*
std::span<const NamedHandler> global_atomic_handlers();  // global_atomic_*, flat_*, buffer_*
std::span<const NamedHandler> local_handlers();          // ds_read*, ds_write*
std::span<const NamedHandler> local_atomic_handlers();   // ds_add_u32, ds_cmpst_rtn_b64 …
std::span<const NamedHandler>
local_exchange_handlers();  // between lanes, past LDS: ds_bpermute_b32 …

}  // namespace amd_emulator
