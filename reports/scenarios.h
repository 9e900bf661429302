// SPDX-License-Identifier: Apache-2.0
// What models are used for, put together from their steps.
#pragma once

#include <span>

#include "reports/measurement.h"
#include "reports/render.h"

namespace steelyard {

// Uses of a model, as users name them, from the steps that they are made of.
Table scenarios(std::span<const Measurement> measurements);

// The same of a step of reinforcement learning: rollout, scoring and update, each with its share of the
// time.
Table learning(std::span<const Measurement> measurements);

}  // namespace steelyard
