// SPDX-License-Identifier: Apache-2.0
// Streams, chains, copies and launches of a GPU against the oracle.
#include "backends/gpu/memory.h"

#include "bench/verify.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"

using namespace steelyard;

namespace {

// One element, no whole vector, one that no block's piece divides, several pieces of every variant.
constexpr std::int64_t byte_counts[] = {8, 24, 16 * 1021, (1 << 18) + 8};

constexpr MemoryOp streams[] = {MemoryOp::read, MemoryOp::write, MemoryOp::copy, MemoryOp::mul,
                                MemoryOp::add,  MemoryOp::triad, MemoryOp::dot};

gpu::GpuDevice& device() {
  return dynamic_cast<gpu::GpuDevice&>(gpu_device());
}

}  // namespace

TEST_CASE("Every stream computes what the oracle does, at whole vectors and at ragged ends") {
  for (const MemoryOp op : streams)
    for (const DType type : {DType::f64, DType::f32})
      for (const std::int64_t bytes : byte_counts)
        CHECK(check_every_row(Memory{op, type, bytes}) == 1);
}

TEST_CASE("Every variant of a stream computes the same") {
  for (const MemoryOp op : {MemoryOp::triad, MemoryOp::dot}) {
    const Memory problem = {op, DType::f32, (1 << 18) + 4};
    const Truth truth(problem, Fill::normal, 42, Encoding::ocp);
    for (const gpu::StreamVariant& variant : gpu::stream_variants()) {
      INFO(variant.name());
      const auto run = gpu::prepare_stream(variant, device(), problem, {});
      CHECK(verify(device(), *run, 0, truth).ok);
    }
  }
}

TEST_CASE("A chase ends where the chain of links leads") {
  for (const std::int64_t bytes : {128, 4096, 1 << 18})
    CHECK(check_every_row(Memory{MemoryOp::chase, DType::int32, bytes}) == 1);
}

TEST_CASE("Copies arrive whole, from pinned and pageable memory and within the device") {
  for (const CopyPath path :
       {CopyPath::host_to_device, CopyPath::device_to_host, CopyPath::device_to_device})
    for (const bool pinned : {true, false})
      CHECK(check_every_row(Copy{path, pinned, (1 << 16) + 3}) == 1);
}

TEST_CASE("Empty kernels are launched one by one and as a graph") {
  for (const bool graph : {false, true}) {
    CHECK(check_every_row(Launch{.graph = graph, .launches = 10}) == 1);
    const auto run = [&] {
      for (const Kernel& kernel : gpu_backend().kernels)
        if (kernel.name == "empty_kernel")
          return kernel.prepare(gpu_device(), Launch{.graph = graph, .launches = 10}, {});
      return std::unique_ptr<Run>();
    }();
    REQUIRE(run != nullptr);
    CHECK(gpu_device().time(*run, {.launches = 3}).host_seconds > 0);
  }
}
