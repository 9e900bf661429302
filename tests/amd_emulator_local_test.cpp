// SPDX-License-Identifier: Apache-2.0
// LDS instructions of the emulated AMD GPUs against plain loads and stores; those that exchange values
// between lanes against formulas for each lane; bank conflicts of known patterns.
#include <algorithm>
#include <array>

#include "tests/amd_emulator/local_banks.h"
#include "tests/amd_emulator/memory.h"
#include "tests/amd_emulator_local_waves.h"
#include "tests/catch.h"

using namespace amd_emulator_test;

namespace {

constexpr std::uint64_t some_lanes = 0x8f00ff12345678a1;

struct Width {
  const char* name;
  unsigned bytes;
  bool is_signed = false;
  int half = -1;  // of the register; -1: all of it
};

const Width reads[] = {
    {"ds_read_u8", 1},
    {"ds_read_i8", 1, true},
    {"ds_read_u16", 2},
    {"ds_read_i16", 2, true},
    {"ds_read_u8_d16", 1, false, 0},
    {"ds_read_i8_d16", 1, true, 0},
    {"ds_read_u16_d16", 2, false, 0},
    {"ds_read_u8_d16_hi", 1, false, 1},
    {"ds_read_i8_d16_hi", 1, true, 1},
    {"ds_read_u16_d16_hi", 2, false, 1},
    {"ds_read_b32", 4},
    {"ds_read_b64", 8},
    {"ds_read_b96", 12},
    {"ds_read_b128", 16},
};
const Width writes[] = {
    {"ds_write_b8", 1},
    {"ds_write_b16", 2},
    {"ds_write_b8_d16_hi", 1, false, 1},
    {"ds_write_b16_d16_hi", 2, false, 1},
    {"ds_write_b32", 4},
    {"ds_write_b64", 8},
    {"ds_write_b96", 12},
    {"ds_write_b128", 16},
};

unsigned aligned(unsigned bytes) {
  return bytes == 12 ? 4 : bytes;
}

// Every lane's address: different ones, in a random order, `offset` below where the access goes.
void scatter(LocalWaves& waves, std::mt19937& generator, unsigned bytes, unsigned offset) {
  std::array<std::uint32_t, lanes> slots;
  for (unsigned lane = 0; lane < lanes; ++lane) slots[lane] = lane;
  std::shuffle(slots.begin(), slots.end(), generator);
  for (int lane = 0; lane < lanes; ++lane)
    waves.wave().v[LocalWaves::address][lane] =
        slots[lane] * 48 + 4096 - offset + aligned(bytes) * 2;
}

std::uint32_t place(LocalWaves& waves, int lane, unsigned offset) {
  return waves.wave().v[LocalWaves::address][lane] + offset;
}

bool enabled(int lane) {
  return (some_lanes >> lane & 1) != 0;
}

// What a narrow read makes of a register that held `before`.
std::uint32_t narrow_result(const Width& width, const std::uint8_t* memory, std::uint32_t before) {
  std::uint32_t value = memory[0];
  if (width.bytes == 2) value |= static_cast<std::uint32_t>(memory[1]) << 8;
  if (width.is_signed && (value >> (8 * width.bytes - 1)) != 0) value |= ~0u << (8 * width.bytes);
  if (width.half == 0) return (before & 0xffff0000u) | (value & 0xffffu);
  if (width.half == 1) return (before & 0xffffu) | value << 16;
  return value;
}

}  // namespace

TEST_CASE("LDS is read in all widths, into the lanes that take part") {
  std::mt19937 generator(1);
  for (const Width& width : reads) {
    INFO(width.name);
    LocalWaves waves;
    waves.fill(generator);
    scatter(waves, generator, width.bytes, 96);
    Wave& wave = waves.wave();
    for (int word = 0; word < 4; ++word)
      for (int lane = 0; lane < lanes; ++lane)
        wave.v[LocalWaves::destination + word][lane] = static_cast<std::uint32_t>(generator());
    const auto before = std::make_unique<Wave>(wave);
    wave.set_exec(some_lanes);
    waves.run(width.name, 96);
    int wrong = 0;
    for (int lane = 0; lane < lanes; ++lane) {
      const std::uint8_t* memory = &waves.shadow[place(waves, lane, 96)];
      for (unsigned word = 0; word < 4; ++word) {
        std::uint32_t expected = before->v[LocalWaves::destination + word][lane];
        if (enabled(lane) && width.bytes >= 4 && word < width.bytes / 4)
          std::memcpy(&expected, memory + 4 * word, 4);
        else if (enabled(lane) && width.bytes < 4 && word == 0)
          expected = narrow_result(width, memory, expected);
        wrong += wave.v[LocalWaves::destination + word][lane] != expected;
      }
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("LDS is written in all widths, by the lanes that take part") {
  std::mt19937 generator(2);
  for (const Width& width : writes) {
    INFO(width.name);
    LocalWaves waves;
    waves.fill(generator);
    scatter(waves, generator, width.bytes, 40);
    Wave& wave = waves.wave();
    for (int lane = 0; lane < lanes; ++lane) {
      std::uint32_t words[4];
      for (int word = 0; word < 4; ++word)
        words[word] = wave.v[LocalWaves::data0 + word][lane] =
            static_cast<std::uint32_t>(generator());
      if (width.half == 1) words[0] >>= 16;
      if (enabled(lane)) std::memcpy(&waves.shadow[place(waves, lane, 40)], words, width.bytes);
    }
    wave.set_exec(some_lanes);
    waves.run(width.name, 40);
    CHECK(waves.holds_shadow());
  }
}

TEST_CASE("LDS is read and written at two addresses, counted in elements or in 64 of them") {
  std::mt19937 generator(3);
  for (const unsigned bytes : {4u, 8u}) {
    for (const unsigned stride : {1u, 64u}) {
      const std::string suffix =
          std::string(stride == 64 ? "st64" : "") + (bytes == 4 ? "_b32" : "_b64");
      INFO(suffix);
      LocalWaves waves;
      waves.fill(generator);
      Wave& wave = waves.wave();
      const unsigned first = 3 * bytes * stride, second = 9 * bytes * stride, words = bytes / 4;
      for (int lane = 0; lane < lanes; ++lane) {
        wave.v[LocalWaves::address][lane] =
            static_cast<std::uint32_t>(lane) * (stride == 64 ? bytes : 128);
        for (unsigned n = 0; n < 2; ++n) {
          std::uint32_t value[2] = {static_cast<std::uint32_t>(generator()), 7};
          for (unsigned word = 0; word < words; ++word)
            wave.v[(n == 0 ? LocalWaves::data0 : LocalWaves::data1) + word][lane] = value[word];
          std::memcpy(&waves.shadow[place(waves, lane, n == 0 ? first : second)], value, bytes);
        }
      }
      waves.run("ds_write2" + suffix, 9 << 8 | 3);
      CHECK(waves.holds_shadow());

      int wrong = 0;
      waves.run("ds_read2" + suffix, 9 << 8 | 3);
      for (int lane = 0; lane < lanes; ++lane)
        for (unsigned word = 0; word < 2 * words; ++word) {
          const unsigned offset = word < words ? first + 4 * word : second + 4 * (word - words);
          wrong += std::memcmp(&wave.v[LocalWaves::destination + word][lane],
                               &waves.shadow[place(waves, lane, offset)], 4) != 0;
        }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("A load may overwrite its addresses, and an offset may reach up from below zero") {
  std::mt19937 generator(4);
  LocalWaves waves;
  waves.fill(generator);
  Wave& wave = waves.wave();
  for (std::uint32_t lane = 0; lane < lanes; ++lane)
    wave.v[LocalWaves::address][lane] = lane * 16 - 32;
  Instruction it = LocalWaves::instruction("ds_read_b128", 32);
  it.destination = LocalWaves::address - 1;
  it.execute(wave, it);
  for (int lane = 0; lane < lanes; ++lane)
    for (int word = 0; word < 4; ++word)
      REQUIRE(std::memcmp(&wave.v[word][lane], &waves.shadow[lane * 16 + 4 * word], 4) == 0);
}

TEST_CASE("LDS is addressed by lane and M0") {
  std::mt19937 generator(5);
  LocalWaves waves;
  waves.fill(generator);
  waves.wave().s[m0] = 0xabcd0100;
  waves.run("ds_read_addtid_b32", 8);
  for (int lane = 0; lane < lanes; ++lane)
    REQUIRE(std::memcmp(&waves.wave().v[LocalWaves::destination][lane],
                        &waves.shadow[0x108 + 4 * lane], 4) == 0);
}

TEST_CASE("Values are exchanged between lanes") {
  LocalWaves waves;
  Wave& wave = waves.wave();
  const auto& result = wave.v[LocalWaves::destination];
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    wave.v[LocalWaves::data0][lane] = 1000 + lane;
    wave.v[LocalWaves::address][lane] = (lane * 7 + 3) * 4;  // beyond 64 lanes: addresses wrap
  }
  waves.run("ds_bpermute_b32");
  for (std::uint32_t lane = 0; lane < lanes; ++lane)
    REQUIRE(result[lane] == 1000 + (lane * 7 + 3) % 64);
  waves.run("ds_permute_b32");
  for (std::uint32_t lane = 0; lane < lanes; ++lane)
    REQUIRE(result[(lane * 7 + 3) % 64] == 1000 + lane);

  waves.run("ds_swizzle_b32", 0x8000 | 0b00011011);  // four lanes reversed
  for (std::uint32_t lane = 0; lane < lanes; ++lane) REQUIRE(result[lane] == 1000 + (lane ^ 3));
  waves.run("ds_swizzle_b32", 16 << 10 | 31);  // xor 16
  for (std::uint32_t lane = 0; lane < lanes; ++lane) REQUIRE(result[lane] == 1000 + (lane ^ 16));
  waves.run("ds_swizzle_b32", 5 << 5);  // lane 5 of 32, to all
  for (std::uint32_t lane = 0; lane < lanes; ++lane) REQUIRE(result[lane] == 1005 + (lane & 32));
  CHECK_THAT(fault_of([&] { waves.run("ds_swizzle_b32", 0xc020); }),
             ContainsSubstring("rotations"));
}

TEST_CASE("Lanes that take no part give zero and keep what they have") {
  LocalWaves waves;
  Wave& wave = waves.wave();
  for (std::uint32_t lane = 0; lane < lanes; ++lane) {
    wave.v[LocalWaves::data0][lane] = 1000 + lane;
    wave.v[LocalWaves::address][lane] = (lane ^ 1) * 4;
    wave.v[LocalWaves::destination][lane] = 7;
  }
  wave.set_exec(0b0110);
  waves.run("ds_bpermute_b32");
  CHECK(wave.v[LocalWaves::destination][0] == 7);
  CHECK(wave.v[LocalWaves::destination][1] == 0);
  CHECK(wave.v[LocalWaves::destination][2] == 0);
  wave.set_exec(0b0011);
  waves.run("ds_permute_b32");
  CHECK(wave.v[LocalWaves::destination][0] == 1001);
  CHECK(wave.v[LocalWaves::destination][1] == 1000);
}

namespace {

struct Cycles {
  std::uint64_t base, conflicts;
  bool operator==(const Cycles&) const = default;
};

template <class F>
Cycles cycles(LocalUse use, unsigned bytes, F address, std::uint64_t exec = all_lanes) {
  LocalWaves waves;
  std::uint32_t at[lanes];
  for (std::uint32_t lane = 0; lane < lanes; ++lane) at[lane] = address(lane);
  waves.wave().set_exec(exec);
  count_banks(waves.wave(), at, bytes, use);
  return {waves.counts.local_cycles, waves.counts.local_conflicts};
}

}  // namespace

TEST_CASE("Every lane is in one phase of an access") {
  for (const LocalUse use : {LocalUse::read, LocalUse::write, LocalUse::atomic})
    for (const unsigned bytes : {1u, 2u, 4u, 8u, 12u, 16u}) {
      std::uint64_t together = 0;
      for (const std::uint64_t phase : phases(use, bytes)) {
        CHECK((together & phase) == 0);
        together |= phase;
      }
      CHECK(together == all_lanes);
    }
}

TEST_CASE("Bank conflicts of known patterns are counted") {
  const auto rows = [](unsigned bytes) { return [=](std::uint32_t lane) { return lane * bytes; }; };
  const auto read = LocalUse::read, write = LocalUse::write, atomic = LocalUse::atomic;
  CHECK(cycles(read, 4, rows(4)) == Cycles{2, 0});
  CHECK(cycles(read, 4, rows(8)) == Cycles{2, 2});      // two lanes to a bank
  CHECK(cycles(write, 4, rows(128)) == Cycles{2, 62});  // all 32 to one bank
  CHECK(cycles(read, 4, rows(132)) == Cycles{2, 0});    // padded by a dword
  CHECK(cycles(read, 4, rows(0)) == Cycles{2, 0});      // the same dword for all
  CHECK(cycles(read, 2, rows(2)) == Cycles{2, 0});
  CHECK(cycles(atomic, 4, rows(0)) == Cycles{2, 62});
  CHECK(cycles(atomic, 4, rows(4)) == Cycles{2, 0});
  CHECK(cycles(read, 8, rows(8)) == Cycles{4, 0});
  CHECK(cycles(write, 8, rows(256)) == Cycles{4, 60});
  CHECK(cycles(read, 16, rows(16)) == Cycles{8, 0});
  CHECK(cycles(write, 16, rows(16)) == Cycles{8, 0});
  CHECK(cycles(read, 16, rows(64)) == Cycles{8, 24});  // eight lanes on two sets of banks
  CHECK(cycles(read, 4, rows(4), 1) == Cycles{1, 0});

  // Rows of 128 bytes, and in them eighths so that reads find all eight in each group of lanes. Writes,
  // which take lanes in their order, find four.
  const auto for_reads = [](std::uint32_t lane) {
    return lane * 128 + (lane % 4 + (lane % 32 < 16 ? 0 : 4)) * 16;
  };
  const auto for_writes = [](std::uint32_t lane) { return lane * 128 + lane % 8 * 16; };
  CHECK(cycles(read, 16, for_reads) == Cycles{8, 0});
  CHECK(cycles(write, 16, for_reads) == Cycles{8, 8});
  CHECK(cycles(write, 16, for_writes) == Cycles{8, 0});
}

namespace {

// What a lane with an address of its own does to global memory, counted from s[4:5] on.
Instruction global_instruction(const char* name, Wave& wave, std::uint64_t base) {
  Instruction it;
  it.name = name;
  it.execute = handler(name);
  REQUIRE(it.execute != nullptr);
  it.address_register = LocalWaves::address;
  it.data[0] = LocalWaves::data0;
  it.destination = LocalWaves::destination;
  it.scalar_address = 4;
  wave.s[4] = static_cast<std::uint32_t>(base);
  wave.s[5] = static_cast<std::uint32_t>(base >> 32);
  return it;
}

}  // namespace

TEST_CASE("Loads to LDS put a dword for each lane from where m0 says on") {
  LocalWaves waves;
  Wave& wave = waves.wave();
  std::uint32_t values[64];
  for (std::uint32_t i = 0; i < 64; ++i) values[i] = 0x80u + i;
  const std::uint64_t address = allocate(sizeof values);
  std::memcpy(host_view(address, sizeof values), values, sizeof values);
  wave.set_exec(0x2c);
  wave.s[m0] = 1024;
  for (int lane = 0; lane < lanes; ++lane)
    wave.v[LocalWaves::address][lane] = static_cast<std::uint32_t>(4 * (40 - lane));
  Instruction it = global_instruction("global_load_lds_dword", wave, address);
  it.immediate = 8;  // of both addresses
  it.execute(wave, it);
  for (const int lane : {2, 3, 5}) {
    std::uint32_t got;
    std::memcpy(&got, waves.local.read<4>(wave, static_cast<std::uint32_t>(1032 + 4 * lane)), 4);
    CHECK(got == values[42 - lane]);
  }
  CHECK(fault_of([&] { (void)waves.local.read<4>(wave, 1032 + 16); }) != "");
  it = global_instruction("global_load_lds_sbyte", wave, address);
  it.execute(wave, it);
  std::uint32_t got;
  std::memcpy(&got, waves.local.read<4>(wave, 1024 + 8), 4);
  CHECK(got == 0xffffffa6);
  CHECK(release(address));
}

TEST_CASE("Atomic operations beyond a buffer's end return 0 and change nothing") {
  LocalWaves waves;
  Wave& wave = waves.wave();
  const std::uint64_t address = allocate(8);
  const std::uint32_t values[2] = {5, 6};
  std::memcpy(host_view(address, 8), values, 8);
  wave.set_exec(3);
  wave.v[LocalWaves::address][1] = 4;
  for (int lane = 0; lane < 2; ++lane) wave.v[LocalWaves::data0][lane] = 10;
  Instruction it = global_instruction("buffer_atomic_add", wave, address);
  wave.s[6] = 4;
  wave.s[7] = 0x00027000;
  it.offset_enable = it.glc = 1;
  it.source[0] = 128;
  it.destination = it.data[0];
  it.execute(wave, it);
  CHECK(wave.v[LocalWaves::data0][0] == 5);
  CHECK(wave.v[LocalWaves::data0][1] == 0);
  std::uint32_t got[2];
  std::memcpy(got, host_view(address, 8), 8);
  CHECK(got[0] == 15);
  CHECK(got[1] == 6);
  CHECK(release(address));
}

TEST_CASE("Time passes with instructions") {
  LocalWaves waves;
  Wave& wave = waves.wave();
  waves.counts.instructions = {1, 2};
  Instruction it = global_instruction("s_memtime", wave, 0);
  it.execute(wave, it);
  CHECK(wave.s[LocalWaves::destination] == 3);
}
