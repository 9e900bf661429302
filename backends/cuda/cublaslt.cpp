// SPDX-License-Identifier: Apache-2.0
// cuBLASLt, opened when the first row asks for it: its first choice, and the fastest of the
// algorithms that it offers.
#include <fmt/format.h>

#include <map>

#include "backends/cuda/cublaslt_api.h"
#include "backends/cuda/kernels.h"
#include "backends/gpu/described_matmul.h"

namespace steelyard {
namespace cublaslt {

std::optional<int> Api::data_type(DType type, Encoding) {
  switch (type) {
    case DType::f64:
      return 1;  // CUDA_R_64F
    case DType::f32:
    case DType::tf32:
      return 0;  // CUDA_R_32F
    case DType::f16:
      return 2;  // CUDA_R_16F
    case DType::bf16:
      return 14;  // CUDA_R_16BF
    case DType::fp8_e4m3:
      return 28;  // CUDA_R_8F_E4M3
    case DType::fp8_e5m2:
      return 29;  // CUDA_R_8F_E5M2
    case DType::int8:
      return 3;  // CUDA_R_8I
    case DType::int32:
      return 10;  // CUDA_R_32I
    case DType::int4:
      break;
  }
  return std::nullopt;
}

int Api::compute_type(const Gemm& p) {
  if (p.c == DType::f64) return 70;    // CUBLAS_COMPUTE_64F
  if (p.c == DType::int32) return 72;  // CUBLAS_COMPUTE_32I
  if (p.a == DType::tf32) return 77;   // CUBLAS_COMPUTE_32F_FAST_TF32
  return 68;                           // CUBLAS_COMPUTE_32F
}

void* Api::handle(int device) const {
  static std::map<int, void*> handles;
  gpu::check(gpu::select_device(device));
  void*& made = handles[device];
  if (made == nullptr) gpu::check(*this, create(&made), "cuBLASLt's handle");
  return made;
}

std::string Api::version() const {  // 130100 is 13.1.0
  const std::size_t number = get_version();
  return fmt::format("cuBLASLt {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

// The numbers are those of the enumerations in cublasLt.h.
std::string Api::describe(const Algorithm& algorithm) const {
  std::string text;
  for (const auto& [name, attribute] : {std::pair{"algorithm", id},
                                        {"tile", tile},
                                        {"stages", stages},
                                        {"cluster", cluster},
                                        {"split-K", split_k}}) {
    std::int32_t value = 0;
    std::size_t written = 0;
    if (get_attribute(&algorithm, attribute, &value, sizeof value, &written) != 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  }
  return text;
}

}  // namespace cublaslt

namespace gpu {
namespace {

const cublaslt::Api& cublas() {
  static const cublaslt::Api& opened = *new cublaslt::Api;  // closing it at exit would be too late
  return opened;
}

Support supports(const Gemm& p, const DeviceInfo& info) {
  const bool fp8 = p.a == DType::fp8_e4m3 || p.a == DType::fp8_e5m2;
  const bool one_layout = info.architecture == "sm_89" || info.architecture == "sm_90";
  if (fp8 && one_layout && p.layout != Layout::nt)
    return {Support::no, fmt::format("on {} cuBLASLt multiplies fp8 in layout nt only, not {}",
                                     info.architecture, name(p.layout))};
  return supports_matmul(cublas(), p, info);
}

template <int algorithms>
std::unique_ptr<Run> prepare(GpuDevice& device, const Gemm& p, const Inputs& inputs) {
  return prepare_matmul(cublas(), algorithms, device, p, inputs);
}

}  // namespace

std::span<const Kernel> cublaslt_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports, prepare<most_algorithms>>("cublaslt", Tier::library),
      kernel<supports, prepare<1>>("cublaslt-default", Tier::library),
  };
  return table;
}

}  // namespace gpu
}  // namespace steelyard
