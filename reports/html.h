// SPDX-License-Identifier: Apache-2.0
// One file that needs no other and no network: its policy allows its own style and script alone.
#pragma once

#include <string>

#include "reports/document.h"

namespace steelyard {

std::string html(const Document& document);

}  // namespace steelyard
