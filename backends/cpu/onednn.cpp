// SPDX-License-Identifier: Apache-2.0
// oneDNN's matmul primitive, versions 2.6 and 3: B as it lies, or reordered once beforehand into
// the format the library likes best, as inference does with weights.
#include <fmt/format.h>

#include <array>

#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "backends/cpu/kernels.h"
#include "backends/cpu/region.h"
#include "backends/cpu/run.h"

namespace steelyard::cpu {
namespace {

using Memory = dnnl::memory;
using Tag = Memory::format_tag;
using Type = Memory::data_type;

enum class Weights { plain, packed };

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

Type data_type(DType type) {
  switch (type) {
    case DType::f32:
      return Type::f32;
    case DType::bf16:
      return Type::bf16;
    case DType::f16:
      return Type::f16;
    case DType::int8:
      return Type::s8;
    case DType::int32:
      return Type::s32;
    default:
      return Type::undef;
  }
}

Memory::desc matrix(std::int64_t rows, std::int64_t columns, DType type, Tag tag) {
  return {{rows, columns}, data_type(type), tag};
}

// alpha and beta are steps after the product, in this order: C = 1 * (alpha * AB) + beta * C.
dnnl::primitive_attr attributes(const Gemm& p) {
  dnnl::post_ops steps;
  const auto alpha = static_cast<float>(p.alpha), beta = static_cast<float>(p.beta);
#if DNNL_VERSION_MAJOR >= 3
  if (alpha != 1) steps.append_eltwise(dnnl::algorithm::eltwise_linear, alpha, 0);
#else
  if (alpha != 1) steps.append_eltwise(1, dnnl::algorithm::eltwise_linear, alpha, 0);
#endif
  if (beta != 0) steps.append_sum(beta);
  dnnl::primitive_attr result;
  result.set_post_ops(steps);
  return result;
}

// Empty where the library has no such product.
dnnl::matmul::primitive_desc describe(const Gemm& p, Weights weights) {
  const Memory::desc a = matrix(p.m, p.k, p.a, p.layout == Layout::tn ? Tag::ba : Tag::ab);
  const Tag plain = p.layout == Layout::nt ? Tag::ba : Tag::ab;
  const Memory::desc b = matrix(p.k, p.n, p.b, weights == Weights::packed ? Tag::any : plain);
  const Memory::desc c = matrix(p.m, p.n, p.c, Tag::ab);
  constexpr bool allow_empty = true;
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), a, b, c, attributes(p), allow_empty};
#else
  return {dnnl::matmul::desc(a, b, c), attributes(p), engine(), allow_empty};
#endif
}

std::string version() {
  const dnnl_version_t* v = dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", v->major, v->minor, v->patch);
}

// Without VNNI, oneDNN adds pairs of int8 products in 16 bits, which saturate.
bool sums_of_int8_are_exact() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  using enum dnnl::cpu_isa;
  return isa != sse41 && isa != avx && isa != avx2 && isa != avx512_core;
}

template <Weights weights>
Support supports(const Gemm& p, const DeviceInfo&) {
  if (p.groups > 1 || p.scaling != Scaling::none)
    return {Support::no, "grouped and scaled GEMM are not set up with oneDNN"};
  const auto no_product = [&](std::string_view what) -> Support {
    return {Support::no, fmt::format("{} has {} {} by {} into {} on this CPU", version(), what,
                                     name(p.a), name(p.b), name(p.c))};
  };
  for (const DType type : {p.a, p.b, p.c})
    if (data_type(type) == Type::undef) return no_product("no");
  if (p.c == DType::int32 && (p.alpha != 1 || p.beta != 0))
    return {Support::no, "oneDNN scales int32 sums in f32, which is not exact"};
  if (p.a == DType::int8 && !sums_of_int8_are_exact())
    return {Support::no,
            fmt::format("without VNNI instructions, which this CPU has not, sums of int8 "
                        "products saturate in {}",
                        version())};
  const auto description = describe(p, weights);
  if (!description) return no_product("no");
  if (std::string_view(description.impl_info_str()).starts_with("ref"))
    return no_product("only a reference implementation of");
  return {};
}

// A primitive with the memory objects it is called with; launches only exchange their pointers.
class Matmul {
 public:
  Matmul(const Gemm& p, Weights weights)
      : description_(describe(p, weights)),
        plain_b_(matrix(p.k, p.n, p.b, p.layout == Layout::nt ? Tag::ba : Tag::ab)),
        a_(description_.src_desc(), engine(), nullptr),
        b_(plain_b_, engine(), nullptr),
        c_(description_.dst_desc(), engine(), nullptr) {}

  void pack(const Arguments& arguments) {
    Memory plain(plain_b_, engine(), arguments.data("b"));
    Packed& weights = packed_[arguments.data("b")];
    weights.region = Region(static_cast<std::int64_t>(description_.weights_desc().get_size()));
    weights.memory = Memory(description_.weights_desc(), engine(), weights.region.data());
    dnnl::reorder(plain, weights.memory).execute(stream_, plain, weights.memory);
    stream_.wait();
  }

  void multiply(const Arguments& arguments) {
    a_.set_data_handle(arguments.data("a"));
    b_.set_data_handle(arguments.data("b"));
    c_.set_data_handle(arguments.data("c"));
    const auto packed = packed_.find(arguments.data("b"));
    primitive_.execute(stream_,
                       {{DNNL_ARG_SRC, a_},
                        {DNNL_ARG_WEIGHTS, packed == packed_.end() ? b_ : packed->second.memory},
                        {DNNL_ARG_DST, c_}});
    stream_.wait();
  }

  std::string implementation() const { return description_.impl_info_str(); }

 private:
  // In huge pages like every tensor: from small ones, streaming packed weights takes a third longer.
  struct Packed {
    Region region;
    Memory memory;
  };

  dnnl::matmul::primitive_desc description_;
  dnnl::matmul primitive_{description_};
  dnnl::stream stream_{engine()};
  Memory::desc plain_b_;
  Memory a_, b_, c_;
  std::unordered_map<const void*, Packed> packed_;  // by the B of each operand set
};

template <Weights weights>
std::unique_ptr<Run> prepare(CpuDevice&, const Gemm& p, const Inputs& inputs) {
  const auto matmul = std::make_shared<Matmul>(p, weights);
  Body pack;
  if (weights == Weights::packed) pack = [=](const Arguments& set) { matmul->pack(set); };
  return make_run(
      p, inputs, [=](const Arguments& set) { matmul->multiply(set); },
      fmt::format("{}, {}", version(), matmul->implementation()), std::move(pack));
}

}  // namespace

std::span<const Kernel> onednn_kernels() {
  constexpr auto make_table = [] {
    std::array table = {
        kernel<supports<Weights::plain>, prepare<Weights::plain>>("onednn", Tier::library),
        kernel<supports<Weights::packed>, prepare<Weights::packed>>("onednn-packed", Tier::library),
    };
    table.back().reads_b_ahead = true;
    return table;
  };
  static constexpr auto table = make_table();
  return table;
}

}  // namespace steelyard::cpu
