// SPDX-License-Identifier: Apache-2.0
// A double of cuBLASLt for emulated devices.
#include "backends/cuda/cublaslt_api.h"
#include "tests/doubles/described_blas.h"

using steelyard::cuda::CublasLt;
using Blas = steelyard::doubles::DescribedBlas<
    CublasLt, {.invalid_value = 7, .execution_failed = 13, .not_supported = 15}>;

extern "C" {

int cublasLtCreate(void** handle) {
  static int made = 0;
  *handle = &made;
  return 0;
}
std::size_t cublasLtGetVersion() {
  return 130100;
}
const char* cublasLtGetStatusName(int status) {
  switch (status) {
    case 7:
      return "CUBLAS_STATUS_INVALID_VALUE";
    case 13:
      return "CUBLAS_STATUS_EXECUTION_FAILED";
    case 15:
      return "CUBLAS_STATUS_NOT_SUPPORTED";
    default:
      return "CUBLAS_STATUS_SUCCESS";
  }
}
int cublasLtMatmulDescCreate(void** made, int compute_type, int scalar_type) {
  return Blas::create_description(made, compute_type, scalar_type);
}
int cublasLtMatmulDescDestroy(void* description) {
  return Blas::destroy<Blas::Description>(description);
}
int cublasLtMatmulDescSetAttribute(void* description, int attribute, const void* value,
                                   std::size_t size) {
  return Blas::set_description(description, attribute, value, size);
}
int cublasLtMatrixLayoutCreate(void** made, int type, std::uint64_t rows, std::uint64_t columns,
                               std::int64_t leading) {
  return Blas::create_layout(made, type, rows, columns, leading);
}
int cublasLtMatrixLayoutDestroy(void* layout) {
  return Blas::destroy<Blas::Layout>(layout);
}
int cublasLtMatmulPreferenceCreate(void** made) {
  return Blas::create_preference(made);
}
int cublasLtMatmulPreferenceDestroy(void* preference) {
  return Blas::destroy<Blas::Preference>(preference);
}
int cublasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value,
                                         std::size_t size) {
  return Blas::set_preference(preference, attribute, value, size);
}
int cublasLtMatmulAlgoGetHeuristic(void* handle, void* description, void* a, void* b, void* c,
                                   void* d, void* preference, int most, CublasLt::Heuristic* found,
                                   int* found_count) {
  return Blas::get_heuristic(handle, description, a, b, c, d, preference, most, found, found_count);
}
// The id is the number of the algorithm, the tile 20 is 128x128; it knows nothing of clusters.
int cublasLtMatmulAlgoConfigGetAttribute(const CublasLt::Algorithm* algorithm, int attribute,
                                         void* value, std::size_t size, std::size_t* written) {
  std::int32_t number = 1;
  if (attribute == CublasLt::algorithm_id) number = static_cast<std::int32_t>(algorithm->data[0]);
  if (attribute == CublasLt::algorithm_tile) number = 20;
  if (attribute == CublasLt::algorithm_cluster || size != sizeof number) return 7;
  std::memcpy(value, &number, size);
  *written = size;
  return 0;
}
#ifndef STEELYARD_DOUBLE_LACKS_MATMUL
int cublasLtMatmul(void* handle, void* description, const void* alpha, const void* a,
                   void* a_layout, const void* b, void* b_layout, const void* beta, const void* c,
                   void* c_layout, void* d, void* d_layout, const CublasLt::Algorithm* algorithm,
                   void* workspace, std::size_t workspace_bytes, cudaStream_t stream) {
  return Blas::matmul(handle, description, alpha, a, a_layout, b, b_layout, beta, c, c_layout, d,
                      d_layout, algorithm, workspace, workspace_bytes, stream);
}
#endif

// For the test.
int steelyard_double_launches(int algorithm) {
  return Blas::launches.at(static_cast<std::size_t>(algorithm));
}
void steelyard_double_fail_all(bool fail) {
  Blas::fail_all = fail;
}

}  // extern "C"
