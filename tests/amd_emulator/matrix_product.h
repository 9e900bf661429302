// SPDX-License-Identifier: Apache-2.0
// D = A B + C of a matrix instruction, on registers.
//
// Products are exact, and a result is the chain of fused multiply-adds from C along k, rounded in each
// step. The hardware adds in another order, which AMD does not publish: its last bits differ.
#pragma once

#include <algorithm>
#include <cstring>

#include "tests/amd_emulator/matrix_layout.h"
#include "tests/amd_emulator/matrix_types.h"

namespace amd_emulator {

using Registers = std::uint32_t (*)[lanes];
using ConstRegisters = const std::uint32_t (*)[lanes];

inline void combine(ConstRegisters pair, int lane, int count, double* to) {
  for (int i = 0; i < count; ++i)
    to[i] = std::bit_cast<double>(pair[0][lane + i] | std::uint64_t{pair[1][lane + i]} << 32);
}

// The elements of A or B, converted: [element of a lane][lane], so that neighbours in a row of B, or in
// a column of A, are neighbours here.
template <class Type, MatrixShape shape>
struct MatrixInput {
  using Value = typename Type::Value;
  alignas(64) Value value[shape.elements()][lanes];

  void load(ConstRegisters registers) {
    for (int element = 0; element < shape.elements(); ++element) {
      if constexpr (Type::bits == 64) {
        combine(registers + 2 * element, 0, lanes, value[element]);
      } else {
        const std::uint32_t* words = registers[element * Type::bits / 32];
        const int shift = element * Type::bits % 32;
        for (int lane = 0; lane < lanes; ++lane)
          value[element][lane] = Type::value(words[lane] >> shift);
      }
    }
  }

  // From row `row` of the block on.
  const Value* at(int block, int row, int k) const {
    const MatrixPlace place = input_place(shape, block, row, k);
    return &value[place.element][place.lane];
  }

  void take_lane_groups(const int (&pattern)[4]) {
    for (Value(&row)[lanes] : value) {
      Value from[lanes];
      std::copy_n(row, lanes, from);
      for (int lane = 0; lane < lanes; ++lane)
        row[lane] = from[pattern[lane / 16] * 16 + lane % 16];
    }
  }

  void negate() {
    for (Value(&row)[lanes] : value)
      for (Value& element : row) element = -element;
  }
};

// C as registers, or as one value where there are none.
template <class Value>
struct MatrixAddend {
  ConstRegisters registers = nullptr;
  Value constant = {};
  bool negate = false;
};

// A part of C and D: rows that lie in successive registers, columns in successive lanes.
template <class Value, int rows, int columns>
struct MatrixTile {
  static constexpr int words = sizeof(Value) / sizeof(std::uint32_t);
  alignas(64) Value value[rows][columns];

  void load(const MatrixAddend<Value>& from, MatrixPlace place) {
    for (int row = 0; row < rows; ++row) {
      ConstRegisters registers = from.registers + (place.element + row) * words;
      if (from.registers == nullptr) {
        std::fill_n(value[row], columns, from.constant);
      } else if constexpr (words == 2) {
        combine(registers, place.lane, columns, value[row]);
      } else {
        std::memcpy(value[row], &registers[0][place.lane], sizeof value[row]);
      }
      if (from.negate)
        for (Value& element : value[row]) element = -element;
    }
  }

  // The compiler makes vectors of a loop over columns only where it does not unroll it first.
  void multiply_add(const Value* a, const Value* b) {
    for (int row = 0; row < rows; ++row)
#pragma GCC unroll 1
      for (int column = 0; column < columns; ++column)
        value[row][column] = amd_emulator::multiply_add(a[row], b[column], value[row][column]);
  }

  void flush() {
    for (auto& row : value)
      for (Value& element : row) element = amd_emulator::flush(element);
  }

  void store(Registers to, MatrixPlace place) const {
    for (int row = 0; row < rows; ++row) {
      Registers registers = to + (place.element + row) * words;
      if constexpr (words == 1) {
        std::memcpy(&registers[0][place.lane], value[row], sizeof value[row]);
      } else {
        for (int column = 0; column < columns; ++column) {
          const auto bits = std::bit_cast<std::uint64_t>(value[row][column]);
          registers[0][place.lane + column] = static_cast<std::uint32_t>(bits);
          registers[1][place.lane + column] = static_cast<std::uint32_t>(bits >> 32);
        }
      }
    }
  }
};

// A strip's columns are taken this many at a time, so that they stay in vector registers while k runs,
// which the compiler sees once that loop is unrolled.
inline constexpr int tile_columns = 16;

template <MatrixShape shape, class A, class B>
void multiply(const MatrixInput<A, shape>& a, const MatrixInput<B, shape>& b,
              const MatrixAddend<typename A::Value>& c, Registers d, int cbsz, int abid) {
  using Value = typename A::Value;
  constexpr bool is_double = A::bits == 64;
  constexpr int rows = strip_rows(is_double), columns = std::min(shape.edge, tile_columns);
  for (int block = 0; block < shape.blocks; ++block) {
    const int a_block = broadcast_block(block, cbsz, abid);
    for (int row = 0; row < shape.edge; row += rows) {
      for (int column = 0; column < shape.edge; column += columns) {
        const MatrixPlace place = output_place(shape, is_double, block, row, column);
        MatrixTile<Value, rows, columns> tile;
        tile.load(c, place);
#pragma GCC unroll 32
        for (int k = 0; k < shape.depth; ++k)
          tile.multiply_add(a.at(a_block, row, k), b.at(block, column, k));
        if constexpr (flushes_results<A>) tile.flush();
        tile.store(d, place);
      }
    }
  }
}

}  // namespace amd_emulator
