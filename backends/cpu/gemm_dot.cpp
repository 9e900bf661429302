// SPDX-License-Identifier: Apache-2.0
// GEMM with few rows as dot products along k, for the instruction set this file is compiled for.
//
// Idea     With B transposed, a column of it is contiguous. Lanes run along k: up to 8 rows of A
//          times 3 columns of B keep 24 vectors of sums in registers, whose lanes are added up when
//          a column ends. B is used as it lies (packing it would cost more than its few products),
//          or decoded in registers: int8 to int16, fp8 and int4 to bf16. The sums of a group of k
//          with a scale of its own are scaled before they join the others.
// Traffic  B passes once from DRAM through the registers (for m > 8 a second time from L1 or L2),
//          in three streams. Short columns end before the hardware has learnt to follow them: the
//          three after the next are asked for on the way, into L2. A stays in L2.
// Limits   Up to 8 products per value of B and then 16 keep pace with memory; more rows are better
//          off with packed panels. Decoding leaves int4 at about 0.6 of the memory's rate.
#include "backends/cpu/gemm_dot.h"

#include "backends/cpu/gemm_decode.h"

namespace steelyard::cpu {
namespace {

constexpr int columns_at_once = 3;

// Sums of a group and of all groups share the registers.
template <bool scaled>
constexpr int rows_at_once = (vector_bytes == 64 ? 8 : 4) / (scaled ? 2 : 1);

// ---- one vector of A times one of B, lane by lane

// By the element of A as it is packed, which B is decoded to.
template <class Element>
struct Dot {
  using Sum = Element;
  using Values = Vector<Element>;
  static Vector<Sum> step(Vector<Sum> sum, Values a, Values b) { return sum + a * b; }
};

// A lane holds two consecutive values.
template <>
struct Dot<Bf16> {
  using Sum = float;
  using Values = Vector<std::uint32_t>;
  static Vector<Sum> step(Vector<Sum> sum, Values a, Values b) {
#if defined(__AVX512BF16__)
    return (Vector<Sum>)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
    constexpr std::uint32_t upper = 0xffff0000;
    sum += (Vector<float>)(a << 16) * (Vector<float>)(b << 16);
    return sum + (Vector<float>)(a & upper) * (Vector<float>)(b & upper);
#endif
  }
};

template <>
struct Dot<std::int16_t> {
  using Sum = std::int32_t;
  using Values = Vector<std::int32_t>;
  static Vector<Sum> step(Vector<Sum> sum, Values a, Values b) { return add_dot_int16(sum, a, b); }
};

template <class T>
T total(Vector<T> sums) {
  T sum = 0;
  for (int i = 0; i < lanes<T>; ++i) sum += sums[i];
  return sum;
}

// ---- the values of one vector

// lanes<Element> consecutive values from the start of a byte.
template <class Element, class Input>
typename Dot<Element>::Values load_values(const Input* from) {
  if constexpr (is_coded<Input>) {
    return decode_pairs(from);
  } else if constexpr (std::is_same_v<Input, Element>) {
    return load<typename Dot<Element>::Values>(from);
  } else {
    static_assert(std::is_same_v<Input, std::int8_t>);
    return (typename Dot<Element>::Values)halves_of_signed_bytes(from);
  }
}

template <class Element, class Input>
constexpr std::int64_t bytes_at_once = lanes<Element> * sizeof(Input) / values_per_byte<Input>;

// The first `count` values, zeros behind them: the bits of zero are zeros in every format.
template <class Element, class Input>
typename Dot<Element>::Values load_part(const Input* from, std::int64_t count) {
  unsigned char bytes[bytes_at_once<Element, Input>] = {};
  std::memcpy(bytes, from,
              (count * sizeof *from + values_per_byte<Input> - 1) / values_per_byte<Input>);
  return load_values<Element>(reinterpret_cast<const Input*>(bytes));
}

// ---- a block of C

template <class B>
struct Columns {
  const B* start[columns_at_once];
  std::int64_t next;  // so far behind each of them starts its successor in the next block
  static constexpr std::int64_t ahead = 2;  // blocks to ask for: less leaves the memory idle
};

template <class Element, int rows>
struct Block {
  using Sums = Vector<typename Dot<Element>::Sum>;
  using Values = typename Dot<Element>::Values;
  Sums sums[rows][columns_at_once] = {};

  void step(const Element* a, const Values (&b)[columns_at_once]) {
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const auto row = load<Values>(a + i * lanes<Element>);
#pragma GCC unroll 3
      for (int j = 0; j < columns_at_once; ++j)
        sums[i][j] = Dot<Element>::step(sums[i][j], row, b[j]);
    }
  }

  // Adds the products of k from `first` to `end`. A is packed, m rows of it.
  template <class B>
  void add(const Element* a, std::int64_t m, const Columns<B>& b, std::int64_t first,
           std::int64_t end) {
    constexpr std::int64_t step_values = lanes<Element>;
    constexpr std::int64_t step_codes = bytes_at_once<Element, B> / sizeof(B);
    Values values[columns_at_once];
    std::int64_t p = first / step_values;
    for (; (p + 1) * step_values <= end; ++p) {
      for (int j = 0; j < columns_at_once; ++j) {
        const B* from = b.start[j] + p * step_codes;
        constexpr int to_l2 = 2;
        __builtin_prefetch(from + Columns<B>::ahead * b.next, 0, to_l2);
        values[j] = load_values<Element>(from);
      }
      step(a + p * m * step_values, values);
    }
    if (p * step_values == end) return;
    for (int j = 0; j < columns_at_once; ++j)
      values[j] = load_part<Element>(b.start[j] + p * step_codes, end - p * step_values);
    step(a + p * m * step_values, values);
  }

  void add_scaled(const Block& group, const float (&scale)[columns_at_once]) {
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < columns_at_once; ++j) sums[i][j] += group.sums[i][j] * scale[j];
  }
};

template <class Output, class Element, int rows>
void store(const GemmOperands& g, const Block<Element, rows>& block, std::int64_t row,
           std::int64_t column, std::int64_t columns) {
  using Sum = typename Dot<Element>::Sum;
  using Factor = FactorOf<Sum, Output>;
  const auto beta = static_cast<Factor>(g.beta);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns_at_once && j < columns; ++j) {
      auto factor = static_cast<Factor>(g.alpha);
      if (g.a_scale != nullptr) factor *= g.a_scale[row + i] * g.b_scale[column + j];
      Output& c = static_cast<Output*>(g.c)[(row + i) * g.n + column + j];
      c = finish(static_cast<Factor>(total<Sum>(block.sums[i][j])), c, factor, beta);
    }
}

// scaled: B's columns have a scale for every scale_group along k.
template <class Element, class B, class Output, bool scaled, int rows>
void multiply_block(const GemmOperands& g, const Element* a, const Tile& tile, std::int64_t row,
                    std::int64_t column) {
  const std::int64_t left = tile.column + tile.columns - column;
  std::int64_t columns[columns_at_once];  // the last one once more where there are fewer
  Columns<B> b = {{}, columns_at_once * g.k / values_per_byte<B>};
  for (int j = 0; j < columns_at_once; ++j) {
    columns[j] = column + (j < left ? j : left - 1);
    b.start[j] =
        static_cast<const B*>(g.b) + (tile.group * g.n + columns[j]) * g.k / values_per_byte<B>;
  }
  a += row * lanes<Element>;
  Block<Element, rows> block;
  if constexpr (scaled)
    for (std::int64_t p = 0; p < g.k; p += scale_group) {
      float scale[columns_at_once];
      for (int j = 0; j < columns_at_once; ++j)
        scale[j] = g.b_scale[p / scale_group * g.n + columns[j]];
      Block<Element, rows> group;
      group.add(a, g.m, b, p, p + scale_group < g.k ? p + scale_group : g.k);
      block.add_scaled(group, scale);
    }
  else
    block.add(a, g.m, b, 0, g.k);
  store<Output>(g, block, row, column, left);
}

// The instance for the rows that are left.
template <class Element, class B, class Output, bool scaled, int rows = rows_at_once<scaled>>
void multiply_rows(const GemmOperands& g, const Element* a, const Tile& tile, std::int64_t row,
                   std::int64_t column) {
  if constexpr (rows > 1)
    if (tile.row + tile.rows - row < rows)
      return multiply_rows<Element, B, Output, scaled, rows - 1>(g, a, tile, row, column);
  multiply_block<Element, B, Output, scaled, rows>(g, a, tile, row, column);
}

template <class Element, class B, class Output, bool scaled>
void compute(const GemmOperands& g, const void* packed_a, const Tile& tile) {
  const auto* a = static_cast<const Element*>(packed_a);
  for (std::int64_t j = tile.column; j < tile.column + tile.columns; j += columns_at_once)
    for (std::int64_t i = tile.row; i < tile.row + tile.rows; i += rows_at_once<scaled>)
      multiply_rows<Element, B, Output, scaled>(g, a, tile, i, j);
}

template <class Element, class A>
void pack(const GemmOperands& g, void* packed_a) {
  auto* to = static_cast<Element*>(packed_a);
  for (std::int64_t p = 0; p < g.k; p += lanes<Element>)
    for (std::int64_t i = 0; i < g.m; ++i, to += lanes<Element>) {
      const std::int64_t left = g.k - p;
      const auto values = load_part<Element>(static_cast<const A*>(g.a) + i * g.k + p,
                                             left < lanes<Element> ? left : lanes<Element>);
      std::memcpy(static_cast<void*>(to), &values, sizeof values);
    }
}

template <class Element, class A, class B, class Output, bool scaled = false>
constexpr DotKernel describe() {
  return {pack<Element, A>, compute<Element, B, Output, scaled>, sizeof(Element)};
}

template <class Element, class A, class B, bool scaled = false>
DotKernel into(DType output) {
  if (output == DType::f32) return describe<Element, A, B, float, scaled>();
  if (output == DType::bf16) return describe<Element, A, B, Bf16, scaled>();
  return {};
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

DotKernel dot_kernel(const Gemm& p) {
  using enum DType;
  using Int8 = std::int8_t;
  if (p.a == bf16 && p.scaling == Scaling::w4a16) return into<Bf16, Bf16, Int4, true>(p.c);
  if (p.a != p.b) return {};
  if (p.a == fp8_e4m3) return into<Bf16, Fp8, Fp8>(p.c);
  if (p.a == int8 && p.scaling == Scaling::w8a8) return into<std::int16_t, Int8, Int8>(p.c);
  if (p.a == int8 && p.c == int32) return describe<std::int16_t, Int8, Int8, std::int32_t>();
  if (p.a == bf16) return into<Bf16, Bf16, Bf16>(p.c);
  if (p.a == f32 && p.c == f32) return describe<float, float, float, float>();
  if (p.a == f64 && p.c == f64) return describe<double, double, double, double>();
  return {};
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
