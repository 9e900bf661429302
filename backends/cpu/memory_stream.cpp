// SPDX-License-Identifier: Apache-2.0
// Streaming through arrays, for the instruction set this file is compiled for.
//
// Idea     Whole vectors in one pass. Sums keep eight vectors of partial sums, so that loads and not
//          the latency of an addition set the pace, and are widened to f64 block by block.
// Traffic  Every element once: bytes of an operation = its arrays. A temporal store reads the line
//          it is about to overwrite, which adds an array that nobody counts; a nontemporal store
//          does not, and leaves nothing in the caches.
// Limits   A core has so many outstanding cache misses; one thread does not saturate a memory.
#include "backends/cpu/memory_stream.h"

#include "backends/cpu/simd.h"

namespace steelyard::cpu {
namespace {

// ---- the operations, on vectors and on the elements that are left

struct Write {
  static constexpr int inputs = 0;
  template <class T, class V>
  static V apply(V, V) {
    return V{} + static_cast<T>(stream_scalar);
  }
};
struct Copy {
  static constexpr int inputs = 1;
  template <class T, class V>
  static V apply(V a, V) {
    return a;
  }
};
struct Mul {
  static constexpr int inputs = 1;
  template <class T, class V>
  static V apply(V c, V) {
    return static_cast<T>(stream_scalar) * c;
  }
};
struct Add {
  static constexpr int inputs = 2;
  template <class T, class V>
  static V apply(V a, V b) {
    return a + b;
  }
};
struct Triad {
  static constexpr int inputs = 2;
  template <class T, class V>
  static V apply(V b, V c) {
    return b + static_cast<T>(stream_scalar) * c;
  }
};
using Read = Copy;
struct Dot {
  static constexpr int inputs = 2;
  template <class T, class V>
  static V apply(V a, V b) {
    return a * b;
  }
};

// The operation on the elements from `i` on: V is a vector or one element.
template <class V, class Operation, class T>
V evaluate(const T* x, const T* y, std::int64_t i) {
  V x_value = {}, y_value = {};
  if constexpr (Operation::inputs > 0) x_value = load<V>(x + i);
  if constexpr (Operation::inputs > 1) y_value = load<V>(y + i);
  return Operation::template apply<T>(x_value, y_value);
}

// ---- maps

template <Store how, class Operation, class T>
void map(void* out, const void* x_data, const void* y_data, std::int64_t count) {
  const auto *x = static_cast<const T*>(x_data), *y = static_cast<const T*>(y_data);
  auto* to = static_cast<T*>(out);
  std::int64_t i = 0;
  for (; i + lanes<T> <= count; i += lanes<T>)
    store<how>(to + i, evaluate<Vector<T>, Operation>(x, y, i));
  for (; i < count; ++i) to[i] = evaluate<T, Operation>(x, y, i);
  if constexpr (how == Store::nontemporal) _mm_sfence();  // visible before the team's barrier
}

// ---- sums

template <class T>
double sum_of_lanes(Vector<T> value) {
  double sum = 0;
  for (int i = 0; i < lanes<T>; ++i) sum += value[i];
  return sum;
}

template <class Operation, class T>
double sum_block(const T* x, const T* y, std::int64_t count) {
  constexpr int partial_sums = 8;
  constexpr std::int64_t step = partial_sums * lanes<T>;
  Vector<T> sum[partial_sums] = {};
  std::int64_t i = 0;
  for (; i + step <= count; i += step)
#pragma GCC unroll 8
    for (int s = 0; s < partial_sums; ++s)
      sum[s] += evaluate<Vector<T>, Operation>(x, y, i + s * lanes<T>);
  double total = 0;
  for (; i < count; ++i) total += evaluate<T, Operation>(x, y, i);
  for (int s = 1; s < partial_sums; ++s) sum[0] += sum[s];
  return total + sum_of_lanes<T>(sum[0]);
}

template <class Operation, class T>
double sum(const void* x_data, const void* y_data, std::int64_t count) {
  constexpr std::int64_t block = 8192;  // partial sums of f32 stay short, so their errors small
  const auto *x = static_cast<const T*>(x_data), *y = static_cast<const T*>(y_data);
  double total = 0;
  for (std::int64_t i = 0; i < count; i += block)
    total += sum_block<Operation>(x + i, Operation::inputs > 1 ? y + i : y,
                                  count - i < block ? count - i : block);
  return total;
}

// ---- the table

template <Store how, class T>
StreamKernel kernel_for(MemoryOp op) {
  switch (op) {
    case MemoryOp::write:
      return {.map = map<how, Write, T>};
    case MemoryOp::copy:
      return {.map = map<how, Copy, T>};
    case MemoryOp::mul:
      return {.map = map<how, Mul, T>};
    case MemoryOp::add:
      return {.map = map<how, Add, T>};
    case MemoryOp::triad:
      return {.map = map<how, Triad, T>};
    case MemoryOp::read:
      return {.sum = sum<Read, T>};
    case MemoryOp::dot:
      return {.sum = sum<Dot, T>};
    case MemoryOp::chase:
      return {};
  }
  return {};
}

template <Store how>
StreamKernel kernel_for(MemoryOp op, DType type) {
  if (type == DType::f64) return kernel_for<how, double>(op);
  if (type == DType::f32) return kernel_for<how, float>(op);
  return {};
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

StreamKernel stream_kernel(MemoryOp op, DType type, Store how) {
  return how == Store::temporal ? kernel_for<Store::temporal>(op, type)
                                : kernel_for<Store::nontemporal>(op, type);
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
