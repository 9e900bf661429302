// SPDX-License-Identifier: Apache-2.0
// Steps on the CPU: chains of its kernels against the same step in fp64.
#include "bench/sequence.h"

#include <algorithm>
#include <cmath>

#include "catch.h"
#include "step_models.h"
#include "step_oracle.h"

using namespace steelyard;

namespace {

Device& device() {
  static const auto all = backends().front().open();
  return *all.devices.front();
}

// The first kernel that can, or the last.
KernelChoice any_kernel(bool last = false) {
  return [last](const Operation& operation) {
    std::vector<Kernel> able;
    for (const Kernel& kernel : backends().front().kernels)
      if (!kernel.reads_b_ahead &&
          kernel.supports(operation.problem, device().info()).answer == Support::yes)
        able.push_back(kernel);
    return last ? able.back() : able.at(0);
  };
}

HostTensor values(const Step& step, std::size_t place) {
  return initial_values(step, place, Fill::normal, 42);
}

std::vector<double> read(const Sequence& sequence, std::string_view name) {
  const auto& tensors = sequence.step().tensors;
  const auto at = std::ranges::find(tensors, name, &StepTensor::name) - tensors.begin();
  return device().read(sequence.tensor(0, static_cast<std::size_t>(at))).values();
}

// The norm of the difference over the norm of the truth.
double relative_error(const std::vector<double>& found, const std::vector<double>& truth) {
  REQUIRE(found.size() == truth.size());
  double error = 0, norm = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += (found[i] - truth[i]) * (found[i] - truth[i]);
    norm += truth[i] * truth[i];
  }
  return std::sqrt(error / norm);
}

// Roundings of operations add up like a random walk; twice that.
double bound(const Step& step, DType type) {
  return 2 * std::sqrt(static_cast<double>(step.operations.size())) * unit_roundoff(type);
}

// The keys or values that attention reads: rotated, or with biases, or as they are.
std::string source_of(const Step& step, const std::string& name) {
  for (const char* suffix : {" rotated", " norm", " + bias", ""})
    if (std::ranges::find(step.tensors, name + suffix, &StepTensor::name) != step.tensors.end())
      return name + suffix;
  return name;
}

// Where each page of each sequence lies.
std::vector<double> pages_of(const Step& step, const Transformer& p) {
  if (p.page_size == 0) return {};
  const auto at = std::ranges::find(step.tensors, "pages", &StepTensor::name);
  return values(step, static_cast<std::size_t>(at - step.tensors.begin())).values();
}

// [batch, context, width] as the cache has it; places behind the context hold zeros.
std::vector<double> laid_out(const std::vector<double>& rows, const Transformer& p,
                             const std::vector<double>& pages) {
  const std::int64_t width = p.kv_heads * p.head_dim;
  const std::int64_t per_page = pages.empty() ? p.context : p.page_size;
  const std::int64_t count = (p.context + per_page - 1) / per_page;  // pages of a sequence
  std::vector<double> cache(static_cast<std::size_t>(p.batch * count * per_page * width));
  for (std::int64_t i = 0; i < p.batch; ++i)
    for (std::int64_t token = 0; token + 1 < p.context; ++token) {
      const std::int64_t page = i * count + token / per_page;
      const auto at = pages.empty() ? page : static_cast<std::int64_t>(pages[page]);
      std::copy_n(rows.begin() + (i * p.context + token) * width, width,
                  cache.begin() + (at * per_page + token % per_page) * width);
    }
  return cache;
}

// Of every row the most likely token, unless two are as likely within the bound.
void check_same_tokens(const std::vector<double>& found, const std::vector<double>& expected,
                       std::int64_t vocabulary) {
  for (auto row = expected.begin(); row != expected.end(); row += vocabulary) {
    std::vector<double> sorted(row, row + vocabulary);
    std::ranges::sort(sorted, std::greater<>());
    const auto other = found.begin() + (row - expected.begin());
    double bound = 0;
    for (std::int64_t i = 0; i < vocabulary; ++i)
      bound = std::max(bound, std::abs(other[i] - row[i]));
    if (sorted[0] - sorted[1] > 2 * bound)
      CHECK(std::max_element(other, other + vocabulary) - other ==
            std::max_element(row, row + vocabulary) - row);
  }
}

// What a tensor of a decode step holds after a prefill of the same prompts: weights by their names,
// the last ids, and the cache, without what the last token adds to it.
HostTensor after(const Sequence& prefill, const Transformer& p, const Step& step,
                 std::size_t place) {
  const StepTensor& tensor = step.tensors[place];
  HostTensor result = initial_values(step, place, Fill::normal, 42);
  std::vector<double> all = result.values();
  if (tensor.role == Role::weight) {
    all = read(prefill, tensor.name);
  } else if (tensor.initial == Initial::ids) {
    const std::vector<double> ids = read(prefill, tensor.name);
    for (std::int64_t i = 0; i < p.batch; ++i) all[i] = ids[(i + 1) * p.context - 1];
  } else if (tensor.role == Role::cache) {
    const std::string made = tensor.name.substr(0, tensor.name.rfind(" cache"));
    all = laid_out(read(prefill, source_of(prefill.step(), made)), p, pages_of(step, p));
  } else {
    return result;
  }
  store(result.operand.dtype, result.data.data(), all);
  return result;
}

void check_forward(const Transformer& model, std::string_view output) {
  INFO(id(model));
  StepOracle oracle(step_of(model));
  oracle.run();
  for (const bool last : {false, true}) {
    Sequence sequence(device(), step_of(model), any_kernel(last), values);
    sequence.launch(0);
    CHECK(relative_error(read(sequence, output), oracle.values(output)) <
          bound(sequence.step(), model.dtype));
    CHECK(sequence.damage(0) == "");
  }
}

}  // namespace

TEST_CASE("A forward pass gives the logits that fp64 gives") {
  for (const DType type : {DType::f32, DType::bf16, DType::f16})
    for (const Transformer& model : {tiny(type), tiny_gpt(type), tiny_qwen(type)}) {
      check_forward(of_phase(model, Phase::prefill, 2, 9), "head: logits");
      check_forward(of_phase(model, Phase::decode, 3, 12), "head: logits");
      check_forward(of_phase(model, Phase::score, 2, 9), "head: log-probabilities");
    }
  check_forward(of_phase(tiny_experts(DType::f32), Phase::prefill, 2, 9), "head: logits");
  check_forward(of_phase(tiny_experts(DType::f32), Phase::decode, 3, 12), "head: logits");
}

// The cache that a prefill leaves holds the keys and values of all tokens: the last one's are taken
// away, and a decode step makes them again.
TEST_CASE("Decoding the last token of a prompt gives the logits of its prefill") {
  for (const Transformer& model : {tiny(DType::f32), tiny_qwen(DType::bf16), tiny_gpt(DType::bf16)})
    for (const std::int64_t page_size : {0, 4}) {
      const std::int64_t batch = 3, context = 10;
      Sequence prefill(device(), step_of(of_phase(model, Phase::prefill, batch, context)),
                       any_kernel(), values);
      prefill.launch(0);
      Transformer p = of_phase(model, Phase::decode, batch, context);
      p.page_size = page_size;
      INFO(id(p));
      Sequence decode(device(), step_of(p), any_kernel(), [&](const Step& step, std::size_t place) {
        return after(prefill, p, step, place);
      });
      decode.launch(0);
      const auto found = read(decode, "head: logits"), expected = read(prefill, "head: logits");
      CHECK(relative_error(found, expected) < 2 * bound(decode.step(), model.dtype));
      check_same_tokens(found, expected, p.vocabulary);
    }
}

TEST_CASE("A training step gives the gradients that fp64 gives") {
  for (const Transformer& model : {tiny(DType::f32), tiny_gpt(DType::f32), tiny_qwen(DType::f32)}) {
    const Transformer p = of_phase(model, Phase::train, 2, 9);
    StepOracle oracle(step_of(p));
    oracle.run();
    Sequence sequence(device(), step_of(p), any_kernel(), values);
    sequence.launch(0);
    for (const StepTensor& tensor : sequence.step().tensors) {
      if (!tensor.name.starts_with("d ") || !tensor.name.ends_with("weight")) continue;
      INFO(id(p) << " " << tensor.name);
      CHECK(relative_error(read(sequence, tensor.name), oracle.values(tensor.name)) < 1e-4);
    }
    CHECK(sequence.damage(0) == "");
  }
}

TEST_CASE("The loss falls while a model is trained") {
  for (const Transformer& model : {tiny(DType::bf16), tiny_gpt(DType::bf16)}) {
    Sequence sequence(device(), step_of(of_phase(model, Phase::train, 4, 32)), any_kernel(),
                      values);
    std::vector<double> losses;
    for (int i = 0; i < 20; ++i) {
      sequence.launch(0);
      losses.push_back(mean(read(sequence, "head: loss")));
    }
    INFO(model.model << ": from " << losses.front() << " to " << losses.back());
    CHECK(std::ranges::is_sorted(losses, std::greater<>()));
    CHECK(losses.back() < 0.7 * losses.front());
  }
}

TEST_CASE("Copies of a step share nothing") {
  Sequence sequence(device(), step_of(of_phase(tiny(DType::bf16), Phase::prefill, 1, 8)),
                    any_kernel(), values, 2);
  CHECK(sequence.copies() == 2);
  std::vector<void*> first, second;
  for (const Tensor& tensor : sequence.tensors(0)) first.push_back(tensor.data);
  for (const Tensor& tensor : sequence.tensors(1)) second.push_back(tensor.data);
  REQUIRE(first.size() == second.size());
  for (void* data : first) CHECK(std::ranges::find(second, data) == second.end());
}
