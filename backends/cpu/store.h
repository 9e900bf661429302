// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace steelyard::cpu {

// Nontemporal stores write whole lines past the caches, which saves reading them first.
enum class Store { temporal, nontemporal };

}  // namespace steelyard::cpu
