// SPDX-License-Identifier: Apache-2.0
#include "bench/window.h"

#include "tests/catch.h"

namespace steelyard {
namespace {

TEST_CASE("the problem and the kind of device alone fix the window") {
  const DeviceInfo cpu = {.backend = "cpu", .shares_host_memory = true}, gpu = {.backend = "cuda"};
  CHECK(launches_per_sample(Gemm{.m = 4096, .n = 4096, .k = 4096}, cpu) == 1);
  // 2 x 64^3 operations take 5.24 us at 100 GFLOP/s: 191 fill a millisecond.
  CHECK(launches_per_sample(Gemm{.m = 64, .n = 64, .k = 64}, cpu) == 191);
  // 3 x 1 MiB take 157 us at 20 GB/s.
  CHECK(launches_per_sample(Memory{MemoryOp::triad, DType::f64, 1 << 20}, cpu) == 7);
  // 2 x 4096^3 operations take 50.9 us at 2.7 PFLOP/s, 2 x 8192^3 take 407 us: long enough alone.
  CHECK(launches_per_sample(Gemm{.m = 8192, .n = 8192, .k = 8192}, gpu) == 1);
  // Nothing takes less than a launch of 2 us.
  CHECK(launches_per_sample(Gemm{.m = 4096, .n = 4096, .k = 4096}, gpu) == 20);
  CHECK(launches_per_sample(Gemm{.m = 64, .n = 64, .k = 64}, gpu) == 500);
  CHECK(launches_per_sample(Launch{.launches = 50}, gpu) == 10);
}

TEST_CASE("windows whose host time is the point, or whose enqueuing waits, are not held back") {
  CHECK(can_be_enqueued_ahead(Gemm{}));
  CHECK(can_be_enqueued_ahead(Launch{.graph = true}));
  CHECK_FALSE(can_be_enqueued_ahead(Launch{.graph = false}));
  CHECK(can_be_enqueued_ahead(Copy{.pinned = true}));
  CHECK_FALSE(can_be_enqueued_ahead(Copy{.pinned = false}));
}

TEST_CASE("rotation spans three times the last-level cache") {
  const Memory triad = {MemoryOp::triad, DType::f64, 1 << 20};  // 3 MiB
  CHECK(copies_for_rotation(triad, 32 << 20) == 32);
  CHECK(copies_for_rotation(triad, 0) == 1);
  const Memory large = {MemoryOp::triad, DType::f64, 128 << 20};
  CHECK(copies_for_rotation(large, 32 << 20) == 1);
  const Memory small = {MemoryOp::triad, DType::f64, 1 << 10};
  CHECK(copies_for_rotation(small, 256 << 20) == 4096);
  CHECK(copies_for_rotation(Transformer{}, 256 << 20) == 256);
}

}  // namespace
}  // namespace steelyard
