// SPDX-License-Identifier: Apache-2.0
// Matrix instructions of a warp and copies to shared memory, by the PTX ISA's description of
// mma, ldmatrix and cp.async.
#pragma once

#include <source_location>

#include "backends/dtype.h"
#include "tests/emulated_cuda/block.h"

namespace emulated_cuda {

// Of one lane: its accumulators (float or int) and the registers of its factors.
struct Product {
  void* d;
  const unsigned *a, *b;
};

// d += a b for a of 16 rows, b of 8 columns and as many elements between as 256 bits hold. Products
// and sums are exact to 53 bits and rounded once to f32 (the hardware keeps fewer bits, which
// differ by generation); sums of integers wrap around. tf32 is truncated to its 19 bits.
template <steelyard::DType type>
void multiply_lanes(const Operands& operands);

// A fault where the device has no such instruction: fp8 before sm_89.
void require_matrix_type(steelyard::DType type);

inline constexpr unsigned whole_warp = 0xffffffff;

template <steelyard::DType type, class Sum>
void multiply(const char* name, Sum (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2],
              std::source_location at = std::source_location::current()) {
  require_matrix_type(type);
  Product mine = {d, a, b};
  meet({name, at, whole_warp, multiply_lanes<type>, &mine});
}

// 8x8x4, each product added with one rounding, in the order of k.
void multiply_f64(double (&d)[2], double a, double b,
                  std::source_location at = std::source_location::current());

// Of one lane: the address it gives and the registers it receives.
struct MatrixLoad {
  const void* row;
  unsigned* registers;
};
template <int count, bool transposed>
void load_lanes(const Operands& operands);

// A fault where an address that counts is not aligned to 16 bytes or not in shared memory.
void require_matrix_row(const char* name, const void* row, int count);

template <int count, bool transposed>
void load_matrices(const char* name, unsigned (&registers)[count], const void* row,
                   std::source_location at = std::source_location::current()) {
  require_matrix_row(name, row, count);
  MatrixLoad mine = {row, registers};
  meet({name, at, whole_warp, load_lanes<count, transposed>, &mine});
}

// Starts a copy of 16 bytes; zeros where `from` is null. Until a wait covers its group the target is
// poison: neither what was there nor what will be can be read. The source is read at that wait.
void start_copy_16(void* to, const void* from);
void commit_copies();
// Waits for all groups of this thread but the `groups` youngest.
void wait_for_copies(int groups);

// The nearest tf32, ties away from zero.
unsigned round_to_tf32(float value);

}  // namespace emulated_cuda
