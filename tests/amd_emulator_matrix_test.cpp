// SPDX-License-Identifier: Apache-2.0
// Every dense matrix instruction of both targets against a triple loop, its broadcasts, and what it
// makes of special values.
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/wave.h"
#include "tests/amd_emulator_matrix_cases.h"
#include "tests/catch.h"

using namespace amd_emulator;
using namespace amd_emulator_test;

namespace {

// Small integers in a type's own bits; exact in all of them up to 8.
std::uint64_t encode(Element type, int value) {
  const auto sign = static_cast<std::uint64_t>(value < 0);
  const int magnitude = std::abs(value);
  if (type == i8) return static_cast<std::uint8_t>(value);
  if (type == f64) return std::bit_cast<std::uint64_t>(static_cast<double>(value));
  const auto word = std::bit_cast<std::uint32_t>(static_cast<float>(value));
  if (type == f32 || type == xf32) return word;
  if (type == bf16) return word >> 16;
  if (value == 0) return 0;
  const int exponent = std::bit_width(static_cast<unsigned>(magnitude)) - 1;
  const auto fraction = [&](int bits) {
    return static_cast<std::uint64_t>((magnitude << bits >> exponent) & ((1 << bits) - 1));
  };
  const auto biased = static_cast<std::uint64_t>(exponent);
  if (type == f16) return sign << 15 | (biased + 15) << 10 | fraction(10);
  if (type == fp8) return sign << 7 | (biased + 8) << 3 | fraction(3);
  return sign << 7 | (biased + 16) << 2 | fraction(2);  // bf8
}

// Integers that two mantissa bits hold, which bf8 needs.
int random_integer(std::mt19937& generator) {
  constexpr int values[] = {-6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 7};
  return values[generator() % std::size(values)];
}

// One wave with its registers, and an instruction on them: A at v0, B at v32, C at v64, D at a0.
struct Machine {
  std::unique_ptr<Wave> wave = std::make_unique<Wave>();
  Counts counts;
  Workgroup group{};
  Instruction it;
  Handler handler = nullptr;

  explicit Machine(const char* name) {
    std::memset(wave->v, 0, sizeof wave->v);
    group.counts = &counts;
    wave->group = &group;
    wave->set_exec(0);  // which matrix instructions ignore
    it.name = name;
    it.source[0] = first_vector_code;
    it.source[1] = first_vector_code + 32;
    it.source[2] = first_vector_code + 64;
    it.destination = 256;
    for (const NamedHandler& row : matrix_handlers())
      if (std::string(row.name) == name) handler = row.handler;
  }

  void run() {
    REQUIRE(handler != nullptr);
    handler(*wave, it);
  }

  void put(int reg, Bits at, int size, std::uint64_t value) {
    std::uint32_t& word = wave->v[reg + at.reg][at.lane];
    if (size == 64) {
      word = static_cast<std::uint32_t>(value);
      wave->v[reg + at.reg + 1][at.lane] = static_cast<std::uint32_t>(value >> 32);
    } else {
      word |= static_cast<std::uint32_t>(value << at.bit);
    }
  }
  double get(int reg, Bits at, Element type) const {
    const std::uint32_t word = wave->v[reg + at.reg][at.lane];
    if (type == i8) return static_cast<std::int32_t>(word);
    if (type != f64) return std::bit_cast<float>(word);
    const std::uint64_t high = wave->v[reg + at.reg + 1][at.lane];
    return std::bit_cast<double>(word | high << 32);
  }
};

// A, B and C of small integers, for all blocks.
struct Problem {
  const Case& shape;
  std::vector<int> a, b, c;

  Problem(const Case& of, unsigned seed) : shape(of) {
    std::mt19937 generator(seed);
    for (int n = 0; n < of.blocks * of.edge * of.depth; ++n) {
      a.push_back(random_integer(generator));
      b.push_back(random_integer(generator));
    }
    for (int n = 0; n < of.blocks * of.edge * of.edge; ++n) c.push_back(random_integer(generator));
  }

  int& a_at(int block, int i, int k) { return a[(block * shape.edge + i) * shape.depth + k]; }
  int& b_at(int block, int k, int j) { return b[(block * shape.edge + j) * shape.depth + k]; }
  int& c_at(int block, int i, int j) { return c[(block * shape.edge + i) * shape.edge + j]; }

  template <class F>
  void for_each_result(F f) {
    for (int block = 0; block < shape.blocks; ++block)
      for (int i = 0; i < shape.edge; ++i)
        for (int j = 0; j < shape.edge; ++j) f(block, i, j);
  }

  void load(Machine& machine, int c_register = 64) {
    for (int block = 0; block < shape.blocks; ++block)
      for (int i = 0; i < shape.edge; ++i)
        for (int k = 0; k < shape.depth; ++k) {
          const int a_size = size_of(shape.a), b_size = size_of(shape.b);
          machine.put(0, shape.input(i, k, block, a_size), a_size,
                      encode(shape.a, a_at(block, i, k)));
          machine.put(32, shape.input(i, k, block, b_size), b_size,
                      encode(shape.b, b_at(block, k, i)));
        }
    const Element result = shape.a == f64 ? f64 : shape.a == i8 ? i8 : f32;
    for_each_result([&](int block, int i, int j) {
      const std::uint64_t bits = result == i8 ? static_cast<std::uint32_t>(c_at(block, i, j))
                                              : encode(result, c_at(block, i, j));
      machine.put(c_register, shape.output(i, j, block), result == f64 ? 64 : 32, bits);
    });
  }

  int expected(int block, int i, int j, int c_value) {
    int sum = c_value;
    for (int k = 0; k < shape.depth; ++k) sum += a_at(block, i, k) * b_at(block, k, j);
    return sum;
  }

  int wrong(const Machine& machine, int d_register = 256) {
    int count = 0;
    for_each_result([&](int block, int i, int j) {
      const double got = machine.get(d_register, shape.output(i, j, block), shape.a);
      count += got != expected(block, i, j, c_at(block, i, j));
    });
    return count;
  }
};

template <class F>
void for_each_name(F f) {
  for (const Case& shape : cases) {
    if (shape.gfx90a != nullptr) f(shape, shape.gfx90a, shape.passes_gfx90a);
    if (shape.gfx942 != nullptr) f(shape, shape.gfx942, shape.passes_gfx942);
  }
}

const Case& find(const std::string& name) {
  for (const Case& shape : cases)
    if ((shape.gfx90a != nullptr && name == shape.gfx90a) ||
        (shape.gfx942 != nullptr && name == shape.gfx942))
      return shape;
  throw std::runtime_error("no case " + name);
}

}  // namespace

TEST_CASE("Every matrix instruction is a matrix product with AMD's register maps") {
  int names = 0;
  for_each_name([&](const Case& shape, const char* name, unsigned passes) {
    INFO(name);
    Machine machine(name);
    Problem problem(shape, 7);
    problem.load(machine);
    machine.run();
    CHECK(problem.wrong(machine) == 0);
    CHECK(machine.counts.matrix_passes == passes);
    ++names;
  });
  CHECK(names == static_cast<int>(matrix_handlers().size()));
}

TEST_CASE("Matrix instructions take accumulation registers, and write over C") {
  for_each_name([&](const Case& shape, const char* name, unsigned) {
    INFO(name);
    Machine machine(name);
    Problem problem(shape, 11);
    problem.load(machine);
    std::memcpy(machine.wave->v[300], machine.wave->v[0], sizeof machine.wave->v[0] * 64);
    machine.it.source[0] = first_accumulator_code + 300 - 256;
    machine.it.source[1] = first_accumulator_code + 332 - 256;
    machine.it.destination = 64;
    machine.run();
    CHECK(problem.wrong(machine, 64) == 0);
  });
}

TEST_CASE("Matrix instructions may move C up or down by a few registers, and overwrite A and B") {
  for (const int destination : {60, 68, 0, 32}) {
    for (const char* name :
         {"v_mfma_f32_32x32x8_f16", "v_mfma_f64_16x16x4f64", "v_mfma_i32_32x32x4i8"}) {
      INFO(name << " to v" << destination);
      Machine machine(name);
      Problem problem(find(name), 13);
      problem.load(machine);
      machine.it.destination = static_cast<std::uint16_t>(destination);
      machine.run();
      CHECK(problem.wrong(machine, destination) == 0);
    }
  }
}

TEST_CASE("Matrix instructions take constants as C") {
  const auto run = [](const char* name, unsigned code, int c) {
    INFO(name);
    Machine machine(name);
    Problem problem(find(name), 17);
    problem.load(machine);
    machine.it.source[2] = static_cast<std::uint16_t>(code);
    for (int& value : problem.c) value = c;
    machine.run();
    CHECK(problem.wrong(machine) == 0);
  };
  run("v_mfma_f32_32x32x8_f16", 128, 0);
  run("v_mfma_f32_16x16x4f32", 243, -1);
  run("v_mfma_f64_16x16x4_f64", 246, 4);
  run("v_mfma_f64_4x4x4f64", 128, 0);
  run("v_mfma_i32_16x16x32_i8", 128 + 17, 17);
  run("v_mfma_i32_4x4x4i8", 193, -1);
}

TEST_CASE("Blocks of A are broadcast by cbsz and abid") {
  for_each_name([&](const Case& shape, const char* name, unsigned) {
    if (shape.blocks == 1 || shape.a == f64) return;
    for (int cbsz = 1; 1 << cbsz <= shape.blocks; ++cbsz) {
      for (int abid = 0; abid < 1 << cbsz; ++abid) {
        INFO(name << " cbsz " << cbsz << " abid " << abid);
        Machine machine(name);
        Problem problem(shape, 19);
        problem.load(machine);
        machine.it.cbsz = static_cast<std::uint8_t>(cbsz);
        machine.it.abid = static_cast<std::uint8_t>(abid);
        machine.run();
        const Problem before = problem;
        const int group = 1 << cbsz, size = shape.edge * shape.depth;
        for (int block = 0; block < shape.blocks; ++block)
          for (int n = 0; n < size; ++n)
            problem.a[block * size + n] = before.a[(block / group * group + abid) * size + n];
        CHECK(problem.wrong(machine) == 0);
      }
    }
  });
}

// What the text of AMD's Matrix Instruction Calculator says of BLGP: which lane's B a lane gets.
int lane_by_blgp(int lane, int blgp) {
  if (blgp == 1) return lane % 32;
  if (blgp == 2) return 32 + lane % 32;
  if (blgp == 3) return (lane + 16) % 64;
  return blgp == 0 ? lane : lane % 16 + 16 * (blgp - 4);
}

TEST_CASE("Lanes of B are exchanged by blgp") {
  for (const char* name :
       {"v_mfma_f32_32x32x1_2b_f32", "v_mfma_f32_16x16x4f32", "v_mfma_f32_32x32x8f16",
        "v_mfma_f32_16x16x4_4b_bf16", "v_mfma_i32_4x4x4_16b_i8"}) {
    for (int blgp = 1; blgp < 8; ++blgp) {
      INFO(name << " blgp " << blgp);
      Machine exchanged(name), plain(name);
      Problem problem(find(name), 23);
      problem.load(exchanged);
      problem.load(plain);
      exchanged.it.blgp = static_cast<std::uint8_t>(blgp);
      exchanged.run();
      for (int reg = 32; reg < 36; ++reg)
        for (int lane = 0; lane < lanes; ++lane)
          plain.wave->v[reg][lane] = exchanged.wave->v[reg][lane_by_blgp(lane, blgp)];
      plain.run();
      CHECK(std::memcmp(plain.wave->v[256], exchanged.wave->v[256], 32 * sizeof plain.wave->v[0]) ==
            0);
    }
  }
}

TEST_CASE("On gfx942, blgp negates the operands of f64") {
  for (const char* name : {"v_mfma_f64_16x16x4_f64", "v_mfma_f64_4x4x4_4b_f64"}) {
    for (int blgp = 0; blgp < 8; ++blgp) {
      INFO(name << " blgp " << blgp);
      Machine machine(name);
      Problem problem(find(name), 29);
      problem.load(machine);
      machine.it.blgp = static_cast<std::uint8_t>(blgp);
      machine.run();
      if (blgp & 1)
        for (int& value : problem.a) value = -value;
      if (blgp & 2)
        for (int& value : problem.b) value = -value;
      if (blgp & 4)
        for (int& value : problem.c) value = -value;
      CHECK(problem.wrong(machine) == 0);
    }
  }
}

TEST_CASE("Modifiers and operands that an instruction does not take are faults that name it") {
  const auto text = [](const char* name, auto change) {
    Machine machine(name);
    change(machine.it);
    try {
      machine.run();
    } catch (const Fault& fault) {
      return std::string(fault.what());
    }
    return std::string();
  };
  CHECK_THAT(text("v_mfma_f32_32x32x8_f16", [](Instruction& it) { it.cbsz = 1; }),
             ContainsSubstring("v_mfma_f32_32x32x8_f16: cbsz"));
  CHECK_THAT(text("v_mfma_f32_32x32x4_2b_f16", [](Instruction& it) { it.abid = 1; }),
             ContainsSubstring("abid"));
  CHECK_THAT(text("v_mfma_f32_32x32x8_f16", [](Instruction& it) { it.blgp = 1; }),
             ContainsSubstring("blgp"));
  CHECK_THAT(text("v_mfma_f64_4x4x4f64", [](Instruction& it) { it.blgp = 1; }),
             ContainsSubstring("blgp"));
  CHECK_THAT(text("v_mfma_f32_32x32x8_f16", [](Instruction& it) { it.source[0] = 128; }),
             ContainsSubstring("vector registers"));
}
