// SPDX-License-Identifier: Apache-2.0
// A double of rocBLAS for emulated devices. It wants a stream and a workspace before a product.
#include "backends/hip/rocblas_api.h"

#include <cstring>

#include "tests/doubles/emulated_work.h"

using steelyard::DType;
using steelyard::hip::RocBlas;
using namespace steelyard::doubles;

namespace {

struct Handle {
  cudaStream_t stream = nullptr;
  void* workspace = nullptr;
  int math_mode = -1;
};
int living_handles = 0;

constexpr int invalid_value = 11;

bool decode(int number, DType& type) {
  for (const DType one :
       {DType::f64, DType::f32, DType::f16, DType::bf16, DType::int8, DType::int32})
    if (RocBlas::data_type(one) == number) {
      type = one;
      return true;
    }
  return false;
}

}  // namespace

extern "C" {

int rocblas_create_handle(void** handle) {
  *handle = new Handle;
  ++living_handles;
  return 0;
}
int rocblas_destroy_handle(void* handle) {
  delete static_cast<Handle*>(handle);
  --living_handles;
  return 0;
}
int rocblas_set_stream(void* handle, cudaStream_t stream) {
  static_cast<Handle*>(handle)->stream = stream;
  return 0;
}
int rocblas_set_workspace(void* handle, void* workspace, std::size_t) {
  static_cast<Handle*>(handle)->workspace = workspace;
  return 0;
}
int rocblas_set_math_mode(void* handle, int mode) {
  static_cast<Handle*>(handle)->math_mode = mode;
  return 0;
}
int rocblas_get_version_string(char* text, std::size_t size) {
  std::strncpy(text, "5.0.2.double", size);
  return 0;
}
const char* rocblas_status_to_string(int) {
  return "rocblas_status_invalid_value";
}
int rocblas_gemm_ex(void* raw, int op_a, int op_b, int m, int n, int k, const void* alpha,
                    const void* a, int a_type, int lda, const void* b, int b_type, int ldb,
                    const void* beta, const void* c, int c_type, int ldc, void* d, int d_type,
                    int ldd, int compute_type, int, std::int32_t, std::uint32_t) {
  const Handle& handle = *static_cast<Handle*>(raw);
  const bool ta = op_a == RocBlas::transpose, tb = op_b == RocBlas::transpose;
  DType types[5];
  const int numbers[] = {a_type, b_type, c_type, d_type, compute_type};
  for (int i = 0; i < 5; ++i)
    if (!decode(numbers[i], types[i])) return invalid_value;
  if (handle.stream == nullptr || handle.workspace == nullptr || handle.math_mode < 0 ||
      lda < (ta ? k : m) || ldb < (tb ? n : k) || ldc < m || ldd < m)
    return invalid_value;
  const Product product = {.m = m,
                           .n = n,
                           .k = k,
                           .alpha = read(types[4], alpha),
                           .beta = read(types[4], beta),
                           .a = {a, types[0], lda, ta},
                           .b = {b, types[1], ldb, tb},
                           .c = {c, types[2], ldc},
                           .d = {d, types[3], ldd}};
  return enqueue(handle.stream, std::chrono::microseconds(0), [=] { multiply(product); })
             ? 0
             : invalid_value;
}

// For the test.
int steelyard_double_living_handles() {
  return living_handles;
}

}  // extern "C"
