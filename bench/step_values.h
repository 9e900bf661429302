// SPDX-License-Identifier: Apache-2.0
// What the tensors of a step hold before it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "backends/inputs.h"
#include "backends/transformer.h"

namespace steelyard {

// The tensor at a place of Step::tensors: a pure function of its arguments. Weights are drawn so
// that activations keep their size. Zero where an operation writes it before any reads it.
HostTensor initial_values(const Step& step, std::size_t place, Fill fill, std::uint64_t seed,
                          Encoding encoding = Encoding::ocp);

// The number that all elements of a tensor are before the step; nothing where they differ.
std::optional<double> initial_constant(const StepTensor& tensor);

// Bytes of what kept_values() returns.
std::int64_t kept_bytes(const Step& step);

// Of all tensors by their places, empty where they are constant; none at all where they would take
// more than 1 GiB: then each tier makes them one by one.
std::vector<HostTensor> kept_values(const Step& step, Fill fill, std::uint64_t seed,
                                    Encoding encoding);

}  // namespace steelyard
