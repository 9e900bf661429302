// SPDX-License-Identifier: Apache-2.0
// Every layer kernel of the CPU, in every type, instruction set and kind of store, against the fp64
// truth.
#include "tests/cpu_layers.h"

namespace {

// One element, less than a vector, whole lines, a remainder, more rows than threads.
constexpr Size sizes[] = {{1, 1}, {3, 7}, {2, 64}, {5, 193}, {33, 512}, {70, 768}};

}  // namespace

TEST_CASE("activations and additions agree with the truth") {
  using enum LayerOp;
  for (const DType type : all_types)
    for (const Size size : sizes) {
      for (const LayerOp op : {swiglu, gelu, residual_add, bias_add})
        check_all_variants(layer(op, type, size));
      for (const LayerOp op : {swiglu, gelu})
        check_all_variants(layer(op, type, size, Pass::backward));
    }
}

TEST_CASE("AdamW updates weights and moments") {
  for (const DType type : types_up_to_f32)
    for (const Size size : sizes)
      for (const bool f32_gradient : {false, true}) {
        Layer p = layer(LayerOp::adamw, type, size);
        p.f32_gradient = f32_gradient;
        check_all_variants(p);
      }
}

TEST_CASE("norms and their gradients agree with the truth") {
  for (const DType type : all_types)
    for (const Size size : sizes)
      for (const LayerOp op : {LayerOp::rms_norm, LayerOp::layer_norm})
        for (const Pass pass : {Pass::forward, Pass::backward})
          check_all_variants(layer(op, type, size, pass));
}

TEST_CASE("losses and their gradient agree with the truth, over several blocks of a row") {
  for (const DType type : all_types)
    for (const Size size : {Size{1, 1}, Size{3, 7}, Size{9, 193}, Size{2, 4096}, Size{40, 5001}})
      for (const Fill fill : {Fill::normal, Fill::zeros}) {
        check_all_variants(layer(LayerOp::cross_entropy, type, size), fill);
        check_all_variants(layer(LayerOp::cross_entropy, type, size, Pass::backward), fill);
        check_all_variants(layer(LayerOp::log_probabilities, type, size), fill);
      }
}

TEST_CASE("rotary embedding agrees with the truth for several heads and odd halves") {
  for (const DType type : types_up_to_f32)
    for (const std::int64_t head_dim : {2, 6, 64, 128})
      for (const Pass pass : {Pass::forward, Pass::backward}) {
        Layer p = layer(LayerOp::rope, type, {301, 3 * head_dim}, pass);
        p.head_dim = head_dim;
        check_all_variants(p);
      }
}

TEST_CASE("rows are gathered, scattered and appended to caches") {
  using enum LayerOp;
  for (const Size size : sizes) {
    for (const DType type : all_types) check_all_variants(layer(embedding_gather, type, size));
    for (const DType type : types_up_to_f32)
      check_all_variants(layer(embedding_scatter, type, size));
    for (const std::int64_t page_size : {0, 4, 16}) {
      Layer p = layer(cache_append, DType::bf16, size);
      p.page_size = page_size;
      check_all_variants(p);
      p.fp8_cache = true;
      for (const DType type : types_up_to_f32) {
        p.dtype = type;
        check_all_variants(p);
      }
    }
  }
}

TEST_CASE("experts are chosen, and tokens go to them and come back") {
  using enum LayerOp;
  for (const DType type : all_types)
    for (const Size size : sizes)
      for (const std::int64_t choices : {1, 3, 11}) {
        for (const LayerOp op : {route, permute, unpermute}) {
          Layer p = layer(op, type, size);
          p.choices = choices;
          check_all_variants(p);
        }
      }
}

TEST_CASE("of equal logits the first experts are chosen") {
  for (const DType type : all_types) {
    check_all_variants(layer(LayerOp::route, type, {5, 1}), Fill::ones);
    check_all_variants(layer(LayerOp::route, type, {40, 1}), Fill::integers);
  }
}

TEST_CASE("rows are quantised to the nearest value and back") {
  for (const Size size : sizes)
    for (const Fill fill : {Fill::normal, Fill::uniform, Fill::zeros}) {
      for (const DType type : all_types) check_all_variants(layer(LayerOp::amax, type, size), fill);
      for (const DType type : types_up_to_f32)
        for (const DType quantised : {DType::fp8_e4m3, DType::fp8_e5m2, DType::int8})
          for (const LayerOp op : {LayerOp::quantise, LayerOp::dequantise}) {
            Layer p = layer(op, type, size);
            p.quantised = quantised;
            check_all_variants(p, fill);
          }
    }
}
