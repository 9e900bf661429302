// SPDX-License-Identifier: Apache-2.0
#include "reports/json_writer.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>

#include "reports/utf8.h"

namespace steelyard {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view not_finite = "not a finite number";

void append_escaped(std::string& out, char c) {
  constexpr std::string_view special = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt",
                             hex = "0123456789abcdef";
  if (const auto at = special.find(c); at != special.npos) {
    out += {'\\', letters[at]};
  } else if (static_cast<unsigned char>(c) < 0x20) {
    out += {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
  } else {
    out += c;
  }
}

// The shortest digits that read back as `value`, and the power of ten of the first of them.
struct Decimal {
  bool negative = false;
  std::string digits;
  int exponent = 0;
};

Decimal decimal(double value) {
  char buffer[32];
  const auto written =
      std::to_chars(buffer, std::end(buffer), std::abs(value), std::chars_format::scientific);
  const std::string_view text(buffer, written.ptr);  // "1.25e-06"
  const auto e = text.find('e');
  Decimal result{.negative = std::signbit(value), .digits = std::string(text.substr(0, e))};
  std::erase(result.digits, '.');
  std::from_chars(&text[e + 2], written.ptr, result.exponent);
  if (text[e + 1] == '-') result.exponent = -result.exponent;
  return result;
}

// Plain digits where a reader can still count them, an exponent elsewhere.
void append_decimal(std::string& out, const Decimal& number) {
  const auto& [negative, digits, exponent] = number;
  const int count = static_cast<int>(digits.size());
  if (negative) out += '-';
  if (exponent < -5 || exponent > 17) {
    out += digits[0];
    if (count > 1) out.append(".").append(digits, 1);
    out.append("e").append(std::to_string(exponent));
  } else if (exponent < 0) {
    out.append("0.").append(-exponent - 1, '0').append(digits);
  } else if (count <= exponent + 1) {
    out.append(digits).append(exponent + 1 - count, '0').append(".0");
  } else {
    out.append(digits, 0, exponent + 1).append(".").append(digits, exponent + 1);
  }
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto [value, length, valid] = first_code_point(text);
    if (value < 0x80 && valid) {
      append_escaped(out, text[0]);
    } else {
      out += valid ? text.substr(0, length) : replacement;
    }
    text.remove_prefix(length);
  }
  out += '"';
}

void JsonWriter::begin(char open, char close, Layout layout) {
  separate();
  out_ += open;
  levels_.push_back({close, layout});
}

void JsonWriter::end() {
  const Level level = levels_.back();
  levels_.pop_back();
  if (level.layout == lines && !level.empty) new_line();
  out_ += level.close;
}

void JsonWriter::new_line() {
  out_ += '\n';
  out_.append(2 * levels_.size(), ' ');
}

void JsonWriter::separate() {
  if (named_ || levels_.empty()) {
    named_ = false;
    return;
  }
  Level& level = levels_.back();
  if (!level.empty) out_ += ',';
  if (level.layout == lines) {
    new_line();
  } else if (!level.empty) {
    out_ += ' ';
  }
  level.empty = false;
}

void JsonWriter::name(std::string_view name) {
  separate();
  append_quoted(out_, name);
  out_ += ": ";
  named_ = true;
}

void JsonWriter::value(std::nullptr_t) {
  separate();
  out_ += "null";
}

void JsonWriter::value(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::value(std::int64_t value) {
  separate();
  out_ += std::to_string(value);
}

void JsonWriter::value(double value) {
  if (!std::isfinite(value)) return this->value(nullptr);
  separate();
  append_decimal(out_, decimal(value));
}

void JsonWriter::value(std::string_view text) {
  separate();
  append_quoted(out_, text);
}

void JsonWriter::value(const Scalar& scalar) {
  std::visit([this](const auto& held) { value(held); }, scalar);
}

void JsonWriter::nanoseconds(double seconds) {
  if (!std::isfinite(seconds * 1e9)) return value(nullptr);
  separate();
  Decimal number = decimal(seconds);
  if (seconds != 0) number.exponent += 9;
  append_decimal(out_, number);
}

void JsonWriter::number(std::string_view name, double value) {
  member(name, value);
  if (!std::isfinite(value)) member(std::string(name) + "_reason", not_finite);
}

void JsonWriter::time(std::string_view name_, double seconds) {
  name(name_);
  nanoseconds(seconds);
  if (!std::isfinite(seconds * 1e9)) member(std::string(name_) + "_reason", not_finite);
}

void JsonWriter::fields(const Fields& fields) {
  const auto explained = [&](const std::string& name) {
    return std::ranges::any_of(fields,
                               [&](auto& field) { return field.first == name + "_reason"; });
  };
  for (const auto& [name, scalar] : fields) {
    const double* value = std::get_if<double>(&scalar);
    if (value && !std::isfinite(*value) && !explained(name)) {
      number(name, *value);
    } else {
      member(name, scalar);
    }
  }
}

}  // namespace steelyard
