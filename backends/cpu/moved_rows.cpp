// SPDX-License-Identifier: Apache-2.0
// Rows copied to where an index says, for the instruction set this file is compiled for.
//
// Idea     A row is a run of bytes, whatever its type, but for a token that is rounded for an fp8 cache.
// Traffic  Every row that is named once, and its copies.
// Limits   Rows shorter than a line waste the rest of it.
#include "backends/cpu/layer_narrow.h"

namespace steelyard::cpu {
namespace {

// Asks for `next`, the row to follow: it may lie anywhere, which no prefetcher of a CPU foresees.
template <Store how>
void copy_row(std::byte* to, const std::byte* from, std::int64_t bytes, const std::byte* next) {
  std::int64_t i = 0;
  for (; i + vector_bytes <= bytes; i += vector_bytes) {
    prefetch(next, i);
    store<how>(to + i, load<Words>(from + i));
  }
  std::memcpy(to + i, from + i, bytes - i);
}

// y[row] = table[ids[row]]
template <Store how>
[[gnu::flatten]] void gather(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const std::int64_t row_bytes = a.p.columns * bits(a.p.dtype) / 8;
  const auto* table = a.get<std::byte>(0);
  const auto* ids = a.get<std::int32_t>(1);
  for (std::int64_t row = first; row < end; ++row)
    copy_row<how>(a.get<std::byte>(2) + row * row_bytes, table + ids[row] * row_bytes, row_bytes,
                  table + ids[row + 1 < end ? row + 1 : row] * row_bytes);
}

// y[place[token, copy]] = x[token]
template <Store how>
[[gnu::flatten]] void scatter_copies(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const std::int64_t row_bytes = a.p.columns * bits(a.p.dtype) / 8;
  const auto* place = a.get<std::int32_t>(3);
  for (std::int64_t token = first; token < end; ++token)
    for (std::int64_t copy = token * a.p.choices; copy < (token + 1) * a.p.choices; ++copy) {
      const auto* x = a.get<std::byte>(0) + token * row_bytes;
      copy_row<how>(a.get<std::byte>(2) + place[copy] * row_bytes, x, row_bytes, x + row_bytes);
    }
}

// Line of the cache that takes the new token of a row: of a paged one, slot position % page_size of
// page page_table[row, position / page_size].
std::int64_t cache_line(const LayerOperands& a, std::int64_t row) {
  const Layer& p = a.p;
  const std::int32_t position = a.get<std::int32_t>(2)[row];
  if (p.page_size == 0) return row * p.entries + position;
  const std::int64_t pages = (p.entries + p.page_size - 1) / p.page_size;  // of one sequence
  const std::int32_t page = a.get<std::int32_t>(3)[row * pages + position / p.page_size];
  return page * p.page_size + position % p.page_size;
}

// k_cache[line] = k[row], and so for v.
[[gnu::flatten]] void cache_append(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const std::int64_t row_bytes = a.p.columns * bits(a.p.dtype) / 8;
  const int caches = a.p.page_size > 0 ? 4 : 3;
  for (std::int64_t row = first; row < end; ++row)
    for (const int kv : {0, 1}) {
      const auto* token = a.get<std::byte>(kv) + row * row_bytes;
      copy_row<Store::temporal>(a.get<std::byte>(caches + kv) + cache_line(a, row) * row_bytes,
                                token, row_bytes, token + row_bytes);
    }
}

// The same, rounded to fp8_e4m3.
template <class T>
[[gnu::flatten]] void round_to_cache(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const std::int64_t columns = a.p.columns;
  const int caches = a.p.page_size > 0 ? 4 : 3;
  for (std::int64_t row = first; row < end; ++row)
    for (const int kv : {0, 1}) {
      const T* token = a.get<T>(kv) + row * columns;
      auto* to = a.get<std::uint8_t>(caches + kv) + cache_line(a, row) * columns;
      for_each_step<T>(columns, [=](std::int64_t i, auto part) {
        put_codes<Store::temporal>(to + i, encode<E4m3>(get(token + i, part)), part);
      });
    }
}

// f64 would be rounded twice: its way to fp8 is through f32.
LayerFunction* rounding_append(DType type) {
  return with_type(type, Store::temporal, []<class T, Store>() -> LayerFunction* {
    if constexpr (sizeof(T) < sizeof(double)) return round_to_cache<T>;
    return nullptr;
  });
}

template <Store how>
LayerFunction* function_for(const Layer& p) {
  if (p.op == LayerOp::embedding_gather) return gather<how>;
  if (p.op == LayerOp::permute) return scatter_copies<how>;
  return p.fp8_cache ? rounding_append(p.dtype) : cache_append;
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

LayerFunction* moved_rows(const Layer& p, Store store) {
  return store == Store::temporal ? function_for<Store::temporal>(p)
                                  : function_for<Store::nontemporal>(p);
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
