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

// Across the link to the host, and within the device.
void copy(std::vector<Problem>& all, std::int64_t bytes) {
  for (const CopyPath path : {CopyPath::host_to_device, CopyPath::device_to_host})
    for (const bool pinned : {true, false}) all.push_back(Copy{path, pinned, bytes});
  all.push_back(Copy{CopyPath::device_to_device, true, bytes});
}

// Enqueued one by one, and replayed as one graph.
void launch(std::vector<Problem>& all, std::int64_t launches) {
  for (const bool graph : {false, true}) all.push_back(Launch{graph, launches});
}

// Arrays of 128 MiB are four times the last-level cache of most CPUs; 256 MiB is BabelStream's own
// size (2^25 f64); 1 GiB is four times the Infinity Cache of an MI300X.
std::vector<Problem> problems(Suite suite) {
  std::vector<Problem> all;
  switch (suite) {
    case Suite::quick:
      stream(all, DType::f64, 128 * MiB);
      chase(all, 16 * KiB, 256 * MiB, 16);
      copy(all, 64 * MiB);
      launch(all, 100);
      break;
    case Suite::gate:
      for (const MemoryOp op : {MemoryOp::copy, MemoryOp::triad, MemoryOp::dot})
        all.push_back(Memory{op, DType::f64, 128 * MiB});
      chase(all, 64 * MiB, 64 * MiB, 2);  // a launch of 256 MiB takes 0.1 s: 30 samples, too long
      all.push_back(Copy{CopyPath::host_to_device, true, 64 * MiB});
      launch(all, 100);
      break;
    case Suite::standard:
      stream(all, DType::f64, 256 * MiB);
      stream(all, DType::f32, 256 * MiB);
      chase(all, 16 * KiB, 512 * MiB, 2);
      for (const std::int64_t bytes : {64 * KiB, 1 * MiB, 16 * MiB, 256 * MiB}) copy(all, bytes);
      launch(all, 100);
      break;
    case Suite::full:
      for (const DType dtype : {DType::f64, DType::f32})
        for (std::int64_t bytes = 1 * MiB; bytes <= 1024 * MiB; bytes *= 4)
          stream(all, dtype, bytes);
      chase(all, 4 * KiB, 1024 * MiB, 2);
      for (std::int64_t bytes = 4 * KiB; bytes <= 1024 * MiB; bytes *= 4) copy(all, bytes);
      for (const std::int64_t launches : {1, 10, 100, 1000}) launch(all, launches);
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
