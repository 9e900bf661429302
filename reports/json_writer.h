// SPDX-License-Identifier: Apache-2.0
// JSON text, written front to back.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "reports/record.h"

namespace steelyard {

// Appends `text` as a JSON string. Bytes that are not UTF-8 become U+FFFD.
void append_quoted(std::string& out, std::string_view text);

// Commas, line breaks and indentation. The caller keeps begin and end in balance and gives every
// member of an object a name.
class JsonWriter {
 public:
  enum Layout { line, lines };  // all in one line, or one member a line

  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object(Layout layout = line) { begin('{', '}', layout); }
  void begin_array(Layout layout = line) { begin('[', ']', layout); }
  void end();
  void name(std::string_view name);

  void value(std::nullptr_t);
  void value(bool value);
  void value(std::int64_t value);
  void value(int value) { this->value(std::int64_t{value}); }
  void value(double value);  // null when it is not finite
  void value(std::string_view text);
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(const char* text) { value(std::string_view(text)); }
  void value(const Scalar& scalar);

  // A time, in nanoseconds. Its decimal point moves in the text, so that reading gives the same
  // bits.
  void nanoseconds(double seconds);

  template <class T>
  void member(std::string_view name_, const T& value_) {
    name(name_);
    value(value_);
  }

  // Members whose absence is explained: a number that is not finite gets a member `<name>_reason`.
  void number(std::string_view name, double value);
  void time(std::string_view name, double seconds);
  void fields(const Fields& fields);  // all members of an object, its braces apart

 private:
  struct Level {
    char close;
    Layout layout;
    bool empty = true;
  };

  void begin(char open, char close, Layout layout);
  void separate();  // what stands between the last value and the next
  void new_line();

  std::string& out_;
  std::vector<Level> levels_;
  bool named_ = false;
};

}  // namespace steelyard
