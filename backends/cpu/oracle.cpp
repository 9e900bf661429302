// SPDX-License-Identifier: Apache-2.0
#include "backends/oracle.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "backends/cpu/truth.h"

namespace steelyard {
namespace cpu {

const HostTensor& Question::input(std::string_view name) const {
  const auto found = std::ranges::find(inputs, name, [](auto& t) { return t.operand.name; });
  if (found == inputs.end())
    throw std::invalid_argument("reference: no input named " + std::string(name));
  return *found;
}

Expected& Question::output(std::string_view name) {
  const auto found = std::ranges::find(outputs, name, [](auto& o) { return o.operand.name; });
  if (found == outputs.end())
    throw std::invalid_argument("reference: no output named " + std::string(name));
  return *found;
}

std::vector<double> slice(const HostTensor& tensor, std::int64_t first, std::int64_t count) {
  std::vector<double> values(count);
  const DType type = tensor.operand.dtype;
  if (first * bits(type) % 8 == 0)
    load(type, tensor.data.data() + bytes(type, first), values, tensor.encoding);
  else
    for (std::int64_t i = 0; i < count; ++i) values[i] = tensor.at(first + i);
  return values;
}

std::int64_t wanted(const Expected& output) {
  return output.elements.empty() ? elements(output.operand)
                                 : static_cast<std::int64_t>(output.elements.size());
}

std::int64_t element(const Expected& output, std::int64_t i) {
  return output.elements.empty() ? i : output.elements[i];
}

void also_sample(Expected& output, std::span<const std::int64_t> rows, std::int64_t columns,
                 std::int64_t limit) {
  if (output.elements.empty()) return;
  const Operand part = {.shape = {static_cast<std::int64_t>(rows.size()), columns}};
  for (const std::int64_t e : sample(part, limit))
    output.elements.push_back(rows[e / columns] * columns + e % columns);
  std::ranges::sort(output.elements);
  const auto repeated = std::ranges::unique(output.elements);
  output.elements.erase(repeated.begin(), repeated.end());
}

}  // namespace cpu

namespace {

cpu::Question ask(const Problem& problem, std::span<const HostTensor> inputs, std::int64_t limit,
                  Rounding rounding) {
  cpu::Question question = {.inputs = inputs, .limit = limit, .rounding = rounding};
  for (const Operand& operand : operands(problem)) {
    if (operand.access == Access::in) continue;
    Expected output = {.operand = operand};
    if (limit > 0 && elements(operand) > limit) {
      const auto& others = question.outputs;
      const auto alike = std::ranges::find(others, operand.shape,
                                           [](const Expected& o) { return o.operand.shape; });
      output.elements = alike != others.end() ? alike->elements : sample(operand, limit);
    }
    question.outputs.push_back(std::move(output));
  }
  return question;
}

void round_to_storage(Expected& output, Encoding encoding) {
  for (double& value : output.values) value = round_to(output.operand.dtype, value, encoding);
}

}  // namespace

std::vector<Expected> reference(const Problem& problem, std::span<const HostTensor> inputs,
                                std::int64_t limit, Rounding rounding) {
  cpu::Question question = ask(problem, inputs, limit, rounding);
  if (question.outputs.empty()) return {};  // Launch, Transformer
  std::visit(
      [&](const auto& p) {
        if constexpr (requires { cpu::answer(p, question); }) cpu::answer(p, question);
      },
      problem);
  if (rounding == Rounding::storage)
    for (Expected& output : question.outputs)
      round_to_storage(output, inputs.empty() ? Encoding::ocp : inputs.front().encoding);
  return std::move(question.outputs);
}

}  // namespace steelyard
