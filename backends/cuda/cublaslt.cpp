// SPDX-License-Identifier: Apache-2.0
// cuBLASLt, opened when the first row asks for it: its first choice, and the fastest of the
// algorithms that it offers.
#include <fmt/format.h>

#include <map>

#include "backends/cuda/cublaslt_api.h"
#include "backends/cuda/kernels.h"
#include "backends/gpu/described_matmul.h"

namespace steelyard::cuda {

void* CublasLt::handle(int device) const {
  static std::map<int, void*> handles;
  gpu::check(gpu::select_device(device));
  void*& made = handles[device];
  if (made == nullptr) gpu::check(*this, create(&made), "cuBLASLt's handle");
  return made;
}

std::string CublasLt::version() const {  // 130100 is 13.1.0
  const std::size_t number = get_version();
  return fmt::format("cuBLASLt {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

// The numbers are those of the enumerations in cublasLt.h.
std::string CublasLt::describe(const Algorithm& algorithm) const {
  std::string text;
  for (const auto& [name, attribute] : {std::pair{"algorithm", algorithm_id},
                                        {"tile", algorithm_tile},
                                        {"stages", algorithm_stages},
                                        {"cluster", algorithm_cluster},
                                        {"split-K", algorithm_split_k}}) {
    std::int32_t value = 0;
    std::size_t written = 0;
    if (get_attribute(&algorithm, attribute, &value, sizeof value, &written) != 0) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, value);
  }
  return text;
}

namespace {

const CublasLt& cublaslt() {
  static const CublasLt& opened = *new CublasLt;  // closing it at exit would be too late
  return opened;
}

Support supports(const Gemm& p, const DeviceInfo& info) {
  const bool fp8 = p.a == DType::fp8_e4m3 || p.a == DType::fp8_e5m2;
  const bool one_layout = info.architecture == "sm_89" || info.architecture == "sm_90";
  if (fp8 && one_layout && p.layout != Layout::nt)
    return {Support::no, fmt::format("on {} cuBLASLt multiplies fp8 in layout nt only, not {}",
                                     info.architecture, name(p.layout))};
  return gpu::supports_matmul(cublaslt(), p, info);
}

template <int algorithms>
std::unique_ptr<Run> prepare(gpu::GpuDevice& device, const Gemm& p, const Inputs& inputs) {
  return gpu::prepare_matmul(cublaslt(), algorithms, device, p, inputs);
}

}  // namespace

std::span<const Kernel> cublaslt_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports, prepare<gpu::most_algorithms>>("cublaslt", Tier::library),
      kernel<supports, prepare<1>>("cublaslt-default", Tier::library),
  };
  return table;
}

}  // namespace steelyard::cuda
