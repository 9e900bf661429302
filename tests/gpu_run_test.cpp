// SPDX-License-Identifier: Apache-2.0
// What a Run on a GPU promises: equal copies, guards, poison, restored values, graphs, and errors
// that name their place.
#include <cmath>
#include <cstring>

#include "backends/gpu/device.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"

using namespace steelyard;
using gpu::GpuDevice;
using gpu::make_run;

namespace {

const Gemm small = {
    .m = 3, .n = 5, .k = 7, .a = DType::f32, .b = DType::f32, .c = DType::f32, .beta = 1};

GpuDevice& device() {
  return dynamic_cast<GpuDevice&>(gpu_device());
}

void nothing(const Arguments&) {}

// A body that copies `bytes` of a to where `offset` bytes behind the start of `name` are.
Body overwrite(std::string_view name, std::int64_t offset, std::size_t bytes) {
  return [=](const Arguments& arguments) {
    gpu::check(gpu::copy(arguments.get<std::byte>(name) + offset, arguments.get<std::byte>("a") + 4,
                         bytes, device().stream()));
  };
}

std::string damage_of(Body body) {
  const auto run = make_run(device(), small, {}, std::move(body));
  device().time(*run, {});
  return run->damage(0);
}

}  // namespace

TEST_CASE("A GPU's operand sets hold the values of make_inputs") {
  const auto expected = make_inputs(small, Fill::normal, 7);
  const auto run = make_run(device(), small, {.seed = 7, .copies = 2}, nothing);
  for (int copy = 0; copy < 2; ++copy) {
    const HostTensor c = device().read(run->outputs(copy)[0]);
    CHECK(c.data == expected.back().data);
  }
}

TEST_CASE("Resetting a GPU's Run restores what is read and poisons what is only written") {
  Gemm problem = small;
  const auto inout = make_run(device(), problem, {}, overwrite("c", 0, 8));
  const HostTensor before = device().read(inout->outputs(0)[0]);
  device().time(*inout, {});
  CHECK(device().read(inout->outputs(0)[0]).data != before.data);
  inout->reset(0, 0);
  CHECK(device().read(inout->outputs(0)[0]).data == before.data);

  problem.beta = 0;
  const auto out = make_run(device(), problem, {}, nothing);
  out->reset(0, 0);
  CHECK(std::isnan(device().read(out->outputs(0)[0]).at(14)));
}

TEST_CASE("What a kernel must not write on a GPU is found") {
  CHECK(damage_of(nothing).empty());
  CHECK(damage_of(overwrite("c", 0, 15 * 4)).empty());
  CHECK_THAT(damage_of(overwrite("c", 15 * 4, 4)),
             ContainsSubstring("c was written 1 bytes behind"));
  CHECK_THAT(damage_of(overwrite("c", -4, 4)), ContainsSubstring("c was written"));
  CHECK_THAT(damage_of(overwrite("b", 0, 4)), ContainsSubstring("the input b was changed"));
}

TEST_CASE("A window replayed as a graph launches as often, on the same copies") {
  std::vector<const void*> seen;
  const auto run = make_run(device(), small, {.copies = 3}, [&](const Arguments& arguments) {
    seen.push_back(arguments.data("c"));
    overwrite("c", 0, 4)(arguments);
  });
  const Elapsed elapsed = device().time(*run, {.launches = 4, .first_copy = 2, .graph = true});
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == run->outputs(2)[0].data);
  CHECK(seen[1] == run->outputs(0)[0].data);
  CHECK(elapsed.host_seconds > 0);
}

TEST_CASE("Launches that are held back until all are enqueued are as many, in the same order") {
  std::vector<const void*> seen;
  const auto run = make_run(device(), small, {.copies = 3}, [&](const Arguments& arguments) {
    seen.push_back(arguments.data("c"));
    overwrite("c", 0, 4)(arguments);
  });
  bool running = false;
  const Elapsed elapsed =
      device().time(*run, {.launches = 4, .first_copy = 2, .back_to_back = true, .meanwhile = [&] {
                             running = seen.size() == 4;
                           }});
  REQUIRE(seen.size() == 4);
  CHECK(seen[0] == run->outputs(2)[0].data);
  CHECK(running);
  CHECK(elapsed.host_seconds > 0);
}

TEST_CASE("A hold that nobody ends gives up and says so") {
  const gpu::StreamHandle stream = device().stream();
  gpu::Hold hold(stream);
  if (!hold.works()) return;  // launches are synchronous here
  hold.begin(stream);
  hold.end();
  gpu::check(gpu::wait(stream));
  CHECK(hold.held());
  hold.begin(stream);
  gpu::check(gpu::wait(stream));
  CHECK_FALSE(hold.held());
}

TEST_CASE("A launch that throws while the stream is held lets it go") {
  int launches = 0;
  const auto run = make_run(device(), small, {}, [&](const Arguments&) {
    if (++launches == 2) throw std::runtime_error("planted");
  });
  CHECK_THROWS_WITH(device().time(*run, {.launches = 3, .back_to_back = true}), "planted");
  CHECK(device().time(*run, {.back_to_back = true}).device_seconds >= 0);
}

TEST_CASE("Flushing the caches before a window does no harm") {
  const auto run = make_run(device(), small, {}, overwrite("c", 0, 4));
  device().time(*run, {.flush_bytes = 1 << 20});
  device().time(*run, {.flush_bytes = 2 << 20});
  CHECK(run->damage(0).empty());
}

TEST_CASE("Derived inputs are made ahead and then sealed") {
  const auto run = make_run(device(), small, {}, nothing, {.ahead = overwrite("b", 0, 8)});
  device().time(*run, {});
  CHECK(run->damage(0).empty());
}

TEST_CASE("Memory that a GPU does not have is refused with the place of the request") {
  const auto too_much = static_cast<std::size_t>(device().info().memory_bytes) * 2;
  CHECK_THROWS_AS(gpu::Buffer<std::byte>(too_much), OutOfMemory);
  try {
    gpu::Buffer<std::byte> refused(too_much);
  } catch (const OutOfMemory& error) {
    CHECK_THAT(error.what(), ContainsSubstring("gpu.h:") && ContainsSubstring("memory"));
  }
  const auto run = make_run(device(), small, {}, nothing);  // and the device goes on
  device().time(*run, {});
}

TEST_CASE("Whether tensors fit on a GPU is found by allocating them together") {
  const std::int64_t half = device().free_bytes() / 2;
  CHECK(device().holds(std::vector<std::int64_t>{1 << 20, 1 << 20}) == true);
  CHECK(device().holds(std::vector<std::int64_t>{half + (1 << 20), half + (1 << 20)}) == false);
  CHECK(device().free_bytes() >= 2 * half);  // and all is given back
}
