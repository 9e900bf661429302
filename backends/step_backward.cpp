// SPDX-License-Identifier: Apache-2.0
// The backward pass of a step, by the chain rule from its last operation to its first.
#include "backends/step_builder.h"

namespace steelyard {
namespace {

class Backward {
 public:
  Backward(StepBuilder& builder, DType dtype) : builder_(builder), dtype_(dtype) {}

  void build() {
    const Step forward = builder_.step();
    for (auto op = forward.operations.rbegin(); op != forward.operations.rend(); ++op) {
      tensors_.clear();
      for (const std::size_t place : op->tensors) tensors_.push_back(forward.tensors[place].name);
      builder_.enter(op->name);
      std::visit([this](const auto& p) { differentiate(p); }, op->problem);
    }
    for (const Update& update : updates_) optimise(update);
  }

 private:
  using Names = StepBuilder::Names;

  // The gradient of a tensor so far. Another operation may still read a shared one.
  struct Gradient {
    std::string name;
    bool shared = false;
  };

  // A weight's gradient is complete once its one operation has been differentiated.
  struct Update {
    std::string weight, gradient;
    bool f32_gradient = false;
  };

  const std::string& gradient(const std::string& tensor) const {
    return gradients_.at(tensor).name;
  }

  void add(Problem problem, std::string_view what, const Names& tensors) {
    builder_.add(problem, builder_.scoped(what), tensors, Role::gradient);
  }

  // What an operation adds to the gradient of one of its inputs: the name to write it to. `finish`
  // afterwards.
  std::string contribution(const std::string& tensor) const {
    return gradients_.contains(tensor) ? builder_.scoped("d " + tensor) : "d " + tensor;
  }

  void finish(const std::string& tensor, const std::string& added, bool shared = false) {
    const auto before = gradients_.find(tensor);
    if (before == gradients_.end()) {
      gradients_[tensor] = {added, shared};
      return;
    }
    const Operand& x = builder_.tensor(added).operand;
    const std::int64_t columns = x.shape.back();
    const std::string sum = builder_.scoped("sum d " + tensor);
    add(Layer{.op = LayerOp::residual_add,
              .dtype = dtype_,
              .rows = elements(x) / columns,
              .columns = columns},
        "sum of gradients", {added, before->second.name, sum});
    before->second = {sum, false};
  }

  template <class P>
  void differentiate(const P&) {}  // no part of a step

  // c = a b^T, or more of c: da = dc b, db = dc^T a. Products of one a add up in place.
  void differentiate(const Gemm& p) {
    const std::string a = tensors_[0], b = tensors_[1], dc = gradient(tensors_[2]);
    Gemm data = p, weights = p;
    data.n = p.k, data.k = p.n, data.layout = Layout::nn;
    data.beta = weights.beta = 0;  // what p adds to has the same gradient
    const auto before = gradients_.find(a);
    if (before != gradients_.end() && !before->second.shared) {
      data.beta = 1;
      add(data, "input gradient", {dc, b, before->second.name});
    } else {
      const std::string da = contribution(a);
      add(data, "input gradient", {dc, b, da});
      finish(a, da);
    }
    if (is_frozen(b)) return;
    weights.m = p.n, weights.n = p.k, weights.k = p.m, weights.layout = Layout::tn;
    const std::string db = "d " + b;
    add(weights, "weight gradient", {dc, a, db});
    update(b, db);
  }

  void differentiate(const Attention& p) {
    Attention backward = p;
    backward.pass = Pass::backward;
    Names all = tensors_;  // q, k, v, o, lse
    all.push_back(gradient(tensors_[3]));
    for (int i = 0; i < 3; ++i) all.push_back(contribution(tensors_[i]));
    add(backward, "gradients", all);
    for (int i = 0; i < 3; ++i) finish(tensors_[i], all[6 + i]);
  }

  void differentiate(const Layer& p) {
    switch (p.op) {
      case LayerOp::rms_norm:
      case LayerOp::layer_norm:
        return differentiate_norm(p);
      case LayerOp::rope:
        return differentiate_input(p, {gradient(tensors_[2]), tensors_[1]});
      case LayerOp::gelu:
        return differentiate_input(p, {tensors_[0], gradient(tensors_[1])});
      case LayerOp::swiglu:
        return differentiate_gated(p);
      case LayerOp::residual_add:
        finish(tensors_[0], gradient(tensors_[2]), true);
        return finish(tensors_[1], gradient(tensors_[2]), true);
      case LayerOp::bias_add:
        return differentiate_bias(p);
      case LayerOp::cross_entropy:
        return differentiate_input(p, {tensors_[0], tensors_[1]});
      default:
        return;  // the embedding stays as it is
    }
  }

  // One gradient, of the first input, behind what the backward pass reads.
  void differentiate_input(Layer p, Names reads) {
    p.pass = Pass::backward;
    const std::string dx = contribution(tensors_[0]);
    reads.push_back(dx);
    add(p, "gradient", reads);
    finish(tensors_[0], dx);
  }

  void differentiate_norm(Layer p) {
    const bool bias = p.op == LayerOp::layer_norm;
    const std::string x = tensors_[0], w = tensors_[1], dy = gradient(tensors_.back());
    const std::string dx = contribution(x);
    p.pass = Pass::backward;
    Names all = {x, w, dy, dx, "d " + w};
    update(w, "d " + w, true);
    if (bias) {
      all.push_back("d " + tensors_[2]);
      update(tensors_[2], all.back(), true);
    }
    add(p, "gradients", all);
    finish(x, dx);
  }

  void differentiate_gated(Layer p) {
    p.pass = Pass::backward;
    const std::string dgate = contribution(tensors_[0]), dup = contribution(tensors_[1]);
    add(p, "gradients", {tensors_[0], tensors_[1], gradient(tensors_[2]), dgate, dup});
    finish(tensors_[0], dgate);
    finish(tensors_[1], dup);
  }

  // The sum over the rows is a product with ones.
  void differentiate_bias(const Layer& p) {
    const std::string dy = gradient(tensors_[2]), db = "d " + tensors_[1];
    finish(tensors_[0], dy, true);
    if (is_frozen(tensors_[1])) return;
    builder_.declare(
        {.name = "ones", .role = Role::gradient, .initial = Initial::constant, .factor = 1});
    add(Gemm{.m = 1,
             .n = p.columns,
             .k = p.rows,
             .a = dtype_,
             .b = dtype_,
             .c = dtype_,
             .layout = Layout::tn},
        "bias gradient", {"ones", dy, db});
    update(tensors_[1], db);
  }

  bool is_frozen(const std::string& weight) const { return builder_.tensor(weight).frozen; }

  // Some kernels give the gradient of a frozen weight along with others.
  void update(const std::string& weight, const std::string& gradient, bool f32_gradient = false) {
    if (!is_frozen(weight)) updates_.push_back({weight, gradient, f32_gradient});
  }

  void optimise(const Update& update) {
    const Operand weight = builder_.tensor(update.weight).operand;
    builder_.enter(update.weight);
    Names all = {update.gradient};
    builder_.declare_copy(builder_.scoped("master"), update.weight);
    all.push_back(builder_.scoped("master"));
    for (const char* moment : {"first moment", "second moment"}) {
      all.push_back(builder_.scoped(moment));
      builder_.declare(
          {.name = all.back(), .role = Role::optimiser, .initial = Initial::constant, .factor = 0});
    }
    all.push_back(update.weight);
    const std::int64_t columns = weight.shape.back();
    add(Layer{.op = LayerOp::adamw,
              .dtype = dtype_,
              .rows = elements(weight) / columns,
              .columns = columns,
              .f32_gradient = update.f32_gradient},
        "update", all);
  }

  StepBuilder& builder_;
  DType dtype_;
  Names tensors_;                              // of the operation at hand
  std::map<std::string, Gradient> gradients_;  // by the tensor they are of
  std::vector<Update> updates_;
};

}  // namespace

void add_backward(StepBuilder& builder, DType dtype) {
  Backward(builder, dtype).build();
}

}  // namespace steelyard
