// SPDX-License-Identifier: Apache-2.0
// One wave of the emulated AMD GPUs whose registers a test sets, and instructions on it.
#pragma once

#include <cstring>
#include <initializer_list>
#include <memory>
#include <random>

#include "tests/amd_emulator/instruction.h"
#include "tests/amd_emulator/numbers.h"
#include "tests/amd_emulator/wave.h"
#include "tests/catch.h"

namespace amd_emulator {

// Codes of sources.
constexpr unsigned v(unsigned number) {
  return first_vector_code + number;
}
constexpr unsigned constant(int value) {  // -16 to 64
  return value < 0 ? static_cast<unsigned>(192 - value) : static_cast<unsigned>(128 + value);
}
inline constexpr unsigned one_half = 240, minus_four = 247;

// A wave whose registers a test sets, and instructions on it.
struct Machine {
  std::unique_ptr<Wave> wave = std::make_unique<Wave>();
  Instruction it;

  Machine() {
    std::memset(wave.get(), 0, sizeof(Wave));
    wave->set_exec(all_lanes);
  }
  // Prepares an instruction that writes v20, or s20.
  Machine& operation(const char* name, std::initializer_list<unsigned> sources,
                     Encoding encoding = Encoding::vop3) {
    it = {};
    it.name = name;
    it.encoding = encoding;
    it.execute = handler(name);
    it.destination = 20;
    int k = 0;
    for (const unsigned source : sources) it.source[k++] = static_cast<u16>(source);
    INFO(name);
    REQUIRE(it.execute != nullptr);
    return *this;
  }
  void run() { it.execute(*wave, it); }

  template <class T>
  void set(unsigned number, int lane, T value) {
    const auto bits = std::bit_cast<BitsOf<T>>(value);
    wave->v[number][lane] = static_cast<u32>(bits);
    if constexpr (sizeof(T) == 8) wave->v[number + 1][lane] = high(bits);
  }
  template <class T>
  T get(unsigned number, int lane) const {
    if constexpr (sizeof(T) == 8)
      return std::bit_cast<T>(pair(wave->v[number][lane], wave->v[number + 1][lane]));
    else
      return std::bit_cast<T>(static_cast<BitsOf<T>>(wave->v[number][lane]));
  }

  // The result of one lane's operands, which are constants or lie in v0, v2 and v4.
  template <class D, class... S>
  D lane(const char* name, S... values) {
    unsigned number = 0, k = 0;
    unsigned codes[3] = {};
    ((set(number, 7, values), codes[k++] = v(number), number += 2), ...);
    operation(name, {codes[0], codes[1], codes[2]});
    run();
    return get<D>(20, 7);
  }
  // The same of the scalar unit: s0, s2 and the result in s20.
  template <class D, class... S>
  D scalar(const char* name, S... values) {
    unsigned number = 0, k = 0;
    unsigned codes[3] = {};
    const auto put = [&](auto value) {
      const auto bits = std::bit_cast<BitsOf<decltype(value)>>(value);
      wave->s[number] = static_cast<u32>(bits);
      if constexpr (sizeof(value) == 8) wave->s[number + 1] = high(bits);
      codes[k++] = number;
      number += 2;
    };
    (put(values), ...);
    operation(name, {codes[0], codes[1], codes[2]}, Encoding::sop2);
    run();
    if constexpr (sizeof(D) == 8)
      return std::bit_cast<D>(pair(wave->s[20], wave->s[21]));
    else
      return std::bit_cast<D>(wave->s[20]);
  }
};

template <class T>
T random(std::mt19937_64& generator) {
  return std::bit_cast<T>(static_cast<BitsOf<T>>(generator()));
}

}  // namespace amd_emulator
