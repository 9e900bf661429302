// SPDX-License-Identifier: Apache-2.0
// Floating point of the emulated AMD GPUs, against the host's and the definitions of the formats.
#include <cmath>
#include <limits>

#include "tests/amd_emulator/fnuz.h"
#include "tests/amd_machine.h"

namespace amd_emulator {
namespace {

constexpr f32 inf = std::numeric_limits<f32>::infinity();
constexpr f32 nan = std::numeric_limits<f32>::quiet_NaN();

}  // namespace

TEST_CASE("Source modifiers, clamp and omod change numbers, not bits") {
  Machine m;
  m.set(0, 3, -1.5f);
  m.operation("v_add_f32", {v(0), one_half});
  m.it.absolute = 1;
  m.it.negate = 2;
  m.run();
  CHECK(m.get<f32>(20, 3) == 1.0f);
  m.operation("v_mul_f32", {v(0), minus_four});
  m.it.output_modifier = 3;
  m.run();
  CHECK(m.get<f32>(20, 3) == 3.0f);
  m.it.clamp = 1;
  m.run();
  CHECK(m.get<f32>(20, 3) == 1.0f);
  m.operation("v_and_b32", {constant(1), constant(2)});
  m.it.clamp = 1;
  CHECK_THROWS_AS(m.run(), Fault);
}

TEST_CASE("Minimum and maximum prefer numbers to NaN and order the zeros") {
  Machine m;
  CHECK(m.lane<f32>("v_max_f32", nan, 2.0f) == 2.0f);
  CHECK(m.lane<f32>("v_min_f32", 2.0f, nan) == 2.0f);
  CHECK(std::signbit(m.lane<f32>("v_min_f32", 0.0f, -0.0f)));
  CHECK(!std::signbit(m.lane<f32>("v_max_f32", -0.0f, 0.0f)));
  CHECK(m.lane<f32>("v_med3_f32", 5.0f, -inf, inf) == 5.0f);
  CHECK(m.lane<u32>("v_med3_f32", -0.0f, -5.0f, 0.0f) == 0);
  CHECK(m.lane<f64>("v_max_f64", std::nan(""), -3.0) == -3.0);
  CHECK(m.lane<f32>("v_max3_f32", nan, nan, 1.0f) == 1.0f);
  // A signalling NaN comes out as a quiet one, also of the maximum that makes a number canonical.
  CHECK(m.lane<u32>("v_max_f32", 0x7f812345u, 0x7f812345u) == 0x7fc12345);
  CHECK(m.lane<u32>("v_min_f32", 2.0f, 0xff812345u) == 0xffc12345);
}

TEST_CASE("Comparisons follow IEEE 754, and classes the bits of a mask") {
  Machine m;
  const auto holds = [&](const char* name, auto a, auto b) {
    m.set(0, 7, a);
    m.set(2, 7, b);
    m.operation(name, {v(0), v(2)});
    m.it.scalar_destination = 20;
    m.run();
    return (pair(m.wave->s[20], m.wave->s[21]) >> 7 & 1) != 0;
  };
  CHECK(holds("v_cmp_lt_f32", 1.0f, 2.0f));
  CHECK(!holds("v_cmp_lt_f32", nan, 2.0f));
  CHECK(holds("v_cmp_nlt_f32", nan, 2.0f));
  CHECK(holds("v_cmp_neq_f32", nan, nan));
  CHECK(!holds("v_cmp_lg_f32", nan, 1.0f));
  CHECK(holds("v_cmp_u_f32", 1.0f, nan));
  CHECK(holds("v_cmp_o_f64", 1.0, inf));
  CHECK(holds("v_cmp_lt_i32", -1, 0));
  CHECK(!holds("v_cmp_lt_u32", ~0u, 0u));
  CHECK(holds("v_cmp_gt_u64", u64{1} << 40, u64{0xffffffff}));
  CHECK(holds("v_cmp_ge_i16", i16{-3}, i16{-3}));
  const f32 classes[] = {-inf, -1.0f, -1e-40f, -0.0f, 0.0f, 1e-40f, 1.0f, inf};
  for (u32 i = 0; i < 8; ++i)
    for (u32 bit = 0; bit < 10; ++bit)
      CHECK(holds("v_cmp_class_f32", classes[i], 1u << bit) == (bit == i + 2));
  CHECK(holds("v_cmp_class_f32", nan, 2u));
}

TEST_CASE("The compiler's division gives what the host's does") {
  Machine m;
  std::mt19937_64 generator(3);
  const f32 special[] = {0.0f,   -0.0f,  1.0f,  -1.0f,   inf,  -inf,  nan,
                         1e-45f, 1e-38f, 3e38f, -2e-40f, 7.0f, 1e30f, 1e-30f};
  const auto divide = [&](f32 n, f32 d) {
    // llvm/lib/Target/AMDGPU expands a division into these instructions.
    const f32 scaled_d = m.lane<f32>("v_div_scale_f32", d, d, n);
    const f32 scaled_n = m.lane<f32>("v_div_scale_f32", n, d, n);
    const u64 flag = pair(m.wave->s[vcc_lo], m.wave->s[vcc_lo + 1]);
    const f32 r0 = m.lane<f32>("v_rcp_f32", scaled_d);
    const f32 e = std::fma(-scaled_d, r0, 1.0f), r = std::fma(e, r0, r0);
    const f32 q0 = scaled_n * r, q1 = std::fma(std::fma(-scaled_d, q0, scaled_n), r, q0);
    const f32 rest = std::fma(-scaled_d, q1, scaled_n);
    m.wave->s[vcc_lo] = low(flag);
    m.wave->s[vcc_lo + 1] = high(flag);
    const f32 q = m.lane<f32>("v_div_fmas_f32", rest, r, q1);
    return m.lane<f32>("v_div_fixup_f32", q, d, n);
  };
  const auto check = [&](f32 n, f32 d) {
    const f32 expected = n / d, got = divide(n, d);
    INFO(n << " / " << d << " = " << got << ", not " << expected);
    CHECK((std::isnan(expected) ? std::isnan(got)
                                : std::bit_cast<u32>(got) == std::bit_cast<u32>(expected)));
  };
  for (const f32 n : special)
    for (const f32 d : special) check(n, d);
  for (int i = 0; i < 20000; ++i) check(random<f32>(generator), random<f32>(generator));
}

TEST_CASE("The compiler's division of f64 gives what the host's does") {
  Machine m;
  std::mt19937_64 generator(4);
  for (int i = 0; i < 20000; ++i) {
    const auto n = random<f64>(generator), d = random<f64>(generator);
    const f64 scaled_d = m.lane<f64>("v_div_scale_f64", d, d, n);
    const f64 scaled_n = m.lane<f64>("v_div_scale_f64", n, d, n);
    const u64 flag = pair(m.wave->s[vcc_lo], m.wave->s[vcc_lo + 1]);
    f64 r = m.lane<f64>("v_rcp_f64", scaled_d);
    for (int step = 0; step < 2; ++step) r = std::fma(std::fma(-scaled_d, r, 1.0), r, r);
    const f64 q0 = scaled_n * r, rest = std::fma(-scaled_d, q0, scaled_n);
    m.wave->s[vcc_lo] = low(flag);
    m.wave->s[vcc_lo + 1] = high(flag);
    const f64 q = m.lane<f64>("v_div_fmas_f64", rest, r, q0);
    const f64 got = m.lane<f64>("v_div_fixup_f64", q, d, n);
    INFO(n << " / " << d << " = " << got << ", not " << n / d);
    CHECK((std::isnan(n / d) ? std::isnan(got)
                             : std::bit_cast<u64>(got) == std::bit_cast<u64>(n / d)));
  }
}

TEST_CASE("Functions are those of the host; of f32 they know no denormals") {
  Machine m;
  for (const f32 x : {0.25f, 1.0f, 3.0f, 1e10f, 7e-20f}) {
    CHECK(m.lane<f32>("v_rcp_f32", x) == 1 / x);
    CHECK(m.lane<f32>("v_sqrt_f32", x) == std::sqrt(x));
    CHECK(m.lane<f32>("v_log_f32", x) == static_cast<f32>(std::log2(static_cast<f64>(x))));
  }
  CHECK(m.lane<f32>("v_exp_f32", -3.0f) == 0.125f);
  CHECK(m.lane<f32>("v_exp_f32", -130.0f) == 0.0f);
  CHECK(m.lane<f32>("v_rcp_f32", 1e-40f) == inf);
  CHECK(m.lane<f32>("v_sin_f32", 0.25f) == 1.0f);
  CHECK(m.lane<f32>("v_rndne_f32", 2.5f) == 2.0f);
  CHECK(m.lane<f64>("v_floor_f64", -2.5) == -3.0);
  CHECK(m.lane<f32>("v_fract_f32", -1e-10f) < 1.0f);
  CHECK(std::isnan(m.lane<f32>("v_fract_f32", nan)));
  CHECK(std::isnan(m.lane<f64>("v_fract_f64", f64{inf})));
  CHECK(m.lane<f32>("v_ldexp_f32", 1.5f, -3) == 0.1875f);
  CHECK(m.lane<f64>("v_ldexp_f64", 1.5, 1000) == std::ldexp(1.5, 1000));
  CHECK(m.lane<f32>("v_frexp_mant_f32", 12.0f) == 0.75f);
  CHECK(m.lane<i32>("v_frexp_exp_i32_f32", 12.0f) == 4);
}

TEST_CASE("f16 results clear the upper half, or keep it where op_sel can choose it") {
  Machine m;
  const auto one = static_cast<f16>(1.0), three = static_cast<f16>(3.0);
  m.set(20, 7, 0xabcd1234u);
  CHECK(m.lane<u32>("v_add_f16", one, three) == std::bit_cast<u16>(static_cast<f16>(4.0)));
  m.set(20, 7, 0xabcd1234u);
  CHECK(m.lane<u32>("v_fma_f16", one, three, three) ==
        (0xabcd0000u | std::bit_cast<u16>(static_cast<f16>(6.0))));
  m.set(20, 7, 0xabcd1234u);
  m.it.op_sel = 8;
  m.run();
  CHECK(m.get<u32>(20, 7) == (0x1234u | std::bit_cast<u16>(static_cast<f16>(6.0)) << 16));
  m.operation("v_mul_f16", {v(2), one_half}).run();
  CHECK(m.get<f16>(20, 7) == static_cast<f16>(1.5));
}

TEST_CASE("Pairs of f16 are packed as numbers") {
  Machine m;
  m.set(0, 7, u32{std::bit_cast<u16>(static_cast<f16>(2.0))} << 16);
  m.operation("v_pack_b32_f16", {v(0), one_half});
  m.it.op_sel = 1;
  m.it.negate = 3;
  m.run();
  CHECK(m.get<u32>(20, 7) == 0xb800c000);
  m.set(20, 7, 0x3c004000u);  // 1 and 2
  m.set(2, 7, 0x42004400u);   // 3 and 4
  m.operation("v_pk_fmac_f16", {v(2), v(2)}).run();
  CHECK(m.get<u32>(20, 7) == 0x49004c80);  // 10 and 18
  m.set(4, 7, 8.0f);
  CHECK(m.lane<f32>("v_dot2_f32_f16", 0x3c004000u, 0x42004400u, 8.0f) == 3 + 8 + 8);
  m.it.negate = 1;  // of the lower product only
  m.run();
  CHECK(m.get<f32>(20, 7) == 3 - 8 + 8);
  m.operation("v_dot2_f32_f16", {v(0), one_half, v(4)}).run();  // the constant's upper half is 0
  CHECK(m.get<f32>(20, 7) == 1 + 8);
}

TEST_CASE("A large angle is multiplied by parts of 2/pi") {
  Machine m;
  const f64 first = m.lane<f64>("v_trig_preop_f64", 1.0, 0u);
  const f64 second = m.lane<f64>("v_trig_preop_f64", 1.0, 1u);
  CHECK(first == 0x0.a2f9836e4e441p0);
  CHECK(first + second == 2 / 3.14159265358979323846);
  CHECK(m.lane<f64>("v_trig_preop_f64", std::ldexp(1.0, 107), 0u) == second);
  CHECK(m.lane<f64>("v_trig_preop_f64", std::ldexp(1.0, 107), 1u) ==
        m.lane<f64>("v_trig_preop_f64", 1.0, 2u));
}

TEST_CASE("Packed arithmetic takes its halves from where op_sel says") {
  Machine m;
  for (unsigned number = 0; number < 6; ++number) m.set(number, 7, static_cast<f32>(1 << number));
  m.operation("v_pk_fma_f32", {v(0), v(2), v(4)}).run();
  CHECK(m.get<f32>(20, 7) == 1 * 4 + 16);
  CHECK(m.get<f32>(21, 7) == 2 * 8 + 32);
  m.operation("v_pk_mul_f32", {v(0), v(2)});
  m.it.op_sel = 1;       // the first result from v1
  m.it.op_sel_high = 1;  // the second one from v1 and v2
  m.it.negate_high = 2;
  m.run();
  CHECK(m.get<f32>(20, 7) == 2 * 4);
  CHECK(m.get<f32>(21, 7) == 2 * -4);
  m.operation("v_pk_mov_b32", {v(0), v(2)});
  m.it.op_sel = 2;
  m.run();
  CHECK(m.get<f32>(20, 7) == 1);
  CHECK(m.get<f32>(21, 7) == 8);
}

TEST_CASE("Mixed multiplication takes halves and single numbers") {
  Machine m;
  const u32 halves = std::bit_cast<u16>(static_cast<f16>(2.0)) |
                     u32{std::bit_cast<u16>(static_cast<f16>(5.0))} << 16;
  m.set(0, 7, halves);
  m.set(2, 7, 3.0f);
  m.set(4, 7, 0.5f);
  m.operation("v_fma_mix_f32", {v(0), v(2), v(4)});
  m.it.op_sel_high = 1;
  m.it.op_sel = 1;
  m.it.negate = 4;
  m.run();
  CHECK(m.get<f32>(20, 7) == 14.5f);
  m.set(20, 7, 0x00001111u);
  m.operation("v_fma_mixhi_f16", {v(0), v(2), v(4)});
  m.it.op_sel_high = 1;
  m.it.absolute = 1;
  m.run();
  CHECK(m.get<u32>(20, 7) == (0x1111u | std::bit_cast<u16>(static_cast<f16>(6.5)) << 16));
  for (const u8 is_half : {u8{0}, u8{2}}) {  // a constant has the type of its source
    m.operation("v_fma_mix_f32", {v(2), one_half, v(4)});
    m.it.op_sel_high = is_half;
    m.run();
    CHECK(m.get<f32>(20, 7) == 2.0f);
  }
}

TEST_CASE("Conversions round to nearest, or toward zero where they say so, and saturate") {
  Machine m;
  CHECK(m.lane<i32>("v_cvt_i32_f32", 3e9f) == std::numeric_limits<i32>::max());
  CHECK(m.lane<i32>("v_cvt_i32_f32", -2.9f) == -2);
  CHECK(m.lane<u32>("v_cvt_u32_f32", -5.0f) == 0);
  CHECK(m.lane<u32>("v_cvt_u32_f64", 4e9) == 4000000000u);
  CHECK(m.lane<i32>("v_cvt_i32_f32", nan) == 0);
  CHECK(m.lane<i32>("v_cvt_flr_i32_f32", -2.1f) == -3);
  CHECK(m.lane<f32>("v_cvt_f32_ubyte2", 0x00ab0000u) == 171.0f);
  CHECK(m.lane<f32>("v_cvt_f32_u32", 0xffffffffu) == 4294967296.0f);
  CHECK(m.lane<f32>("v_cvt_off_f32_i4", 0x2cu) == -0.25f);
  CHECK(m.lane<u32>("v_sat_pk_u8_i16", 0x0123fff0u) == 0xff00);
  CHECK(m.lane<u32>("v_cvt_norm_i16_f16", static_cast<f16>(-1.0)) == 0x8001);
  std::mt19937_64 generator(5);
  for (int i = 0; i < 2000; ++i) {
    const f32 x = std::ldexp(static_cast<f32>(generator() % 100000) - 50000.0f,
                             static_cast<int>(generator() % 20) - 20);
    const auto half =
        std::bit_cast<f16>(static_cast<u16>(m.lane<u32>("v_cvt_pkrtz_f16_f32", x, x)));
    INFO(x << " to " << static_cast<f32>(half));
    CHECK(std::fabs(static_cast<f32>(half)) <= std::fabs(x));
    const auto next = std::bit_cast<f16>(static_cast<u16>(std::bit_cast<u16>(half) + 1));
    CHECK(std::fabs(static_cast<f32>(next)) > std::fabs(x));
  }
}

// sum of fraction bits and exponent as the format's definition has them.
template <class Format>
f64 value_by_definition(u32 code, int exponent_bits, int bias) {
  const int fraction_bits = 7 - exponent_bits;
  const u32 exponent = code >> fraction_bits & ((1u << exponent_bits) - 1);
  const f64 fraction = (code & ((1u << fraction_bits) - 1)) / std::exp2(fraction_bits);
  const f64 magnitude = exponent == 0
                            ? fraction * std::exp2(1 - bias)
                            : (1 + fraction) * std::exp2(static_cast<int>(exponent) - bias);
  return code >= 0x80 ? -magnitude : magnitude;
}

TEMPLATE_TEST_CASE("fp8 conversions give the nearest number of the format", "", Fp8, Bf8) {
  constexpr bool is_fp8 = std::is_same_v<TestType, Fp8>;
  Machine m;
  const char* decode_name = is_fp8 ? "v_cvt_f32_fp8" : "v_cvt_f32_bf8";
  const char* encode_name = is_fp8 ? "v_cvt_pk_fp8_f32" : "v_cvt_pk_bf8_f32";
  const auto value = [](u32 code) {
    return value_by_definition<TestType>(code, is_fp8 ? 4 : 5, is_fp8 ? 8 : 16);
  };
  const auto encode = [&](f32 x) {
    m.set(20, 7, 0u);
    return m.lane<u32>(encode_name, x, 0.0f) & 0xff;
  };
  CHECK(std::isnan(m.lane<f32>(decode_name, 0x80u)));
  for (u32 code = 0; code < 256; ++code) {
    if (code == 0x80) continue;
    INFO(code);
    CHECK(m.lane<f32>(decode_name, code) == value(code));
    CHECK(encode(static_cast<f32>(value(code))) == code);
    if ((code & 0x7f) == 0x7f) continue;
    const auto middle = static_cast<f32>((value(code) + value(code + 1)) / 2);
    CHECK(encode(middle) == (code % 2 == 0 ? code : code + 1) % (code == 0x80 ? 1 : 256));
    CHECK(encode(std::nextafter(middle, static_cast<f32>(value(code)))) == code);
    CHECK(encode(std::nextafter(middle, static_cast<f32>(value(code + 1)))) == code + 1);
  }
  CHECK(encode(inf) == 0x80);
  CHECK(encode(static_cast<f32>(value(0x7f) * 1.2)) == 0x80);
  CHECK(encode(-0.0f) == 0);
}

}  // namespace amd_emulator
