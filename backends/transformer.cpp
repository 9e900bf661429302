// SPDX-License-Identifier: Apache-2.0
// A decoder step as the list of its operations (shapes: rows are all new tokens of all sequences).
#include <algorithm>

#include "backends/problem.h"

namespace steelyard {
namespace {

class Step {
 public:
  explicit Step(const Transformer& model) : t_(model), rows_(model.batch * model.tokens) {}

  std::vector<Problem> forward() {
    layer({.op = LayerOp::embedding_gather, .columns = t_.width, .entries = t_.vocabulary});
    for (std::int64_t i = 0; i < t_.layers; ++i) {
      attention_block();
      t_.experts > 0 ? experts() : mlp();
    }
    layer({.op = LayerOp::rms_norm, .columns = t_.width});
    linear(head_rows(), t_.vocabulary, t_.width);
    return std::move(parts_);
  }

  // Backward in reverse order, then the optimiser over all weights.
  std::vector<Problem> train() {
    const std::vector<Problem> steps = forward();
    parts_ = steps;
    layer({.op = LayerOp::cross_entropy, .columns = t_.vocabulary});
    layer({.op = LayerOp::cross_entropy, .pass = Pass::backward, .columns = t_.vocabulary});
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
      std::visit([this](const auto& p) { backward(p); }, *step);
    for (const Problem& step : steps)
      if (const auto* gemm = std::get_if<Gemm>(&step))
        layer({.op = LayerOp::adamw, .rows = gemm->groups * gemm->n, .columns = gemm->k});
    layer({.op = LayerOp::adamw, .rows = t_.vocabulary, .columns = t_.width});
    return std::move(parts_);
  }

 private:
  void layer(Layer p) {
    p.dtype = t_.dtype;
    if (p.rows == 0) p.rows = rows_;
    parts_.emplace_back(p);
  }

  // y[m, n] = x[m, k] W[n, k]^T
  void linear(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t groups = 1) {
    parts_.emplace_back(Gemm{.m = m,
                             .n = n,
                             .k = k,
                             .a = t_.dtype,
                             .b = t_.dtype,
                             .c = t_.dtype,
                             .layout = Layout::nt,
                             .groups = groups});
  }

  void attention_block() {
    const std::int64_t q = t_.heads * t_.head_dim, kv = t_.kv_heads * t_.head_dim;
    layer({.op = LayerOp::rms_norm, .columns = t_.width});
    linear(rows_, q + 2 * kv, t_.width);
    layer({.op = LayerOp::rope, .columns = q, .head_dim = t_.head_dim});
    layer({.op = LayerOp::rope, .columns = kv, .head_dim = t_.head_dim});
    const bool decode = t_.phase == Phase::decode;
    if (decode)
      layer({.op = LayerOp::cache_append,
             .rows = t_.batch,
             .columns = kv,
             .head_dim = t_.head_dim,
             .entries = t_.context});
    parts_.emplace_back(Attention{.pass = decode ? Pass::decode : Pass::forward,
                                  .dtype = t_.dtype,
                                  .batch = t_.batch,
                                  .heads = t_.heads,
                                  .kv_heads = t_.kv_heads,
                                  .queries = t_.tokens,
                                  .keys = std::max(t_.context, t_.tokens),
                                  .head_dim = t_.head_dim,
                                  .causal = true});
    linear(rows_, t_.width, q);
    layer({.op = LayerOp::residual_add, .columns = t_.width});
  }

  void mlp() {
    layer({.op = LayerOp::rms_norm, .columns = t_.width});
    linear(rows_, 2 * t_.ffn, t_.width);
    layer({.op = LayerOp::swiglu, .columns = t_.ffn});
    linear(rows_, t_.width, t_.ffn);
    layer({.op = LayerOp::residual_add, .columns = t_.width});
  }

  void experts() {
    const std::int64_t copies = rows_ * t_.choices;
    const auto routed = [&](LayerOp op) {
      layer({.op = op, .columns = t_.width, .entries = t_.experts, .choices = t_.choices});
    };
    layer({.op = LayerOp::rms_norm, .columns = t_.width});
    linear(rows_, t_.experts, t_.width);
    routed(LayerOp::route);
    routed(LayerOp::permute);
    linear(copies, 2 * t_.ffn, t_.width, t_.experts);
    layer({.op = LayerOp::swiglu, .rows = copies, .columns = t_.ffn});
    linear(copies, t_.width, t_.ffn, t_.experts);
    routed(LayerOp::unpermute);
    layer({.op = LayerOp::residual_add, .columns = t_.width});
  }

  // Only the last token of each sequence is asked for its successor, except in training.
  std::int64_t head_rows() const { return t_.phase == Phase::train ? rows_ : t_.batch; }

  void backward(const Gemm& p) {
    Gemm data = p;  // dx = dy W
    data.n = p.k, data.k = p.n, data.layout = Layout::nn;
    parts_.emplace_back(data);
    const auto offsets = group_offsets(p);
    for (std::int64_t g = 0; g < p.groups; ++g) {  // dW = dy^T x, of each group's own rows
      const std::int64_t rows = offsets[g + 1] - offsets[g];
      if (rows == 0) continue;
      parts_.emplace_back(
          Gemm{.m = p.n, .n = p.k, .k = rows, .a = p.a, .b = p.b, .c = p.c, .layout = Layout::tn});
    }
  }

  void backward(const Attention& p) {
    Attention gradient = p;
    gradient.pass = Pass::backward;
    parts_.emplace_back(gradient);
  }

  // Adding a residual passes its gradient on; routing's own gradient is a few numbers per token.
  void backward(const Layer& p) {
    if (p.op == LayerOp::residual_add || p.op == LayerOp::route) return;
    Layer gradient = p;
    if (p.op == LayerOp::embedding_gather) {
      gradient.op = LayerOp::embedding_scatter;
    } else if (p.op == LayerOp::permute) {
      gradient.op = LayerOp::unpermute;
    } else if (p.op == LayerOp::unpermute) {
      gradient.op = LayerOp::permute;
    } else {
      gradient.pass = Pass::backward;
    }
    parts_.emplace_back(gradient);
  }

  template <class P>
  void backward(const P&) {}

  const Transformer& t_;
  std::int64_t rows_;
  std::vector<Problem> parts_;
};

}  // namespace

std::vector<Problem> parts(const Transformer& transformer) {
  Step step(transformer);
  return transformer.phase == Phase::train ? step.train() : step.forward();
}

}  // namespace steelyard
