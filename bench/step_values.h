// SPDX-License-Identifier: Apache-2.0
// What the tensors of a step hold before it runs.
#pragma once

#include <cstdint>

#include "backends/inputs.h"
#include "backends/transformer.h"

namespace steelyard {

// The tensor at a place of Step::tensors: a pure function of its arguments. Weights are drawn so
// that activations keep their size. Zero where an operation writes it before any reads it.
HostTensor initial_values(const Step& step, std::size_t place, Fill fill, std::uint64_t seed,
                          Encoding encoding = Encoding::ocp);

}  // namespace steelyard
