// SPDX-License-Identifier: Apache-2.0
// result_generator ROWS SAMPLES SEED FILE: a result file of made-up rows, for tests of what reads
// them.
#include "tests/generate_results.h"

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: result_generator ROWS SAMPLES SEED FILE\n");
    return 2;
  }
  try {
    steelyard::write_results(argv[4],
                             steelyard::generate_results(std::atoi(argv[1]), std::atoi(argv[2]),
                                                         std::strtoull(argv[3], nullptr, 10)));
  } catch (const steelyard::FileError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  }
}
