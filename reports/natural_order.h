// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace steelyard {

// Orders text as a reader does, numbers and sizes by their value: "64x64" before "1024x64", "16KiB"
// before "4MiB".
bool natural_less(std::string_view a, std::string_view b);

}  // namespace steelyard
