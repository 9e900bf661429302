// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace steelyard {

// Untrusted text for HTML and the SVG inside of it: between tags, and in attributes in quotes. Control
// characters, those that reorder text and invalid UTF-8 become visible escapes.
std::string html_escape(std::string_view text);

// At most `most` code points of a text; the last is … where some are missing. Of valid UTF-8.
std::string shortened(std::string_view text, std::size_t most);

}  // namespace steelyard
