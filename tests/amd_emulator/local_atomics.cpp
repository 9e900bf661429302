// SPDX-License-Identifier: Apache-2.0
// Atomic operations on LDS: a lane's is whole before the next lane's begins.
#include <bit>
#include <cstring>

#include "tests/amd_emulator/atomic_operations.h"
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/local_banks.h"
#include "tests/amd_emulator/local_memory.h"
#include "tests/amd_emulator/operands.h"

namespace amd_emulator {
namespace {

using U32 = std::uint32_t;
using I32 = std::int32_t;
using U64 = std::uint64_t;
using I64 = std::int64_t;

// `operation` makes the new value of the old one and the data; with two data registers of both.
template <class T, auto operation, bool returns>
void modify(Wave& wave, const Instruction& it) {
  constexpr bool two_data = requires {
    operation(T{}, T{}, T{});
  };
  Lanes32 address;
  for (int lane = 0; lane < lanes; ++lane)
    address.value[lane] =
        wave.v[it.address_register][lane] + (static_cast<U32>(it.immediate) & 0xffff);
  if (counting()) count_banks(wave, address.value, sizeof(T), LocalUse::atomic);
  for_each_enabled(wave, [&](int lane) {
    std::byte* memory = wave.group->local->modify<sizeof(T)>(wave, address.value[lane]);
    const T data = lane_value<T>(wave, it.data[0], lane);
    T old, changed;
    std::memcpy(&old, memory, sizeof old);
    if constexpr (two_data)
      changed = operation(old, data, lane_value<T>(wave, it.data[1], lane));
    else
      changed = operation(old, data);
    std::memcpy(memory, &changed, sizeof changed);
    if constexpr (returns) set_lane_value(wave, it.destination, lane, old);
  });
}

constexpr auto masked_or = [](auto old, auto mask, auto data) { return (old & ~mask) | data; };
constexpr auto compare_store = [](auto old, auto compare, auto data) {
  return old == compare ? data : old;
};
constexpr auto wrap = [](auto old, auto limit, auto data) {
  return old >= limit ? old - limit : old + data;
};

// A counter that m0 points at takes as many as there are lanes, at once; all get what it was.
template <bool up>
void count(Wave& wave, const Instruction& it) {
  if (wave.exec == 0) return;
  const U32 address = (wave.s[m0] & 0xffff) + (static_cast<U32>(it.immediate) & 0xffff);
  const auto count = static_cast<U32>(std::popcount(wave.exec));
  std::byte* memory = wave.group->local->modify<4>(wave, address);
  U32 old;
  std::memcpy(&old, memory, sizeof old);
  const U32 changed = up ? old + count : old - count;
  std::memcpy(memory, &changed, sizeof changed);
  for_each_enabled(wave, [&](int lane) { wave.v[it.destination][lane] = old; });
}

constexpr NamedHandler table[] = {
    {"ds_add_u32", modify<U32, atomic::add, false>},
    {"ds_sub_u32", modify<U32, atomic::subtract, false>},
    {"ds_rsub_u32", modify<U32, atomic::subtract_from, false>},
    {"ds_inc_u32", modify<U32, atomic::increment, false>},
    {"ds_dec_u32", modify<U32, atomic::decrement, false>},
    {"ds_min_i32", modify<I32, atomic::smaller, false>},
    {"ds_max_i32", modify<I32, atomic::larger, false>},
    {"ds_min_u32", modify<U32, atomic::smaller, false>},
    {"ds_max_u32", modify<U32, atomic::larger, false>},
    {"ds_and_b32", modify<U32, atomic::bit_and, false>},
    {"ds_or_b32", modify<U32, atomic::bit_or, false>},
    {"ds_xor_b32", modify<U32, atomic::bit_xor, false>},
    {"ds_mskor_b32", modify<U32, masked_or, false>},
    {"ds_cmpst_b32", modify<U32, compare_store, false>},
    {"ds_cmpst_f32", modify<float, compare_store, false>},
    {"ds_min_f32", modify<float, atomic::smaller, false>},
    {"ds_max_f32", modify<float, atomic::larger, false>},
    {"ds_add_f32", modify<float, atomic::add, false>},
    {"ds_add_rtn_u32", modify<U32, atomic::add, true>},
    {"ds_sub_rtn_u32", modify<U32, atomic::subtract, true>},
    {"ds_rsub_rtn_u32", modify<U32, atomic::subtract_from, true>},
    {"ds_inc_rtn_u32", modify<U32, atomic::increment, true>},
    {"ds_dec_rtn_u32", modify<U32, atomic::decrement, true>},
    {"ds_min_rtn_i32", modify<I32, atomic::smaller, true>},
    {"ds_max_rtn_i32", modify<I32, atomic::larger, true>},
    {"ds_min_rtn_u32", modify<U32, atomic::smaller, true>},
    {"ds_max_rtn_u32", modify<U32, atomic::larger, true>},
    {"ds_and_rtn_b32", modify<U32, atomic::bit_and, true>},
    {"ds_or_rtn_b32", modify<U32, atomic::bit_or, true>},
    {"ds_xor_rtn_b32", modify<U32, atomic::bit_xor, true>},
    {"ds_mskor_rtn_b32", modify<U32, masked_or, true>},
    {"ds_wrxchg_rtn_b32", modify<U32, atomic::exchange, true>},
    {"ds_cmpst_rtn_b32", modify<U32, compare_store, true>},
    {"ds_cmpst_rtn_f32", modify<float, compare_store, true>},
    {"ds_min_rtn_f32", modify<float, atomic::smaller, true>},
    {"ds_max_rtn_f32", modify<float, atomic::larger, true>},
    {"ds_wrap_rtn_b32", modify<U32, wrap, true>},
    {"ds_add_rtn_f32", modify<float, atomic::add, true>},

    {"ds_add_u64", modify<U64, atomic::add, false>},
    {"ds_sub_u64", modify<U64, atomic::subtract, false>},
    {"ds_rsub_u64", modify<U64, atomic::subtract_from, false>},
    {"ds_inc_u64", modify<U64, atomic::increment, false>},
    {"ds_dec_u64", modify<U64, atomic::decrement, false>},
    {"ds_min_i64", modify<I64, atomic::smaller, false>},
    {"ds_max_i64", modify<I64, atomic::larger, false>},
    {"ds_min_u64", modify<U64, atomic::smaller, false>},
    {"ds_max_u64", modify<U64, atomic::larger, false>},
    {"ds_and_b64", modify<U64, atomic::bit_and, false>},
    {"ds_or_b64", modify<U64, atomic::bit_or, false>},
    {"ds_xor_b64", modify<U64, atomic::bit_xor, false>},
    {"ds_mskor_b64", modify<U64, masked_or, false>},
    {"ds_cmpst_b64", modify<U64, compare_store, false>},
    {"ds_cmpst_f64", modify<double, compare_store, false>},
    {"ds_min_f64", modify<double, atomic::smaller, false>},
    {"ds_max_f64", modify<double, atomic::larger, false>},
    {"ds_add_f64", modify<double, atomic::add, false>},
    {"ds_add_rtn_u64", modify<U64, atomic::add, true>},
    {"ds_sub_rtn_u64", modify<U64, atomic::subtract, true>},
    {"ds_rsub_rtn_u64", modify<U64, atomic::subtract_from, true>},
    {"ds_inc_rtn_u64", modify<U64, atomic::increment, true>},
    {"ds_dec_rtn_u64", modify<U64, atomic::decrement, true>},
    {"ds_min_rtn_i64", modify<I64, atomic::smaller, true>},
    {"ds_max_rtn_i64", modify<I64, atomic::larger, true>},
    {"ds_min_rtn_u64", modify<U64, atomic::smaller, true>},
    {"ds_max_rtn_u64", modify<U64, atomic::larger, true>},
    {"ds_and_rtn_b64", modify<U64, atomic::bit_and, true>},
    {"ds_or_rtn_b64", modify<U64, atomic::bit_or, true>},
    {"ds_xor_rtn_b64", modify<U64, atomic::bit_xor, true>},
    {"ds_mskor_rtn_b64", modify<U64, masked_or, true>},
    {"ds_wrxchg_rtn_b64", modify<U64, atomic::exchange, true>},
    {"ds_cmpst_rtn_b64", modify<U64, compare_store, true>},
    {"ds_cmpst_rtn_f64", modify<double, compare_store, true>},
    {"ds_min_rtn_f64", modify<double, atomic::smaller, true>},
    {"ds_max_rtn_f64", modify<double, atomic::larger, true>},
    {"ds_add_rtn_f64", modify<double, atomic::add, true>},

    {"ds_pk_add_f16", modify<U32, atomic::add_f16_pair, false>},
    {"ds_pk_add_bf16", modify<U32, atomic::add_bf16_pair, false>},
    {"ds_pk_add_rtn_f16", modify<U32, atomic::add_f16_pair, true>},
    {"ds_pk_add_rtn_bf16", modify<U32, atomic::add_bf16_pair, true>},
    {"ds_append", count<true>},
    {"ds_consume", count<false>},
};

}  // namespace

std::span<const NamedHandler> local_atomic_handlers() {
  return table;
}

}  // namespace amd_emulator
