// SPDX-License-Identifier: Apache-2.0
// Layers that treat every element alike, for the instruction set this file is compiled for.
//
// Idea     One pass of whole vectors in f32, each tensor widened as it is read and rounded once as it
//          is written. tanh is 2 logistic(2 u) - 1, so that all activations share one exponential.
// Traffic  Every element of every tensor once.
// Limits   An activation of 16-bit elements takes about 30 instructions per vector and 6 bytes an
//          element: a core that is slow beside its memory sets the pace.
#include "backends/cpu/layer_simd.h"

namespace steelyard::cpu {
namespace {

// ---- y = x + residual

template <class T, Store how>
[[gnu::flatten]] void residual_add(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const T *x = a.get<T>(0) + first, *residual = a.get<T>(1) + first;
  T* y = a.get<T>(2) + first;
  for_each_step<T>(end - first, [=](std::int64_t i, auto part) {
    put<how>(y + i, get(x + i, part) + get(residual + i, part), part);
  });
}

// ---- SwiGLU: y = gate s up with s = logistic(gate)

template <class T, Store how>
[[gnu::flatten]] void swiglu(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  const T *gate = a.get<T>(0) + first, *up = a.get<T>(1) + first;
  T* y = a.get<T>(2) + first;
  for_each_step<T>(end - first, [=](std::int64_t i, auto part) {
    const auto g = get(gate + i, part);
    put<how>(y + i, g * logistic<Compute<T>>(g).value * get(up + i, part), part);
  });
}

// dgate = dy up s (1 + gate (1 - s)), dup = dy gate s
template <class T, Store how>
[[gnu::flatten]] void swiglu_backward(const LayerOperands& a, std::int64_t first,
                                      std::int64_t end) {
  const T *gate = a.get<T>(0) + first, *up = a.get<T>(1) + first, *dy = a.get<T>(2) + first;
  T *dgate = a.get<T>(3) + first, *dup = a.get<T>(4) + first;
  for_each_step<T>(end - first, [=](std::int64_t i, auto part) {
    const auto g = get(gate + i, part), d = get(dy + i, part);
    const auto s = logistic<Compute<T>>(g);
    put<how>(dgate + i, d * get(up + i, part) * s.value * (1 + g * s.complement), part);
    put<how>(dup + i, d * g * s.value, part);
  });
}

// ---- GELU by tanh: y = x s with s = logistic(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3)

template <class C>
constexpr auto gelu_slope = static_cast<C>(0.797884560802865355880);  // sqrt(2 / pi)
template <class C>
constexpr auto gelu_cubic = static_cast<C>(0.044715);

template <class T, Store how>
[[gnu::flatten]] void gelu(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  using C = Compute<T>;
  const T* x = a.get<T>(0) + first;
  T* y = a.get<T>(1) + first;
  for_each_step<T>(end - first, [=](std::int64_t i, auto part) {
    const auto v = get(x + i, part);
    const auto two_u = 2 * gelu_slope<C> * v * (1 + gelu_cubic<C> * v * v);
    put<how>(y + i, v * logistic<C>(two_u).value, part);
  });
}

// dx = dy s (1 + x (1 - s) 2 u')
template <class T, Store how>
[[gnu::flatten]] void gelu_backward(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  using C = Compute<T>;
  const T *x = a.get<T>(0) + first, *dy = a.get<T>(1) + first;
  T* dx = a.get<T>(2) + first;
  for_each_step<T>(end - first, [=](std::int64_t i, auto part) {
    const auto v = get(x + i, part), square = v * v;
    const auto s = logistic<C>(2 * gelu_slope<C> * v * (1 + gelu_cubic<C> * square));
    const auto two_du = 2 * gelu_slope<C> * (1 + 3 * gelu_cubic<C> * square);
    put<how>(dx + i, get(dy + i, part) * s.value * (1 + v * s.complement * two_du), part);
  });
}

// ---- AdamW

inline Vector<float> root(Vector<float> x) {
#if defined(__AVX512F__)
  return (Vector<float>)_mm512_maskz_sqrt_ps(0xffff, (__m512)x);
#elif defined(__AVX2__)
  return (Vector<float>)_mm256_sqrt_ps((__m256)x);
#else
  return (Vector<float>)_mm_sqrt_ps((__m128)x);
#endif
}

constexpr double power(double base, std::int64_t exponent) {
  double result = 1;
  for (; exponent > 0; --exponent) result *= base;
  return result;
}

// The master weights and moments stay f32; `weight` is their copy for the model.
template <class T, class G, Store how>
[[gnu::flatten]] void adamw_step(const LayerOperands& a, std::int64_t first, std::int64_t end) {
  constexpr double bias1 = 1 - power(adamw.beta1, adamw.step);
  constexpr double bias2 = 1 - power(adamw.beta2, adamw.step);
  constexpr auto f = [](double value) { return static_cast<float>(value); };
  const G* gradient = a.get<G>(0) + first;
  float *master = a.get<float>(1) + first, *moment1 = a.get<float>(2) + first;
  float* moment2 = a.get<float>(3) + first;
  T* weight = a.get<T>(4) + first;
  for_each_step<T>(end - first, [=](std::int64_t i, auto part) {
    const auto g = get(gradient + i, part);
    const auto m = f(adamw.beta1) * get(moment1 + i, part) + f(1 - adamw.beta1) * g;
    const auto v = f(adamw.beta2) * get(moment2 + i, part) + f(1 - adamw.beta2) * g * g;
    const auto change = f(adamw.rate / bias1) * m / (root(v * f(1 / bias2)) + f(adamw.epsilon));
    const auto w = f(1 - adamw.rate * adamw.decay) * get(master + i, part) - change;
    put(master + i, w, part);
    put(moment1 + i, m, part);
    put(moment2 + i, v, part);
    put<how>(weight + i, w, part);
  });
}

// ---- the table

template <class T, Store how>
LayerFunction* function_for(const Layer& p) {
  const bool backward = p.pass == Pass::backward;
  switch (p.op) {
    case LayerOp::residual_add:
      return residual_add<T, how>;
    case LayerOp::swiglu:
      return backward ? swiglu_backward<T, how> : swiglu<T, how>;
    case LayerOp::gelu:
      return backward ? gelu_backward<T, how> : gelu<T, how>;
    case LayerOp::adamw:
      if constexpr (sizeof(T) < sizeof(double))
        return p.f32_gradient ? adamw_step<T, float, how> : adamw_step<T, T, how>;
      return nullptr;
    default:
      return nullptr;
  }
}

}  // namespace

namespace STEELYARD_INSTRUCTION_SET {

LayerFunction* layer_elements(const Layer& p, Store store) {
  return with_type(p.dtype, store, [&]<class T, Store how>() { return function_for<T, how>(p); });
}

}  // namespace STEELYARD_INSTRUCTION_SET
}  // namespace steelyard::cpu
