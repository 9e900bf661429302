// SPDX-License-Identifier: Apache-2.0
// Atomic instructions on global, generic and buffer memory.
#include <atomic>
#include <string>

#include "tests/amd_emulator/address_space.h"
#include "tests/amd_emulator/atomic_operations.h"
#include "tests/amd_emulator/handlers.h"

namespace amd_emulator {
namespace {

template <class T>
void return_old(Wave& wave, const Instruction& it, int lane, T old) {
  if (it.glc != 0) set_lane_value(wave, it.destination, lane, old);
}

// Null beyond a buffer's end.
template <class Space>
std::byte* find(Space& space, int lane) {
  std::byte* place = space.whole(lane);
  if (std::is_same_v<Space, FlatSpace> && place == nullptr)
    throw Fault("atomic operations on private memory are not emulated");
  return place;
}

// Workgroups run on several threads: memory changes in one step. Returns what was there, 0 where nothing
// is.
template <class T, class F>
T modify(std::byte* place, F f) {
  if (place == nullptr) return T{};
  using Bits = BitsOf<T>;
  const std::atomic_ref<Bits> value(*reinterpret_cast<Bits*>(place));
  Bits old = value.load();
  while (!value.compare_exchange_weak(old, std::bit_cast<Bits>(f(std::bit_cast<T>(old))))) {
  }
  return std::bit_cast<T>(old);
}

template <class Space, class T, auto f, Access access>
void update(Wave& wave, const Instruction& it) {
  if (wave.exec == 0) return;
  Space space(wave, it, sizeof(T), access);
  for_each_enabled(wave, [&](int lane) {
    const T by = lane_value<T>(wave, it.data[0], lane);
    std::byte* place = find<Space>(space, lane);
    return_old(wave, it, lane, modify<T>(place, [&](T old) { return f(old, by); }));
  });
}
// The new value lies before the expected one.
template <class Space, class T>
void compare_and_swap(Wave& wave, const Instruction& it) {
  if (wave.exec == 0) return;
  Space space(wave, it, sizeof(T), Access::atomic);
  for_each_enabled(wave, [&](int lane) {
    const T by = lane_value<T>(wave, it.data[0], lane);
    const T expected = lane_value<T>(wave, it.data[0] + static_cast<unsigned>(sizeof(T) / 4), lane);
    std::byte* place = find<Space>(space, lane);
    return_old(wave, it, lane, modify<T>(place, [&](T old) { return old == expected ? by : old; }));
  });
}

template <class Space>
void add_space(HandlerTable& to, const std::string& prefix) {
  const auto add = [&](const std::string& name, Handler handler) {
    to.add(prefix + "atomic_" + name, handler);
  };
  const auto add_integer = [&]<class U, class S>(U, S, const std::string& suffix) {
    add("add" + suffix, update<Space, U, atomic::add, Access::atomic>);
    add("sub" + suffix, update<Space, U, atomic::subtract, Access::atomic>);
    add("smin" + suffix, update<Space, S, atomic::smaller, Access::atomic>);
    add("umin" + suffix, update<Space, U, atomic::smaller, Access::atomic>);
    add("smax" + suffix, update<Space, S, atomic::larger, Access::atomic>);
    add("umax" + suffix, update<Space, U, atomic::larger, Access::atomic>);
    add("and" + suffix, update<Space, U, atomic::bit_and, Access::atomic>);
    add("or" + suffix, update<Space, U, atomic::bit_or, Access::atomic>);
    add("xor" + suffix, update<Space, U, atomic::bit_xor, Access::atomic>);
    add("inc" + suffix, update<Space, U, atomic::increment, Access::atomic>);
    add("dec" + suffix, update<Space, U, atomic::decrement, Access::atomic>);
    add("swap" + suffix, update<Space, U, atomic::exchange, Access::atomic>);
    add("cmpswap" + suffix, compare_and_swap<Space, U>);
  };
  add_integer(u32{}, i32{}, "");
  add_integer(u64{}, i64{}, "_x2");
  add("add_f32", update<Space, f32, atomic::add, Access::float_atomic>);
  add("add_f64", update<Space, f64, atomic::add, Access::float_atomic>);
  add("min_f64", update<Space, f64, atomic::smaller, Access::float_atomic>);
  add("max_f64", update<Space, f64, atomic::larger, Access::float_atomic>);
  add("pk_add_f16", update<Space, u32, atomic::add_f16_pair, Access::float_atomic>);
  add("pk_add_bf16", update<Space, u32, atomic::add_bf16_pair, Access::float_atomic>);
}

}  // namespace

std::span<const NamedHandler> global_atomic_handlers() {
  static const HandlerTable handlers = [] {
    HandlerTable all;
    add_space<GlobalSpace>(all, "global_");
    add_space<FlatSpace>(all, "flat_");
    add_space<BufferSpace>(all, "buffer_");
    return all;
  }();
  return handlers.all();
}

}  // namespace amd_emulator
