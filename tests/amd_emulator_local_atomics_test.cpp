// SPDX-License-Identifier: Apache-2.0
// Atomic operations on LDS against plain C++, lane after lane, with several lanes on one address.
#include <bit>

#include "tests/amd_emulator_local_waves.h"
#include "tests/catch.h"

using namespace amd_emulator_test;

namespace {

constexpr unsigned slots = 5;

// The names with and without "rtn"; the value by memory m, first operand d, second operand e.
template <class T>
struct Operation {
  const char* name;     // without a result; empty: there is none
  const char* returns;  // with it
  T (*value)(T m, T d, T e);
};

template <class T>
T operand(const Wave& wave, int reg, int lane) {
  if constexpr (sizeof(T) == 4)
    return std::bit_cast<T>(wave.v[reg][lane]);
  else
    return std::bit_cast<T>(wave.v[reg][lane] | static_cast<std::uint64_t>(wave.v[reg + 1][lane])
                                                    << 32);
}
template <class T>
void set_operand(Wave& wave, int reg, int lane, T value) {
  std::uint32_t words[sizeof(T) / 4];
  std::memcpy(words, &value, sizeof value);
  for (unsigned word = 0; word < sizeof(T) / 4; ++word)
    wave.v[reg + static_cast<int>(word)][lane] = words[word];
}

template <class T>
T random_value(std::mt19937& generator) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(static_cast<int>(generator() % 17) - 8);
  else if (generator() % 2 == 0)
    return static_cast<T>(generator() % 4);
  else
    return static_cast<T>(generator() | static_cast<std::uint64_t>(generator()) << 32);
}

template <class T>
void check(const Operation<T>& operation, bool returns) {
  std::mt19937 generator(6);
  const std::string name = returns ? operation.returns : operation.name;
  INFO(name);
  LocalWaves waves;
  Wave& wave = waves.wave();
  T memory[slots];
  for (unsigned slot = 0; slot < slots; ++slot) {
    memory[slot] = random_value<T>(generator);
    std::memcpy(waves.local.write<sizeof(T)>(wave, 64 + slot * sizeof(T)), &memory[slot],
                sizeof(T));
  }
  T old[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    const unsigned slot = generator() % slots;
    wave.v[LocalWaves::address][lane] = slot * sizeof(T);
    const T data = random_value<T>(generator), more = random_value<T>(generator);
    set_operand(wave, LocalWaves::data0, lane, data);
    set_operand(wave, LocalWaves::data1, lane, more);
    set_operand(wave, LocalWaves::destination, lane, T{77});
    old[lane] = T{77};
    if (lane % 3 == 0) continue;
    if (returns) old[lane] = memory[slot];
    memory[slot] = operation.value(memory[slot], data, more);
  }
  std::uint64_t exec = 0;
  for (int lane = 0; lane < lanes; ++lane)
    exec |= static_cast<std::uint64_t>(lane % 3 != 0) << lane;
  wave.set_exec(exec);
  waves.run(name, 64);
  int wrong = 0;
  for (int lane = 0; lane < lanes; ++lane)
    wrong += operand<T>(wave, LocalWaves::destination, lane) != old[lane];
  CHECK(wrong == 0);
  CHECK(std::memcmp(waves.local.read(wave, 64, sizeof memory, 1), memory, sizeof memory) == 0);
}

template <class T, std::size_t count>
void check_all(const Operation<T> (&operations)[count]) {
  for (const Operation<T>& operation : operations) {
    if (operation.name[0] != 0) check(operation, false);
    check(operation, true);
  }
}

template <class T>
T smaller(T m, T d, T) {
  return d < m ? d : m;
}
template <class T>
T larger(T m, T d, T) {
  return d > m ? d : m;
}
template <class T>
T sum(T m, T d, T) {
  return m + d;
}
template <class T>
T if_equal(T m, T d, T e) {
  return m == d ? e : m;
}

template <class T>
void check_unsigned(const char* bits, const char* type) {
  struct Row {
    const char* name;
    bool typed;  // u32 rather than b32
    bool plain;  // there is one without a result
    T (*value)(T, T, T);
  };
  const Row rows[] = {
      {"add", true, true, sum<T>},
      {"sub", true, true, [](T m, T d, T) { return m - d; }},
      {"rsub", true, true, [](T m, T d, T) { return d - m; }},
      {"inc", true, true, [](T m, T d, T) { return m >= d ? T{0} : m + 1; }},
      {"dec", true, true, [](T m, T d, T) { return m == 0 || m > d ? d : m - 1; }},
      {"min", true, true, smaller<T>},
      {"max", true, true, larger<T>},
      {"and", false, true, [](T m, T d, T) { return m & d; }},
      {"or", false, true, [](T m, T d, T) { return m | d; }},
      {"xor", false, true, [](T m, T d, T) { return m ^ d; }},
      {"mskor", false, true, [](T m, T d, T e) { return (m & ~d) | e; }},
      {"wrxchg", false, false, [](T, T d, T) { return d; }},
      {"cmpst", false, true, if_equal<T>},
  };
  for (const Row& row : rows) {
    const std::string suffix = row.typed ? type : bits, start = std::string("ds_") + row.name;
    const std::string plain = row.plain ? start + suffix : "", returns = start + "_rtn" + suffix;
    check_all<T, 1>({{plain.c_str(), returns.c_str(), row.value}});
  }
}

}  // namespace

TEST_CASE("Integers in LDS are modified atomically") {
  check_unsigned<std::uint32_t>("_b32", "_u32");
  check_unsigned<std::uint64_t>("_b64", "_u64");
  check_all<std::int32_t>(
      {{"ds_min_i32", "ds_min_rtn_i32", smaller}, {"ds_max_i32", "ds_max_rtn_i32", larger}});
  check_all<std::int64_t>(
      {{"ds_min_i64", "ds_min_rtn_i64", smaller}, {"ds_max_i64", "ds_max_rtn_i64", larger}});
  check_all<std::uint32_t>(
      {{"", "ds_wrap_rtn_b32",
        [](std::uint32_t m, std::uint32_t d, std::uint32_t e) { return m >= d ? m - d : m + e; }}});
}

TEST_CASE("Floating-point numbers in LDS are modified atomically") {
  check_all<float>({{"ds_add_f32", "ds_add_rtn_f32", sum},
                    {"ds_min_f32", "ds_min_rtn_f32", smaller},
                    {"ds_max_f32", "ds_max_rtn_f32", larger},
                    {"ds_cmpst_f32", "ds_cmpst_rtn_f32", if_equal}});
  check_all<double>({{"ds_add_f64", "ds_add_rtn_f64", sum},
                     {"ds_min_f64", "ds_min_rtn_f64", smaller},
                     {"ds_max_f64", "ds_max_rtn_f64", larger},
                     {"ds_cmpst_f64", "ds_cmpst_rtn_f64", if_equal}});
}

TEST_CASE("Pairs of f16 and bf16 in LDS are added") {
  LocalWaves waves;
  Wave& wave = waves.wave();
  wave.set_exec(3);
  const std::uint32_t one_and_two = 0x3c004000, of_bf16 = 0x3f804000;
  std::memcpy(waves.local.write<4>(wave, 0), &one_and_two, 4);
  std::memcpy(waves.local.write<4>(wave, 4), &of_bf16, 4);
  for (int lane = 0; lane < 2; ++lane) wave.v[LocalWaves::data0][lane] = one_and_two;
  waves.run("ds_pk_add_rtn_f16");
  CHECK(wave.v[LocalWaves::destination][0] == one_and_two);
  CHECK(wave.v[LocalWaves::destination][1] == 0x40004400);
  waves.run("ds_read_b32");
  CHECK(wave.v[LocalWaves::destination][0] == 0x42004600);
  for (int lane = 0; lane < 2; ++lane) wave.v[LocalWaves::data0][lane] = of_bf16;
  waves.run("ds_pk_add_bf16", 4);
  waves.run("ds_read_b32", 4);
  CHECK(wave.v[LocalWaves::destination][0] == 0x404040c0);
}

TEST_CASE("Lanes append to a counter together") {
  LocalWaves waves;
  Wave& wave = waves.wave();
  const std::uint32_t begin = 100;
  std::memcpy(waves.local.write<4>(wave, 12), &begin, 4);
  wave.s[m0] = 8;
  wave.set_exec(0xf0);
  waves.run("ds_append", 4);
  CHECK(wave.v[LocalWaves::destination][7] == 100);
  CHECK(wave.v[LocalWaves::destination][3] == 0);
  waves.run("ds_consume", 4);
  CHECK(wave.v[LocalWaves::destination][7] == 104);
}

TEST_CASE("Of a number and NaN in LDS the number stays") {
  LocalWaves waves;
  Wave& wave = waves.wave();
  wave.set_exec(1);
  const float nan = std::bit_cast<float>(0x7fc00000u), three = 3;
  std::memcpy(waves.local.write<4>(wave, 0), &nan, 4);
  wave.v[LocalWaves::data0][0] = std::bit_cast<std::uint32_t>(three);
  waves.run("ds_min_f32");
  waves.run("ds_max_rtn_f32");
  CHECK(wave.v[LocalWaves::destination][0] == std::bit_cast<std::uint32_t>(three));
}
