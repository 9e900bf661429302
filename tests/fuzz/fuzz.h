// SPDX-License-Identifier: Apache-2.0
// A fuzz target: called by libFuzzer (scripts/fuzz.sh), or with the files of a corpus (replay.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}
