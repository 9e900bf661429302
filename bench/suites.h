// SPDX-License-Identifier: Apache-2.0
// The problems of each suite: data only.
#pragma once

#include <string>
#include <vector>

#include "backends/problem.h"
#include "bench/command_line.h"

namespace steelyard {

// What one bench binary measures.
struct Family {
  std::string name;  // "gemm"
  std::vector<Problem> (*problems)(Suite suite);
  Problem basis;  // what -a axes start from
  // What --model and --layers make of a problem; null where a family has no such options.
  void (*adapt)(Problem& problem, const Options& options) = nullptr;
};

const Family& gemm_family();       // cases/gemm.cpp
const Family& attention_family();  // cases/attention.cpp
const Family& memory_family();     // cases/memory.cpp
const Family& layers_family();     // cases/layers.cpp
const Family& llm_family();        // cases/llm.cpp

// The cartesian product of the axes over the family's basis, the last axis fastest. Throws
// UsageError for a name the problem lacks, a value it cannot take or a problem that cannot exist.
std::vector<Problem> sweep(const Family& family, const std::vector<Axis>& axes);

}  // namespace steelyard
