// SPDX-License-Identifier: Apache-2.0
// GEMM kernels of GPUs against the oracle.
#include "backends/backend.h"

#include "tests/catch.h"
#include "tests/gpu_device.h"

using namespace steelyard;

namespace {

struct Sizes {
  std::int64_t m, n, k;
};

// One element, a vector, edges of every tile, sizes that divide no chunk of 16 bytes; then whole
// chunks with edges, and several slabs of whole tiles.
constexpr Sizes ragged[] = {{1, 1, 1}, {1, 37, 5}, {65, 63, 67}, {33, 131, 129}};
constexpr Sizes whole[] = {{16, 48, 32}, {80, 208, 272}, {128, 128, 192}};

Gemm gemm(DType type, Layout layout, Sizes s, DType output) {
  return {.m = s.m, .n = s.n, .k = s.k, .a = type, .b = type, .c = output, .layout = layout};
}

bool takes(std::string_view kernel, const Problem& problem) {
  for (const Kernel& row : gpu_backend().kernels)
    if (row.name == kernel)
      return row.supports(problem, gpu_device().info()).answer == Support::yes;
  return false;
}

// Every size and layout of a type, where the device has it.
void check_type(std::string_view kernel, DType type, DType output) {
  if (!takes(kernel, gemm(type, Layout::nn, {1, 1, 1}, output))) return;
  for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn}) {
    for (const Sizes& sizes : ragged) check_row(kernel, gemm(type, layout, sizes, output));
    for (const Sizes& sizes : whole) check_row(kernel, gemm(type, layout, sizes, output));
  }
}

}  // namespace

TEST_CASE("GEMM by ordinary lanes") {
  check_type("simt", DType::f32, DType::f32);
  check_type("simt", DType::f64, DType::f64);
}

TEST_CASE("Tiles of 16-bit floats") {
  check_type("tile", DType::bf16, DType::bf16);
  check_type("tile", DType::f16, DType::f16);
  check_type("tile", DType::bf16, DType::f32);
}
TEST_CASE("Tiles of tf32") {
  check_type("tile", DType::tf32, DType::tf32);
}
TEST_CASE("Tiles of f64") {
  check_type("tile", DType::f64, DType::f64);
}
TEST_CASE("Tiles of int8") {
  check_type("tile", DType::int8, DType::int32);
}
TEST_CASE("Tiles of fp8") {
  check_type("tile", DType::fp8_e4m3, DType::fp8_e4m3);
  check_type("tile", DType::fp8_e5m2, DType::f32);
}

TEST_CASE("Whole numbers are rounded once, to the output's format") {
  for (const DType type : {DType::bf16, DType::f16, DType::tf32, DType::f64})
    if (takes("tile", gemm(type, Layout::nt, {1, 1, 1}, type)))
      check_row("tile", gemm(type, Layout::nt, {48, 80, 160}, type), Fill::integers);
}

TEST_CASE("alpha and beta scale the product and what was there") {
  for (const DType type : {DType::f32, DType::f64, DType::bf16}) {
    Gemm problem = gemm(type, Layout::nt, {48, 80, 96}, type);
    problem.alpha = 0.5;
    problem.beta = -2;
    CHECK(check_every_row(problem) > 0);
    problem.n = 79;
    CHECK(check_every_row(problem) > 0);
  }
}

TEST_CASE("A few rows of many terms are split along their depth") {
  for (const DType output : {DType::bf16, DType::f32})
    check_row("tile", gemm(DType::bf16, Layout::nt, {8, 64, 4096}, output));
  check_row("tile", gemm(DType::int8, Layout::nt, {8, 64, 4096}, DType::int32));
}

// Chosen where there is one for every compute unit.
TEST_CASE("Large and medium tiles, ragged at every edge") {
  const std::int64_t n = 128 * gpu_device().info().compute_units - 8;
  for (const Layout layout : {Layout::nn, Layout::tn})
    check_large_row("tile", gemm(DType::bf16, layout, {296, n, 72}, DType::bf16));
  for (const DType type : {DType::bf16, DType::f16, DType::tf32, DType::f64, DType::int8,
                           DType::fp8_e4m3, DType::fp8_e5m2}) {
    const bool narrow = type == DType::fp8_e4m3 || type == DType::fp8_e5m2;
    const DType output = type == DType::int8 ? DType::int32 : narrow ? DType::bf16 : type;
    for (const std::int64_t m : {296, 120})
      if (const Gemm problem = gemm(type, Layout::nt, {m, n, 40}, output); takes("tile", problem))
        check_large_row("tile", problem);
  }
}

TEST_CASE("Tile rows fill several bands, the last one not whole") {
  check_row("tile", gemm(DType::bf16, Layout::nt, {600, 80, 32}, DType::bf16));
}

TEST_CASE("Groups of rows meet a B of their own, wherever they begin") {
  for (const DType type : {DType::bf16, DType::f32})
    for (const Routing routing : {Routing::uniform, Routing::zipf, Routing::one_hot})
      for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn}) {
        Gemm problem = gemm(type, layout, {200, 80, 64}, type);
        problem.groups = 5;
        problem.routing = routing;
        CHECK(check_every_row(problem) > 0);
      }
  Gemm many = gemm(DType::bf16, Layout::nt, {150, 16, 16}, DType::bf16);  // more than lanes
  many.groups = 100;
  many.routing = Routing::zipf;
  CHECK(check_every_row(many) > 0);
}

TEST_CASE("Scales of rows and columns are applied to products of 8 bits") {
  for (const DType type : {DType::int8, DType::fp8_e4m3})
    for (const DType output : {DType::bf16, DType::f32}) {
      Gemm problem = gemm(type, Layout::nt, {40, 72, 176}, output);
      problem.scaling = Scaling::w8a8;
      if (takes("tile", problem)) check_row("tile", problem);
    }
}

TEST_CASE("int4 weights have a scale for every column and group along the depth") {
  for (const DType type : {DType::bf16, DType::f16})
    for (const Layout layout : {Layout::nn, Layout::nt, Layout::tn})
      for (const Sizes& sizes :
           {Sizes{1, 1, 1}, {5, 37, 131}, {16, 132, 288}, {130, 128, 160}, {3, 128, 2080}}) {
        Gemm problem = gemm(type, layout, sizes, type);
        problem.b = DType::int4;
        problem.scaling = Scaling::w4a16;
        check_row("tile", problem);
        problem.c = DType::f32;
        problem.alpha = 0.5;
        problem.beta = 2;
        check_row("tile", problem);
      }
  Gemm grouped = gemm(DType::bf16, Layout::nt, {70, 36, 160}, DType::bf16);
  grouped.b = DType::int4;
  grouped.scaling = Scaling::w4a16;
  grouped.groups = 3;
  check_row("tile", grouped);
  grouped.n = 35;
  check_row("tile", grouped);
}

TEST_CASE("What tiles cannot multiply is refused with the reason") {
  Gemm mixed = gemm(DType::bf16, Layout::nt, {16, 16, 16}, DType::bf16);
  mixed.b = DType::f16;
  CHECK(!takes("tile", mixed));
  Gemm scaled = gemm(DType::int8, Layout::nt, {16, 16, 16}, DType::int32);
  scaled.alpha = 2;
  CHECK(!takes("tile", scaled));
}
