// SPDX-License-Identifier: Apache-2.0
// Tile products, copies and pipelines of backends/gpu against a triple loop. All values are small
// integers, which every format holds and every sum keeps exactly.
#include "backends/gpu/mma.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "backends/gpu/device.h"
#include "tests/catch.h"
#include "tests/gpu_device.h"

using namespace steelyard;
using namespace steelyard::gpu;

namespace {

using enum Order;

struct Sizes {
  int m, n, k;
};

// C[m, n] = A[m, k] B[n, k]^T, a tile for each block.
template <class T, Order a_order, Order b_order, bool whole_chunks>
struct Product {
  static constexpr int edge = 64, depth = 128 / static_cast<int>(sizeof(T));
  static constexpr int stages = std::min(3, most_stages);
  using Sums = Accumulator<T, edge, edge, 2, 2>;
  using A = SharedOperand<T, edge, depth, a_order>;
  using B = SharedOperand<T, edge, depth, b_order>;
  static constexpr std::size_t shared_bytes = stages * (A::bytes + B::bytes);

  static __device__ A a(int stage) {
    return A(dynamic_shared_memory() + static_cast<std::size_t>(stage) * (A::bytes + B::bytes));
  }
  static __device__ B b(int stage) {
    return B(dynamic_shared_memory() + static_cast<std::size_t>(stage) * (A::bytes + B::bytes) +
             A::bytes);
  }
};

template <class P, class T, Order a_order, Order b_order, bool whole_chunks>
__global__ void __launch_bounds__(P::Sums::threads)
    multiply_tiles(Sum<T>* c, GlobalOperand<T, a_order> a, GlobalOperand<T, b_order> b) {
  const int row = static_cast<int>(blockIdx.x) * P::edge;
  const int column = static_cast<int>(blockIdx.y) * P::edge;
  TileCopy<typename P::A, P::Sums::threads, whole_chunks> copy_a;
  TileCopy<typename P::B, P::Sums::threads, whole_chunks> copy_b;
  typename P::Sums sums;
  pipeline<P::stages>((a.depth + P::depth - 1) / P::depth,
                      [&](int slab, int stage, auto last) {
                        copy_a.issue(a, row, slab * P::depth, P::a(stage), last);
                        copy_b.issue(b, column, slab * P::depth, P::b(stage), last);
                      },
                      [&](int, int stage) {
                        copy_a.commit(P::a(stage));
                        copy_b.commit(P::b(stage));
                      },
                      [&](int, int stage) { tile_mma(sums, P::a(stage), P::b(stage)); });
  sums.for_each([&](int i, int j, Sum<T>& value) {
    if (row + i < a.rows && column + j < b.rows)
      c[static_cast<std::int64_t>(row + i) * b.rows + column + j] = value;
  });
}

// Tile (x, y) of an operand by way of registers and shared memory to `to`[rows, depth]: the copy of AMD's
// products, and of factors that are transposed on their way.
template <class Tile, int threads>
__global__ void copy_tiles(typename Tile::Value* to, SourceOf<Tile> from) {
  const int row = static_cast<int>(blockIdx.x) * Tile::rows;
  const int depth = static_cast<int>(blockIdx.y) * Tile::depth;
  const Tile tile(dynamic_shared_memory());
  RegisterTileCopy<Tile, threads, true> copy;
  if (depth + Tile::depth < from.depth)
    copy.issue(from, row, depth, tile, std::false_type());
  else
    copy.issue(from, row, depth, tile, std::true_type());
  copy.commit(tile);
  __syncthreads();
  const auto stride = static_cast<std::int64_t>(gridDim.y) * Tile::depth;
  for (int i = static_cast<int>(threadIdx.x); i < Tile::rows * Tile::depth; i += threads)
    to[(row + i / Tile::depth) * stride + depth + i % Tile::depth] =
        *tile.element(i / Tile::depth, i % Tile::depth);
}

// Of every code of fp8, and of its complement beside it: two T in a word.
template <class T>
__global__ void widen_codes(unsigned* to) {
  const unsigned code = threadIdx.x;
  to[code] = widen_upper_bytes<T>(code << 8 | (255 - code) << 24);
}

// O[64, 64] = P V^T for P[i, j] = f(Q K^T [i, j]), the shape of attention: P stays in registers.
// maxima[i] and sums[i] are those of row i of Q K^T.
template <class T>
struct Chain {
  static constexpr int edge = 64;
  using Sums = Accumulator<T, edge, edge, 4, 1>;
  using Tile = SharedOperand<T, edge, edge, depth_contiguous>;
  using Transposed = SharedOperand<T, edge, edge, rows_contiguous>;
  static constexpr std::size_t shared_bytes = 3 * Tile::bytes;

  template <class Shared>
  static __device__ void fetch(const T* from, Shared to) {
    TileCopy<Shared, Sums::threads, true> copy_tile;
    copy_tile.issue(SourceOf<Shared>{from, edge, edge, edge}, 0, 0, to);
    copy_tile.commit(to);
  }
};

// q, k [64, 64] by rows, v [64, 64] by depth: rows are what O calls its columns.
template <class T>
__global__ void __launch_bounds__(Chain<T>::Sums::threads)
    multiply_twice(float* o, float* maxima, float* sums, const T* q, const T* k, const T* v) {
  using C = Chain<T>;
  std::byte* memory = dynamic_shared_memory();
  const typename C::Tile shared_q(memory), shared_k(memory + C::Tile::bytes);
  const typename C::Transposed shared_v(memory + 2 * C::Tile::bytes);
  C::fetch(q, shared_q);
  C::fetch(k, shared_k);
  C::fetch(v, shared_v);
  finish_copies();
  __syncthreads();
  typename C::Sums s, product;
  tile_mma(s, shared_q, shared_k);
  auto row_maxima = s.row_max(-1e9f), row_sums = s.row_sum();
  s.for_each_row(row_maxima, [&](int row, float value) { maxima[row] = value; });
  s.for_each_row(row_sums, [&](int row, float value) { sums[row] = value; });
  s.for_each([](int row, int column, float& value) {
    value = static_cast<float>((static_cast<int>(value) + row + column) % 5);
  });
  tile_mma(product, round_to_operand<T>(s), shared_v);
  product.for_each([&](int i, int j, float value) { o[i * C::edge + j] = value; });
}

const GpuDevice& device() {
  return dynamic_cast<GpuDevice&>(gpu_device());
}

// A matrix [rows, depth] of integers in [-3, 3], stored in either order from `offset` elements on.
struct Matrix {
  int rows, depth;
  std::vector<int> value;

  Matrix(int rows_, int depth_, unsigned seed) : rows(rows_), depth(depth_) {
    for (int i = 0; i < rows * depth; ++i) {
      seed = seed * 1664525 + 1013904223;
      value.push_back(static_cast<int>((seed >> 16) % 7) - 3);
    }
  }
  int at(int row, int d) const { return value[static_cast<std::size_t>(row * depth + d)]; }

  std::vector<std::byte> bytes(DType type, Order order) const {
    std::vector<double> values;
    for (int line = 0; line < (order == depth_contiguous ? rows : depth); ++line)
      for (int place = 0; place < (order == depth_contiguous ? depth : rows); ++place)
        values.push_back(order == depth_contiguous ? at(line, place) : at(place, line));
    std::vector<std::byte> packed(
        static_cast<std::size_t>(steelyard::bytes(type, std::ssize(values))));
    store(type, packed.data(), values, device().info().fp8);
    return packed;
  }
};

Buffer<std::byte> upload(const std::vector<std::byte>& bytes) {
  Buffer<std::byte> buffer(bytes.size());
  check(copy(buffer.data(), bytes.data(), bytes.size(), device().stream()));
  check(wait(device().stream()));
  return buffer;
}

template <class S>
std::vector<S> download(const Buffer<S>& buffer) {
  std::vector<S> values(buffer.size());
  check(copy(values.data(), buffer.data(), buffer.size() * sizeof(S), device().stream()));
  check(wait(device().stream()));
  return values;
}

template <class T, Order a_order, Order b_order, bool whole_chunks>
int wrong_sums(DType type, Sizes size) {
  using P = Product<T, a_order, b_order, whole_chunks>;
  const Matrix a(size.m, size.k, 1), b(size.n, size.k, 2);
  const auto a_there = upload(a.bytes(type, a_order)), b_there = upload(b.bytes(type, b_order));
  const Buffer<Sum<T>> c(static_cast<std::size_t>(size.m * size.n));
  launch(multiply_tiles<P, T, a_order, b_order, whole_chunks>,
         {.blocks = (size.m + P::edge - 1) / P::edge,
          .threads = P::Sums::threads,
          .shared_bytes = P::shared_bytes,
          .blocks_y = (size.n + P::edge - 1) / P::edge},
         device().stream(), c.data(),
         {reinterpret_cast<const T*>(a_there.data()), a_order == depth_contiguous ? size.k : size.m,
          size.m, size.k},
         {reinterpret_cast<const T*>(b_there.data()), b_order == depth_contiguous ? size.k : size.n,
          size.n, size.k});
  const auto found = download(c);
  int wrong = 0;
  for (int i = 0; i < size.m; ++i)
    for (int j = 0; j < size.n; ++j) {
      int sum = 0;
      for (int d = 0; d < size.k; ++d) sum += a.at(i, d) * b.at(j, d);
      wrong += found[static_cast<std::size_t>(i * size.n + j)] != static_cast<Sum<T>>(sum);
    }
  return wrong;
}

// Sizes of which every line is whole chunks, and sizes of which none is.
constexpr Sizes whole[] = {{64, 64, 128}, {16, 48, 16}, {144, 80, 272}};
constexpr Sizes ragged[] = {{1, 1, 1}, {65, 63, 67}, {37, 101, 129}};

template <class T, Order a_order, Order b_order>
void check_orders(DType type) {
  for (const Sizes size : whole) {
    INFO(name(type) << " " << size.m << "x" << size.n << "x" << size.k);
    CHECK(wrong_sums<T, a_order, b_order, true>(type, size) == 0);
  }
  for (const Sizes size : ragged) {
    INFO(name(type) << " " << size.m << "x" << size.n << "x" << size.k);
    CHECK(wrong_sums<T, a_order, b_order, false>(type, size) == 0);
  }
}

template <class T>
void check_type(DType type) {
  check_orders<T, depth_contiguous, depth_contiguous>(type);
  check_orders<T, depth_contiguous, rows_contiguous>(type);
  check_orders<T, rows_contiguous, rows_contiguous>(type);
}

template <class T, Order order>
void check_copy(DType type, int rows, int depth) {
  constexpr int threads = 128;
  using Tile = SharedOperand<T, 64, 128 / static_cast<int>(sizeof(T)), order>;
  const Matrix matrix(rows, depth, 6);
  const auto there = upload(matrix.bytes(type, order));
  const int across = (rows + Tile::rows - 1) / Tile::rows;
  const int along = (depth + Tile::depth - 1) / Tile::depth;
  const int padded_rows = across * Tile::rows, padded_depth = along * Tile::depth;
  const Buffer<T> copied(static_cast<std::size_t>(padded_rows * padded_depth));
  launch(copy_tiles<Tile, threads>,
         {.blocks = across, .threads = threads, .shared_bytes = Tile::bytes, .blocks_y = along},
         device().stream(), copied.data(),
         {reinterpret_cast<const T*>(there.data()), order == depth_contiguous ? depth : rows, rows,
          depth});
  Matrix padded(padded_rows, padded_depth, 6);  // zeros outside
  for (int row = 0; row < padded_rows; ++row)
    for (int d = 0; d < padded_depth; ++d)
      padded.value[static_cast<std::size_t>(row * padded_depth + d)] =
          row < rows && d < depth ? matrix.at(row, d) : 0;
  const auto found = download(copied);
  const auto expected = padded.bytes(type, depth_contiguous);
  CHECK(std::memcmp(found.data(), expected.data(), expected.size()) == 0);
}

template <class T>
void check_chain(DType type) {
  using C = Chain<T>;
  constexpr int edge = C::edge;
  const Matrix q(edge, edge, 3), k(edge, edge, 4), v(edge, edge, 5);  // v[column of O, key]
  const auto q_there = upload(q.bytes(type, depth_contiguous));
  const auto k_there = upload(k.bytes(type, depth_contiguous));
  const auto v_there = upload(v.bytes(type, rows_contiguous));
  const Buffer<float> o(edge * edge), maxima(edge), sums(edge);
  const auto data = [](const Buffer<std::byte>& b) { return reinterpret_cast<const T*>(b.data()); };
  launch(multiply_twice<T>, {.threads = C::Sums::threads, .shared_bytes = C::shared_bytes},
         device().stream(), o.data(), maxima.data(), sums.data(), data(q_there), data(k_there),
         data(v_there));
  const auto found_o = download(o), found_maxima = download(maxima), found_sums = download(sums);
  int wrong = 0;
  for (std::size_t i = 0; i < edge; ++i) {
    int s[edge] = {}, largest = -1000000, total = 0;
    for (int j = 0; j < edge; ++j) {
      for (int d = 0; d < edge; ++d) s[j] += q.at(static_cast<int>(i), d) * k.at(j, d);
      largest = std::max(largest, s[j]);
      total += s[j];
    }
    wrong += found_maxima[i] != static_cast<float>(largest);
    wrong += found_sums[i] != static_cast<float>(total);
    for (int column = 0; column < edge; ++column) {
      int sum = 0;
      for (int j = 0; j < edge; ++j) sum += (s[j] + static_cast<int>(i) + j) % 5 * v.at(column, j);
      wrong += found_o[i * edge + static_cast<std::size_t>(column)] != static_cast<float>(sum);
    }
  }
  CHECK(wrong == 0);
}

template <class T>
void check_widening(DType type) {
  const Buffer<unsigned> there(256);
  launch(widen_codes<T>, {.blocks = 1, .threads = 256}, device().stream(), there.data());
  const std::vector<unsigned> words = download(there);
  const auto same = [type](std::uint64_t bits, std::uint64_t code) {
    const double found = decode(type, bits), right = decode(DType::fp8_e4m3, code);
    return std::isnan(right) ? std::isnan(found) : found == right;
  };
  int wrong = 0;
  for (std::size_t code = 0; code < 256; ++code)
    wrong += !same(words[code] & 0xffff, code) || !same(words[code] >> 16, 255 - code);
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("Products of 16-bit numbers in every order and at every edge") {
  check_type<bf16>(DType::bf16);
  check_type<f16>(DType::f16);
}
TEST_CASE("Products of f64 in every order and at every edge") {
  check_type<double>(DType::f64);
}
TEST_CASE("Products of int8 in every order and at every edge") {
  check_type<std::int8_t>(DType::int8);
}
TEST_CASE("Products of tf32 in every order and at every edge") {
  if (device().info().architecture != "gfx90a") check_type<tf32>(DType::tf32);
}
TEST_CASE("Products of fp8 in every order and at every edge") {
  const std::string& architecture = device().info().architecture;
  if (architecture == "gfx90a" || architecture == "sm_80") return;
  check_type<fp8_e4m3>(DType::fp8_e4m3);
  check_type<fp8_e5m2>(DType::fp8_e5m2);
}
TEST_CASE("Tiles copied through registers are zeros outside the operand") {
  check_copy<bf16, depth_contiguous>(DType::bf16, 64, 128);
  check_copy<bf16, depth_contiguous>(DType::bf16, 77, 152);
  check_copy<bf16, rows_contiguous>(DType::bf16, 64, 128);
  check_copy<bf16, rows_contiguous>(DType::bf16, 136, 79);
  check_copy<std::int8_t, depth_contiguous>(DType::int8, 65, 272);
  check_copy<std::int8_t, rows_contiguous>(DType::int8, 144, 131);
  check_copy<double, rows_contiguous>(DType::f64, 66, 33);
}
TEST_CASE("Every fp8 number is widened without an instruction for it, NaN to NaN") {
  check_widening<bf16>(DType::bf16);
  check_widening<f16>(DType::f16);
}
TEST_CASE("Sums of a product become the left factor of the next, and rows are reduced") {
  check_chain<bf16>(DType::bf16);
  check_chain<f16>(DType::f16);
}
