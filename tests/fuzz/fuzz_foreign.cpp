// SPDX-License-Identifier: Apache-2.0
// Whatever the bytes: a run of another program, or a FileError.
#include <string>

#include "reports/foreign.h"
#include "tests/fuzz/fuzz.h"

using namespace steelyard;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text(text_of(bytes, size));
  const auto attempt = [&](auto read) {
    try {
      (void)read(text, "fuzz/no/such/file.json");
    } catch (const FileError&) {
    }
  };
  attempt(format_of);
  attempt(read_google_benchmark);
  attempt(read_nvbench);
  return 0;
}
