// SPDX-License-Identifier: Apache-2.0
#include "bench/suites.h"

namespace steelyard {
namespace {

constexpr std::int64_t KiB = 1 << 10, MiB = 1 << 20;

constexpr std::initializer_list<MemoryOp> streams = {
    MemoryOp::read, MemoryOp::write, MemoryOp::copy, MemoryOp::mul,
    MemoryOp::add,  MemoryOp::triad, MemoryOp::dot};

void stream(std::vector<Problem>& all, DType dtype, std::int64_t bytes) {
  for (const MemoryOp op : streams) all.push_back(Memory{op, dtype, bytes});
}

void chase(std::vector<Problem>& all, std::int64_t first, std::int64_t last, std::int64_t factor) {
  for (std::int64_t bytes = first; bytes <= last; bytes *= factor)
    all.push_back(Memory{MemoryOp::chase, DType::int32, bytes});
}

// Arrays of 128 MiB are four times the last-level cache of most CPUs; 256 MiB is BabelStream's own
// size (2^25 f64); 1 GiB is four times the Infinity Cache of an MI300X.
std::vector<Problem> problems(Suite suite) {
  std::vector<Problem> all;
  switch (suite) {
    case Suite::quick:
      stream(all, DType::f64, 128 * MiB);
      chase(all, 16 * KiB, 256 * MiB, 16);
      break;
    case Suite::gate:
      for (const MemoryOp op : {MemoryOp::copy, MemoryOp::triad, MemoryOp::dot})
        all.push_back(Memory{op, DType::f64, 128 * MiB});
      chase(all, 256 * MiB, 256 * MiB, 2);
      break;
    case Suite::standard:
      stream(all, DType::f64, 256 * MiB);
      stream(all, DType::f32, 256 * MiB);
      chase(all, 16 * KiB, 512 * MiB, 2);
      break;
    case Suite::full:
      for (const DType dtype : {DType::f64, DType::f32})
        for (std::int64_t bytes = 1 * MiB; bytes <= 1024 * MiB; bytes *= 4)
          stream(all, dtype, bytes);
      chase(all, 4 * KiB, 1024 * MiB, 2);
      break;
  }
  return all;
}

}  // namespace

const Family& memory_family() {
  static const Family family = {
      "memory", problems, Memory{.op = MemoryOp::triad, .dtype = DType::f64, .bytes = 128 * MiB}};
  return family;
}

}  // namespace steelyard
