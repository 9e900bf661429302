// SPDX-License-Identifier: Apache-2.0
#include "tests/emulated_cuda/matrix.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tests/emulated_cuda/races.h"
#include "tests/emulated_cuda/runtime_state.h"
#include "tests/emulated_cuda/shared_memory.h"

namespace emulated_cuda {

using steelyard::DType;

namespace {

constexpr int rows = 16, columns = 8, registers_bits = 32;

// The PTX ISA's groupID and threadID_in_group.
constexpr int group_of(unsigned lane) {
  return static_cast<int>(lane / 4);
}
constexpr int place_in_group(unsigned lane) {
  return static_cast<int>(lane % 4);
}

constexpr int element_bits(DType type) {
  switch (type) {
    case DType::bf16:
    case DType::f16:
      return 16;
    case DType::tf32:
      return 32;
    default:
      return 8;
  }
}

template <DType type>
constexpr int per_register = registers_bits / element_bits(type);

// Element `index` of a register, the first in the lowest bits.
template <DType type>
double element(unsigned value, int index) {
  constexpr int bits = element_bits(type);
  const auto pattern =
      static_cast<unsigned>(value >> index * bits & ((std::uint64_t{1} << bits) - 1));
  // decode() knows them all, but most of the time of a product goes into the elements.
  if constexpr (type == DType::bf16)
    return std::bit_cast<float>(pattern << 16);
  else if constexpr (type == DType::f16)
    return static_cast<float>(std::bit_cast<_Float16>(static_cast<std::uint16_t>(pattern)));
  else if constexpr (type == DType::int8)
    return static_cast<std::int8_t>(pattern);
  else
    return steelyard::decode(type, pattern);
}

// All of a (16 x k) and b (k x 8), gathered from the lanes.
template <DType type>
struct Factors {
  static constexpr int e = per_register<type>, k = 8 * e;
  double a[rows][k], b[k][columns];

  explicit Factors(const Operands& operands) {
    for (unsigned lane = 0; lane < lanes_per_warp; ++lane) {
      const auto& product = *static_cast<const Product*>(operands[lane]);
      const int group = group_of(lane), place = place_in_group(lane);
      for (int r = 0; r < 4; ++r)
        for (int i = 0; i < e; ++i)
          a[group + r % 2 * 8][place * e + r / 2 * 4 * e + i] = element<type>(product.a[r], i);
      for (int r = 0; r < 2; ++r)
        for (int i = 0; i < e; ++i)
          b[place * e + r * 4 * e + i][group] = element<type>(product.b[r], i);
    }
  }

  std::array<double, columns> row_times_b(int row) const {
    std::array<double, columns> sum{};
    for (int i = 0; i < k; ++i)
      for (int column = 0; column < columns; ++column)
        sum[static_cast<std::size_t>(column)] += a[row][i] * b[i][column];
    return sum;
  }
};

void add(float& d, double sum) {
  d = static_cast<float>(d + sum);
}
void add(int& d, double sum) {
  d = static_cast<int>(static_cast<std::uint32_t>(d + static_cast<std::int64_t>(sum)));
}

// The two 16-bit elements of a register: of one row, or of one column where transposed.
template <bool transposed>
unsigned two_elements(const std::array<const std::uint16_t*, 8>& matrix, unsigned lane) {
  const auto group = static_cast<std::size_t>(group_of(lane));
  const auto first = static_cast<std::size_t>(2 * place_in_group(lane));
  if constexpr (transposed)
    return matrix[first][group] | static_cast<unsigned>(matrix[first + 1][group]) << 16;
  else
    return matrix[group][first] | static_cast<unsigned>(matrix[group][first + 1]) << 16;
}

struct ProductF64 {
  double* d;
  double a, b;
};

void multiply_f64_lanes(const Operands& operands) {
  double a[8][4], b[4][8];
  for (unsigned lane = 0; lane < lanes_per_warp; ++lane) {
    const auto& product = *static_cast<const ProductF64*>(operands[lane]);
    a[group_of(lane)][place_in_group(lane)] = product.a;
    b[place_in_group(lane)][group_of(lane)] = product.b;
  }
  for (unsigned lane = 0; lane < lanes_per_warp; ++lane)
    for (int i = 0; i < 2; ++i) {
      double& d = static_cast<ProductF64*>(operands[lane])->d[i];
      for (int k = 0; k < 4; ++k)
        d = std::fma(a[group_of(lane)][k], b[k][2 * place_in_group(lane) + i], d);
    }
}

bool is_aligned(const void* memory) {
  return reinterpret_cast<std::uintptr_t>(memory) % 16 == 0;
}

}  // namespace

template <DType type>
void multiply_lanes(const Operands& operands) {
  using Sum = std::conditional_t<type == DType::int8, int, float>;
  const Factors<type> factors(operands);
  std::array<double, columns> sums[rows];
  for (int row = 0; row < rows; ++row) sums[row] = factors.row_times_b(row);
  for (unsigned lane = 0; lane < lanes_per_warp; ++lane) {
    auto* d = static_cast<Sum*>(static_cast<const Product*>(operands[lane])->d);
    for (int i = 0; i < 4; ++i)
      add(d[i], sums[group_of(lane) + i / 2 * 8]
                    [static_cast<std::size_t>(2 * place_in_group(lane) + i % 2)]);
  }
}
template void multiply_lanes<DType::bf16>(const Operands&);
template void multiply_lanes<DType::f16>(const Operands&);
template void multiply_lanes<DType::tf32>(const Operands&);
template void multiply_lanes<DType::int8>(const Operands&);
template void multiply_lanes<DType::fp8_e4m3>(const Operands&);
template void multiply_lanes<DType::fp8_e5m2>(const Operands&);

void require_matrix_type(DType type) {
  const bool fp8 = type == DType::fp8_e4m3 || type == DType::fp8_e5m2;
  if (fp8 && current_model().major * 10 + current_model().minor < 89)
    fault("an mma of fp8, which begins with sm_89");
}

void multiply_f64(double (&d)[2], double a, double b, std::source_location at) {
  ProductF64 mine = {d, a, b};
  meet({"mma_m8n8k4_f64", at, whole_warp, multiply_f64_lanes, &mine});
}

template <int count, bool transposed>
void load_lanes(const Operands& operands) {
  unsigned result[count][lanes_per_warp];
  for (unsigned j = 0; j < count; ++j) {
    std::array<const std::uint16_t*, 8> matrix;
    for (unsigned i = 0; i < 8; ++i)
      matrix[i] =
          static_cast<const std::uint16_t*>(static_cast<MatrixLoad*>(operands[8 * j + i])->row);
    for (unsigned lane = 0; lane < lanes_per_warp; ++lane)
      result[j][lane] = two_elements<transposed>(matrix, lane);
  }
  for (unsigned lane = 0; lane < lanes_per_warp; ++lane)
    for (unsigned j = 0; j < count; ++j)
      static_cast<MatrixLoad*>(operands[lane])->registers[j] = result[j][lane];
}
template void load_lanes<4, false>(const Operands&);
template void load_lanes<4, true>(const Operands&);
template void load_lanes<2, false>(const Operands&);
template void load_lanes<2, true>(const Operands&);

void require_matrix_row(const char* name, const void* row, int count) {
  if (static_cast<int>(here->rank % lanes_per_warp) >= 8 * count) return;
  if (!is_aligned(row)) fault(fmt::format("{} of a row that is not aligned to 16 bytes", name));
  if (!is_shared(row, 16)) fault(fmt::format("{} of a row outside shared memory", name));
  record_access(row, 16, Access::read);
}

void start_copy_16(void* to, const void* from) {
  if (!is_aligned(to) || !is_aligned(from)) fault("copy_async_16 not aligned to 16 bytes");
  if (!is_shared(to, 16)) fault("copy_async_16 to what is not shared memory");
  record_access(to, 16, Access::write);
  poison(to, 16);
  here->copies.push_back({to, from, here->committed_groups});
}

void commit_copies() {
  ++here->committed_groups;
}

void wait_for_copies(int groups) {
  std::erase_if(here->copies, [=](const CopyUnderWay& copy) {
    if (copy.group >= here->committed_groups - groups) return false;
    record_access(copy.to, 16, Access::write);
    if (copy.from)
      std::memcpy(copy.to, copy.from, 16);
    else
      std::memset(copy.to, 0, 16);
    return true;
  });
}

unsigned round_to_tf32(float value) {
  const auto bits = std::bit_cast<unsigned>(value);
  if (std::isnan(value)) return 0x7fffe000;  // any NaN will do; the payload is not specified
  constexpr unsigned dropped = 13, half = 1u << (dropped - 1);
  return (bits + half) >> dropped << dropped;
}

}  // namespace emulated_cuda
