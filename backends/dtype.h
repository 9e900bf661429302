// SPDX-License-Identifier: Apache-2.0
// The one list of number formats: what a value costs in memory and how it is rounded into it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace steelyard {

enum class DType { f64, f32, tf32, f16, bf16, fp8_e4m3, fp8_e5m2, int8, int4, int32 };

// How the bits of an fp8 value are read. OCP: NVIDIA, and AMD from gfx950 on. FNUZ: AMD gfx942,
// with one more bias, no infinity, no negative zero and a single NaN (0x80): the same bits are half
// the value.
enum class Encoding { ocp, fnuz };

// Bits in memory: tf32 is an f32 of which 19 bits count and takes 32; two int4 share a byte.
int bits(DType type);
bool is_integer(DType type);
std::string_view name(DType type);  // "bf16"
std::string_view name(Encoding encoding);
std::optional<DType> parse_dtype(std::string_view text);

// Bytes that `count` densely packed values take.
std::int64_t bytes(DType type, std::int64_t count);

// Distance from 1 to the next larger value, halved: the largest relative error of one rounding.
// 0 for integers.
double unit_roundoff(DType type);

// Largest finite value.
double max_value(DType type, Encoding encoding = Encoding::ocp);

// One value from its bits, and the bits of the nearest value: ties to even. Values beyond the
// largest finite one become infinity in f64, f32, tf32, f16 and bf16 and saturate in fp8 and in
// integers (the conversion of every fp8 training recipe); NaN stays NaN, and is 0 in integers.
double decode(DType type, std::uint64_t pattern, Encoding encoding = Encoding::ocp);
std::uint64_t encode(DType type, double value, Encoding encoding = Encoding::ocp);

// `value` rounded to the format: decode(encode(value)).
double round_to(DType type, double value, Encoding encoding = Encoding::ocp);

// Element `index` of a packed array (an even int4 element is the low half of its byte).
double load(DType type, const void* array, std::int64_t index, Encoding encoding = Encoding::ocp);
void store(DType type, void* array, std::int64_t index, double value,
           Encoding encoding = Encoding::ocp);

// Whole packed arrays: values.size() elements.
void load(DType type, const void* array, std::span<double> values,
          Encoding encoding = Encoding::ocp);
void store(DType type, void* array, std::span<const double> values,
           Encoding encoding = Encoding::ocp);

}  // namespace steelyard
