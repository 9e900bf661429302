// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <functional>

#include "bench/capacity.h"
#include "bench/suites.h"

namespace steelyard {
namespace {

template <class P>
struct Setter {
  std::string_view name;
  std::function<void(P&, const std::string&)> set;
};

[[noreturn]] void refuse(const std::string& value, std::string_view takes) {
  throw UsageError(fmt::format("'{}' is not {}", value, takes));
}

template <class P>
Setter<P> number(std::string_view name, std::int64_t P::*field) {
  return {name, [field](P& p, const std::string& value) {
            std::size_t used = 0;
            try {
              p.*field = std::stoll(value, &used);
            } catch (const std::exception&) {
            }
            if (used != value.size() || value.empty()) refuse(value, "a whole number of 64 bits");
          }};
}

template <class P>
Setter<P> real(std::string_view name, double P::*field) {
  return {name, [field](P& p, const std::string& value) {
            std::size_t used = 0;
            try {
              p.*field = std::stod(value, &used);
            } catch (const std::exception&) {
            }
            if (used != value.size() || value.empty()) refuse(value, "a number");
          }};
}

template <class P>
Setter<P> boolean(std::string_view name, bool P::*field) {
  return {name, [field](P& p, const std::string& value) {
            if (value != "true" && value != "false") refuse(value, "true or false");
            p.*field = value == "true";
          }};
}

DType dtype_of(const std::string& value) {
  const auto type = parse_dtype(value);
  if (!type) refuse(value, "a type: f64 f32 tf32 f16 bf16 fp8_e4m3 fp8_e5m2 int8 int4 int32");
  return *type;
}

template <class P>
Setter<P> dtype(std::string_view name, DType P::*field) {
  return {name, [field](P& p, const std::string& value) { p.*field = dtype_of(value); }};
}

// An enumeration by the names that its values have in ids.
template <class P, class E>
Setter<P> choice(std::string_view name_of_axis, E P::*field, std::initializer_list<E> values) {
  return {name_of_axis, [field, values = std::vector<E>(values)](P& p, const std::string& value) {
            std::string all;
            for (const E candidate : values) {
              if (name(candidate) == value) {
                p.*field = candidate;
                return;
              }
              all += fmt::format("{}{}", all.empty() ? "one of " : " ", name(candidate));
            }
            refuse(value, all);
          }};
}

// All three types; integers accumulate to int32, and tf32 to f32.
void set_gemm_types(Gemm& p, const std::string& value) {
  p.a = p.b = p.c = dtype_of(value);
  if (p.a == DType::int8 || p.a == DType::int4) p.c = DType::int32;
  if (p.a == DType::tf32) p.c = DType::f32;
}

void set_gemm_size(Gemm& p, const std::string& value) {
  number<Gemm>("size", &Gemm::m).set(p, value);
  p.n = p.k = p.m;
}

const std::vector<Setter<Gemm>>& setters(const Gemm&) {
  static const std::vector<Setter<Gemm>> all = {
      number("m", &Gemm::m),
      number("n", &Gemm::n),
      number("k", &Gemm::k),
      {"size", set_gemm_size},
      {"dtype", set_gemm_types},
      dtype("a", &Gemm::a),
      dtype("b", &Gemm::b),
      dtype("c", &Gemm::c),
      choice("layout", &Gemm::layout, {Layout::nn, Layout::nt, Layout::tn}),
      real("alpha", &Gemm::alpha),
      real("beta", &Gemm::beta),
      choice("scaling", &Gemm::scaling, {Scaling::none, Scaling::w8a8, Scaling::w4a16}),
      number("groups", &Gemm::groups),
      choice("routing", &Gemm::routing, {Routing::uniform, Routing::zipf, Routing::one_hot})};
  return all;
}

const std::vector<Setter<Attention>>& setters(const Attention&) {
  static const std::vector<Setter<Attention>> all = {
      choice("pass", &Attention::pass, {Pass::forward, Pass::backward, Pass::decode}),
      dtype("dtype", &Attention::dtype),
      number("batch", &Attention::batch),
      number("heads", &Attention::heads),
      number("kv_heads", &Attention::kv_heads),
      number("queries", &Attention::queries),
      number("keys", &Attention::keys),
      number("head_dim", &Attention::head_dim),
      boolean("causal", &Attention::causal),
      number("page_size", &Attention::page_size),
      boolean("fp8_cache", &Attention::fp8_cache)};
  return all;
}

// STREAM's name of BabelStream's mul is understood.
void set_memory_op(Memory& p, const std::string& value) {
  using enum MemoryOp;
  choice("op", &Memory::op, {read, write, copy, mul, add, triad, dot, chase})
      .set(p, value == "scale" ? "mul" : value);
  if (p.op == chase) p.dtype = DType::int32;
}

const std::vector<Setter<Memory>>& setters(const Memory&) {
  static const std::vector<Setter<Memory>> all = {
      {"op", set_memory_op}, dtype("dtype", &Memory::dtype), number("bytes", &Memory::bytes)};
  return all;
}

const std::vector<Setter<Layer>>& setters(const Layer&) {
  using enum LayerOp;
  static const std::vector<Setter<Layer>> all = {
      choice("op", &Layer::op,
             {rms_norm, layer_norm, rope, swiglu, gelu, cross_entropy, log_probabilities, bias_add,
              residual_add, embedding_gather, embedding_scatter, cache_append, route, permute,
              unpermute, amax, quantise, dequantise, LayerOp::adamw}),
      choice("pass", &Layer::pass, {Pass::forward, Pass::backward}),
      dtype("dtype", &Layer::dtype),
      number("rows", &Layer::rows),
      number("columns", &Layer::columns),
      dtype("quantised", &Layer::quantised),
      number("head_dim", &Layer::head_dim),
      number("entries", &Layer::entries),
      number("choices", &Layer::choices),
      number("page_size", &Layer::page_size),
      boolean("fp8_cache", &Layer::fp8_cache)};
  return all;
}

// A decode step takes one token of each sequence, all others take the whole context.
void set_tokens(Transformer& p) {
  p.tokens = p.phase == Phase::decode ? 1 : p.context;
}

const std::vector<Setter<Transformer>>& setters(const Transformer&) {
  static const std::vector<Setter<Transformer>> all = {
      {"phase",
       [](Transformer& p, const std::string& value) {
         choice("phase", &Transformer::phase,
                {Phase::train, Phase::lora, Phase::quantise, Phase::score, Phase::prefill,
                 Phase::decode})
             .set(p, value);
         set_tokens(p);
       }},
      {"dtype",
       [](Transformer& p, const std::string& value) { p.dtype = p.weights = dtype_of(value); }},
      dtype("weights", &Transformer::weights),
      {"batch",
       [](Transformer& p, const std::string& value) {
         if (value == "fit") {
           p.batch = open_batch;
           return;
         }
         number("batch", &Transformer::batch).set(p, value);
         if (p.batch == open_batch) refuse(value, "a batch: a whole number from 1 on, or fit");
       }},
      {"context",
       [](Transformer& p, const std::string& value) {
         number("context", &Transformer::context).set(p, value);
         set_tokens(p);
       }},
      number("page_size", &Transformer::page_size),
      boolean("fp8_cache", &Transformer::fp8_cache),
      number("rank", &Transformer::rank),
      boolean("graph", &Transformer::graph)};
  return all;
}

// Families without axes.
template <class P>
const std::vector<Setter<P>>& setters(const P&) {
  static const std::vector<Setter<P>> none;
  return none;
}

template <class P>
void assign(P& problem, const std::string& axis, const std::string& value) {
  std::string known;
  for (const Setter<P>& setter : setters(problem)) {
    if (setter.name == axis) return setter.set(problem, value);
    known += fmt::format(" {}", setter.name);
  }
  throw UsageError(fmt::format("no axis of that name; there are:{}", known));
}

}  // namespace

std::vector<Problem> sweep(const Family& family, const std::vector<Axis>& axes) {
  std::vector<Problem> problems = {family.basis};
  for (const Axis& axis : axes) {
    std::vector<Problem> wider;
    for (const Problem& base : problems)
      for (const std::string& value : axis.values) {
        Problem problem = base;
        try {
          std::visit([&](auto& p) { assign(p, axis.name, value); }, problem);
        } catch (const UsageError& error) {
          throw UsageError(fmt::format("-a {}={}: {}", axis.name, value, error.what()));
        }
        wider.push_back(problem);
      }
    problems = std::move(wider);
    if (problems.size() > 10000) throw UsageError("-a: the axes make more than 10000 problems");
  }
  for (const Problem& problem : problems) {
    if (const std::string why = fault(with_closed_batch(problem)); !why.empty())
      throw UsageError(fmt::format("-a: impossible problem: {}", why));
    if (has_open_batch(problem) && !holds_whole_model(std::get<Transformer>(problem).phase))
      throw UsageError("-a batch=fit: only training and decoding have all of a model in memory");
  }
  return problems;
}

}  // namespace steelyard
