// SPDX-License-Identifier: Apache-2.0
// The forward pass of a decoder.
#include "backends/transformer.h"

#include <fmt/format.h>

#include <cmath>

#include "backends/step_builder.h"

namespace steelyard {
namespace {

class Forward {
 public:
  explicit Forward(const Transformer& model) : t_(model), rows_(model.batch * model.tokens) {}

  Step build() {
    if (t_.phase == Phase::quantise) return quantised_blocks();
    embedding();
    for (std::int64_t i = 0; i < t_.layers; ++i) {
      builder_.enter(fmt::format("block {}", i));
      attention();
      t_.experts > 0 ? experts() : mlp();
    }
    builder_.enter("head");
    head();
    if (trains()) add_backward(builder_, t_.dtype);
    return builder_.take();
  }

 private:
  using Names = StepBuilder::Names;

  bool trains() const { return steelyard::trains(t_.phase); }
  bool adapts() const { return t_.phase == Phase::lora; }
  bool is_narrow() const { return t_.weights != t_.dtype; }

  std::string scoped(std::string_view name) const { return builder_.scoped(name); }

  std::string declared(std::string_view name, StepTensor tensor) {
    tensor.name = scoped(name);
    builder_.declare(tensor);
    return tensor.name;
  }

  std::string weight(std::string_view name, double deviation) {
    return declared(name, {.role = Role::weight,
                           .initial = Initial::random,
                           .factor = deviation,
                           .frozen = adapts()});
  }

  std::string constant_weight(std::string_view name, double value) {
    return declared(
        name,
        {.role = Role::weight, .initial = Initial::constant, .factor = value, .frozen = adapts()});
  }

  std::string ids(std::string_view name, std::int64_t limit) {
    return declared(name, {.role = Role::token, .initial = Initial::ids, .limit = limit});
  }

  Layer layer(LayerOp op, std::int64_t rows, std::int64_t columns) const {
    return {.op = op, .dtype = t_.dtype, .rows = rows, .columns = columns};
  }

  void add(const Problem& problem, std::string_view name, const Names& tensors) {
    builder_.add(problem, scoped(name), tensors);
  }

  // ---- what blocks and head are made of; each takes the name of its input and returns that of its
  // output

  std::string norm(std::string_view what, const std::string& x, std::int64_t rows,
                   std::int64_t columns) {
    const std::string w = constant_weight(fmt::format("{} weight", what), 1), y = scoped(what);
    if (t_.layer_norm)
      add(layer(LayerOp::layer_norm, rows, columns), what,
          {x, w, constant_weight(fmt::format("{} bias", what), 0), y});
    else
      add(layer(LayerOp::rms_norm, rows, columns), what, {x, w, y});
    return y;
  }

  // y[m, n] = x[m, k] W[n, k]^T, the weights as wide as the activations.
  Gemm product(std::int64_t m, std::int64_t n, std::int64_t k) const {
    return {
        .m = m, .n = n, .k = k, .a = t_.dtype, .b = t_.dtype, .c = t_.dtype, .layout = Layout::nt};
  }

  // Of the weights of a sum over k terms, so that it is as large as they.
  static double deviation(std::int64_t k) { return 1 / std::sqrt(static_cast<double>(k)); }

  std::string plain_linear(std::string_view what, const std::string& x, const std::string& w,
                           std::int64_t m, std::int64_t n, std::int64_t k) {
    add(product(m, n, k), what, {x, w, scoped(what)});
    return scoped(what);
  }

  std::string linear(std::string_view what, const std::string& x, std::int64_t n, std::int64_t k) {
    const std::string w = weight(fmt::format("{} weight", what), is_narrow() ? 1 : deviation(k));
    const std::string y =
        is_narrow() ? narrow_linear(what, x, w, n, k) : plain_linear(what, x, w, rows_, n, k);
    if (adapts()) add_adapter(what, x, y, n, k);
    if (!t_.biases) return y;
    const std::string bias = constant_weight(fmt::format("{} bias", what), 0);
    add(layer(LayerOp::bias_add, rows_, n), fmt::format("{} + bias", what),
        {y, bias, y + " + bias"});
    return y + " + bias";
  }

  // y += (x A^T) B^T, with A and B of low rank (Hu et al., arXiv 2106.09685). B is no zero, as it would be
  // at the start of training: verification would be blind to A.
  void add_adapter(std::string_view what, const std::string& x, const std::string& y,
                   std::int64_t n, std::int64_t k) {
    const auto trained = [&](const char* which, double deviation_of) {
      return declared(fmt::format("{} {} weight", what, which),
                      {.role = Role::weight, .initial = Initial::random, .factor = deviation_of});
    };
    const std::string down = fmt::format("{} down", what);
    const std::string narrow = plain_linear(down, x, trained("A", deviation(k)), rows_, t_.rank, k);
    Gemm up = product(rows_, n, t_.rank);
    up.beta = 1;
    add(up, fmt::format("{} adapted", what), {narrow, trained("B", 0.1 * deviation(t_.rank)), y});
  }

  std::string narrow_linear(std::string_view what, const std::string& x, const std::string& w,
                            std::int64_t n, std::int64_t k) {
    const std::string scale =
        constant_weight(fmt::format("{} scale", what), deviation(k) / spread(t_.weights));
    const bool keeps_activations = t_.weights == DType::int4;
    Gemm p = product(rows_, n, k);
    p.b = t_.weights;
    p.scaling = keeps_activations ? Scaling::w4a16 : Scaling::w8a8;
    if (keeps_activations) {
      add(p, what, {x, w, scale, scoped(what)});
    } else {
      p.a = t_.weights;
      quantise(x, k);
      add(p, what, {x + " narrow", w, x + " scale", scale, scoped(what)});
    }
    return scoped(what);
  }

  // The deviation of `normal` fill in a narrow type (inputs.h).
  static double spread(DType type) {
    return type == DType::int8 ? 32 : type == DType::int4 ? 2 : 1;
  }

  // Once for all products of one input.
  void quantise(const std::string& x, std::int64_t columns) {
    if (quantised_ == x) return;
    quantised_ = x;
    Layer p = layer(LayerOp::quantise, rows_, columns);
    p.quantised = t_.weights;
    builder_.add(p, x + " narrow", {x, x + " narrow", x + " scale"});
  }

  void add_residual(const std::string& x) {
    const std::string sum = x + " + residual";
    builder_.add(layer(LayerOp::residual_add, rows_, t_.width), sum, {x, stream_, sum});
    stream_ = sum;
  }

  std::string rotated(std::string_view what, const std::string& x, std::int64_t columns) {
    Layer p = layer(LayerOp::rope, rows_, columns);
    p.head_dim = t_.head_dim;
    add(p, what, {x, positions(), scoped(what)});
    return scoped(what);
  }

  // Where in its sequence each row is.
  std::string positions() {
    const std::string name = "positions";
    builder_.declare({.name = name,
                      .role = Role::token,
                      .initial = Initial::positions,
                      .limit = t_.context,
                      .period = t_.tokens});
    return name;
  }

  // ---- the weights of the blocks' products, each [n, k] with a scale for each row

  Step quantised_blocks() {
    const std::int64_t q_width = t_.heads * t_.head_dim, kv_width = t_.kv_heads * t_.head_dim;
    for (std::int64_t i = 0; i < t_.layers; ++i) {
      builder_.enter(fmt::format("block {}", i));
      quantise_weight("q", q_width, t_.width);
      quantise_weight("k", kv_width, t_.width);
      quantise_weight("v", kv_width, t_.width);
      quantise_weight("o", t_.width, q_width);
      if (!t_.gelu) quantise_weight("gate", t_.ffn, t_.width);
      quantise_weight("up", t_.ffn, t_.width);
      quantise_weight("down", t_.width, t_.ffn);
    }
    return builder_.take();
  }

  void quantise_weight(std::string_view what, std::int64_t n, std::int64_t k) {
    Layer p = layer(LayerOp::quantise, n, k);
    p.quantised = t_.weights;
    add(p, what,
        {weight(fmt::format("{} weight", what), deviation(k)),
         scoped(fmt::format("{} narrow", what)), scoped(fmt::format("{} scale", what))});
  }

  // ---- the parts of a decoder

  void embedding() {
    builder_.enter("embedding");
    Layer gather = layer(LayerOp::embedding_gather, rows_, t_.width);
    gather.entries = t_.vocabulary;
    stream_ = scoped("rows");
    add(gather, "tokens", {embedding_weight(), ids("ids", t_.vocabulary), stream_});
    if (t_.positions == 0) return;
    gather.entries = t_.positions;
    const std::string places = scoped("position rows");
    add(gather, "positions", {weight("position table", 0.1), positions(), places});
    add_residual(places);
  }

  // A head that shares it wants logits of deviation 1.
  std::string embedding_weight() {
    const std::string name = "embedding: table";
    builder_.declare({.name = name,
                      .role = Role::weight,
                      .initial = Initial::random,
                      .factor = t_.tied_head ? deviation(t_.width) : 1,
                      .frozen = adapts()});
    return name;
  }

  void attention() {
    const std::int64_t q_width = t_.heads * t_.head_dim, kv_width = t_.kv_heads * t_.head_dim;
    const std::string x = norm("attention norm", stream_, rows_, t_.width);
    std::string q = linear("q", x, q_width, t_.width), k = linear("k", x, kv_width, t_.width);
    const std::string v = linear("v", x, kv_width, t_.width);
    if (t_.head_norms) {
      q = norm("q norm", q, rows_ * t_.heads, t_.head_dim);
      k = norm("k norm", k, rows_ * t_.kv_heads, t_.head_dim);
    }
    if (t_.positions == 0) {
      q = rotated("q rotated", q, q_width);
      k = rotated("k rotated", k, kv_width);
    }
    const std::string o = scoped("attention");
    add_attention(q, k, v, o);
    add_residual(linear("o", o, t_.width, q_width));
  }

  void add_attention(const std::string& q, const std::string& k, const std::string& v,
                     const std::string& o) {
    Attention p = {.dtype = t_.dtype,
                   .batch = t_.batch,
                   .heads = t_.heads,
                   .kv_heads = t_.kv_heads,
                   .queries = t_.tokens,
                   .keys = t_.context,
                   .head_dim = t_.head_dim,
                   .causal = true};
    Names tensors = {q, k, v};
    if (t_.phase == Phase::decode) {
      p.pass = Pass::decode;
      p.page_size = t_.page_size;
      p.fp8_cache = t_.fp8_cache;
      tensors = appended(q, k, v);
    }
    tensors.insert(tensors.end(), {o, scoped("lse")});
    add(p, "attention", tensors);
  }

  // Puts the new keys and values into the cache: what attention reads in their place.
  Names appended(const std::string& q, const std::string& k, const std::string& v) {
    Layer append = layer(LayerOp::cache_append, t_.batch, t_.kv_heads * t_.head_dim);
    append.head_dim = t_.head_dim;
    append.entries = t_.context;
    append.page_size = t_.page_size;
    append.fp8_cache = t_.fp8_cache;
    Names into = {k, v, positions()}, read = {q};
    for (const char* cache : {"k cache", "v cache"})
      read.push_back(declared(cache, {.role = Role::cache, .initial = Initial::random}));
    if (t_.page_size > 0) {
      builder_.declare({.name = "pages", .role = Role::token, .initial = Initial::pages});
      into.emplace_back("pages");
      read.emplace_back("pages");
    }
    into.insert(into.end(), {scoped("k cache"), scoped("v cache")});
    add(append, "cache append", into);
    return read;
  }

  void mlp() {
    const std::string x = norm("mlp norm", stream_, rows_, t_.width);
    const std::string gate = linear(t_.gelu ? "up" : "gate", x, t_.ffn, t_.width);
    const std::string hidden = scoped("activation");
    if (t_.gelu)
      add(layer(LayerOp::gelu, rows_, t_.ffn), "activation", {gate, hidden});
    else
      add(layer(LayerOp::swiglu, rows_, t_.ffn), "activation",
          {gate, linear("up", x, t_.ffn, t_.width), hidden});
    add_residual(linear("down", hidden, t_.width, t_.ffn));
  }

  // Each token goes to `choices` experts; their rows lie together.
  void experts() {
    const std::int64_t copies = rows_ * t_.choices;
    const std::string x = norm("mlp norm", stream_, rows_, t_.width);
    const std::string logits = plain_linear(
        "router", x, weight("router weight", deviation(t_.width)), rows_, t_.experts, t_.width);
    const auto routed = [&](LayerOp op, std::string_view name, const Names& tensors) {
      Layer p = layer(op, rows_, t_.width);
      p.entries = t_.experts;
      p.choices = t_.choices;
      add(p, name, tensors);
    };
    const std::string choice = scoped("choice"), share = scoped("share"),
                      grouped = scoped("grouped"), place = scoped("place"),
                      offsets = scoped("offsets"), mixed = scoped("mixed");
    routed(LayerOp::route, "route", {logits, choice, share});
    routed(LayerOp::permute, "permute", {x, choice, grouped, place, offsets});
    const auto of_experts = [&](std::string_view what, const std::string& rows, std::int64_t n,
                                std::int64_t k) {
      const std::string w = weight(fmt::format("{} weights", what), deviation(k));
      Gemm p = product(copies, n, k);
      p.groups = t_.experts;
      add(p, what, {rows, w, offsets, scoped(what)});
      return scoped(what);
    };
    const std::string hidden = scoped("activation");
    add(layer(LayerOp::swiglu, copies, t_.ffn), "activation",
        {of_experts("gate", grouped, t_.ffn, t_.width), of_experts("up", grouped, t_.ffn, t_.width),
         hidden});
    routed(LayerOp::unpermute, "unpermute",
           {of_experts("down", hidden, t_.width, t_.ffn), place, share, mixed});
    add_residual(mixed);
  }

  // Only the last token of each sequence is asked for its successor where nothing is learned.
  void head() {
    const bool all_rows = trains() || t_.phase == Phase::score;
    std::int64_t rows = rows_;
    if (!all_rows && t_.tokens > 1) {
      rows = t_.batch;
      Layer gather = layer(LayerOp::embedding_gather, rows, t_.width);
      gather.entries = rows_;
      builder_.declare({.name = scoped("last rows"),
                        .role = Role::token,
                        .initial = Initial::last_rows,
                        .period = t_.tokens});
      add(gather, "last tokens", {stream_, scoped("last rows"), scoped("last tokens")});
      stream_ = scoped("last tokens");
    }
    const std::string x = norm("norm", stream_, rows, t_.width);
    const std::string w = t_.tied_head ? embedding_weight() : weight("weight", deviation(t_.width));
    const std::string logits = plain_linear("logits", x, w, rows, t_.vocabulary, t_.width);
    if (!all_rows) return;
    const std::string targets = ids("targets", t_.vocabulary);
    if (trains())
      add(layer(LayerOp::cross_entropy, rows, t_.vocabulary), "loss",
          {logits, targets, scoped("loss")});
    else
      add(layer(LayerOp::log_probabilities, rows, t_.vocabulary), "log-probabilities",
          {logits, targets, scoped("log-probabilities")});
  }

  const Transformer& t_;
  std::int64_t rows_;
  StepBuilder builder_;
  std::string stream_;     // the name of the residual stream so far
  std::string quantised_;  // the activations that were made narrow last
};

}  // namespace

Step step_of(const Transformer& transformer) {
  return Forward(transformer).build();
}

}  // namespace steelyard
