// SPDX-License-Identifier: Apache-2.0
// The emulated matrix instructions against a triple loop, by the register maps of the PTX ISA, section
// "Matrix Fragments for mma", and the emulated copies to shared memory.
#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "backends/dtype.h"
#include "backends/gpu/vendor_ptx.h"
#include "tests/cuda_arrays.h"

using namespace steelyard;
namespace ptx = steelyard::gpu::ptx;

namespace {

// Row and column of element i of a lane's fragment, g = lane / 4 and t = lane % 4: the formulas of
// the PTX ISA, one function per table.
struct Place {
  int row, column;
};
using Map = Place (*)(int g, int t, int i);

Place a_k16(int g, int t, int i) {
  return {i < 2 || (i >= 4 && i < 6) ? g : g + 8, t * 2 + (i & 1) + (i >= 4 ? 8 : 0)};
}
Place b_k16(int g, int t, int i) {
  return {t * 2 + (i & 1) + (i >= 2 ? 8 : 0), g};
}
Place a_k8(int g, int t, int i) {
  return {i == 0 || i == 2 ? g : g + 8, i < 2 ? t : t + 4};
}
Place b_k8(int g, int t, int i) {
  return {i == 0 ? t : t + 4, g};
}
Place a_k32(int g, int t, int i) {
  return {i < 4 || (i >= 8 && i < 12) ? g : g + 8, t * 4 + (i & 3) + (i >= 8 ? 16 : 0)};
}
Place b_k32(int g, int t, int i) {
  return {t * 4 + (i & 3) + (i >= 4 ? 16 : 0), g};
}
Place accumulator(int g, int t, int i) {
  return {i < 2 ? g : g + 8, t * 2 + (i & 1)};
}

// Small integers, exact in every type, no two rows or columns alike.
int value_of_a(int row, int k) {
  return (row * 5 + k * 3) % 7 - 3;
}
int value_of_b(int k, int column) {
  return (k * 5 + column * 4 + k * column) % 7 - 3;
}
int value_of_c(int row, int column) {
  return row * 8 + column;
}

struct Instruction {
  DType type;
  int k, per_register;
  Map a, b;
};
constexpr Instruction instructions[] = {
    {DType::bf16, 16, 2, a_k16, b_k16},     {DType::f16, 16, 2, a_k16, b_k16},
    {DType::tf32, 8, 1, a_k8, b_k8},        {DType::int8, 32, 4, a_k32, b_k32},
    {DType::fp8_e4m3, 32, 4, a_k32, b_k32}, {DType::fp8_e5m2, 32, 4, a_k32, b_k32}};

// The registers of all lanes, `registers` of each, filled by a map.
std::vector<unsigned> fragments(const Instruction& instruction, int registers, Map map,
                                int (*value)(int, int)) {
  std::vector<unsigned> result(static_cast<std::size_t>(32 * registers));
  const int bits = 32 / instruction.per_register;
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < registers * instruction.per_register; ++i) {
      const Place place = map(lane / 4, lane % 4, i);
      const auto pattern =
          static_cast<unsigned>(encode(instruction.type, value(place.row, place.column)));
      result[static_cast<std::size_t>(lane * registers + i / instruction.per_register)] |=
          pattern << i % instruction.per_register * bits;
    }
  return result;
}

template <class Sum, void (*mma)(Sum (&)[4], const unsigned (&)[4], const unsigned (&)[2])>
__global__ void multiply(Sum* d, const unsigned* a, const unsigned* b) {
  const unsigned lane = threadIdx.x;
  Sum sums[4];
  unsigned of_a[4], of_b[2];
  for (unsigned i = 0; i < 4; ++i) sums[i] = d[lane * 4 + i];
  for (unsigned i = 0; i < 4; ++i) of_a[i] = a[lane * 4 + i];
  for (unsigned i = 0; i < 2; ++i) of_b[i] = b[lane * 2 + i];
  mma(sums, of_a, of_b);
  for (unsigned i = 0; i < 4; ++i) d[lane * 4 + i] = sums[i];
}

template <class Sum, void (*mma)(Sum (&)[4], const unsigned (&)[4], const unsigned (&)[2])>
void check_product(const Instruction& instruction) {
  std::vector<Sum> c(32 * 4);
  const auto index = [](int lane, int i) { return static_cast<std::size_t>(lane * 4 + i); };
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      const Place place = accumulator(lane / 4, lane % 4, i);
      c[index(lane, i)] = static_cast<Sum>(value_of_c(place.row, place.column));
    }
  const DeviceArray<Sum> d(c);
  const DeviceArray<unsigned> a(fragments(instruction, 4, instruction.a, value_of_a)),
      b(fragments(instruction, 2, instruction.b, value_of_b));
  REQUIRE(launch(multiply<Sum, mma>, {.block = 32}, d.data(), a.data(), b.data()) == cudaSuccess);
  const std::vector<Sum> result = d.values();
  for (int lane = 0; lane < 32; ++lane)
    for (int i = 0; i < 4; ++i) {
      const Place place = accumulator(lane / 4, lane % 4, i);
      int expected = value_of_c(place.row, place.column);
      for (int k = 0; k < instruction.k; ++k)
        expected += value_of_a(place.row, k) * value_of_b(k, place.column);
      REQUIRE(result[index(lane, i)] == static_cast<Sum>(expected));
    }
}

__global__ void multiply_f64(double* d) {
  const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
  double sums[2] = {static_cast<double>(value_of_c(g, 2 * t)),
                    static_cast<double>(value_of_c(g, 2 * t + 1))};
  ptx::mma_m8n8k4_f64(sums, value_of_a(g, t), value_of_b(t, g));
  d[g * 8 + 2 * t] = sums[0];
  d[g * 8 + 2 * t + 1] = sums[1];
}

// Element (row, column) of matrix j is 64 j + 8 row + column.
template <int count, void (*load)(unsigned (&)[count], const void*)>
__global__ void load_matrices(unsigned* to) {
  __shared__ __align__(16) std::uint16_t matrices[count * 64];
  for (unsigned i = threadIdx.x; i < count * 64; i += 32)
    matrices[i] = static_cast<std::uint16_t>(i);
  __syncwarp();
  unsigned registers[count];
  load(registers, matrices + threadIdx.x % (8 * count) * 8);
  for (unsigned j = 0; j < count; ++j) to[threadIdx.x * count + j] = registers[j];
}

template <int count, void (*load)(unsigned (&)[count], const void*)>
void check_matrices(bool transposed) {
  const DeviceArray to(std::vector<unsigned>(32 * count));
  REQUIRE(launch(load_matrices<count, load>, {.block = 32}, to.data()) == cudaSuccess);
  const std::vector<unsigned> result = to.values();
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned j = 0; j < count; ++j)
      for (unsigned i = 0; i < 2; ++i) {
        const unsigned along = 2 * (lane % 4) + i, across = lane / 4;
        const unsigned expected = 64 * j + (transposed ? 8 * along + across : 8 * across + along);
        REQUIRE((result[lane * count + j] >> 16 * i & 0xffff) == expected);
      }
}

__global__ void load_misaligned() {
  __shared__ __align__(16) std::uint16_t matrices[33 * 8];
  unsigned registers[4];
  ptx::ldmatrix_x4(registers, matrices + threadIdx.x * 8 + 1);
}

// Two groups of copies; waits for all but `groups` of them, or for none where it is negative.
template <int groups>
__global__ void copy_through_shared(float* to, const float4* from, bool valid) {
  __shared__ float4 staged[2];
  ptx::copy_async_16(&staged[0], &from[0], valid);
  ptx::copy_async_commit();
  ptx::copy_async_16(&staged[1], &from[1], valid);
  ptx::copy_async_commit();
  if constexpr (groups >= 0) ptx::copy_async_wait<groups>();
  to[0] = staged[0].w;
  to[1] = staged[1].x;
}

template <int groups>
std::vector<float> copied(bool valid = true) {
  const DeviceArray<float> to({0, 0});
  const DeviceArray<float4> from({{1, 2, 3, 4}, {5, 6, 7, 8}});
  REQUIRE(launch(copy_through_shared<groups>, {}, to.data(), from.data(), valid) == cudaSuccess);
  return to.values();
}

}  // namespace

TEST_CASE("Every matrix instruction is the product that its register maps describe") {
  const Fresh device("sm_90");
  check_product<float, ptx::mma_m16n8k16_bf16>(instructions[0]);
  check_product<float, ptx::mma_m16n8k16_f16>(instructions[1]);
  check_product<float, ptx::mma_m16n8k8_tf32>(instructions[2]);
  check_product<int, ptx::mma_m16n8k32_s8>(instructions[3]);
  check_product<float, ptx::mma_m16n8k32_e4m3>(instructions[4]);
  check_product<float, ptx::mma_m16n8k32_e5m2>(instructions[5]);
}

TEST_CASE("The matrix instruction of f64 too") {
  const Fresh device("sm_80");
  const DeviceArray d(std::vector<double>(64));
  REQUIRE(launch(multiply_f64, {.block = 32}, d.data()) == cudaSuccess);
  const std::vector<double> result = d.values();
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 8; ++column) {
      int expected = value_of_c(row, column);
      for (int k = 0; k < 4; ++k) expected += value_of_a(row, k) * value_of_b(k, column);
      CHECK(result[static_cast<std::size_t>(row * 8 + column)] == expected);
    }
}

TEST_CASE("sm_80 has no matrix instructions of fp8") {
  const Fresh device("sm_80");
  const DeviceArray d(std::vector<float>(128));
  const DeviceArray factors(std::vector<unsigned>(128));
  CHECK_THAT(fault_of(multiply<float, ptx::mma_m16n8k32_e4m3>, {.block = 32}, d.data(),
                      factors.data(), factors.data()),
             ContainsSubstring("sm_89"));
}

TEST_CASE("ldmatrix hands rows or columns of 8x8 matrices to the lanes") {
  const Fresh device("sm_80");
  check_matrices<4, ptx::ldmatrix_x4>(false);
  check_matrices<4, ptx::ldmatrix_x4_trans>(true);
  check_matrices<2, ptx::ldmatrix_x2>(false);
  check_matrices<2, ptx::ldmatrix_x2_trans>(true);
}

TEST_CASE("A row for ldmatrix is aligned to 16 bytes") {
  const Fresh device("sm_80");
  CHECK_THAT(fault_of(load_misaligned, {.block = 32}), ContainsSubstring("aligned to 16 bytes"));
}

TEST_CASE("Copies arrive at the wait that covers their group, and not before") {
  const Fresh device("sm_80");
  CHECK(copied<0>() == std::vector<float>{4, 5});
  CHECK(copied<0>(false) == std::vector<float>{0, 0});
  const std::vector<float> first_only = copied<1>(), none = copied<-1>();
  CHECK(first_only[0] == 4);
  CHECK(std::isnan(first_only[1]));
  CHECK(std::isnan(none[0]));
  CHECK(std::isnan(none[1]));
}

TEST_CASE("tf32 is rounded to nearest, ties away from zero") {
  const auto rounded = [](float value) { return __uint_as_float(ptx::round_to_tf32(value)); };
  CHECK(rounded(1 + 0x1p-10f) == 1 + 0x1p-10f);
  CHECK(rounded(1 + 0x1p-11f) == 1 + 0x1p-10f);
  CHECK(rounded(-1 - 0x1p-11f) == -1 - 0x1p-10f);
  CHECK(rounded(1 + 0x1.8p-12f) == 1);
  CHECK(std::isnan(rounded(NAN)));
  CHECK(std::isinf(rounded(INFINITY)));
}
