// SPDX-License-Identifier: Apache-2.0
// A double of hipBLASLt for emulated devices.
#include "backends/hip/hipblaslt_api.h"
#include "tests/doubles/described_blas.h"

using steelyard::hip::HipblasLt;
using Blas = steelyard::doubles::DescribedBlas<
    HipblasLt, {.invalid_value = 3, .execution_failed = 5, .not_supported = 7}>;

extern "C" {

int hipblasLtCreate(void** handle) {
  static int made = 0;
  *handle = &made;
  return 0;
}
int hipblasLtGetVersion(void*, int* version) {
  *version = 100102;
  return 0;
}
int hipblasLtMatmulDescCreate(void** made, int compute_type, int scalar_type) {
  return Blas::create_description(made, compute_type, scalar_type);
}
int hipblasLtMatmulDescDestroy(void* description) {
  return Blas::destroy<Blas::Description>(description);
}
int hipblasLtMatmulDescSetAttribute(void* description, int attribute, const void* value,
                                    std::size_t size) {
  return Blas::set_description(description, attribute, value, size);
}
int hipblasLtMatrixLayoutCreate(void** made, int type, std::uint64_t rows, std::uint64_t columns,
                                std::int64_t leading) {
  return Blas::create_layout(made, type, rows, columns, leading);
}
int hipblasLtMatrixLayoutDestroy(void* layout) {
  return Blas::destroy<Blas::Layout>(layout);
}
int hipblasLtMatmulPreferenceCreate(void** made) {
  return Blas::create_preference(made);
}
int hipblasLtMatmulPreferenceDestroy(void* preference) {
  return Blas::destroy<Blas::Preference>(preference);
}
int hipblasLtMatmulPreferenceSetAttribute(void* preference, int attribute, const void* value,
                                          std::size_t size) {
  return Blas::set_preference(preference, attribute, value, size);
}
int hipblasLtMatmulAlgoGetHeuristic(void* handle, void* description, void* a, void* b, void* c,
                                    void* d, void* preference, int most,
                                    HipblasLt::Heuristic* found, int* found_count) {
  return Blas::get_heuristic(handle, description, a, b, c, d, preference, most, found, found_count);
}
int hipblasLtMatmul(void* handle, void* description, const void* alpha, const void* a,
                    void* a_layout, const void* b, void* b_layout, const void* beta, const void* c,
                    void* c_layout, void* d, void* d_layout, const HipblasLt::Algorithm* algorithm,
                    void* workspace, std::size_t workspace_bytes, cudaStream_t stream) {
  return Blas::matmul(handle, description, alpha, a, a_layout, b, b_layout, beta, c, c_layout, d,
                      d_layout, algorithm, workspace, workspace_bytes, stream);
}

// hipblaslt_ext::getIndexFromAlgo(hipblasLtMatmulAlgo_t&)
int _ZN13hipblaslt_ext16getIndexFromAlgoER22_hipblasLtMatmulAlgo_t(
    const HipblasLt::Algorithm* algorithm) {
  return 1000 + algorithm->data[0];
}

}  // extern "C"
