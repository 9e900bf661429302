// SPDX-License-Identifier: Apache-2.0
// All inline PTX of the project: the warp's matrix instructions, loads of their operands, and copies
// that run beside the threads. The maps below are those of the PTX ISA, "Matrix Fragments for
// mma" and "ldmatrix"; g = lane / 4 and t = lane % 4 are its groupID and threadID_in_group.
//
// A register holds consecutive elements of one row of A, or of one column of B, the first in its
// lowest bits. All lanes of a warp take part in every call but round_* and copy_async_*.
#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace steelyard::gpu::ptx {

// ---- d += a b, with a of m rows and k columns and b of k rows and n columns -----------------------
//
// m16n8k16 bf16, f16   a[0..3]: rows g, g+8, g, g+8, columns 2t 2t+1 (a[0], a[1]), +8 (a[2], a[3])
//                      b[0..1]: column g, rows 2t 2t+1 (b[0]), +8 (b[1])
// m16n8k8 tf32         a[0..3]: rows g, g+8, g, g+8, column t (a[0], a[1]), t+4 (a[2], a[3])
//                      b[0..1]: column g, row t (b[0]), t+4 (b[1])
// m16n8k32 s8, fp8     a[0..3]: rows g, g+8, g, g+8, columns 4t..4t+3 (a[0], a[1]), +16 (a[2], a[3])
//                      b[0..1]: column g, rows 4t..4t+3 (b[0]), +16 (b[1])
// all of these         d[0..3]: rows g, g, g+8, g+8, columns 2t, 2t+1, 2t, 2t+1
// m8n8k4 f64           a: row g, column t; b: row t, column g; d[0..1]: row g, columns 2t, 2t+1

__device__ inline void mma_m16n8k16_bf16(float (&d)[4], const unsigned (&a)[4],
                                         const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

__device__ inline void mma_m16n8k16_f16(float (&d)[4], const unsigned (&a)[4],
                                        const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// The low 13 bits of every element of a and b must be zero (round_to_tf32): what the hardware makes
// of others is undefined.
__device__ inline void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4],
                                        const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Sums wrap around at 32 bits.
__device__ inline void mma_m16n8k32_s8(int (&d)[4], const unsigned (&a)[4],
                                       const unsigned (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// fp8 in the OCP encodings, from sm_89 on; before it the kernel traps.
__device__ inline void mma_m16n8k32_e4m3(float (&d)[4], const unsigned (&a)[4],
                                         const unsigned (&b)[2]) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}

__device__ inline void mma_m16n8k32_e5m2(float (&d)[4], const unsigned (&a)[4],
                                         const unsigned (&b)[2]) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  __trap();
#endif
}

__device__ inline void mma_m8n8k4_f64(double (&d)[2], double a, double b) {
  asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};"
               : "+d"(d[0]), "+d"(d[1])
               : "d"(a), "d"(b));
}

// ---- 8x8 matrices of 16-bit elements from shared memory -------------------------------------------
//
// `row` of lane 8j + i is the address of row i of matrix j: 16 bytes, aligned to 16. r[j] receives
// elements 2t and 2t+1 of row g of matrix j; transposed, rows 2t and 2t+1 of column g. The x2 forms
// read no address of lanes 16 to 31.

__device__ inline void ldmatrix_x4(unsigned (&r)[4], const void* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

__device__ inline void ldmatrix_x4_trans(unsigned (&r)[4], const void* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

__device__ inline void ldmatrix_x2(unsigned (&r)[2], const void* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(address)
               : "memory");
}

__device__ inline void ldmatrix_x2_trans(unsigned (&r)[2], const void* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(address)
               : "memory");
}

// Where the dynamic shared memory of a block begins, aligned to 1024.
__device__ inline std::byte* dynamic_shared_memory() {
  extern __shared__ __align__(1024) std::byte block_memory[];
  return block_memory;
}

// ---- copies from global to shared memory that run beside the threads -------------------------------

// Starts a copy of 16 bytes, both sides aligned to 16, past L1; zeros instead of what `global`
// points to where it is not valid. The bytes are there after copy_async_wait; other threads see
// them after the barrier behind it.
__device__ inline void copy_async_16(void* shared, const void* global, bool valid) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  const unsigned bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(global),
               "r"(bytes)
               : "memory");
}

// Makes one group of this thread's copies since the last commit; it may be empty.
__device__ inline void copy_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most the n youngest groups of this thread are still under way.
template <int n>
__device__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(n) : "memory");
}

// ---- rounding --------------------------------------------------------------------------------------

// Bits of the nearest bf16, ties to even.
__device__ inline std::uint16_t round_to_bf16(float value) {
  std::uint16_t bits;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(bits) : "f"(value));
  return bits;
}

// Two nearest bf16 or f16, the first in the low half; ties to even.
__device__ inline unsigned round_to_bf16x2(float low, float high) {
  unsigned bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}
__device__ inline unsigned round_to_f16x2(float low, float high) {
  unsigned bits;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}

// Bits of the nearest tf32, ties away from zero; the low 13 bits are zero.
__device__ inline unsigned round_to_tf32(float value) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return bits;
}

// Two nearest fp8 numbers in the OCP encodings, the first in the low byte; ties to even, the largest
// number beyond it. From sm_89 on; before it the kernel traps.
__device__ inline std::uint16_t round_to_e4m3x2(float low, float high) {
  std::uint16_t bits = 0;
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(bits) : "f"(high), "f"(low));
#else
  __trap();
#endif
  return bits;
}
__device__ inline std::uint16_t round_to_e5m2x2(float low, float high) {
  std::uint16_t bits = 0;
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
  asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(bits) : "f"(high), "f"(low));
#else
  __trap();
#endif
  return bits;
}

// Two fp8 numbers in the OCP encoding, the first in the low byte, as two f16, which hold them exactly. From
// sm_89 on; before it the kernel traps.
__device__ inline unsigned widen_e4m3x2(std::uint16_t codes) {
  unsigned halves = 0;
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 890
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(codes));
#else
  __trap();
#endif
  return halves;
}

// ---- arithmetic ------------------------------------------------------------------------------------

// Products of two f16 each, side by side.
__device__ inline unsigned multiply_f16x2(unsigned a, unsigned b) {
  unsigned product;
  asm("mul.rn.f16x2 %0, %1, %2;" : "=r"(product) : "r"(a), "r"(b));
  return product;
}

// 2^x, to about two units in the last place; zero below the normal range.
__device__ inline float exp2_approximate(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

}  // namespace steelyard::gpu::ptx
