// SPDX-License-Identifier: Apache-2.0
// Operands of matrix products: where they lie in global memory, and tiles of them in shared memory.
//
// A product is C[rows, columns] += A[rows, depth] B[columns, depth]^T: both factors are matrices of
// "rows" and a "depth" that is summed over. How a factor lies in memory is its Order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "backends/gpu/gpu.h"

namespace steelyard::gpu {

enum class Order {
  depth_contiguous,  // [rows, depth]: A of layouts nn and nt, B of nt
  rows_contiguous    // [depth, rows]: A of layout tn, B of nn and tn
};

// A line is what is contiguous: a row, or with rows_contiguous all rows at one depth.
template <class T, Order order_>
struct GlobalOperand {
  static constexpr Order order = order_;
  using Value = T;

  const T* data;
  std::int64_t stride;  // elements from one line to the next
  int rows, depth;      // what there is: the rest of a tile reads as zeros

  __host__ __device__ int lines() const { return order == Order::depth_contiguous ? rows : depth; }
  __host__ __device__ int length() const { return order == Order::depth_contiguous ? depth : rows; }
  __device__ const T* line(int i) const { return data + i * stride; }
};

// Lines that lie in pages of `page_size` lines each, in any order. Page numbers count from `data`.
template <class T, Order order_>
struct PagedOperand {
  static constexpr Order order = order_;
  using Value = T;

  const T* data;
  std::int64_t stride;
  int rows, depth;
  const std::int32_t* pages;
  int page_size;
  int first_line;  // in the first page or behind it, where the operand begins

  __device__ int lines() const { return order == Order::depth_contiguous ? rows : depth; }
  __device__ int length() const { return order == Order::depth_contiguous ? depth : rows; }
  __device__ const T* line(int i) const {
    const auto at = static_cast<unsigned>(first_line + i), size = static_cast<unsigned>(page_size);
    return data + (std::int64_t{pages[at / size]} * page_size + at % size) * stride;
  }
};

// Values of a matrix that an element of a tile holds, side by side.
template <class T>
inline constexpr int values_of = 1;

inline constexpr int chunk_bytes = 16;  // what one access to shared memory moves

struct alignas(chunk_bytes) Chunk {
  unsigned word[4];
};

// Elements in registers, packed as in memory. Every index must be a constant after inlining. Words,
// because compilers keep arrays of smaller numbers in memory.
template <class T, int count>
struct alignas(count * sizeof(T)) Packed {
  static constexpr int size = sizeof(T), per_word = size < 4 ? 4 / size : 1;

  unsigned word[count * size / 4] = {};

  // Only elements that are zero may be set.
  __device__ void set(int i, T value) {
    unsigned bits[size < 4 ? 1 : size / 4] = {};
    memcpy(bits, &value, size);
    if constexpr (size < 4) {
      word[i / per_word] |= bits[0] << 8 * size * (i % per_word);
    } else {
#pragma unroll
      for (int w = 0; w < size / 4; ++w) word[i * size / 4 + w] = bits[w];
    }
  }
  template <int other_count>
  __device__ void set(int i, const Packed<T, other_count>& other, int j) {
    if constexpr (size < 4) {
      constexpr unsigned mask = (1u << 8 * size) - 1;
      const unsigned bits = other.word[j / per_word] >> 8 * size * (j % per_word) & mask;
      word[i / per_word] |= bits << 8 * size * (i % per_word);
    } else {
#pragma unroll
      for (int w = 0; w < size / 4; ++w) word[i * size / 4 + w] = other.word[j * size / 4 + w];
    }
  }
};
template <class T>
__device__ Chunk to_chunk(const Packed<T, chunk_bytes / sizeof(T)>& values) {
  return {values.word[0], values.word[1], values.word[2], values.word[3]};
}

// How a tile lies in shared memory: as in global memory where fragments are read in either order
// (ldmatrix transposes 16-bit elements, f64 is read one by one), otherwise by depth.
template <class T>
__host__ __device__ constexpr Order stored_order(Order order) {
  const bool either = loads_either_order && (sizeof(T) == 2 || sizeof(T) == 8);
  return either ? order : Order::depth_contiguous;
}

// A tile [rows, depth] in shared memory. Users know its elements; where they lie is the tile's own
// business: lines of 16-byte chunks, of which the chunks of each line are permuted (XORed with bits
// of the line) so that whatever the matrix units read at once lies in different banks.
template <class T, int rows_, int depth_, Order order_>
class SharedOperand {
 public:
  using Value = T;
  static constexpr int rows = rows_, depth = depth_;
  static constexpr Order order = order_;  // in global memory
  static constexpr Order stored = stored_order<T>(order);

  static constexpr int chunk_size = chunk_bytes / static_cast<int>(sizeof(T));  // elements
  static constexpr int lines = stored == Order::depth_contiguous ? rows : depth;
  static constexpr int chunks = (stored == Order::depth_contiguous ? depth : rows) / chunk_size;
  static constexpr std::size_t bytes = std::size_t{chunk_bytes} * lines * chunks;
  static_assert(chunks * chunk_size == (stored == Order::depth_contiguous ? depth : rows),
                "a line is whole chunks");

  // Of a row and a depth in global memory, that which counts lines.
  static constexpr __device__ int line_of(int row, int depth_index) {
    return order == Order::depth_contiguous ? row : depth_index;
  }

  // `memory` holds `bytes`, aligned to 128.
  __device__ explicit SharedOperand(std::byte* memory) : memory_(memory) {}

  __device__ Chunk* chunk(int line, int index) const {
    return reinterpret_cast<Chunk*>(memory_) + line * chunks + (index ^ permutation(line));
  }
  // The same `further` lines behind, a multiple of 8: where that is a constant, it costs nothing.
  __device__ Chunk* chunk(int line, int chunk_index, int further) const {
    if constexpr (stored == order) return chunk(line, chunk_index) + further * chunks;
    return chunk(line + further, chunk_index);
  }
  __device__ T* element(int row, int depth_index) const {
    const int line = stored == Order::depth_contiguous ? row : depth_index;
    const int place = stored == Order::depth_contiguous ? depth_index : row;
    return reinterpret_cast<T*>(chunk(line, place / chunk_size)) + place % chunk_size;
  }

 private:
  // 8 chunks fill all banks. `group` chunks of a line are permuted among themselves, and lines that
  // begin in the same bank get different permutations.
  static constexpr int group = chunks % 8 == 0 ? 8 : chunks % 4 == 0 ? 4 : chunks % 2 == 0 ? 2 : 1;

  static __device__ int permutation(int line) {
    // What was transposed on its way is written 8 lines apart.
    const int transposed = stored == order ? 0 : line / 8;
    return (line / (8 / group) ^ transposed) & (group - 1);
  }

  std::byte* memory_;
};

// A part [rows, depth] of a tile, which begins at a multiple of 16 rows and of a chunk's depth.
template <class Tile, int rows_, int depth_>
class PartOf {
 public:
  using Value = typename Tile::Value;
  static constexpr int rows = rows_, depth = depth_;
  static constexpr Order order = Tile::order, stored = Tile::stored;

  __device__ PartOf(const Tile& tile, int first_row, int first_depth)
      : tile_(tile),
        line_(stored == Order::depth_contiguous ? first_row : first_depth),
        chunk_((stored == Order::depth_contiguous ? first_depth : first_row) / Tile::chunk_size) {}

  __device__ Chunk* chunk(int line, int chunk_index, int further) const {
    return tile_.chunk(line_ + line, chunk_ + chunk_index, further);
  }

 private:
  Tile tile_;
  int line_, chunk_;
};

}  // namespace steelyard::gpu
