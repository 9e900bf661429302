// SPDX-License-Identifier: Apache-2.0
#include "bench/plausibility.h"

#include "tests/catch.h"

namespace steelyard {
namespace {

const DeviceInfo h100 = {.backend = "cuda", .name = "NVIDIA H100 80GB HBM3"};
const Problem gemm =
    Gemm{.m = 8192, .n = 8192, .k = 8192, .a = DType::bf16, .b = DType::bf16, .c = DType::bf16};

// A GEMM at so many TFLOP/s.
Record at_rate(double teraflops) {
  const Work cost = work(gemm);
  Record record = {.family = "gemm", .cache = "rotate", .flops = cost.flops, .bytes = cost.bytes};
  record.timing.median_seconds = cost.flops / (teraflops * 1e12);
  return record;
}

TEST_CASE("a rate up to 5 % above the peak is possible, beyond it is not") {
  // 989.4 TFLOP/s dense at 1830 MHz.
  CHECK(too_fast(at_rate(1030), gemm, h100, {}, 0).empty());
  CHECK_THAT(too_fast(at_rate(1050), gemm, h100, {}, 0), ContainsSubstring("above the peak"));
}

TEST_CASE("the peak follows the driver's highest clock, and the measured one before it") {
  DeviceInfo faster = h100;
  faster.facts = {{"clock_max_hz", "1980000000"}};
  CHECK(too_fast(at_rate(1100), gemm, faster, {}, 0).empty());  // 989.4 x 1980 / 1830 x 1.05
  CHECK_FALSE(too_fast(at_rate(1130), gemm, faster, {}, 0).empty());
  CHECK_FALSE(too_fast(at_rate(900), gemm, faster, 1.5e9, 0).empty());  // 811 at 1500 MHz
}

TEST_CASE("each peak is taken at its own clock") {
  // Of f32 66.9 TFLOP/s at 1980 MHz: 61.8 at 1830 MHz.
  const Problem single = Gemm{.a = DType::f32, .b = DType::f32, .c = DType::f32};
  CHECK(too_fast(at_rate(69), single, h100, 1.98e9, 0).empty());
  CHECK_FALSE(too_fast(at_rate(69), single, h100, 1.83e9, 0).empty());
  CHECK(too_fast(at_rate(69), single, h100, {}, 0).empty());
}

TEST_CASE("together, devices have the sum of their peaks") {
  Record record = at_rate(1900);
  CHECK_FALSE(too_fast(record, gemm, h100, {}, 0).empty());
  record.together.resize(2);
  CHECK(too_fast(record, gemm, h100, {}, 0).empty());
}

TEST_CASE("an infinite rate and a window of two clock steps are impossible on any device") {
  const DeviceInfo unknown = {.name = "Something New"};
  Record record = at_rate(1e30);
  CHECK(too_fast(record, gemm, unknown, {}, 0).empty());  // no datasheet, no peak
  record.timing.median_seconds = 0;
  CHECK_THAT(too_fast(record, gemm, unknown, {}, 0), ContainsSubstring("infinite"));
  record.timing.median_seconds = 1e-6;
  record.timing.launches = 4;
  CHECK_THAT(too_fast(record, gemm, unknown, {}, 2e-6), ContainsSubstring("resolution"));
  CHECK(too_fast(record, gemm, unknown, {}, 1.9e-6).empty());
}

TEST_CASE("a quarter of the roofline is expected of long work, and named") {
  CHECK(slow_for_class(at_rate(250), gemm, h100).empty());
  CHECK_THAT(slow_for_class(at_rate(240), gemm, h100), ContainsSubstring("247.3 TFLOP/s"));
  CHECK(slow_for_class(at_rate(1), gemm, DeviceInfo{.name = "Something New"}).empty());
}

TEST_CASE("short work and latencies have no class to be slow for") {
  Record record = at_rate(1);
  record.flops /= 1e4;  // the roofline is at 0.1 us
  record.bytes /= 1e4;
  CHECK(slow_for_class(record, gemm, h100).empty());
  record = at_rate(1);
  record.steps = 1000;
  CHECK(slow_for_class(record, gemm, h100).empty());
  record.steps = 0;
  CHECK_FALSE(slow_for_class(record, gemm, h100).empty());
  CHECK(slow_for_class(record, Copy{}, h100).empty());  // the link's speed is no datasheet's here
}

TEST_CASE("several launches behind one flush may find the cache warm") {
  const Problem read = Memory{MemoryOp::read, DType::f64, 1 << 24};
  Record record = {.family = "memory", .cache = "flush", .bytes = 1 << 24};
  record.timing.median_seconds = record.bytes / 5e12;  // beyond HBM, not beyond the L2
  record.timing.launches = 50;
  CHECK(too_fast(record, read, h100, {}, 0).empty());
  record.timing.launches = 1;
  CHECK_FALSE(too_fast(record, read, h100, {}, 0).empty());
}

}  // namespace
}  // namespace steelyard
