// SPDX-License-Identifier: Apache-2.0
// Waves of one workgroup and their LDS, for tests of single instructions.
#pragma once

#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/local_memory.h"

namespace amd_emulator_test {

using namespace amd_emulator;

struct LocalWaves {
  static constexpr unsigned bytes = 32768;
  // Registers: addresses, two operands, and the destination.
  static constexpr int address = 1, data0 = 8, data1 = 16, destination = 24;

  LocalMemory local{bytes};
  std::vector<std::uint8_t> shadow = std::vector<std::uint8_t>(bytes);  // what LDS should hold
  Counts counts;
  Workgroup group{};
  std::vector<std::unique_ptr<Wave>> waves;

  explicit LocalWaves(unsigned count = 1) {
    local.begin_workgroup();
    group.local = &local;
    group.counts = &counts;
    for (unsigned index = 0; index < count; ++index) {
      waves.push_back(std::make_unique<Wave>());
      Wave& wave = *waves.back();
      std::memset(wave.v, 0, sizeof wave.v);
      std::memset(wave.s, 0, sizeof wave.s);
      wave.group = &group;
      wave.index = index;
      wave.set_exec(all_lanes);
    }
  }

  Wave& wave(unsigned index = 0) { return *waves[index]; }

  void fill(std::mt19937& generator) {
    for (unsigned byte = 0; byte < bytes; ++byte) {
      shadow[byte] = static_cast<std::uint8_t>(generator());
      *local.write<1>(wave(), byte) = static_cast<std::byte>(shadow[byte]);
    }
    local.pass_barrier();
  }

  bool holds_shadow() {
    local.pass_barrier();
    return std::memcmp(local.read(wave(), 0, bytes, 1), shadow.data(), bytes) == 0;
  }

  static Instruction instruction(const std::string& name, int immediate = 0) {
    Instruction it;
    for (const auto group : {local_handlers(), local_atomic_handlers(), local_exchange_handlers()})
      for (const NamedHandler& row : group)
        if (name == row.name) it.execute = row.handler, it.name = row.name;
    if (it.execute == nullptr) throw std::runtime_error("no " + name);
    it.address_register = address;
    it.data[0] = data0;
    it.data[1] = data1;
    it.destination = destination;
    it.immediate = immediate;
    return it;
  }

  void run(const std::string& name, int immediate = 0, unsigned index = 0) {
    const Instruction it = instruction(name, immediate);
    it.execute(wave(index), it);
  }

  // One lane's access, as a program would do it.
  void touch(unsigned index, const std::string& name, std::uint32_t at) {
    wave(index).set_exec(1);
    wave(index).v[address][0] = at;
    run(name, 0, index);
  }
};

// The text of the fault that `action` ends in; empty where it does not.
inline std::string fault_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "";
}

}  // namespace amd_emulator_test
