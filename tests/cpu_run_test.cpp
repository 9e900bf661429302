// SPDX-License-Identifier: Apache-2.0
// What a Run of the CPU promises: equal copies, guards, poison, restored values, bound tensors.
#include "backends/cpu/run.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "tests/catch.h"

using namespace steelyard;
using cpu::CpuDevice;
using cpu::make_run;

namespace {

void nothing(const Arguments&) {}

const Gemm small = {.m = 3, .n = 5, .k = 7, .a = DType::f32, .b = DType::f32, .c = DType::f32};

Gemm with_output(DType type, double beta = 0) {
  Gemm problem = small;
  problem.c = type;
  problem.beta = beta;
  return problem;
}

std::uint32_t word(const HostTensor& tensor, std::size_t index) {
  std::uint32_t value;
  std::memcpy(&value, tensor.data.data() + index * sizeof value, sizeof value);
  return value;
}

}  // namespace

TEST_CASE("A launch works on the operands of the copy it names") {
  std::vector<const void*> seen;
  const auto run = make_run(small, {.copies = 3}, [&](const Arguments& arguments) {
    seen.push_back(arguments.data("c"));
  });
  for (const int copy : {2, 0, 1}) run->launch(copy);
  REQUIRE(run->copies() == 3);
  CHECK(seen[0] == run->outputs(2)[0].data);
  CHECK(seen[1] == run->outputs(0)[0].data);
  CHECK(seen[2] == run->outputs(1)[0].data);
}

TEST_CASE("Every copy holds the values of make_inputs, aligned to 64 bytes") {
  const std::vector<HostTensor> expected = make_inputs(small, Fill::normal, 7);
  const auto run = make_run(small, {.seed = 7, .copies = 2}, [&](const Arguments& arguments) {
    for (const HostTensor& tensor : expected) {
      const void* data = arguments.data(tensor.operand.name);
      CHECK(std::memcmp(data, tensor.data.data(), tensor.data.size()) == 0);
      CHECK(reinterpret_cast<std::uintptr_t>(data) % 64 == 0);
    }
  });
  run->launch(0);
  run->launch(1);
}

TEST_CASE(
    "Inputs that are made already are taken, and those that are updated are restored from them") {
  const Gemm problem = with_output(DType::f32, 1);
  std::vector<HostTensor> made = make_inputs(problem, Fill::normal, 7);
  for (HostTensor& tensor : made) tensor.data[0] ^= std::byte{1};  // as make_inputs gives nothing
  const auto run =
      make_run(problem, {.seed = 7, .copies = 2, .made = made}, [&](const Arguments& arguments) {
        for (const HostTensor& tensor : made)
          CHECK(std::memcmp(arguments.data(tensor.operand.name), tensor.data.data(),
                            tensor.data.size()) == 0);
        std::memset(arguments.data("c"), 0, 8);
      });
  run->launch(1);
  run->reset(1);
  run->launch(1);
}

TEST_CASE("Constants are what make_inputs would give, and are restored") {
  CpuDevice device;
  for (const DType type : {DType::f32, DType::bf16, DType::fp8_e4m3, DType::int8, DType::int4})
    for (const Fill fill : {Fill::ones, Fill::zeros}) {
      CAPTURE(name(type));
      const Gemm problem = {.m = 3,
                            .n = 5,
                            .k = 7,
                            .a = type,
                            .b = type,
                            .c = is_integer(type) ? DType::int32 : DType::f32,
                            .beta = 1};
      const auto run = make_run(problem, {.fill = fill}, [](const Arguments& arguments) {
        std::memset(arguments.data("c"), 0x3c, 8);
      });
      run->launch(0);
      run->reset(0);
      const std::vector<HostTensor> expected = make_inputs(problem, fill, 42);
      for (const Tensor& tensor : run->tensors(0)) {
        const auto same = std::ranges::find(expected, tensor.operand.name,
                                            [](const HostTensor& t) { return t.operand.name; });
        REQUIRE(same != expected.end());
        CHECK(device.read(tensor).values() == same->values());
        const HostTensor seen = device.look_at(tensor);
        CHECK(seen.values() == same->values());
        CHECK(seen.data.data() == tensor.data);  // no copy
      }
    }
}

TEST_CASE("What is given as a constant stays one beside inputs that are made") {
  CpuDevice device;
  const Gemm problem = with_output(DType::f32, 1);
  std::vector<HostTensor> made = make_inputs(problem, Fill::normal, 7);
  std::erase_if(made, [](const HostTensor& t) { return t.operand.name == "c"; });
  Inputs inputs = {.made = made};
  inputs.constants = {{"c", 2.5}};
  const auto run = make_run(problem, inputs, nothing);
  CHECK(device.read(run->outputs(0)[0]).values() == std::vector<double>(15, 2.5));
}

TEST_CASE("An unknown tensor is named") {
  const auto run = make_run(small, {}, [](const Arguments& arguments) { arguments.data("d"); });
  CHECK_THROWS_WITH(run->launch(0), ContainsSubstring("named d"));
}

TEST_CASE("A write in front of, behind or into an operand is found and named") {
  const auto damage_of = [](std::string_view name, std::int64_t offset) {
    const auto run = make_run(small, {.guard_bytes = 128}, [=](const Arguments& arguments) {
      arguments.get<char>(name)[offset] ^= 1;
    });
    CHECK(run->damage(0).empty());
    run->launch(0);
    return run->damage(0);
  };
  CHECK(damage_of("c", -1) == "c was written 1 bytes in front of its first byte");
  CHECK(damage_of("a", -128) == "a was written 128 bytes in front of its first byte");
  CHECK(damage_of("c", 3 * 5 * 4) == "c was written 1 bytes behind its last byte");
  CHECK(damage_of("b", 7 * 5 * 4 + 100) == "b was written 101 bytes behind its last byte");
  CHECK(damage_of("b", 7 * 5 * 4 - 1) == "the input b was changed");
  CHECK(damage_of("a", 0) == "the input a was changed");
  CHECK(damage_of("c", 0).empty());  // an output is there to be written
}

TEST_CASE("Damage to one copy is not damage to another") {
  const auto run = make_run(small, {.copies = 2},
                            [](const Arguments& arguments) { arguments.get<char>("a")[0] ^= 1; });
  run->launch(1);
  CHECK(run->damage(0).empty());
  CHECK_FALSE(run->damage(1).empty());
}

TEST_CASE("A pure output is poisoned with NaN, from the start and after a reset") {
  CpuDevice device;
  const DType type = GENERATE(DType::f64, DType::f32, DType::tf32, DType::f16, DType::bf16,
                              DType::fp8_e4m3, DType::fp8_e5m2);
  const auto run = make_run(with_output(type), {}, [](const Arguments& arguments) {
    std::memset(arguments.data("c"), 0,
                static_cast<std::size_t>(bytes(arguments.tensor("c").operand)));
  });
  const auto all_nan = [&] {
    for (const double value : device.read(run->outputs(0)[0]).values())
      if (!std::isnan(value)) return false;
    return true;
  };
  CHECK(all_nan());
  run->launch(0);
  CHECK_FALSE(all_nan());
  run->reset(0);
  CHECK(all_nan());
  CHECK(run->damage(0).empty());
}

TEST_CASE("The poison of integers differs from round to round in every element") {
  CpuDevice device;
  const auto run = make_run(with_output(DType::int32), {}, nothing);
  run->reset(0, 0);
  const HostTensor first = device.read(run->outputs(0)[0]);
  run->reset(0, 1);
  const HostTensor second = device.read(run->outputs(0)[0]);
  for (std::size_t i = 0; i < 3 * 5; ++i) CHECK(word(first, i) != word(second, i));
}

TEST_CASE("A tensor that is read and written gets its first values back") {
  CpuDevice device;
  const Gemm problem = with_output(DType::f32, 1);
  const auto run = make_run(
      problem, {}, [](const Arguments& arguments) { arguments.get<float>("c")[4] = 1234; });
  const std::vector<double> before = device.read(run->outputs(0)[0]).values();
  CHECK(before == make_inputs(problem, Fill::normal, 42)[2].values());
  run->launch(0);
  CHECK(device.read(run->outputs(0)[0]).at(4) == 1234);
  run->reset(0);
  CHECK(device.read(run->outputs(0)[0]).values() == before);
}

TEST_CASE("Bound tensors are used as they are and stay untouched") {
  const std::vector<float> a(3 * 7, 2.5f);
  std::vector<float> c(3 * 5, 1.f);
  Operand a_operand = operands(small)[0], c_operand = operands(small)[2];
  const Inputs inputs = {
      .copies = 2, .bound = {{a_operand, const_cast<float*>(a.data())}, {c_operand, c.data()}}};
  const auto run = make_run(small, inputs, [&](const Arguments& arguments) {
    CHECK(arguments.data("a") == a.data());
    CHECK(arguments.data("b") != nullptr);
  });
  for (const int copy : {0, 1}) {
    CHECK(run->outputs(copy)[0].data == c.data());
    run->launch(copy);
    run->reset(copy);
    CHECK(run->damage(copy).empty());
  }
  CHECK(a == std::vector<float>(3 * 7, 2.5f));
  CHECK(c == std::vector<float>(3 * 5, 1.f));
}

TEST_CASE("A bound tensor of another shape is refused by name") {
  float value = 0;
  const Inputs inputs = {.bound = {{{"a", DType::f32, {1}}, &value}}};
  CHECK_THROWS_WITH(make_run(small, inputs, nothing), ContainsSubstring("bound tensor a"));
}

TEST_CASE("What can be done ahead is done once to every operand set") {
  std::vector<const void*> prepared;
  const auto run = make_run(small, {.copies = 2}, nothing, "with weights reordered",
                            [&](const Arguments& set) { prepared.push_back(set.data("b")); });
  run->launch(0);
  CHECK(prepared.size() == 2);
  CHECK(prepared[0] != prepared[1]);
  CHECK(run->detail() == "with weights reordered");
}

TEST_CASE("The footprint counts every tensor, its guards and its alignment, once per copy") {
  // a 84, b 140 and c 60 bytes in lines of 64, with two guards of 100 bytes (two lines) each
  CHECK(footprint(small, {.guard_bytes = 100}) == (128 + 192 + 64) + 3 * 2 * 128);
  CHECK(footprint(small, {.copies = 5, .guard_bytes = 0}) == 5 * (128 + 192 + 64));
  const Inputs bound = {.guard_bytes = 0, .bound = {{operands(small)[1], nullptr}}};
  CHECK(footprint(small, bound) == 128 + 64);
}

TEST_CASE("A window launches as often as asked, over the copies in turn") {
  CpuDevice device;
  std::vector<const void*> seen;
  const auto run = make_run(small, {.copies = 3}, [&](const Arguments& arguments) {
    seen.push_back(arguments.data("c"));
  });
  const Elapsed elapsed =
      device.time(*run, {.launches = 4, .first_copy = 2, .flush_bytes = 1 << 20});
  REQUIRE(seen.size() == 4);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(seen[i] == run->outputs(static_cast<int>(2 + i) % 3)[0].data);
  CHECK(elapsed.device_seconds > 0);
  CHECK(elapsed.host_seconds >= elapsed.device_seconds);
}
