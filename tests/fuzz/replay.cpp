// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target on every file of the folders that are given, and on every beginning of each.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/fuzz/fuzz.h"

int main(int argc, char** argv) {
  int inputs = 0;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      const std::size_t step = text.size() / 100 + 1;
      for (std::size_t size = text.size() % step; size <= text.size(); size += step, ++inputs)
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), size);
    }
  std::printf("%d inputs\n", inputs);
  return inputs > 0 ? 0 : 1;
}
