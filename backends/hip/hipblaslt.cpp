// SPDX-License-Identifier: Apache-2.0
// hipBLASLt, opened when the first row asks for it: its first choice, and the fastest of the
// algorithms that it offers.
#include <fmt/format.h>

#include <map>

#include "backends/gpu/described_matmul.h"
#include "backends/hip/hipblaslt_api.h"
#include "backends/hip/kernels.h"

namespace steelyard::hip {
namespace {

std::map<int, void*>& handles() {  // by device
  static std::map<int, void*> made;
  return made;
}

const HipblasLt& hipblaslt() {
  static const HipblasLt& opened = *new HipblasLt;  // closing it at exit would be too late
  return opened;
}

Support supports(const Gemm& p, const DeviceInfo& info) {
  return gpu::supports_matmul(hipblaslt(), p, info);
}

template <int algorithms>
std::unique_ptr<Run> prepare(gpu::GpuDevice& device, const Gemm& p, const Inputs& inputs) {
  return gpu::prepare_matmul(hipblaslt(), algorithms, device, p, inputs);
}

}  // namespace

// Making a handle ends the process where there is no device; that one can be selected says that there
// is.
void* HipblasLt::handle(int device) const {
  gpu::check(gpu::select_device(device));
  void*& made = handles()[device];
  if (made == nullptr) gpu::check(*this, create(&made), "hipBLASLt's handle");
  return made;
}

std::string HipblasLt::version() const {  // 100100 is 1.1.0
  int number = 0;
  if (handles().empty() || get_version(handles().begin()->second, &number) != 0) return title;
  return fmt::format("hipBLASLt {}.{}.{}", number / 100000, number / 100 % 1000, number % 100);
}

const char* HipblasLt::name(int status) const {
  constexpr const char* names[] = {
      "SUCCESS",       "NOT_INITIALIZED",   "ALLOC_FAILED",   "INVALID_VALUE",
      "MAPPING_ERROR", "EXECUTION_FAILED",  "INTERNAL_ERROR", "NOT_SUPPORTED",
      "ARCH_MISMATCH", "HANDLE_IS_NULLPTR", "INVALID_ENUM",   "UNKNOWN"};  // HIPBLAS_STATUS_...
  return status >= 0 && status < static_cast<int>(std::size(names)) ? names[status] : "status";
}

std::string HipblasLt::describe(const Algorithm& algorithm) const {
  return index_of == nullptr ? "its index unknown"
                             : fmt::format("solution {}", index_of(&algorithm));
}

std::span<const Kernel> hipblaslt_kernels() {
  static constexpr Kernel table[] = {
      kernel<supports, prepare<gpu::most_algorithms>>("hipblaslt", Tier::library),
      kernel<supports, prepare<1>>("hipblaslt-default", Tier::library),
  };
  return table;
}

}  // namespace steelyard::hip
