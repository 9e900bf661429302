// SPDX-License-Identifier: Apache-2.0
// UTF-8, read strictly: what others take for one character is never another here.
#pragma once

#include <cstddef>
#include <string_view>

namespace steelyard {

// One code point at the front of a text, or one byte that begins no valid sequence.
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 1;
  bool valid = false;
};

CodePoint first_code_point(std::string_view text);  // `text` is not empty

}  // namespace steelyard
