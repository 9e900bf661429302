// SPDX-License-Identifier: Apache-2.0
// Copies of operand tiles from global to shared memory, in two steps: issue() starts to read,
// commit() has the tile written, with a consumption of other tiles in between. What lies outside the
// operand becomes zeros. Lowerings choose between this copy through registers and one of their own.
#pragma once

#include <algorithm>

#include "backends/gpu/operand_tile.h"

namespace steelyard::gpu {

template <class Tile>
using SourceOf = GlobalOperand<typename Tile::Value, Tile::order>;

// f(i, line, chunk): the i-th chunk of a tile that this thread copies.
template <class Tile, int threads, class F>
__device__ void for_each_chunk(F f) {
  constexpr int total = Tile::lines * Tile::chunks;
#pragma unroll
  for (int i = 0; i < (total + threads - 1) / threads; ++i) {
    const int index = static_cast<int>(threadIdx.x) + i * threads;
    if (total % threads == 0 || index < total) f(i, index / Tile::chunks, index % Tile::chunks);
  }
}

// What of an operand begins at a line and a place in it.
template <class Source>
struct Remainder {
  static constexpr unsigned outside = 0xfffffff0;  // an offset behind any memory

  const typename Source::Value* data;
  std::int64_t stride;
  int lines, length;  // what is left there; not positive outside

  __device__ Remainder(const Source& from, int line, int place)
      : data(from.data + line * from.stride + place),
        stride(from.stride),
        lines(from.lines() - line),
        length(from.length() - place) {}

  // The first `most_lines` lines as bytes: all that is behind the last one reads as zeros.
  __device__ BoundedMemory memory(int most_lines) const {
    const int whole = min(lines, most_lines);
    const bool empty = whole <= 0 || length <= 0;
    return bounded(data, empty ? 0
                               : static_cast<unsigned>((whole - 1) * stride + length) *
                                     static_cast<unsigned>(sizeof *data));
  }
  __device__ unsigned offset(int line, int place) const {
    return (static_cast<unsigned>(line) * static_cast<unsigned>(stride) +
            static_cast<unsigned>(place)) *
           static_cast<unsigned>(sizeof *data);
  }
  __device__ typename Source::Value element(int line, int place) const {
    if (line >= lines || place >= length) return {};
    return data[line * stride + place];
  }
};

// Of lines in pages: an offset counts elements from the first page on.
template <class T, Order order>
struct Remainder<PagedOperand<T, order>> {
  using Source = PagedOperand<T, order>;
  static constexpr std::int64_t outside = -1;

  Source from;
  int line, place, lines, length;

  __device__ Remainder(const Source& from_, int line_, int place_)
      : from(from_),
        line(line_),
        place(place_),
        lines(from.lines() - line),
        length(from.length() - place) {}

  __device__ const T* memory(int) const { return from.data; }
  __device__ std::int64_t offset(int further_lines, int further) const {
    if (further_lines >= lines) return outside;
    return from.line(line + further_lines) + place + further - from.data;
  }
};

template <class Piece, class T>
__device__ Piece load_bounded(const T* memory, std::int64_t offset) {
  Piece piece = {};
  if (offset >= 0) piece = *reinterpret_cast<const Piece*>(memory + offset);
  return piece;
}

// A tile whose lines in shared memory are those in global memory. `whole_chunks`: the operand's
// address, stride and length are multiples of 16 bytes.
template <class Tile, int threads, bool whole_chunks>
class LineCopy {
 public:
  template <class Source>
  __device__ void issue(const Source& from, int row, int depth, Tile) {
    const Remainder rest(from, Tile::line_of(row, depth), Tile::line_of(depth, row));
    if constexpr (!whole_chunks)
      load_elements(rest);
    else if (rest.length >= Tile::chunks * Tile::chunk_size)
      load_chunks<false>(rest);
    else
      load_chunks<true>(rest);
  }
  __device__ void commit(Tile to) {
    for_each_chunk<Tile, threads>(
        [&](int i, int line, int chunk) { *to.chunk(line, chunk) = held_[i]; });
  }

 private:
  template <bool ragged, class Source>
  __device__ void load_chunks(const Remainder<Source>& rest) {
    const auto memory = rest.memory(Tile::lines);
    for_each_chunk<Tile, threads>([&](int i, int line, int chunk) {
      const int place = chunk * Tile::chunk_size;
      const auto offset = rest.offset(line, place);
      held_[i] =
          load_bounded<Chunk>(memory, ragged && place >= rest.length ? rest.outside : offset);
    });
  }
  template <class Source>
  __device__ void load_elements(const Remainder<Source>& rest) {
    for_each_chunk<Tile, threads>([&](int i, int line, int chunk) {
      Packed<typename Tile::Value, Tile::chunk_size> values;
#pragma unroll
      for (int e = 0; e < Tile::chunk_size; ++e)
        values.set(e, rest.element(line, chunk * Tile::chunk_size + e));
      held_[i] = to_chunk(values);
    });
  }

  Chunk held_[(Tile::lines * Tile::chunks + threads - 1) / threads];
};

// A tile that lies in global memory by rows and in shared memory by depth. A thread reads a few
// rows at as many depths as fill a chunk, and writes one chunk for each of its rows.
template <class Tile, int threads, bool whole_chunks>
class TransposingCopy {
 public:
  template <class Source>
  __device__ void issue(const Source& from, int row, int depth, Tile) {
    const Remainder rest(from, depth, row);
    if constexpr (!whole_chunks)
      load_elements(rest);
    else if (rest.length >= Tile::rows)
      load_pieces<false>(rest);
    else
      load_pieces<true>(rest);
  }
  __device__ void commit(Tile to) {
    for_each_block([&](int i, int row, int chunk) {
#pragma unroll
      for (int r = 0; r < width; ++r) {
        Packed<Value, Tile::chunk_size> along_depth;
#pragma unroll
        for (int d = 0; d < Tile::chunk_size; ++d) along_depth.set(d, held_[i][d], r);
        *to.chunk(row + r, chunk) = to_chunk(along_depth);
      }
    });
  }

 private:
  using Value = typename Tile::Value;

  // Rows of a block: as many as leave no thread without one, and at least 4 bytes.
  static constexpr int size = sizeof(Value);
  static constexpr int wanted = Tile::rows * Tile::chunks / threads;
  static constexpr int least = size < 4 ? 4 / size : 1;
  static constexpr int width = wanted >= 16 / size  ? 16 / size
                               : wanted >= 8 / size ? std::max(8 / size, least)
                                                    : least;
  static constexpr int blocks = Tile::rows / width * Tile::chunks;

  using Piece = Packed<Value, width>;

  // f(i, first row, chunk)
  template <class F>
  static __device__ void for_each_block(F f) {
    constexpr int across = Tile::rows / width;
#pragma unroll
    for (int i = 0; i < (blocks + threads - 1) / threads; ++i) {
      const int index = static_cast<int>(threadIdx.x) + i * threads;
      if (blocks % threads == 0 || index < blocks) f(i, index % across * width, index / across);
    }
  }
  template <bool ragged, class Source>
  __device__ void load_pieces(const Remainder<Source>& rest) {
    const auto memory = rest.memory(Tile::depth);
    for_each_block([&](int i, int row, int chunk) {
#pragma unroll
      for (int d = 0; d < Tile::chunk_size; ++d) {
        const auto offset = rest.offset(chunk * Tile::chunk_size + d, row);
        held_[i][d] =
            load_bounded<Piece>(memory, ragged && row >= rest.length ? rest.outside : offset);
      }
    });
  }
  template <class Source>
  __device__ void load_elements(const Remainder<Source>& rest) {
    for_each_block([&](int i, int row, int chunk) {
#pragma unroll
      for (int d = 0; d < Tile::chunk_size; ++d) {
        held_[i][d] = {};
#pragma unroll
        for (int r = 0; r < width; ++r)
          held_[i][d].set(r, rest.element(chunk * Tile::chunk_size + d, row + r));
      }
    });
  }

  Piece held_[(blocks + threads - 1) / threads][Tile::chunk_size];
};

template <class Tile, int threads, bool whole_chunks>
using RegisterTileCopy =
    std::conditional_t<Tile::stored == Tile::order, LineCopy<Tile, threads, whole_chunks>,
                       TransposingCopy<Tile, threads, whole_chunks>>;

}  // namespace steelyard::gpu
