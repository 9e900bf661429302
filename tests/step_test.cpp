// SPDX-License-Identifier: Apache-2.0
// Steps as data, and their calculus in fp64: what is wired to what.
#include <cmath>
#include <set>

#include "catch.h"
#include "step_models.h"
#include "step_oracle.h"

using namespace steelyard;

namespace {

// Up to the loss.
std::size_t forward_operations(const Step& step) {
  std::size_t count = 0;
  while (step.operations[count].name != "head: loss") ++count;
  return count + 1;
}

// The gradient of the mean loss by one element of a weight, by central differences.
double slope(const StepOracle& oracle, const std::string& weight, std::size_t element) {
  constexpr double h = 1e-5;
  const auto loss_at = [&](double change) {
    StepOracle moved = oracle;
    std::vector<double> values = moved.values(weight);
    values[element] += change;
    moved.set(weight, values);
    moved.run(forward_operations(moved.step()));
    return mean(moved.values("head: loss"));
  };
  return (loss_at(h) - loss_at(-h)) / (2 * h);
}

void check_gradients(const Transformer& model) {
  const StepOracle start(step_of(model));
  StepOracle oracle = start;
  oracle.run();
  for (const StepTensor& tensor : start.step().tensors) {
    if (tensor.role != Role::weight || tensor.name == "embedding: position table") continue;
    if (tensor.name == "embedding: table" && !model.tied_head) continue;
    const std::vector<double> gradient = oracle.values("d " + tensor.name);
    for (const std::size_t element : {std::size_t{0}, gradient.size() / 2, gradient.size() - 1}) {
      INFO(model.model << ", " << tensor.name << " [" << element << "]");
      CHECK(gradient[element] ==
            Approx(slope(start, tensor.name, element)).epsilon(1e-5).margin(1e-8));
    }
  }
}

}  // namespace

TEST_CASE("The gradients of a training step are the slopes of its loss") {
  check_gradients(of_phase(tiny(DType::f32), Phase::train, 2, 6));
  check_gradients(of_phase(tiny_qwen(DType::f32), Phase::train, 1, 7));
}

// A table that is embedding and head at once is only trained as the head.
TEST_CASE("The gradients of a model with biases and learned positions are the slopes of its loss") {
  Transformer model = tiny_gpt(DType::f32);
  model.tied_head = false;
  check_gradients(of_phase(model, Phase::train, 2, 6));
}

TEST_CASE("Every tensor of a step is made before it is read, and every weight is trained") {
  for (const Transformer& model :
       {tiny(DType::bf16), tiny_gpt(DType::bf16), tiny_qwen(DType::f32), tiny_experts(DType::bf16)})
    for (const Phase phase : {Phase::train, Phase::prefill, Phase::decode, Phase::score}) {
      const Transformer p = of_phase(model, phase, 3, 8);
      if (!fault(p).empty()) continue;
      INFO(id(p));
      const Step step = step_of(p);
      std::set<std::size_t> known, updated;
      for (std::size_t place = 0; place < step.tensors.size(); ++place)
        if (step.tensors[place].initial != Initial::nothing) known.insert(place);
      for (const Operation& operation : step.operations) {
        const std::vector<Operand> all = operands(operation.problem);
        for (std::size_t i = 0; i < all.size(); ++i) {
          if (all[i].access != Access::out) CHECK(known.contains(operation.tensors[i]));
          if (all[i].access != Access::in) known.insert(operation.tensors[i]);
          if (all[i].access == Access::out && all[i].name == "weight")
            updated.insert(operation.tensors[i]);
        }
      }
      for (std::size_t place = 0; place < step.tensors.size(); ++place)
        if (phase == Phase::train && step.tensors[place].role == Role::weight) {
          const bool is_table = step.tensors[place].name.find("table") != std::string::npos;
          CHECK((updated.contains(place) || (is_table && !p.tied_head) ||
                 step.tensors[place].name == "embedding: position table"));
        }
    }
}

// Per token and parameter of a product: two forward, four backward. Attention: half of the full
// square forward, two and a half times that backward.
TEST_CASE("The work of a training step is what the formulas of its products say") {
  Transformer p = of_phase(tiny(DType::bf16), Phase::train, 2, 64);
  const double tokens = 128, width = 64, kv = 32, ffn = 128, vocabulary = 256;
  const double block = 2 * width * width + 2 * width * kv + 3 * width * ffn;
  const double products = 6 * tokens * (2 * block + width * vocabulary);
  const double pairs = 0.5 * 64 * 65, attention = 3.5 * 4 * 2 * 4 * 16 * pairs;
  double found = 0;
  for (const Operation& operation : step_of(p).operations)
    if (!std::holds_alternative<Layer>(operation.problem)) found += work(operation.problem).flops;
  CHECK(found == Approx(products + 2 * attention));
  CHECK(work(p).flops > found);
}

TEST_CASE("The bytes of a decode step hold its weights and its cache once") {
  const Transformer p = of_phase(tiny(DType::bf16), Phase::decode, 4, 32);
  const Step step = step_of(p);
  const double block = 2 * 64 * 64 + 2 * 64 * 32 + 3 * 64 * 128 + 2 * 64;
  CHECK(bytes_of(step, Role::weight) == 2 * (2 * block + 2 * 256 * 64 + 64));
  CHECK(bytes_of(step, Role::cache) == 2.0 * 2 * 2 * 4 * 32 * 2 * 16);
}

TEST_CASE("An fp8 cache takes a byte a number, and only its appending and its attention know") {
  Transformer p = of_phase(tiny(DType::bf16), Phase::decode, 4, 32);
  const Step wide = step_of(p);
  p.fp8_cache = true;
  const Step narrow = step_of(p);
  CHECK(bytes_of(narrow, Role::cache) == 2.0 * 2 * 4 * 32 * 2 * 16);
  CHECK(roof_bytes(narrow) == roof_bytes(wide) - bytes_of(narrow, Role::cache));
  CHECK(resident_bytes(narrow) == resident_bytes(wide) - bytes_of(narrow, Role::cache));
  // Attention reads half as many bytes of keys and values, and appending writes half as many.
  CHECK(work(wide).bytes - work(narrow).bytes == 2.0 * 2 * 4 * (32 + 1) * 2 * 16);
  for (std::size_t i = 0; i < wide.operations.size(); ++i) {
    const bool differs = id(wide.operations[i].problem) != id(narrow.operations[i].problem);
    const std::string& name = wide.operations[i].name;
    CHECK(differs == (name.ends_with(": attention") || name.ends_with(": cache append")));
  }
  CHECK(id(p) == "transformer/tiny/decode/bf16/b4-t1-c32-l2/fp8-cache/stream");
}

TEST_CASE("An fp8 cache is refused where there is none to narrow, with the reason") {
  Transformer p = of_phase(tiny(DType::bf16), Phase::prefill, 1, 8);
  p.fp8_cache = true;
  CHECK(fault(p) == "only decode reads an fp8 cache");
  p = of_phase(tiny(DType::fp8_e4m3), Phase::decode, 1, 8);
  p.fp8_cache = true;
  CHECK(fault(p) == "dtype=fp8_e4m3 is no wider than an fp8 cache");
  Attention attention = {.fp8_cache = true};
  CHECK(fault(attention) == "only decode reads an fp8 cache, not forward");
  attention.pass = Pass::decode;
  CHECK(fault(attention).empty());
  CHECK(id(attention) == "attention/decode/bf16/b1-h1-kv1/1x1x128/fp8-cache");
  attention.dtype = DType::int8;
  CHECK(fault(attention) == "dtype=int8 is no wider than an fp8 cache");
  Layer layer = {.op = LayerOp::rope, .rows = 1, .columns = 128, .fp8_cache = true};
  CHECK(fault(layer) == "only cache_append writes an fp8 cache, not rope");
  layer.op = LayerOp::cache_append;
  layer.entries = 5;
  CHECK(fault(layer).empty());
  CHECK(id(layer) == "layer/cache_append/bf16/1x128/d128/of5/fp8-cache");
  // A token of 128 in bf16 read, in fp8 written, of keys and of values; its position.
  CHECK(work(layer).bytes == 2 * 128 * (2 + 1) + 4);
}

TEST_CASE("Steps that cannot be taken are refused with the reason") {
  Transformer model = tiny_experts(DType::bf16);
  CHECK(fault(of_phase(model, Phase::train, 1, 8)) ==
        "the sizes of routed experts' weight gradients depend on the data");
  model = tiny(DType::bf16);
  model.weights = DType::fp8_e4m3;
  CHECK(fault(of_phase(model, Phase::train, 1, 8)) == "narrow weights are not trained");
  CHECK(fault(of_phase(model, Phase::prefill, 1, 8)).empty());
  model = of_phase(tiny_gpt(DType::bf16), Phase::prefill, 1, 65);
  CHECK(fault(model) == "context=65 is beyond the 64 positions of tiny-gpt");
  model = of_phase(tiny(DType::bf16), Phase::decode, 1, 8);
  model.tokens = 2;
  CHECK(fault(model) == "decode takes one token of each sequence, not 2");
}
