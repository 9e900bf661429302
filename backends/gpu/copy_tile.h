// SPDX-License-Identifier: Apache-2.0
// Copies of operand tiles from global to shared memory, in two steps: issue() starts to read,
// commit() has the tile written, with a consumption of other tiles in between. What lies outside the
// operand becomes zeros. Lowerings choose between this copy through registers and one of their own.
// issue() is told by a constant whether the tile may be the last one along the depth: before that one
// the depth needs no comparison.
#pragma once

#include <algorithm>
#include <type_traits>

#include "backends/gpu/operand_tile.h"

namespace steelyard::gpu {

template <class Tile>
using SourceOf = GlobalOperand<typename Tile::Value, Tile::order>;

// f(i, index): the i-th of `count` pieces that this thread takes. Whole warps take pieces or none,
// where that is possible, so that no branch divides a warp.
template <int count, int threads, class F>
__device__ void for_each_piece(F f) {
  const auto thread = static_cast<int>(threadIdx.x);
  const int deciding = count % warp_size == 0 ? uniform(thread / warp_size) * warp_size : thread;
#pragma unroll
  for (int i = 0; i < (count + threads - 1) / threads; ++i)
    if (count % threads == 0 || deciding + i * threads < count) f(i, thread + i * threads);
}

// f(i, line, chunk): the i-th chunk of a tile that this thread copies.
template <class Tile, int threads, class F>
__device__ void for_each_chunk(F f) {
  for_each_piece<Tile::lines * Tile::chunks, threads>(
      [&](int i, int index) { f(i, index / Tile::chunks, index % Tile::chunks); });
}

// What of an operand begins at a line and a place in it.
template <class Source>
struct Remainder {
  static constexpr unsigned size = sizeof(typename Source::Value);
  static constexpr unsigned outside = 0xfffffff0;  // an offset behind any memory

  const typename Source::Value* data;  // where the line begins
  std::int64_t stride;
  int place, lines, length;  // the latter: what is left there; not positive outside

  __device__ Remainder(const Source& from, int line, int place_)
      : data(from.data + line * from.stride),
        stride(from.stride),
        place(place_),
        lines(from.lines() - line),
        length(from.length() - place) {}

  // The first `most_lines` lines as bytes: all that is behind the last one reads as zeros, wherever in
  // it one begins. The same for every place, so that a loop along the lines prepares it once.
  __device__ BoundedMemory memory(int most_lines) const {
    const int whole = min(lines, most_lines);
    return bounded(
        data, whole <= 0 ? 0 : static_cast<unsigned>((whole - 1) * stride + place + length) * size);
  }
  __device__ unsigned skipped() const { return static_cast<unsigned>(place) * size; }
  // Behind what is skipped.
  __device__ unsigned offset(int line, int further) const {
    return (static_cast<unsigned>(line) * static_cast<unsigned>(stride) +
            static_cast<unsigned>(further)) *
           size;
  }
  __device__ typename Source::Value element(int line, int further) const {
    if (line >= lines || further >= length) return {};
    return data[line * stride + place + further];
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
  __device__ std::int64_t skipped() const { return 0; }
  __device__ std::int64_t offset(int further_lines, int further) const {
    if (further_lines >= lines) return outside;
    return from.line(line + further_lines) + place + further - from.data;
  }
};

template <class Piece, class T>
__device__ Piece load_bounded(const T* memory, std::int64_t offset, std::int64_t skipped) {
  // A branch for each piece would have it wait for the one before: what is outside reads the first
  // element instead.
  const bool inside = offset >= 0;
  const auto piece = *reinterpret_cast<const Piece*>(memory + skipped + (inside ? offset : 0));
  return inside ? piece : Piece{};
}

// A tile whose lines in shared memory are those in global memory. `whole_chunks`: the operand's
// address, stride and length are multiples of 16 bytes.
template <class Tile, int threads, bool whole_chunks>
class LineCopy {
 public:
  template <class Source, bool last = true>
  __device__ void issue(const Source& from, int row, int depth, Tile,
                        std::bool_constant<last> = {}) {
    constexpr bool whole_lines = !last && Tile::order == Order::depth_contiguous;
    const Remainder rest(from, Tile::line_of(row, depth), Tile::line_of(depth, row));
    if constexpr (!whole_chunks)
      load_elements(rest);
    else if (whole_lines || rest.length >= Tile::chunks * Tile::chunk_size)
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
      held_[i] = load_bounded<Chunk>(memory, ragged && place >= rest.length ? rest.outside : offset,
                                     rest.skipped());
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

// A tile that lies in global memory by rows and in shared memory by depth. A thread transposes blocks:
// it reads a few rows at several depths, and writes what is side by side along the depth of each row.
template <class Tile, int threads, bool whole_chunks>
class TransposingCopy {
 public:
  template <class Source, bool last = true>
  __device__ void issue(const Source& from, int row, int depth, Tile,
                        std::bool_constant<last> = {}) {
    const Remainder rest(from, depth, row);
    if constexpr (!whole_chunks)
      load_elements(rest);
    else if (rest.length >= Tile::rows)
      load_pieces<false>(rest);
    else
      load_pieces<true>(rest);
  }
  __device__ void commit(Tile to) {
    for_each_block([&](int i, int row, int depth) {
#pragma unroll
      for (int r = 0; r < width; ++r) {
        Packed<Value, height> along_depth;
#pragma unroll
        for (int d = 0; d < height; ++d) along_depth.set(d, held_[i][d], r);
        *reinterpret_cast<Packed<Value, height>*>(to.element(row + r, depth)) = along_depth;
      }
    });
  }

 private:
  using Value = typename Tile::Value;

  // Rows and depths of a block: up to 16 bytes of either, so that no thread is without a block, and
  // at least 4 bytes.
  static constexpr int size = sizeof(Value), most = 16 / size, least = size < 4 ? 4 / size : 1;
  static constexpr int of_thread = std::max(Tile::rows * Tile::depth / threads, 1);
  static constexpr int width = std::clamp(of_thread / most, least, most);
  static constexpr int height = std::clamp(of_thread / width, least, most);
  static constexpr int blocks = Tile::rows / width * (Tile::depth / height);

  using Piece = Packed<Value, width>;

  // f(i, first row, first depth)
  template <class F>
  static __device__ void for_each_block(F f) {
    constexpr int across = Tile::rows / width;
    for_each_piece<blocks, threads>(
        [&](int i, int index) { f(i, index % across * width, index / across * height); });
  }
  template <bool ragged, class Source>
  __device__ void load_pieces(const Remainder<Source>& rest) {
    const auto memory = rest.memory(Tile::depth);
    for_each_block([&](int i, int row, int depth) {
#pragma unroll
      for (int d = 0; d < height; ++d) {
        const auto offset = rest.offset(depth + d, row);
        held_[i][d] = load_bounded<Piece>(
            memory, ragged && row >= rest.length ? rest.outside : offset, rest.skipped());
      }
    });
  }
  template <class Source>
  __device__ void load_elements(const Remainder<Source>& rest) {
    for_each_block([&](int i, int row, int depth) {
#pragma unroll
      for (int d = 0; d < height; ++d) {
        held_[i][d] = {};
#pragma unroll
        for (int r = 0; r < width; ++r) held_[i][d].set(r, rest.element(depth + d, row + r));
      }
    });
  }

  Piece held_[(blocks + threads - 1) / threads][height];
};

template <class Tile, int threads, bool whole_chunks>
using RegisterTileCopy =
    std::conditional_t<Tile::stored == Tile::order, LineCopy<Tile, threads, whole_chunks>,
                       TransposingCopy<Tile, threads, whole_chunks>>;

}  // namespace steelyard::gpu
