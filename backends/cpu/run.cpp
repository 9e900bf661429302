// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "backends/cpu/region.h"
#include "backends/cpu/threads.h"

namespace steelyard::cpu {
namespace {

constexpr std::byte guard_value{0xa7};

// Guard bands reach from the end of one tensor's values to the start of the next one's.
struct Guarded {
  std::byte* front = nullptr;
  std::byte* data = nullptr;
  std::int64_t front_bytes = 0, bytes = 0, back_bytes = 0;

  std::byte* back() const { return data + bytes; }
};

// Where in a band the first byte differs from the guard value; nullopt where none does.
std::optional<std::int64_t> first_damage(const std::byte* band, std::int64_t bytes) {
  const auto* at = std::find_if(band, band + bytes, [](std::byte b) { return b != guard_value; });
  return at == band + bytes ? std::nullopt : std::optional(at - band);
}

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

// Eight bytes of the value that no kernel may leave behind.
std::uint64_t poison_pattern(const Tensor& tensor, int round) {
  const DType type = tensor.operand.dtype;
  if (is_integer(type)) return round % 2 == 0 ? 0x5a5a5a5a5a5a5a5a : 0xa5a5a5a5a5a5a5a5;
  std::uint64_t pattern = encode(type, std::numeric_limits<double>::quiet_NaN(), tensor.encoding);
  for (int width = bits(type); width < 64; width *= 2) pattern |= pattern << width;
  return pattern;
}

void poison(const Tensor& tensor, int round) {
  parallel_fill(tensor.data, poison_pattern(tensor, round), bytes(tensor.operand));
}

class CpuRun final : public Run {
 public:
  CpuRun(const Problem& problem, const Inputs& inputs, Body body, std::string detail,
         const Body& ahead)
      : body_(std::move(body)),
        detail_(std::move(detail)),
        region_(footprint(problem, inputs)),
        originals_(make_inputs(problem, inputs.fill, inputs.seed)) {
    pin_team();
    std::byte* free = region_.data();
    for (int copy = 0; copy < inputs.copies; ++copy) free = lay_out(problem, inputs, free);
    for (int copy = 0; copy < inputs.copies; ++copy) fill(copy);
    drop_pure_inputs();
    if (ahead)
      for (const OperandSet& operand_set : sets_) ahead(Arguments(operand_set.tensors));
    take_checksums();
  }

  void launch(int copy) override { body_(Arguments(set(copy).tensors)); }

  std::vector<Tensor> outputs(int copy) const override {
    std::vector<Tensor> written;
    for (const Tensor& tensor : set(copy).tensors)
      if (tensor.operand.access != Access::in) written.push_back(tensor);
    return written;
  }

  void reset(int copy, int round) override {
    for (const std::size_t i : set(copy).owned) {
      const Tensor& tensor = set(copy).tensors[i];
      if (tensor.operand.access == Access::out) poison(tensor, round);
      if (tensor.operand.access == Access::inout) restore(tensor);
    }
  }

  std::string damage(int copy) const override;
  int copies() const override { return static_cast<int>(sets_.size()); }
  std::string detail() const override { return detail_; }

 private:
  struct OperandSet {
    std::vector<Tensor> tensors;     // in the order of operands()
    std::vector<std::size_t> owned;  // those not bound: places in `tensors`
    std::vector<Guarded> places;     // of the owned ones
  };

  const OperandSet& set(int copy) const { return sets_.at(static_cast<std::size_t>(copy)); }
  std::byte* lay_out(const Problem& problem, const Inputs& inputs, std::byte* free);
  void fill(int copy);
  void restore(const Tensor& tensor);
  void drop_pure_inputs();
  void take_checksums();
  const HostTensor* original(const Operand& operand) const {
    const auto found = std::ranges::find(originals_, operand.name,
                                         [](const HostTensor& t) { return t.operand.name; });
    return found == originals_.end() ? nullptr : &*found;
  }

  Body body_;
  std::string detail_;
  Region region_;
  std::vector<OperandSet> sets_;
  std::vector<HostTensor> originals_;  // of inout tensors, once filled
  std::vector<std::pair<std::string_view, std::uint64_t>>
      checksums_;  // of pure inputs, every copy's
};

std::byte* CpuRun::lay_out(const Problem& problem, const Inputs& inputs, std::byte* free) {
  OperandSet& added = sets_.emplace_back();
  const std::int64_t guard = align(inputs.guard_bytes);
  for (const Operand& operand : operands(problem)) {
    if (const Tensor* bound = find_bound(inputs, operand)) {
      added.tensors.push_back({operand, bound->data, bound->encoding});
      continue;
    }
    const std::int64_t size = bytes(operand), padded = align(size);
    const Guarded place = {free, free + guard, guard, size, padded - size + guard};
    added.owned.push_back(added.tensors.size());
    added.places.push_back(place);
    added.tensors.push_back({operand, place.data});
    free += guard + padded + guard;
  }
  return free;
}

void CpuRun::fill(int copy) {
  for (const Guarded& place : set(copy).places) {
    std::fill_n(place.front, place.front_bytes, guard_value);
    std::fill_n(place.back(), place.back_bytes, guard_value);
  }
  for (const std::size_t i : set(copy).owned) {
    const Tensor& tensor = set(copy).tensors[i];
    if (tensor.operand.access == Access::out) {
      poison(tensor, 0);
      continue;
    }
    restore(tensor);
  }
}

void CpuRun::take_checksums() {
  for (const std::size_t i : sets_.front().owned)
    if (const Tensor& tensor = sets_.front().tensors[i]; tensor.operand.access == Access::in)
      checksums_.emplace_back(tensor.operand.name,
                              parallel_checksum(tensor.data, bytes(tensor.operand)));
}

void CpuRun::restore(const Tensor& tensor) {
  if (const HostTensor* values = original(tensor.operand))
    parallel_copy(tensor.data, values->data.data(), bytes(tensor.operand));
}

void CpuRun::drop_pure_inputs() {
  std::erase_if(originals_, [](const HostTensor& t) { return t.operand.access == Access::in; });
}

std::string CpuRun::damage(int copy) const {
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
  for (const auto& [input, sum] : checksums_) {
    const Tensor& tensor = arguments.tensor(input);
    if (parallel_checksum(tensor.data, bytes(tensor.operand)) != sum)
      return fmt::format("the input {} was changed", input);
  }
  return {};
}

}  // namespace

const Tensor& Arguments::tensor(std::string_view name) const {
  for (const Tensor& tensor : tensors_)
    if (tensor.operand.name == name) return tensor;
  throw std::out_of_range(fmt::format("the problem has no tensor named {}", name));
}

std::unique_ptr<Run> make_run(const Problem& problem, const Inputs& inputs, Body body,
                              std::string detail, Body ahead) {
  return std::make_unique<CpuRun>(problem, inputs, std::move(body), std::move(detail), ahead);
}

}  // namespace steelyard::cpu
