// SPDX-License-Identifier: Apache-2.0
#include "reports/html_escape.h"

#include "reports/layout.h"
#include "reports/render.h"
#include "reports/utf8.h"

namespace steelyard {

std::string html_escape(std::string_view untrusted) {
  std::string result;
  for (const char c : printable(untrusted)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string shortened(std::string_view text, std::size_t most) {
  if (code_points(text) <= most) return std::string(text);
  std::string_view rest = text;
  for (std::size_t i = 1; i < most; ++i) rest.remove_prefix(first_code_point(rest).length);
  return std::string(text.substr(0, text.size() - rest.size())) + "…";
}

}  // namespace steelyard
