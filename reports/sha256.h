// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace steelyard {

// In hexadecimal.
std::string sha256(std::string_view text);

}  // namespace steelyard
