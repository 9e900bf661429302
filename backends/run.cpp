// SPDX-License-Identifier: Apache-2.0
#include "backends/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <stdexcept>

namespace steelyard {
namespace {

constexpr std::uint64_t guard_word = 0xa7a7a7a7a7a7a7a7;

// A tensor between its guard bands; the rear one begins right behind the last value.
struct Guarded {
  std::byte* front = nullptr;
  std::byte* data = nullptr;
  std::int64_t front_bytes = 0, bytes = 0, back_bytes = 0;

  std::byte* back() const { return data + bytes; }
};

const Tensor* find_bound(const Inputs& inputs, const Operand& operand) {
  for (const Tensor& tensor : inputs.bound) {
    if (tensor.operand.name != operand.name) continue;
    if (tensor.operand.dtype != operand.dtype || tensor.operand.shape != operand.shape)
      throw std::invalid_argument(fmt::format(
          "bound tensor {} has not the type and shape that the problem gives it", operand.name));
    return &tensor;
  }
  return nullptr;
}

// Eight bytes of a value, repeated.
std::uint64_t pattern(DType type, double value, Encoding encoding) {
  std::uint64_t word = encode(type, value, encoding);
  for (int width = bits(type); width < 64; width *= 2) word |= word << width;
  return word;
}

// Of the value that no kernel may leave behind.
std::uint64_t poison_pattern(const Tensor& tensor, int round) {
  const DType type = tensor.operand.dtype;
  if (is_integer(type)) return round % 2 == 0 ? 0x5a5a5a5a5a5a5a5a : 0xa5a5a5a5a5a5a5a5;
  return pattern(type, std::numeric_limits<double>::quiet_NaN(), tensor.encoding);
}

class OperandSetRun final : public Run {
 public:
  OperandSetRun(std::unique_ptr<Arena> arena, const Problem& problem, const Inputs& inputs,
                Body body, RunOptions options)
      : arena_(std::move(arena)), body_(std::move(body)), options_(std::move(options)) {
    constants_.insert(inputs.constants.begin(), inputs.constants.end());
    std::vector<HostTensor> own;
    if (inputs.made.empty()) own = make_own(problem, inputs);
    const std::span<const HostTensor> values = inputs.made.empty() ? own : inputs.made;
    for (int copy = 0; copy < inputs.copies; ++copy) lay_out(problem, inputs);
    for (int copy = 0; copy < inputs.copies; ++copy) fill(copy, values);
    if (options_.ahead)
      for (const OperandSet& operand_set : sets_) options_.ahead(Arguments(operand_set.tensors));
    rewritten_ = inputs.rewritten;
    seal();
    std::ranges::copy_if(values, std::back_inserter(originals_),
                         [this](const HostTensor& t) { return is_restored(t.operand); });
  }

  void launch(int copy) override { body_(Arguments(set(copy).tensors)); }

  std::vector<Tensor> tensors(int copy) const override { return set(copy).tensors; }

  void reset(int copy, int round) override {
    for (const std::size_t i : set(copy).owned) {
      const Tensor& tensor = set(copy).tensors[i];
      if (tensor.operand.access == Access::out) poison(tensor, round);
      if (is_restored(tensor.operand)) restore(tensor, originals_);
    }
  }

  std::string damage(int copy) const override;
  int copies() const override { return static_cast<int>(sets_.size()); }
  std::string detail() const override { return options_.detail; }

 private:
  struct OperandSet {
    std::vector<Tensor> tensors;     // in the order of operands()
    std::vector<std::size_t> owned;  // those not bound: places in `tensors`
    std::vector<Guarded> places;     // of the owned ones
  };

  const OperandSet& set(int copy) const { return sets_.at(static_cast<std::size_t>(copy)); }
  // Whether launches, or other Runs, change what it holds at first.
  bool is_restored(const Operand& operand) const {
    return operand.access == Access::inout || std::ranges::count(rewritten_, operand.name) > 0;
  }
  std::vector<HostTensor> make_own(const Problem& problem, const Inputs& inputs);
  void lay_out(const Problem& problem, const Inputs& inputs);
  void fill(int copy, std::span<const HostTensor> values);
  void seal();
  void poison(const Tensor& tensor, int round);
  void restore(const Tensor& tensor, std::span<const HostTensor> values);
  std::uint64_t checksum(const Tensor& tensor) const;
  std::optional<std::int64_t> first_damage(const std::byte* band, std::int64_t bytes) const;

  std::unique_ptr<Arena> arena_;
  Body body_;
  RunOptions options_;
  std::vector<OperandSet> sets_;
  std::vector<std::string_view> rewritten_;
  std::map<std::string_view, double> constants_;  // inputs all of whose elements are the same
  std::vector<HostTensor> originals_;             // of tensors that are restored
  std::vector<std::pair<std::string_view, std::uint64_t>>
      checksums_;  // of pure inputs, every copy's
};

// What nobody has made or bound; constants need no tensor on the host.
std::vector<HostTensor> OperandSetRun::make_own(const Problem& problem, const Inputs& inputs) {
  std::vector<HostTensor> own;
  const std::vector<Operand> all = operands(problem);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool given = find_bound(inputs, all[i]) != nullptr || constants_.contains(all[i].name);
    if (all[i].access == Access::out || given) continue;
    if (const auto value = constant_value(all[i], inputs.fill))
      constants_.emplace(all[i].name, *value);
    else
      own.push_back(make_input(problem, i, inputs.fill, inputs.seed, options_.encoding));
  }
  return own;
}

void OperandSetRun::lay_out(const Problem& problem, const Inputs& inputs) {
  OperandSet& added = sets_.emplace_back();
  const std::int64_t guard = align(inputs.guard_bytes);
  for (const Operand& operand : operands(problem)) {
    if (const Tensor* bound = find_bound(inputs, operand)) {
      added.tensors.push_back({operand, bound->data, bound->encoding});
      continue;
    }
    const std::int64_t size = bytes(operand), padded = align(size);
    std::byte* front = arena_->allocate(operand, guard + padded + guard);
    const Guarded place = {front, front + guard, guard, size, padded - size + guard};
    added.owned.push_back(added.tensors.size());
    added.places.push_back(place);
    added.tensors.push_back({operand, place.data, options_.encoding});
  }
}

void OperandSetRun::fill(int copy, std::span<const HostTensor> values) {
  for (const Guarded& place : set(copy).places) {
    arena_->fill(place.front, guard_word, place.front_bytes);
    arena_->fill(place.back(), guard_word, place.back_bytes);
  }
  for (const std::size_t i : set(copy).owned) {
    const Tensor& tensor = set(copy).tensors[i];
    if (tensor.operand.access == Access::out)
      poison(tensor, 0);
    else
      restore(tensor, values);
  }
}

void OperandSetRun::seal() {
  for (const std::size_t i : set(0).owned) {
    const Tensor& tensor = set(0).tensors[i];
    if (tensor.operand.access == Access::in && !is_restored(tensor.operand))
      checksums_.emplace_back(tensor.operand.name, checksum(tensor));
  }
}

void OperandSetRun::poison(const Tensor& tensor, int round) {
  arena_->fill(static_cast<std::byte*>(tensor.data), poison_pattern(tensor, round),
               bytes(tensor.operand));
}

void OperandSetRun::restore(const Tensor& tensor, std::span<const HostTensor> values) {
  const auto original = std::ranges::find(values, tensor.operand.name,
                                          [](const HostTensor& t) { return t.operand.name; });
  const auto data = static_cast<std::byte*>(tensor.data);
  if (original != values.end())
    arena_->upload(data, original->data.data(), bytes(tensor.operand));
  else if (const auto constant = constants_.find(tensor.operand.name); constant != constants_.end())
    arena_->fill(data, pattern(tensor.operand.dtype, constant->second, tensor.encoding),
                 bytes(tensor.operand));
}

std::uint64_t OperandSetRun::checksum(const Tensor& tensor) const {
  return arena_->checksum(static_cast<const std::byte*>(tensor.data), bytes(tensor.operand));
}

// Where in a band the first byte differs from the guard's; nullopt where none does.
std::optional<std::int64_t> OperandSetRun::first_damage(const std::byte* band,
                                                        std::int64_t bytes) const {
  std::vector<std::byte> found(static_cast<std::size_t>(bytes));
  arena_->download(found.data(), band, bytes);
  const auto at = std::ranges::find_if(
      found, [](std::byte b) { return b != static_cast<std::byte>(guard_word & 0xff); });
  return at == found.end() ? std::nullopt : std::optional<std::int64_t>(at - found.begin());
}

std::string OperandSetRun::damage(int copy) const {
  const OperandSet& operand_set = set(copy);
  for (std::size_t i = 0; i < operand_set.owned.size(); ++i) {
    const Guarded& place = operand_set.places[i];
    const std::string_view tensor = operand_set.tensors[operand_set.owned[i]].operand.name;
    if (const auto at = first_damage(place.front, place.front_bytes))
      return fmt::format("{} was written {} bytes in front of its first byte", tensor,
                         place.front_bytes - *at);
    if (const auto at = first_damage(place.back(), place.back_bytes))
      return fmt::format("{} was written {} bytes behind its last byte", tensor, *at + 1);
  }
  const Arguments arguments(operand_set.tensors);
  for (const auto& [input, sum] : checksums_)
    if (checksum(arguments.tensor(input)) != sum)
      return fmt::format("the input {} was changed", input);
  return {};
}

}  // namespace

const Tensor& Arguments::tensor(std::string_view name) const {
  for (const Tensor& tensor : tensors_)
    if (tensor.operand.name == name) return tensor;
  throw std::out_of_range(fmt::format("the problem has no tensor named {}", name));
}

std::unique_ptr<Run> make_run(std::unique_ptr<Arena> arena, const Problem& problem,
                              const Inputs& inputs, Body body, RunOptions options) {
  return std::make_unique<OperandSetRun>(std::move(arena), problem, inputs, std::move(body),
                                         std::move(options));
}

}  // namespace steelyard
