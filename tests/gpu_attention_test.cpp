// SPDX-License-Identifier: Apache-2.0
// Attention of a GPU against the oracle.
#include "tests/catch.h"
#include "tests/gpu_device.h"

using namespace steelyard;

TEST_CASE("x") {
  CHECK(check_every_row(Attention{.dtype=DType::bf16, .heads=1, .kv_heads=1, .queries=70, .keys=100, .head_dim=64}) == 1);
}
