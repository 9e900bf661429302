// SPDX-License-Identifier: Apache-2.0
// The parts of local_handlers() that stand in files of their own.
#pragma once

#include "tests/amd_emulator/handlers.h"

namespace amd_emulator {

std::span<const NamedHandler> local_atomic_handlers();  // ds_add_u32, ds_cmpst_rtn_b64 …
std::span<const NamedHandler>
local_exchange_handlers();  // between lanes, past LDS: ds_bpermute_b32 …

}  // namespace amd_emulator
