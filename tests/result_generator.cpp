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
  const auto file = steelyard::generate_results(std::atoi(argv[1]), std::atoi(argv[2]),
                                                std::strtoull(argv[3], nullptr, 10));
  steelyard::write_results(argv[4], file);
}
