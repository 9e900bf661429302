// SPDX-License-Identifier: Apache-2.0
// Every layer kernel of a GPU, in every type and pass, against the oracle.
#include "tests/catch.h"
#include "tests/gpu_device.h"

using namespace steelyard;

namespace {

using enum LayerOp;

constexpr DType types[] = {DType::f32, DType::bf16, DType::f16};

struct Size {
  std::int64_t rows, columns;
};
// One element; less than a packet; ragged; several rows for a warp, with lanes left over; a block for
// a row, ragged and in whole packets, the last of them not full.
constexpr Size sizes[] = {{1, 1}, {3, 7}, {19, 33}, {21, 72}, {2, 1031}, {3, 4104}};

Layer layer(LayerOp op, DType type, Size size, Pass pass = Pass::forward) {
  return {.op = op, .pass = pass, .dtype = type, .rows = size.rows, .columns = size.columns};
}

void check_all(LayerOp op, Pass pass = Pass::forward, Fill fill = Fill::normal) {
  for (const DType type : types)
    for (const Size size : sizes) CHECK(check_every_row(layer(op, type, size, pass), fill) == 1);
}

Layer routed(LayerOp op, DType type, Size size, std::int64_t experts, std::int64_t choices) {
  Layer p = layer(op, type, size);
  p.entries = experts;
  p.choices = choices;
  return p;
}

int rows_that_take(const Problem& problem) {
  int rows = 0;
  for (const Kernel& kernel : gpu_backend().kernels)
    rows += kernel.supports(problem, gpu_device().info()).answer == Support::yes;
  return rows;
}

}  // namespace

TEST_CASE("activations and additions") {
  for (const Pass pass : {Pass::forward, Pass::backward})
    for (const LayerOp op : {swiglu, gelu}) check_all(op, pass);
  check_all(bias_add);
  check_all(residual_add);
}

TEST_CASE("norms and their gradients") {
  for (const LayerOp op : {rms_norm, layer_norm})
    for (const Pass pass : {Pass::forward, Pass::backward}) check_all(op, pass);
}

TEST_CASE("norms add up over more rows than there are teams, and of constant rows") {
  for (const LayerOp op : {rms_norm, layer_norm}) {
    CHECK(check_every_row(layer(op, DType::bf16, {10000, 4}, Pass::backward)) == 1);
    for (const Fill fill : {Fill::ones, Fill::zeros})
      for (const Pass pass : {Pass::forward, Pass::backward})
        CHECK(check_every_row(layer(op, DType::f32, {3, 72}, pass), fill) == 1);
  }
}

TEST_CASE("norms take the longest row that a block can hold, and name it for longer ones") {
  CHECK(check_every_row(layer(rms_norm, DType::bf16, {1, 16384})) == 1);
  CHECK(check_every_row(layer(layer_norm, DType::bf16, {1, 8192}, Pass::backward)) == 1);
  CHECK(check_every_row(layer(layer_norm, DType::bf16, {1, 8191})) == 1);
  CHECK(check_every_row(layer(layer_norm, DType::f32, {1, 4095}, Pass::backward)) == 1);
  CHECK(rows_that_take(layer(rms_norm, DType::bf16, {1, 8193})) == 0);
  CHECK(rows_that_take(layer(layer_norm, DType::bf16, {1, 4097}, Pass::backward)) == 0);
}

TEST_CASE("losses and their gradient") {
  for (const Fill fill : {Fill::normal, Fill::ones})
    for (const LayerOp op : {cross_entropy, log_probabilities}) check_all(op, Pass::forward, fill);
  check_all(cross_entropy, Pass::backward);
}

TEST_CASE("a vocabulary of several packets per thread") {
  for (const std::int64_t vocabulary : {50257, 50264})
    for (const Pass pass : {Pass::forward, Pass::backward})
      CHECK(check_every_row(layer(cross_entropy, DType::bf16, {2, vocabulary}, pass)) == 1);
}

TEST_CASE("rotary embedding of odd and of whole packets") {
  for (const DType type : types)
    for (const Pass pass : {Pass::forward, Pass::backward})
      for (const auto& [rows, heads, head_dim] :
           {std::array{1, 1, 2}, {5, 3, 6}, {7, 9, 64}, {3, 2, 128}, {2, 1, 1024}}) {
        Layer p = layer(rope, type, {rows, heads * head_dim}, pass);
        p.head_dim = head_dim;
        CHECK(check_every_row(p) == 1);
      }
  Layer wide = layer(rope, DType::bf16, {1, 1026});
  wide.head_dim = 1026;
  CHECK(rows_that_take(wide) == 0);
}

TEST_CASE("embeddings, with more rows than entries and with fewer") {
  for (const LayerOp op : {embedding_gather, embedding_scatter})
    for (const DType type : types)
      for (const Size size : sizes) {
        Layer p = layer(op, type, size);
        p.entries = size.columns < 100 ? 400 : 2;
        CHECK(check_every_row(p) == 1);
      }
}

TEST_CASE("new tokens in a contiguous and in a paged cache") {
  for (const DType type : types)
    for (const auto& [rows, heads, head_dim] : {std::array{1, 1, 1}, {7, 3, 5}, {5, 2, 64}})
      for (const std::int64_t page_size : {0, 1, 16}) {
        Layer p = layer(cache_append, type, {rows, heads * head_dim});
        p.head_dim = head_dim;
        p.entries = 33;
        p.page_size = page_size;
        CHECK(check_every_row(p) == 1);
        p.fp8_cache = true;
        CHECK(check_every_row(p) == 1);
      }
  Layer wide = layer(cache_append, DType::f64, {2, 6});
  wide.head_dim = 2, wide.entries = 4, wide.fp8_cache = true;
  CHECK(rows_that_take(wide) == 0);
}

TEST_CASE("experts are chosen in order, equal ones by their number") {
  for (const DType type : types)
    for (const Fill fill : {Fill::normal, Fill::integers, Fill::ones}) {
      CHECK(check_every_row(routed(route, type, {1, 1}, 1, 1), fill) == 1);
      CHECK(check_every_row(routed(route, type, {9, 1}, 8, 2), fill) == 1);
      CHECK(check_every_row(routed(route, type, {5, 1}, 70, 70), fill) == 1);
      CHECK(check_every_row(routed(route, type, {3, 1}, 256, 8), fill) == 1);
    }
  CHECK(rows_that_take(routed(route, DType::f32, {3, 1}, 1025, 8)) == 0);
}

TEST_CASE("copies of tokens are grouped by expert in their order, and added up again") {
  for (const DType type : types)
    for (const LayerOp op : {permute, unpermute}) {
      CHECK(check_every_row(routed(op, type, {1, 1}, 1, 1)) == 1);
      CHECK(check_every_row(routed(op, type, {40, 7}, 5, 3)) == 1);
      CHECK(check_every_row(routed(op, type, {33, 264}, 256, 8)) == 1);
    }
  CHECK(check_every_row(routed(permute, DType::bf16, {700, 8}, 3, 3)) == 1);  // several chunks
  CHECK(check_every_row(routed(permute, DType::bf16, {5000, 1}, 3, 1)) == 1);
  CHECK(check_every_row(routed(permute, DType::bf16, {20, 8}, 1500, 4)) == 1);
}

TEST_CASE("rows are quantised and back") {
  for (const DType type : types)
    for (const Size size : sizes)
      for (const Fill fill : {Fill::normal, Fill::zeros}) {
        CHECK(check_every_row(layer(amax, type, size), fill) == 1);
        for (const DType quantised : {DType::fp8_e4m3, DType::fp8_e5m2, DType::int8})
          for (const LayerOp op : {quantise, dequantise}) {
            Layer p = layer(op, type, size);
            p.quantised = quantised;
            CHECK(check_every_row(p, fill) == 1);
          }
      }
}

TEST_CASE("rows longer than a block holds are quantised too") {
  for (const std::int64_t columns : {16392, 16391, 8193})
    CHECK(check_every_row(layer(quantise, DType::bf16, {2, columns})) == 1);
}

TEST_CASE("AdamW") {
  check_all(LayerOp::adamw);
  for (const Size size : {Size{3, 72}, Size{5, 71}}) {
    Layer p = layer(LayerOp::adamw, DType::bf16, size);
    p.f32_gradient = true;
    CHECK(check_every_row(p) == 1);
  }
  CHECK(check_every_row(layer(LayerOp::adamw, DType::f32, {3, 72}), Fill::zeros) == 1);
}

TEST_CASE("every operation and pass has one row, and types it lacks are named") {
  for (int op = 0; op <= static_cast<int>(LayerOp::adamw); ++op)
    for (const Pass pass : {Pass::forward, Pass::backward}) {
      Layer p = layer(static_cast<LayerOp>(op), DType::bf16, {2, 6}, pass);
      p.head_dim = 2, p.entries = 4, p.choices = 2;
      if (!fault(p).empty()) continue;
      INFO(id(p));
      CHECK(rows_that_take(p) == 1);
      p.dtype = DType::f64;
      const bool moves = p.op == embedding_gather || p.op == cache_append || p.op == permute;
      CHECK(rows_that_take(p) == (moves ? 1 : 0));
    }
}
