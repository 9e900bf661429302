// SPDX-License-Identifier: Apache-2.0
// Asking a vendor's management library: a value, or the reason why there is none.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <ratio>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "backends/library.h"

namespace steelyard {

template <class T>
struct Answer {
  std::optional<T> value;
  std::string reason;  // of no value
};

// A number counted in `Unit`, such as std::milli, in the SI unit.
template <class Unit, class Number>
double si(Number number) {
  return static_cast<double>(number) * Unit::num / Unit::den;
}

// Calls a function that returns 0 or a status, which `words` translates. The types of its
// parameters are those of the arguments. Empty when it succeeded, otherwise why it did not.
template <class... Arguments>
std::string ask(Library& library, std::string (*words)(Library&, int status), const char* function,
                Arguments... arguments) {
  auto* const entry = library.find<int(Arguments...)>(function);
  if (entry == nullptr) return fmt::format("the library has no {}", function);
  const int status = entry(arguments...);
  return status == 0 ? std::string() : fmt::format("{}: {}", function, words(library, status));
}

// The value of a sensor; the reason why there is none joins `missing`.
template <class T>
std::optional<T> take(std::string_view sensor, Answer<T> answer, std::string& missing) {
  if (!answer.value)
    missing += fmt::format("{}{}: {}", missing.empty() ? "" : "; ", sensor, answer.reason);
  return answer.value;
}

template <class T>
DeviceFact fact(std::string name, const Answer<T>& answer,
                DeviceFact::Use use = DeviceFact::condition) {
  return {.name = std::move(name),
          .value = answer.value ? fmt::format("{}", *answer.value) : std::string(),
          .reason = answer.reason,
          .use = use};
}

struct NamedBit {
  std::uint64_t mask = 0;
  const char* name = "";
};

// The names of the bits that are set; a bit without a name is shown as a number.
inline std::vector<std::string> set_bits(std::uint64_t bits, std::span<const NamedBit> names) {
  std::vector<std::string> set;
  for (const auto& [mask, name] : names) {
    if (bits & mask) set.emplace_back(name);
    bits &= ~mask;
  }
  if (bits != 0) set.push_back(fmt::format("unknown_{:#x}", bits));
  return set;
}

}  // namespace steelyard
