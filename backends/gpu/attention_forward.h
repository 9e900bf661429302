// SPDX-License-Identifier: Apache-2.0
// Attention's forward pass, for whoever needs O and LSE before a pass of its own.
#pragma once

#include "backends/gpu/device.h"

namespace steelyard::gpu {

// Of whatever pass.
Support supports_attention_forward(const Attention& p, const DeviceInfo& info);

// Computes "o" and "lse" from "q", "k" and "v" of a problem that is supported.
Body attention_forward_body(const GpuDevice& device, const Attention& p);

}  // namespace steelyard::gpu
