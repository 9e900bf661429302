// SPDX-License-Identifier: Apache-2.0
// Comparisons: a bit for each lane that takes part.
#include <string>
#include <vector>

#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/lanewise.h"

namespace amd_emulator {
namespace {

template <class F>
void write_mask(Wave& wave, const Instruction& it, bool to_exec, F holds) {
  u8 lane_holds[lanes];
  for (int lane = 0; lane < lanes; ++lane) lane_holds[lane] = holds(lane);
  const u64 mask = bits_of(lane_holds) & wave.exec;
  write_scalar64(wave, it.scalar_destination, mask);
  if (to_exec) wave.set_exec(mask);
}

template <class T, auto f, bool to_exec>
void compare(Wave& wave, const Instruction& it) {
  const Source<T> a(Operand{wave, it, 0}), b(Operand{wave, it, 1});
  write_mask(wave, it, to_exec, [&](int lane) { return f(a[lane], b[lane]); });
}

// The bits of b choose classes of a, from signalling NaN to positive infinity.
template <class T>
u32 class_of(T x) {
  const bool negative = is_negative(x);
  if (is_nan(x)) return (mantissa(x) >> (mantissa_bits<T> - 1) & 1) != 0 ? 1 << 1 : 1 << 0;
  if (is_infinite(x)) return negative ? 1 << 2 : 1 << 9;
  if (is_denormal(x)) return negative ? 1 << 4 : 1 << 7;
  if (x == T{0}) return negative ? 1 << 5 : 1 << 6;
  return negative ? 1 << 3 : 1 << 8;
}
template <class T, bool to_exec>
void classify(Wave& wave, const Instruction& it) {
  const Source<T> a(Operand{wave, it, 0});
  Instruction integer = it;  // the modifiers are those of the number
  integer.negate = integer.absolute = 0;
  const Source<u32> b(Operand{wave, integer, 1});
  write_mask(wave, it, to_exec, [&](int lane) { return (class_of<T>(a[lane]) & b[lane]) != 0; });
}

constexpr auto never = [](auto, auto) { return false; };
constexpr auto always = [](auto, auto) { return true; };
constexpr auto less = [](auto a, auto b) { return a < b; };
constexpr auto equal = [](auto a, auto b) { return a == b; };
constexpr auto less_equal = [](auto a, auto b) { return a <= b; };
constexpr auto greater = [](auto a, auto b) { return a > b; };
constexpr auto greater_equal = [](auto a, auto b) { return a >= b; };
constexpr auto less_greater = [](auto a, auto b) { return a < b || a > b; };
constexpr auto ordered = [](auto a, auto b) { return a == a && b == b; };
template <auto f>
constexpr auto negated = [](auto a, auto b) { return !f(a, b); };

struct Names {
  HandlerTable handlers;

  void add(const char* exec, const char* relation, const char* type, Handler handler) {
    handlers.add(std::string("v_cmp") + exec + '_' + relation + '_' + type, handler);
  }
  template <class T, auto f>
  void add(const char* relation, const char* type) {
    add("", relation, type, compare<T, f, false>);
    add("x", relation, type, compare<T, f, true>);
  }
  template <class T>
  void add_ordering(const char* type) {
    add<T, never>("f", type);
    add<T, less>("lt", type);
    add<T, equal>("eq", type);
    add<T, less_equal>("le", type);
    add<T, greater>("gt", type);
    add<T, greater_equal>("ge", type);
  }
  template <class T>
  void add_integer(const char* type) {
    add_ordering<T>(type);
    add<T, negated<equal>>("ne", type);
    add<T, always>("t", type);
  }
  template <class T>
  void add_float(const char* type) {
    add_ordering<T>(type);
    add<T, less_greater>("lg", type);
    add<T, ordered>("o", type);
    add<T, negated<ordered>>("u", type);
    add<T, negated<greater_equal>>("nge", type);
    add<T, negated<less_greater>>("nlg", type);
    add<T, negated<greater>>("ngt", type);
    add<T, negated<less_equal>>("nle", type);
    add<T, negated<equal>>("neq", type);
    add<T, negated<less>>("nlt", type);
    add<T, always>("tru", type);
    add("", "class", type, classify<T, false>);
    add("x", "class", type, classify<T, true>);
  }
};

}  // namespace

std::span<const NamedHandler> compare_handlers() {
  static const Names names = [] {
    Names all;
    all.add_integer<i16>("i16");
    all.add_integer<u16>("u16");
    all.add_integer<i32>("i32");
    all.add_integer<u32>("u32");
    all.add_integer<i64>("i64");
    all.add_integer<u64>("u64");
    all.add_float<f16>("f16");
    all.add_float<f32>("f32");
    all.add_float<f64>("f64");
    return all;
  }();
  return names.handlers.all();
}

}  // namespace amd_emulator
