// SPDX-License-Identifier: Apache-2.0
// Where a matrix instruction keeps the elements of D = A B + C: in which lane and in which register of
// an operand. As AMD publishes it, formula by formula, in its Matrix Instruction Calculator
// (github.com/ROCm/amd_matrix_instruction_calculator, --detail-instruction), for MI200 and MI300 alike;
// all places of all instructions here were compared with that tool's.
#pragma once

#include "tests/amd_emulator/wave.h"

namespace amd_emulator {

// `blocks` independent products: A is edge x depth, B depth x edge, C and D edge x edge.
struct MatrixShape {
  int edge, depth, blocks;

  // How many elements of A, or of B, a lane holds: neighbours in k, packed into its registers.
  constexpr int elements() const { return edge * depth * blocks / lanes; }
  // How many elements of D a lane holds.
  constexpr int results() const { return edge * edge * blocks / lanes; }
};

// An element's place: of A and B `element` counts within the lane, of D it is a register (of f64: a
// pair of them).
struct MatrixPlace {
  int lane, element;
};

// A[row][k] of a block; B[k][column] lies where A's element of that row would. Lanes run over the
// rows, then the blocks, then groups of k.
constexpr MatrixPlace input_place(MatrixShape shape, int block, int row, int k) {
  const int group = k / shape.elements();
  return {.lane = (group * shape.blocks + block) * shape.edge + row,
          .element = k % shape.elements()};
}

// D's rows come in strips: that many rows lie in successive registers of the same lanes.
constexpr int strip_rows(bool f64) {
  return f64 ? 1 : 4;
}

// D[row][column] of a block. Strips fill the lanes before they go on to further registers; where a
// block is too small to fill them, blocks lie beside each other.
constexpr MatrixPlace output_place(MatrixShape shape, bool f64, int block, int row, int column) {
  const int height = strip_rows(f64), strip = row / height;
  const int strips = shape.edge / height, strips_side_by_side = lanes / shape.edge;
  if (strips * shape.edge < lanes)
    return {.lane = (strip * shape.blocks + block) * shape.edge + column, .element = row % height};
  return {.lane = strip % strips_side_by_side * shape.edge + column,
          .element = block * shape.edge * shape.edge / lanes +
                     strip / strips_side_by_side * height + row % height};
}

// BLGP, where it is a pattern: which quarter of the lanes each quarter of B is taken from.
inline constexpr int lane_group_patterns[8][4] = {
    {0, 1, 2, 3}, {0, 1, 0, 1}, {2, 3, 2, 3}, {1, 2, 3, 0},
    {0, 0, 0, 0}, {1, 1, 1, 1}, {2, 2, 2, 2}, {3, 3, 3, 3},
};

// CBSZ and ABID: of 2^cbsz neighbouring blocks of A, all take the one that abid names.
constexpr int broadcast_block(int block, int cbsz, int abid) {
  return (block >> cbsz << cbsz) + abid;
}

}  // namespace amd_emulator
