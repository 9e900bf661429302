// SPDX-License-Identifier: Apache-2.0
// The names of problems: of their enumerators, and of their fields in result files.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "backends/operand.h"

namespace steelyard {
namespace {

using Named = std::vector<std::pair<std::string, Value>>;

Value text(std::string_view value) {
  return std::string(value);
}

Named fields_of(const Gemm& p) {
  return {{"kind", text("gemm")},
          {"m", p.m},
          {"n", p.n},
          {"k", p.k},
          {"a", text(name(p.a))},
          {"b", text(name(p.b))},
          {"c", text(name(p.c))},
          {"layout", text(name(p.layout))},
          {"alpha", p.alpha},
          {"beta", p.beta},
          {"groups", p.groups},
          {"routing", text(name(p.routing))},
          {"scaling", text(name(p.scaling))}};
}

Named fields_of(const Attention& p) {
  return {{"kind", text("attention")},
          {"pass", text(name(p.pass))},
          {"dtype", text(name(p.dtype))},
          {"batch", p.batch},
          {"heads", p.heads},
          {"kv_heads", p.kv_heads},
          {"queries", p.queries},
          {"keys", p.keys},
          {"head_dim", p.head_dim},
          {"causal", p.causal},
          {"page_size", p.page_size},
          {"fp8_cache", p.fp8_cache}};
}

Named fields_of(const Memory& p) {
  return {{"kind", text("memory")},
          {"op", text(name(p.op))},
          {"dtype", text(name(p.dtype))},
          {"bytes", p.bytes}};
}

Named fields_of(const Copy& p) {
  return {{"kind", text("copy")},
          {"path", text(name(p.path))},
          {"pinned", p.pinned},
          {"bytes", p.bytes}};
}

Named fields_of(const Launch& p) {
  return {{"kind", text("launch")}, {"graph", p.graph}, {"launches", p.launches}};
}

Named fields_of(const Layer& p) {
  return {{"kind", text("layer")},
          {"op", text(name(p.op))},
          {"pass", text(name(p.pass))},
          {"dtype", text(name(p.dtype))},
          {"rows", p.rows},
          {"columns", p.columns},
          {"quantised", text(name(p.quantised))},
          {"head_dim", p.head_dim},
          {"entries", p.entries},
          {"choices", p.choices},
          {"page_size", p.page_size},
          {"f32_gradient", p.f32_gradient},
          {"fp8_cache", p.fp8_cache}};
}

Named fields_of(const Transformer& p) {
  return {{"kind", text("transformer")},
          {"model", p.model},
          {"phase", text(name(p.phase))},
          {"dtype", text(name(p.dtype))},
          {"weights", text(name(p.weights))},
          {"batch", p.batch},
          {"tokens", p.tokens},
          {"context", p.context},
          {"page_size", p.page_size},
          {"fp8_cache", p.fp8_cache},
          {"width", p.width},
          {"layers", p.layers},
          {"heads", p.heads},
          {"kv_heads", p.kv_heads},
          {"head_dim", p.head_dim},
          {"ffn", p.ffn},
          {"vocabulary", p.vocabulary},
          {"rank", p.rank},
          {"blocks", p.blocks},
          {"experts", p.experts},
          {"choices", p.choices},
          {"positions", p.positions},
          {"layer_norm", p.layer_norm},
          {"gelu", p.gelu},
          {"biases", p.biases},
          {"head_norms", p.head_norms},
          {"tied_head", p.tied_head},
          {"graph", p.graph}};
}

// What no positive size may be: the fields that may be 0.
constexpr std::array optional_fields = {"page_size", "entries", "choices", "experts", "positions"};

bool may_be_zero(const std::string& field) {
  for (const char* optional : optional_fields)
    if (field == optional) return true;
  return false;
}

std::string fault_of(const Gemm& p) {
  if (p.scaling == Scaling::w8a8 && (bits(p.a) != 8 || bits(p.b) != 8))
    return "scaling w8a8 takes 8-bit a and b";
  if (p.scaling == Scaling::w4a16 && p.b != DType::int4) return "scaling w4a16 takes b=int4";
  return {};
}

// Why there can be no fp8 cache beside numbers of `type`.
std::string fp8_cache_fault(DType type) {
  if (bits(type) > 8) return {};
  return fmt::format("dtype={} is no wider than an fp8 cache", name(type));
}

std::string fault_of(const Attention& p) {
  if (p.fp8_cache && p.pass != Pass::decode)
    return fmt::format("only decode reads an fp8 cache, not {}", name(p.pass));
  if (p.fp8_cache)
    if (const std::string why = fp8_cache_fault(p.dtype); !why.empty()) return why;
  if (p.heads % p.kv_heads != 0)
    return fmt::format("heads={} is not a multiple of kv_heads={}", p.heads, p.kv_heads);
  if (p.causal && p.queries > p.keys)
    return fmt::format("causal with queries={} > keys={} leaves queries without a key", p.queries,
                       p.keys);
  return {};
}

std::string fault_of(const Memory& p) {
  if (p.bytes * 8 % bits(p.dtype) != 0)
    return fmt::format("bytes={} is no whole number of {}", p.bytes, name(p.dtype));
  if (p.op == MemoryOp::chase && p.bytes < 2 * chase_line_bytes)
    return fmt::format("a chase needs two lines: bytes >= {}", 2 * chase_line_bytes);
  return {};
}

bool has_backward(LayerOp op) {
  using enum LayerOp;
  constexpr std::array with = {rms_norm, layer_norm, rope, swiglu, gelu, cross_entropy};
  return std::ranges::count(with, op) > 0;
}

// The size that an operation cannot do without and that others leave at 0; empty when it is there.
std::string missing_size(const Layer& p) {
  using enum LayerOp;
  constexpr std::array with_entries = {embedding_gather, embedding_scatter, cache_append, route,
                                       permute};
  constexpr std::array with_choices = {route, permute, unpermute};
  if (p.entries < 1 && std::ranges::count(with_entries, p.op)) return "entries";
  if (p.choices < 1 && std::ranges::count(with_choices, p.op)) return "choices";
  return {};
}

std::string fault_of(const Layer& p) {
  if (p.pass == Pass::decode || (p.pass == Pass::backward && !has_backward(p.op)))
    return fmt::format("{} has no {} pass", name(p.op), name(p.pass));
  if (const std::string size = missing_size(p); !size.empty())
    return fmt::format("{} takes {} of at least 1", name(p.op), size);
  if (is_integer(p.dtype)) return fmt::format("dtype={} is no floating-point type", name(p.dtype));
  if (p.fp8_cache && p.op != LayerOp::cache_append)
    return fmt::format("only cache_append writes an fp8 cache, not {}", name(p.op));
  if (p.fp8_cache)
    if (const std::string why = fp8_cache_fault(p.dtype); !why.empty()) return why;
  const bool narrows = p.op == LayerOp::quantise || p.op == LayerOp::dequantise;
  if (narrows && bits(p.quantised) > 8)
    return fmt::format("quantised={} is wider than 8 bits", name(p.quantised));
  if (p.op == LayerOp::rope && p.head_dim % 2 != 0)
    return fmt::format("rope takes an even head_dim, not {}", p.head_dim);
  const bool by_head = p.op == LayerOp::rope || p.op == LayerOp::cache_append;
  if (by_head && p.columns % p.head_dim != 0)
    return fmt::format("columns={} is not a multiple of head_dim={}", p.columns, p.head_dim);
  if (p.choices > p.entries && p.op != LayerOp::unpermute)
    return fmt::format("choices={} of entries={}", p.choices, p.entries);
  return {};
}

std::string fault_of(const Transformer& p) {
  if (p.heads % p.kv_heads != 0)
    return fmt::format("heads={} is not a multiple of kv_heads={}", p.heads, p.kv_heads);
  if (is_integer(p.dtype)) return fmt::format("dtype={} is no floating-point type", name(p.dtype));
  if (p.phase == Phase::decode && p.tokens != 1)
    return fmt::format("decode takes one token of each sequence, not {}", p.tokens);
  if (p.phase != Phase::decode && p.context != p.tokens)
    return fmt::format("{} takes all {} tokens of its context at once", name(p.phase), p.context);
  if (p.phase != Phase::decode && p.page_size > 0) return "only decode reads a paged cache";
  if (p.phase != Phase::decode && p.fp8_cache) return "only decode reads an fp8 cache";
  if (p.fp8_cache)
    if (const std::string why = fp8_cache_fault(p.dtype); !why.empty()) return why;
  if (p.positions > 0 && p.context > p.positions)
    return fmt::format("context={} is beyond the {} positions of {}", p.context, p.positions,
                       p.model);
  if (p.choices > p.experts) return fmt::format("choices={} of experts={}", p.choices, p.experts);
  if (p.experts > 0 && p.choices == 0) return "experts without choices";
  const bool narrow = p.weights != p.dtype;
  if (narrow && bits(p.weights) > 8)
    return fmt::format("weights={} are neither dtype={} nor of 8 bits or less", name(p.weights),
                       name(p.dtype));
  if (trains(p.phase) && p.experts > 0)
    return "the sizes of routed experts' weight gradients depend on the data";
  if (trains(p.phase) && narrow) return "narrow weights are not trained";
  if (p.phase == Phase::quantise && (!narrow || bits(p.weights) != 8))
    return "quantise takes weights of 8 bits";
  if (narrow && p.experts > 0) return "routed experts have no narrow weights";
  return {};
}

std::string fault_of(const Copy&) {
  return {};
}
std::string fault_of(const Launch&) {
  return {};
}

// Products of two sizes stay within 62 bits, and so do the bytes of every tensor.
constexpr std::int64_t largest_size = std::int64_t{1} << 31, largest_bytes = std::int64_t{1} << 50;

std::string size_fault(const std::string& field, std::int64_t size) {
  const std::int64_t least = may_be_zero(field) ? 0 : 1;
  const std::int64_t most = field == "bytes" ? largest_bytes : largest_size;
  if (size < least) return fmt::format("{}={} is below {}", field, size, least);
  if (size > most) return fmt::format("{}={} is above {}", field, size, most);
  return {};
}

std::string tensor_fault(const Problem& problem) {
  for (const Operand& operand : operands(problem)) {
    double size = bits(operand.dtype) / 8.0;
    for (const std::int64_t extent : operand.shape) size *= static_cast<double>(extent);
    if (size > static_cast<double>(largest_bytes))
      return fmt::format("tensor {} takes more than 2^50 bytes", operand.name);
  }
  return {};
}

}  // namespace

std::vector<std::pair<std::string, Value>> fields(const Problem& problem) {
  return std::visit([](const auto& p) { return fields_of(p); }, problem);
}

std::string fault(const Problem& problem) {
  for (const auto& [field, value] : fields(problem))
    if (const auto* size = std::get_if<std::int64_t>(&value))
      if (const std::string why = size_fault(field, *size); !why.empty()) return why;
  const std::string why = std::visit([](const auto& p) { return fault_of(p); }, problem);
  return why.empty() ? tensor_fault(problem) : why;
}

std::string_view name(Layout layout) {
  static constexpr std::array names = {"nn", "nt", "tn"};
  return names[static_cast<int>(layout)];
}

std::string_view name(Scaling scaling) {
  static constexpr std::array names = {"none", "w8a8", "w4a16"};
  return names[static_cast<int>(scaling)];
}

std::string_view name(Routing routing) {
  static constexpr std::array names = {"uniform", "zipf", "one_hot"};
  return names[static_cast<int>(routing)];
}

std::string_view name(Pass pass) {
  static constexpr std::array names = {"forward", "backward", "decode"};
  return names[static_cast<int>(pass)];
}

std::string_view name(MemoryOp op) {
  static constexpr std::array names = {"read", "write", "copy", "mul",
                                       "add",  "triad", "dot",  "chase"};
  return names[static_cast<int>(op)];
}

std::string_view name(CopyPath path) {
  static constexpr std::array names = {"host_to_device", "device_to_host", "device_to_device"};
  return names[static_cast<int>(path)];
}

std::string_view name(LayerOp op) {
  static constexpr std::array names = {"rms_norm",
                                       "layer_norm",
                                       "rope",
                                       "swiglu",
                                       "gelu",
                                       "cross_entropy",
                                       "log_probabilities",
                                       "bias_add",
                                       "residual_add",
                                       "embedding_gather",
                                       "embedding_scatter",
                                       "cache_append",
                                       "route",
                                       "permute",
                                       "unpermute",
                                       "amax",
                                       "quantise",
                                       "dequantise",
                                       "adamw"};
  return names[static_cast<int>(op)];
}

std::string_view name(Phase phase) {
  static constexpr std::array names = {"train", "lora", "quantise", "score", "prefill", "decode"};
  return names[static_cast<int>(phase)];
}

}  // namespace steelyard
