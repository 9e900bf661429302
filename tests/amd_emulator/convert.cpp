// SPDX-License-Identifier: Apache-2.0
// Conversions between number formats.
#include "tests/amd_emulator/fnuz.h"
#include "tests/amd_emulator/handlers.h"
#include "tests/amd_emulator/lanewise.h"

namespace amd_emulator {
namespace {

template <class D>
constexpr auto to = [](auto x) { return static_cast<D>(x); };
template <class D>
constexpr auto to_integer = [](auto x) { return saturating_cast<D>(x); };
template <int byte>
constexpr auto byte_to_float = [](u32 x) { return static_cast<f32>(x >> (8 * byte) & 0xff); };
constexpr auto sixteenths = [](u32 x) {
  return static_cast<f32>(static_cast<i32>(x << 28) >> 28) / 16;
};
constexpr auto to_integer_below = [](f32 x) { return saturating_cast<i32>(std::floor(x)); };
constexpr auto to_nearest_integer = [](f32 x) { return saturating_cast<i32>(std::floor(x + 0.5)); };

u16 to_half_toward_zero(f32 x) {
  auto half = static_cast<f16>(x);
  auto bits = std::bit_cast<u16>(half);
  const bool grew = std::fabs(static_cast<f32>(half)) > std::fabs(x);  // to infinity too
  if (grew) --bits;
  return bits;
}
constexpr auto pack_halves_toward_zero = [](f32 a, f32 b) {
  return to_half_toward_zero(a) | static_cast<u32>(to_half_toward_zero(b)) << 16;
};

template <class Narrow, class T>
u32 saturated_bits(T x) {
  const T least = std::numeric_limits<Narrow>::min(), most = std::numeric_limits<Narrow>::max();
  return static_cast<u16>(x < least ? least : x > most ? most : x);
}
template <class Narrow>
constexpr auto pack_saturated =
    [](auto a, auto b) { return saturated_bits<Narrow>(a) | saturated_bits<Narrow>(b) << 16; };
constexpr auto pack_bytes = [](u32 a) {
  const auto byte = [](u32 half) {
    return saturated_bits<u8>(static_cast<i16>(static_cast<u16>(half)));
  };
  return byte(a) | byte(a >> 16) << 8;
};
// f32 in [0, 1] or [-1, 1] as fractions of the largest integer.
template <class Narrow>
u32 normalised(f32 x) {
  const f32 most = std::numeric_limits<Narrow>::max();
  const f32 least = std::is_signed_v<Narrow> ? -1.0f : 0.0f;
  const f32 held = is_nan(x) ? 0 : maximum(least, minimum(1.0f, x));
  return static_cast<u16>(static_cast<Narrow>(std::nearbyint(held * most)));
}
template <class Narrow>
constexpr auto pack_normalised =
    [](f32 a, f32 b) { return normalised<Narrow>(a) | normalised<Narrow>(b) << 16; };
constexpr auto insert_byte = [](f32 x, u32 byte, u32 into) {
  const u32 shift = 8 * (byte & 3);
  const f32 held = is_nan(x) ? 0 : maximum(0.0f, minimum(255.0f, std::nearbyint(x)));
  return (into & ~(0xffu << shift)) | static_cast<u32>(held) << shift;
};

template <class Format>
constexpr auto from_fnuz = [](u32 x) { return Format::decode(static_cast<u8>(x)); };
template <class Format>
constexpr auto pair_from_fnuz = [](u32 x) {
  return pair(std::bit_cast<u32>(Format::decode(static_cast<u8>(x))),
              std::bit_cast<u32>(Format::decode(static_cast<u8>(x >> 8))));
};
// To the half of the destination that op_sel names; the other one stays.
template <class Format>
constexpr auto pack_fnuz =
    [](f32 a, f32 b) { return static_cast<u16>(Format::encode(a) | Format::encode(b) << 8); };
// To the byte of the destination that bits 2 and 3 of op_sel name, the second source being random.
template <class Format>
void to_fnuz_stochastic(Wave& wave, const Instruction& it) {
  Instruction plain = it;
  plain.op_sel = 0;
  const Source<f32> x(Operand{wave, plain, 0});
  const Source<u32> random(Operand{wave, plain, 1});
  const int shift = 8 * (it.op_sel >> 2 & 3);
  Lanes32 result;
  for (int lane = 0; lane < lanes; ++lane)
    result.value[lane] = (wave.v[it.destination][lane] & ~(0xffu << shift)) |
                         static_cast<u32>(Format::encode_stochastic(x[lane], random[lane]))
                             << shift;
  write_lanes(wave, it.destination, result);
}

constexpr NamedHandler table[] = {
    {"v_cvt_f32_i32", lanewise<to<f32>, f32, i32>},
    {"v_cvt_f32_u32", lanewise<to<f32>, f32, u32>},
    {"v_cvt_f32_f16", lanewise<to<f32>, f32, f16>},
    {"v_cvt_f32_f64", lanewise<to<f32>, f32, f64>},
    {"v_cvt_f32_ubyte0", lanewise<byte_to_float<0>, f32, u32>},
    {"v_cvt_f32_ubyte1", lanewise<byte_to_float<1>, f32, u32>},
    {"v_cvt_f32_ubyte2", lanewise<byte_to_float<2>, f32, u32>},
    {"v_cvt_f32_ubyte3", lanewise<byte_to_float<3>, f32, u32>},
    {"v_cvt_off_f32_i4", lanewise<sixteenths, f32, u32>},
    {"v_cvt_f64_i32", lanewise<to<f64>, f64, i32>},
    {"v_cvt_f64_u32", lanewise<to<f64>, f64, u32>},
    {"v_cvt_f64_f32", lanewise<to<f64>, f64, f32>},
    {"v_cvt_f16_f32", lanewise<to<f16>, f16, f32>},
    {"v_cvt_f16_u16", lanewise<to<f16>, f16, u16>},
    {"v_cvt_f16_i16", lanewise<to<f16>, f16, i16>},
    {"v_cvt_u16_f16", lanewise<to_integer<u16>, u16, f16>},
    {"v_cvt_i16_f16", lanewise<to_integer<i16>, i16, f16>},
    {"v_cvt_i32_f32", lanewise<to_integer<i32>, i32, f32>},
    {"v_cvt_u32_f32", lanewise<to_integer<u32>, u32, f32>},
    {"v_cvt_i32_f64", lanewise<to_integer<i32>, i32, f64>},
    {"v_cvt_u32_f64", lanewise<to_integer<u32>, u32, f64>},
    {"v_cvt_flr_i32_f32", lanewise<to_integer_below, i32, f32>},
    {"v_cvt_rpi_i32_f32", lanewise<to_nearest_integer, i32, f32>},
    {"v_cvt_pkrtz_f16_f32", lanewise<pack_halves_toward_zero, u32, f32, f32>},
    {"v_cvt_pk_i16_i32", lanewise<pack_saturated<i16>, u32, i32, i32>},
    {"v_cvt_pk_u16_u32", lanewise<pack_saturated<u16>, u32, u32, u32>},
    {"v_cvt_pknorm_i16_f32", lanewise<pack_normalised<i16>, u32, f32, f32>},
    {"v_cvt_pknorm_u16_f32", lanewise<pack_normalised<u16>, u32, f32, f32>},
    {"v_cvt_pknorm_i16_f16", lanewise<pack_normalised<i16>, u32, f16, f16>},
    {"v_cvt_pknorm_u16_f16", lanewise<pack_normalised<u16>, u32, f16, f16>},
    {"v_cvt_norm_i16_f16", lanewise<normalised<i16>, u16, f16>},
    {"v_cvt_norm_u16_f16", lanewise<normalised<u16>, u16, f16>},
    {"v_sat_pk_u8_i16", lanewise<pack_bytes, u16, u32>},
    {"v_cvt_pk_u8_f32", lanewise<insert_byte, u32, f32, u32, u32>},
    {"v_cvt_f32_fp8", lanewise<from_fnuz<Fp8>, f32, u32>},
    {"v_cvt_f32_bf8", lanewise<from_fnuz<Bf8>, f32, u32>},
    {"v_cvt_pk_f32_fp8", lanewise<pair_from_fnuz<Fp8>, u64, u32>},
    {"v_cvt_pk_f32_bf8", lanewise<pair_from_fnuz<Bf8>, u64, u32>},
    {"v_cvt_pk_fp8_f32", lanewise_in_half<pack_fnuz<Fp8>, u16, f32, f32>},
    {"v_cvt_pk_bf8_f32", lanewise_in_half<pack_fnuz<Bf8>, u16, f32, f32>},
    {"v_cvt_sr_fp8_f32", to_fnuz_stochastic<Fp8>},
    {"v_cvt_sr_bf8_f32", to_fnuz_stochastic<Bf8>},
};

}  // namespace

std::span<const NamedHandler> convert_handlers() {
  return table;
}

}  // namespace amd_emulator
