// SPDX-License-Identifier: Apache-2.0
// Whatever the bytes: a result file, or a FileError. What was read can be written, and read again.
#include <cstdlib>

#include "reports/record.h"
#include "tests/fuzz/fuzz.h"

using namespace steelyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  try {
    const ResultFile file = from_json(text_of(bytes, size), "fuzz");
    const std::string text = to_json(file);
    if (to_json(from_json(text, "again")) != text) std::abort();
  } catch (const FileError&) {
  }
  return 0;
}
