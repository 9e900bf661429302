// SPDX-License-Identifier: Apache-2.0
// Attention as the graphs that cuDNN's fused engines recognise ("scaled dot-product attention").
#pragma once

#include "backends/cuda/cudnn_graph.h"
#include "backends/problem.h"

namespace steelyard::cuda {

// The memories that the backward graph needs beside the problem's operands, both f32.
inline constexpr std::string_view dq_sum = "dq_sum";    // [batch, heads, queries, head_dim]
inline constexpr std::string_view row_sum = "row_sum";  // of dO * O: [batch, heads, queries]

// Their memories have the names of the problem's operands. The library must be open.
CudnnGraph forward_graph(const Cudnn& api, const Attention& p);
CudnnGraph backward_graph(const Cudnn& api, const Attention& p);

}  // namespace steelyard::cuda
