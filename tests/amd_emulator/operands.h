// SPDX-License-Identifier: Apache-2.0
// Reading and writing the registers that an instruction names.
#pragma once

#include <bit>
#include <cstring>

#include "tests/amd_emulator/wave.h"

namespace amd_emulator {

// Generic pointers into LDS and private memory have these upper halves: above what a host or a device
// address can be.
inline constexpr std::uint64_t local_aperture = std::uint64_t{0x10000} << 32;
inline constexpr std::uint64_t private_aperture = std::uint64_t{0x20000} << 32;

[[noreturn]] void unknown_operand(unsigned code);

// The constants 0.5, -0.5, 1, -1, 2, -2, 4, -4 and 1/(2 pi), codes 240 to 248.
inline constexpr double inline_constants[] = {0.5, -0.5, 1, -1, 2, -2, 4, -4, 0.15915494309189532};

// A source that is the same for all lanes. Constants are 32-bit patterns; float constants those of f32.
inline std::uint32_t scalar32(const Wave& wave, const Instruction& it, unsigned code) {
  if (code < 128) return wave.s[code];
  if (code <= 192) return code - 128;
  if (code <= 208) return 192u - code;
  if (code == literal_code) return it.literal;
  if (code >= 240 && code <= 248)
    return std::bit_cast<std::uint32_t>(static_cast<float>(inline_constants[code - 240]));
  switch (code) {
    case 235:
      return static_cast<std::uint32_t>(local_aperture);
    case 237:
      return static_cast<std::uint32_t>(private_aperture);
    case 251:
      return (wave.s[vcc_lo] | wave.s[vcc_lo + 1]) == 0;
    case 252:
      return wave.exec == 0;
    case 253:
      return wave.scc;
    default:
      unknown_operand(code);
  }
}

enum class Literal : std::uint8_t { low, sign_extended, high };  // of the 32 bits in 64

inline std::uint64_t scalar64(const Wave& wave, const Instruction& it, unsigned code,
                              Literal literal = Literal::low) {
  if (code < 128) return wave.s[code] | static_cast<std::uint64_t>(wave.s[code + 1]) << 32;
  if (code <= 192) return code - 128;
  if (code <= 208) return static_cast<std::uint64_t>(192 - static_cast<std::int64_t>(code));
  if (code >= 240 && code <= 248) return std::bit_cast<std::uint64_t>(inline_constants[code - 240]);
  if (code == 235) return local_aperture;
  if (code == 237) return private_aperture;
  if (code != literal_code) return scalar32(wave, it, code);
  if (literal == Literal::high) return static_cast<std::uint64_t>(it.literal) << 32;
  if (literal == Literal::low) return it.literal;
  return static_cast<std::uint64_t>(static_cast<std::int32_t>(it.literal));
}

inline void write_scalar32(Wave& wave, unsigned number, std::uint32_t value) {
  wave.s[number] = value;
  if (number == exec_lo || number == exec_lo + 1)
    wave.set_exec(wave.s[exec_lo] | static_cast<std::uint64_t>(wave.s[exec_lo + 1]) << 32);
}
inline void write_scalar64(Wave& wave, unsigned number, std::uint64_t value) {
  wave.s[number] = static_cast<std::uint32_t>(value);
  wave.s[number + 1] = static_cast<std::uint32_t>(value >> 32);
  if (number == exec_lo) wave.set_exec(value);
}

inline bool is_vector(unsigned code) {
  return code >= first_vector_code;
}

struct alignas(64) Lanes32 {
  std::uint32_t value[lanes];
};
struct alignas(64) Lanes64 {
  std::uint64_t value[lanes];
};

inline const std::uint32_t* lanes32(Wave& wave, const Instruction& it, unsigned code,
                                    Lanes32& temporary) {
  if (is_vector(code)) return wave.v[code - first_vector_code];
  const std::uint32_t value = scalar32(wave, it, code);
  for (std::uint32_t& lane : temporary.value) lane = value;
  return temporary.value;
}
inline Lanes64 lanes64(const Wave& wave, const Instruction& it, unsigned code,
                       Literal literal = Literal::low) {
  Lanes64 result;
  if (is_vector(code)) {
    const std::uint32_t* low = wave.v[code - first_vector_code];
    const std::uint32_t* high = wave.v[code - first_vector_code + 1];
    for (int lane = 0; lane < lanes; ++lane)
      result.value[lane] = low[lane] | static_cast<std::uint64_t>(high[lane]) << 32;
  } else {
    const std::uint64_t value = scalar64(wave, it, code, literal);
    for (std::uint64_t& lane : result.value) lane = value;
  }
  return result;
}

// What one lane has in a register, or in two of them, as a value of 32 or 64 bits.
template <class T>
T lane_value(const Wave& wave, unsigned number, int lane) {
  if constexpr (sizeof(T) == 8)
    return std::bit_cast<T>(wave.v[number][lane] |
                            static_cast<std::uint64_t>(wave.v[number + 1][lane]) << 32);
  else
    return std::bit_cast<T>(wave.v[number][lane]);
}
template <class T>
void set_lane_value(Wave& wave, unsigned number, int lane, T value) {
  if constexpr (sizeof(T) == 8) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    wave.v[number][lane] = static_cast<std::uint32_t>(bits);
    wave.v[number + 1][lane] = static_cast<std::uint32_t>(bits >> 32);
  } else {
    wave.v[number][lane] = std::bit_cast<std::uint32_t>(value);
  }
}

// Lanes that do not take part keep what they had.
inline void write_lanes(Wave& wave, unsigned number, const Lanes32& from) {
  std::uint32_t* to = wave.v[number];
  for (int lane = 0; lane < lanes; ++lane)
    to[lane] = (to[lane] & ~wave.enabled[lane]) | (from.value[lane] & wave.enabled[lane]);
}
inline void write_lanes(Wave& wave, unsigned number, const Lanes64& from) {
  Lanes32 low, high;
  for (int lane = 0; lane < lanes; ++lane) {
    low.value[lane] = static_cast<std::uint32_t>(from.value[lane]);
    high.value[lane] = static_cast<std::uint32_t>(from.value[lane] >> 32);
  }
  write_lanes(wave, number, low);
  write_lanes(wave, number + 1, high);
}

}  // namespace amd_emulator
