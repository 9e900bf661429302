// SPDX-License-Identifier: Apache-2.0
#include "bench/run.h"

int main(int argc, char** argv) {
  return steelyard::run(steelyard::llm_family(), steelyard::backends(), argc, argv);
}
