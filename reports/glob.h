// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace steelyard {

// * ? [...] match any character, '/' too.
bool matches(const std::string& glob, const std::string& text);

// None match anything.
using Globs = std::vector<std::string>;
bool matches(const Globs& globs, const std::string& text);

// Of names that are found whatever their case.
std::string lower_case(std::string text);

}  // namespace steelyard
