// SPDX-License-Identifier: Apache-2.0
#include "tests/step_checks.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>

#include "tests/catch.h"
#include "tests/step_models.h"
#include "tests/step_oracle.h"

namespace steelyard {
namespace {

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
  return initial_values(step, static_cast<std::size_t>(at - step.tensors.begin()), Fill::normal, 42)
      .values();
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

// Of every row the most likely token, unless two are as likely within the bound, a share of the row's
// largest logit. Returns how many rows that leaves.
int check_same_tokens(const std::vector<double>& found, const std::vector<double>& expected,
                      std::int64_t vocabulary, double bound) {
  int decided = 0;
  for (auto row = expected.begin(); row != expected.end(); row += vocabulary) {
    std::vector<double> sorted(row, row + vocabulary);
    std::ranges::sort(sorted, std::greater<>());
    const double room = bound * std::max(std::abs(sorted.front()), std::abs(sorted.back()));
    if (sorted[0] - sorted[1] <= 2 * room) continue;
    ++decided;
    const auto other = found.begin() + (row - expected.begin());
    CHECK(std::max_element(other, other + vocabulary) - other ==
          std::max_element(row, row + vocabulary) - row);
  }
  return decided;
}

// What a tensor of a decode step holds after a prefill of the same prompts: weights by their names,
// the last ids, and the cache, without what the last token adds to it.
HostTensor after(const StepChecks& checks, const Sequence& prefill, const Transformer& p,
                 const Step& step, std::size_t place, Encoding encoding) {
  const StepTensor& tensor = step.tensors[place];
  HostTensor result = initial_values(step, place, Fill::normal, 42, encoding);
  std::vector<double> all = result.values();
  if (tensor.role == Role::weight) {
    all = checks.read(prefill, tensor.name);
  } else if (tensor.initial == Initial::ids) {
    const std::vector<double> ids = checks.read(prefill, tensor.name);
    for (std::int64_t i = 0; i < p.batch; ++i) all[i] = ids[(i + 1) * p.context - 1];
  } else if (tensor.role == Role::cache) {
    const std::string made = tensor.name.substr(0, tensor.name.rfind(" cache"));
    all = laid_out(checks.read(prefill, source_of(prefill.step(), made)), p, pages_of(step, p));
  } else {
    return result;
  }
  store(result.operand.dtype, result.data.data(), all, encoding);
  return result;
}

}  // namespace

std::vector<Kernel> StepChecks::able(const Operation& operation) const {
  std::vector<Kernel> all;
  for (const Kernel& kernel : kernels_)
    if (!kernel.reads_b_ahead &&
        kernel.supports(operation.problem, device_.info()).answer == Support::yes)
      all.push_back(kernel);
  return all;
}

KernelChoice StepChecks::choice(bool last) const {
  return [this, last](const Operation& operation) {
    const std::vector<Kernel> all = able(operation);
    if (all.empty()) throw std::logic_error("no kernel for " + id(operation.problem));
    return last ? all.back() : all.front();
  };
}

bool StepChecks::takes(const Transformer& model) const {
  return std::ranges::none_of(step_of(model).operations,
                              [&](const Operation& one) { return able(one).empty(); });
}

Sequence StepChecks::prepare(const Transformer& model, bool last, int copies) const {
  const auto values = [this](const Step& step, std::size_t place) {
    return initial_values(step, place, Fill::normal, 42, device_.info().fp8);
  };
  return {device_, step_of(model), choice(last), values, copies};
}

std::vector<double> StepChecks::read(const Sequence& sequence, std::string_view tensor) const {
  const auto& tensors = sequence.step().tensors;
  const auto at = std::ranges::find(tensors, tensor, &StepTensor::name) - tensors.begin();
  return device_.read(sequence.tensor(0, static_cast<std::size_t>(at))).values();
}

void StepChecks::check_forward(const Transformer& model, std::string_view output) const {
  INFO(id(model));
  StepOracle oracle(step_of(model), device_.info().fp8);
  oracle.run();
  for (const bool last : {false, true}) {
    Sequence sequence = prepare(model, last);
    device_.time(sequence, {.launches = 1});
    CHECK(relative_error(read(sequence, output), oracle.values(output)) <
          bound(sequence.step(), model.dtype));
    CHECK(sequence.damage(0) == "");
  }
}

void StepChecks::check_narrow_forward(Transformer model, DType weights,
                                      std::string_view output) const {
  model.weights = weights;
  INFO(id(model));
  StepOracle oracle(step_of(model));
  oracle.run();
  Sequence sequence = prepare(model);
  device_.time(sequence, {.launches = 1});
  CHECK(relative_error(read(sequence, output), oracle.values(output)) <
        bound(sequence.step(), model.dtype) + unit_roundoff(weights));
  CHECK(sequence.damage(0) == "");
}

void StepChecks::check_gradients(const Transformer& model, double bound) const {
  StepOracle oracle(step_of(model));
  oracle.run();
  Sequence sequence = prepare(model);
  device_.time(sequence, {.launches = 1});
  for (const StepTensor& tensor : sequence.step().tensors) {
    if (!tensor.name.starts_with("d ") || !tensor.name.ends_with("weight")) continue;
    INFO(id(model) << " " << tensor.name);
    CHECK(relative_error(read(sequence, tensor.name), oracle.values(tensor.name)) < bound);
  }
  CHECK(sequence.damage(0) == "");
}

// The cache that a prefill leaves holds the keys and values of all tokens: the last one's are taken
// away, and a decode step makes them again.
int StepChecks::check_decode(Transformer p) const {
  Sequence prefill = prepare(of_phase(p, Phase::prefill, p.batch, p.context));
  device_.time(prefill, {.launches = 1});
  INFO(id(p));
  const Encoding encoding = device_.info().fp8;
  Sequence decode(device_, step_of(p), choice(false), [&](const Step& step, std::size_t place) {
    return after(*this, prefill, p, step, place, encoding);
  });
  device_.time(decode, {.launches = 1});
  const auto found = read(decode, "head: logits"), expected = read(prefill, "head: logits");
  const double most =
      2 * bound(decode.step(), p.dtype) + (p.fp8_cache ? 2 * unit_roundoff(DType::fp8_e4m3) : 0);
  CHECK(relative_error(found, expected) < most);
  return check_same_tokens(found, expected, p.vocabulary, most);
}

void StepChecks::check_graph(const Transformer& decode) const {
  INFO(id(decode));
  Sequence launched = prepare(decode), replayed = prepare(decode);
  device_.time(launched, {.launches = 1});
  device_.time(replayed, {.launches = 1, .graph = true});
  CHECK(read(replayed, "head: logits") == read(launched, "head: logits"));
  CHECK(replayed.damage(0) == "");
}

}  // namespace steelyard
