// SPDX-License-Identifier: Apache-2.0
#include "reports/file_error.h"

#include <algorithm>

#include "reports/json_writer.h"

namespace steelyard {
std::string one_line(std::string_view text) {
  constexpr std::size_t longest = 400;
  std::string quoted;
  append_quoted(quoted, text.substr(0, longest));
  const auto inner = quoted.substr(1, quoted.size() - 2);
  return text.size() > longest ? inner + "..." : inner;
}

std::string pointer_step(std::string_view name) {
  std::string result = "/";
  for (char c : name) {
    if (c == '~') {
      result += "~0";
    } else if (c == '/') {
      result += "~1";
    } else {
      result += c;
    }
  }
  return result;
}

FileError file_error(const std::filesystem::path& file, std::string_view what,
                     std::string_view remedy) {
  return FileError(one_line(file.string()) + ": " + one_line(what) + "; " + one_line(remedy));
}

FileError syntax_error(const std::filesystem::path& file, std::string_view message) {
  // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
  constexpr std::string_view before_place = " at ";
  const auto place = message.find(before_place);
  if (place != message.npos) message.remove_prefix(place + before_place.size());
  return file_error(file, message, "the file is damaged: measure again or take a copy");
}

}  // namespace steelyard
