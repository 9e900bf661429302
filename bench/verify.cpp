// SPDX-License-Identifier: Apache-2.0
#include "bench/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bench/step_values.h"
#include "bench/tolerance.h"
#include "bench/verify_step.h"

namespace steelyard {
namespace {

// Elements of an output that are checked one by one; larger outputs are sampled. Every element of
// attention costs a row of scores.
constexpr std::int64_t element_limit = std::int64_t{1} << 20;
constexpr std::int64_t sample_size = 4096, attention_sample_size = 1024;

// Sums of long rows are expensive in plain loops: beyond 1024^3 operations a sample has to do. 0:
// all.
std::int64_t limit_for(const Problem& problem) {
  const double affordable = 2.2e9;
  if (std::holds_alternative<Memory>(problem)) return 0;
  if (work(problem).flops <= affordable) return element_limit;
  return std::holds_alternative<Attention>(problem) ? attention_sample_size : sample_size;
}

Truth::Unavoidable difference(const Expected& a, const Expected& b) {
  double largest = 0, squares = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double error = std::abs(a.values[i] - b.values[i]);
    largest = std::max(largest, error);
    squares += error * error;
  }
  return {.largest = largest, .norm = std::sqrt(squares)};
}

std::string name_encoding(const Problem& problem, Encoding encoding) {
  const bool fp8 = std::ranges::any_of(operands(problem), [](const Operand& operand) {
    return operand.dtype == DType::fp8_e4m3 || operand.dtype == DType::fp8_e5m2;
  });
  return fp8 ? fmt::format("fp8 is {}", name(encoding)) : std::string();
}

std::string scope(const Expected& expected) {
  const std::int64_t all = elements(expected.operand);
  if (expected.elements.empty()) return fmt::format("all {} elements", all);
  return fmt::format("{} of {} elements", expected.elements.size(), all);
}

// Exact: sums of whole numbers are rounded once, to the output's format, and leave no tolerance.
enum class Criterion { bounds, exact };

// Errors of some elements: their squares, and the worst over its tolerance.
struct Errors {
  double error_squares = 0, truth_squares = 0, worst = 0, tolerance = 0;

  // `allowed` is only asked for what differs.
  template <class Tolerance>
  void add(double found, double truth, Tolerance allowed) {
    truth_squares += truth * truth;
    if (found == truth) return;
    const double difference = std::abs(found - truth), limit = allowed();
    const double ratio = limit > 0 ? difference / limit : HUGE_VAL;
    error_squares += difference * difference;
    if (ratio <= worst) return;  // false for NaN: poison that was never overwritten
    worst = std::isfinite(ratio) ? ratio : std::numeric_limits<double>::max();
    tolerance = limit;
  }

  void add(const Errors& others) {
    error_squares += others.error_squares;
    truth_squares += others.truth_squares;
    if (others.worst <= worst) return;
    worst = others.worst;
    tolerance = others.tolerance;
  }
};

// Of the elements [begin, end) of what is expected.
Errors errors_of(const Truth& truth, std::size_t output, const HostTensor& found,
                 Criterion criterion, std::size_t begin, std::size_t end) {
  const Expected& expected = truth.exact()[output];
  const double unavoidable = truth.unavoidable()[output].largest;
  Errors errors;
  for (std::size_t i = begin; i < end; ++i) {
    const double value =
        found.at(expected.elements.empty() ? static_cast<std::int64_t>(i) : expected.elements[i]);
    if (criterion == Criterion::exact)
      errors.add(value, round_to(expected.operand.dtype, expected.values[i], found.encoding),
                 [] { return 0.0; });
    else
      errors.add(value, expected.values[i],
                 [&] { return tolerance(truth.problem(), expected, i, unavoidable); });
  }
  return errors;
}

// Of all, in blocks that are added up in order: the same numbers on any number of threads.
Errors errors_of(const Truth& truth, std::size_t output, const HostTensor& found,
                 Criterion criterion) {
  constexpr std::size_t block = 1 << 16;
  const std::size_t count = truth.exact()[output].values.size();
  std::vector<Errors> blocks((count + block - 1) / block);
#pragma omp parallel for schedule(dynamic)
  for (std::size_t i = 0; i < blocks.size(); ++i)
    blocks[i] =
        errors_of(truth, output, found, criterion, i * block, std::min(count, (i + 1) * block));
  Errors all;
  for (const Errors& errors : blocks) all.add(errors);
  return all;
}

// Grows a verdict by one output.
struct Comparison {
  Verdict verdict = {.ok = true};
  double error_squares = 0, truth_squares = 0;

  void add(const Truth& truth, std::size_t output, const HostTensor& found, Criterion criterion) {
    const Expected& expected = truth.exact()[output];
    const Errors errors = errors_of(truth, output, found, criterion);
    error_squares += errors.error_squares;
    truth_squares += errors.truth_squares;
    if (errors.worst > verdict.error) {
      verdict.error = errors.worst;
      verdict.tolerance = errors.tolerance;
      verdict.ok = verdict.error <= 1;
    }
    if (truth.unavoidable()[output].largest > 0) check_norm(truth, output, errors);
    verdict.check += fmt::format("{}{}: {}", verdict.check.empty() ? "" : "; ",
                                 expected.operand.name, scope(expected));
  }

  // An error of every element up to the bound of the largest is no rounding: all together may be
  // twice what rounding causes, and what f32 scores and sums add.
  void check_norm(const Truth& truth, std::size_t output, const Errors& errors) {
    const Expected& expected = truth.exact()[output];
    double allowed_squares = 0;
    for (std::size_t i = 0; i < expected.values.size(); ++i) {
      const double allowed = tolerance(truth.problem(), expected, i, 0);
      allowed_squares += allowed * allowed;
    }
    const double limit = 2 * truth.unavoidable()[output].norm + std::sqrt(allowed_squares);
    const double ratio = std::sqrt(errors.error_squares) / limit;
    if (ratio <= 1) return;  // false for NaN
    verdict.ok = false;
    verdict.check += "; the norm of the error is above its cap";
    if (std::isfinite(ratio)) verdict.error = std::max(verdict.error, ratio);
  }

  Verdict finish() {
    const double relative = std::sqrt(error_squares / truth_squares);
    if (std::isfinite(relative)) verdict.relative_error = relative;
    return verdict;
  }
};

bool has_integer_output(const Run& run, int copy) {
  return std::ranges::any_of(run.outputs(copy),
                             [](const Tensor& t) { return is_integer(t.operand.dtype); });
}

// Sampling alone misses a fault between the samples: large products are checked whole as well.
void check_whole_product(Verdict& verdict, const Truth& truth, const HostTensor& c) {
  if (truth.whole_product() == nullptr) return;
  const double z = truth.whole_product()->worst_deviation(c);
  verdict.check += fmt::format("; block Freivalds: {:.1f} of {} deviations", z, freivalds_limit);
  if (z <= freivalds_limit) return;
  verdict.ok = false;
  verdict.error = std::max(verdict.error, std::min(z / freivalds_limit, 1e300));
}

// The hash of what has the one hash so far and goes on with the other.
std::size_t joined(std::size_t so_far, std::size_t next) {
  return 31 * so_far + next;
}

// In blocks, on all threads.
std::size_t hash(const HostTensor& tensor) {
  constexpr std::size_t block = 1 << 20;
  const std::string_view bits(reinterpret_cast<const char*>(tensor.data.data()),
                              tensor.data.size());
  std::vector<std::size_t> hashes((bits.size() + block - 1) / block);
#pragma omp parallel for
  for (std::size_t i = 0; i < hashes.size(); ++i)
    hashes[i] = std::hash<std::string_view>{}(bits.substr(i * block, block));
  std::size_t all = 0;
  for (const std::size_t one : hashes) all = joined(all, one);
  return all;
}

Verdict compare(Device& device, Run& run, int copy, const Truth& truth, Criterion criterion,
                std::size_t* hash_of_outputs) {
  std::size_t all = 0;
  Comparison comparison;
  const std::vector<Tensor> outputs = run.outputs(copy);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const HostTensor found = device.look_at(outputs[i]);
    comparison.add(truth, i, found, criterion);
    if (hash_of_outputs != nullptr) all = joined(all, hash(found));
    if (i == 0) check_whole_product(comparison.verdict, truth, found);
  }
  if (hash_of_outputs != nullptr) *hash_of_outputs = all;
  if (const std::string damage = run.damage(copy); !damage.empty()) {
    comparison.verdict.ok = false;
    comparison.verdict.check += "; " + damage;
  }
  if (!truth.encoding().empty()) comparison.verdict.check += "; " + truth.encoding();
  return comparison.finish();
}

void launch_on_poison(Device& device, Run& run, int copy, int round) {
  run.reset(copy, round);
  device.time(run, {.launches = 1, .first_copy = copy});
}

// Under one poison, or two where a pattern could be taken for a result.
Verdict launch_and_compare(Device& device, Run& run, int copy, const Truth& truth,
                           Criterion criterion, std::size_t* hash_of_outputs = nullptr) {
  const int rounds = has_integer_output(run, copy) ? 2 : 1;
  Verdict verdict;
  for (int round = 0; round < rounds; ++round) {
    launch_on_poison(device, run, copy, round);
    verdict = compare(device, run, copy, truth, criterion, hash_of_outputs);
    if (!verdict.ok) break;
  }
  return verdict;
}

}  // namespace

Truth::Truth(const Problem& problem, Fill fill, std::uint64_t seed, Encoding encoding)
    : Truth(problem, make_inputs(problem, fill, seed, encoding), encoding) {}

Truth::Truth(const Problem& problem, std::vector<HostTensor> inputs, Encoding encoding)
    : problem_(problem), inputs_(std::move(inputs)), encoding_(name_encoding(problem, encoding)) {
  const std::int64_t limit = limit_for(problem);
  exact_ = reference(problem, inputs_, limit, Rounding::exact);
  const auto* gemm = std::get_if<Gemm>(&problem);
  if (gemm != nullptr && !exact_[0].elements.empty())
    whole_product_ = std::make_unique<BlockFreivalds>(*gemm, inputs_);
  unavoidable_.resize(exact_.size());
  if (!std::holds_alternative<Attention>(problem)) return;
  const auto rounded = reference(problem, inputs_, limit, Rounding::storage);
  for (std::size_t i = 0; i < exact_.size(); ++i)
    unavoidable_[i] = difference(exact_[i], rounded[i]);
}

double truth_bytes(const Problem& problem) {
  if (const auto* transformer = std::get_if<Transformer>(&problem)) {
    const Step step = step_of(*transformer);
    double largest = 0;  // its operations are judged one after the other
    for (const Operation& operation : step.operations)
      largest = std::max(largest, truth_bytes(operation.problem));
    return largest + static_cast<double>(kept_bytes(step));
  }
  const std::int64_t limit = limit_for(problem);
  double total = 0;
  for (const Operand& operand : operands(problem)) {
    const auto size = static_cast<double>(bytes(operand));
    if (operand.access != Access::out) total += 2 * size;  // once more while a Run is filled
    if (operand.access == Access::in) continue;
    const std::int64_t checked =
        limit == 0 ? elements(operand) : std::min(limit, elements(operand));
    total += size + 2.0 * sizeof(double) * static_cast<double>(checked);  // values and magnitudes
  }
  if (const auto* gemm = std::get_if<Gemm>(&problem)) total += freivalds_bytes(*gemm);
  return total;
}

bool exact_in_integers(const Problem& problem) {
  if (const auto* gemm = std::get_if<Gemm>(&problem)) {
    const auto halves = [](double factor) { return std::floor(factor * 2) == factor * 2; };
    // Products of [-4, 4] sum to at most 16 k, which an f32 accumulator holds exactly below 2^24.
    return gemm->k < (1 << 20) && halves(gemm->alpha) && halves(gemm->beta);
  }
  return false;
}

Verdict verify(Device& device, Run& run, int copy, const Truth& truth, std::size_t* fingerprint) {
  if (auto* step = dynamic_cast<Sequence*>(&run))
    return verify_step(device, *step, copy, truth.operations(), fingerprint);
  return launch_and_compare(device, run, copy, truth, Criterion::bounds, fingerprint);
}

void launch_once(Device& device, Run& run, int copy) {
  launch_on_poison(device, run, copy, 0);
}

std::size_t fingerprint(Device& device, const Run& run, int copy) {
  std::size_t all = 0;
  for (const Tensor& output : run.outputs(copy)) all = joined(all, hash(device.look_at(output)));
  return all;
}

bool updates_in_place(const Run& run) {
  return std::ranges::any_of(run.outputs(0),
                             [](const Tensor& t) { return t.operand.access == Access::inout; });
}

Verdict check(Device& device, Run& run, int copy, const Truth& truth, std::size_t* fingerprint) {
  if (auto* step = dynamic_cast<Sequence*>(&run))
    return check_step(device, *step, copy, fingerprint);
  return compare(device, run, copy, truth, Criterion::bounds, fingerprint);
}

Verdict verify_exactly(Device& device, Run& run, const Truth& truth) {
  Verdict verdict = launch_and_compare(device, run, 0, truth, Criterion::exact);
  verdict.check = "exact integers, " + verdict.check;
  return verdict;
}

}  // namespace steelyard
