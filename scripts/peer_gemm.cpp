// SPDX-License-Identifier: Apache-2.0
// What a GEMM row costs beside the call it stands for, and how far the portable kernel is from it:
// oneDNN called without the suite, the library rows and the portable row take turns on operands of
// the same values; one ratio per round.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <oneapi/dnnl/dnnl.hpp>

#include "backends/cpu/kernels.h"
#include "backends/cpu/region.h"
#include "backends/cpu/run.h"
#include "backends/cpu/threads.h"

using namespace steelyard;

namespace {

constexpr int rounds = 25;
constexpr double flops_per_turn = 2e10;  // tens of milliseconds and more

dnnl::memory::data_type library_type(DType type) {
  switch (type) {
    case DType::bf16:
      return dnnl::memory::data_type::bf16;
    case DType::int8:
      return dnnl::memory::data_type::s8;
    case DType::int32:
      return dnnl::memory::data_type::s32;
    default:
      return dnnl::memory::data_type::f32;
  }
}

// C = A B by the library alone, with B as it lies or in the library's own format.
class Peer {
 public:
  Peer(const Gemm& p, bool packed) {
    using Tag = dnnl::memory::format_tag;
    const std::vector<HostTensor> inputs = make_inputs(p, Fill::normal, Inputs{}.seed);
    const dnnl::memory::desc a({p.m, p.k}, library_type(p.a), Tag::ab);
    const dnnl::memory::desc b({p.k, p.n}, library_type(p.b), Tag::ab);
    const dnnl::memory::desc any_b({p.k, p.n}, library_type(p.b), Tag::any);
    const dnnl::memory::desc c({p.m, p.n}, library_type(p.c), Tag::ab);
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc description(engine_, a, packed ? any_b : b, c);
#else
    const dnnl::matmul::primitive_desc description({a, packed ? any_b : b, c}, engine_);
#endif
    matmul_ = dnnl::matmul(description);
    dnnl::memory plain_b = allocate(b, bytes(p.b, p.k * p.n));
    const auto b_bytes = static_cast<std::int64_t>(description.weights_desc().get_size());
    arguments_ = {{DNNL_ARG_SRC, allocate(a, bytes(p.a, p.m * p.k))},
                  {DNNL_ARG_WEIGHTS, allocate(description.weights_desc(), b_bytes)},
                  {DNNL_ARG_DST, allocate(c, bytes(p.c, p.m * p.n))}};
    fill(arguments_.at(DNNL_ARG_SRC), inputs[0]);
    fill(plain_b, inputs[1]);
    dnnl::reorder(plain_b, arguments_.at(DNNL_ARG_WEIGHTS))
        .execute(stream_, plain_b, arguments_.at(DNNL_ARG_WEIGHTS));
    stream_.wait();
  }

  void launch() {
    matmul_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  // In the same kind of memory as the rows' operands: huge pages alone are worth per cents.
  dnnl::memory allocate(const dnnl::memory::desc& description, std::int64_t size) {
    return {description, engine_, regions_.emplace_back(size).data()};
  }
  static void fill(const dnnl::memory& memory, const HostTensor& values) {
    cpu::parallel_copy(memory.get_data_handle(), values.data.data(), bytes(values.operand));
  }

  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::matmul matmul_;
  std::vector<cpu::Region> regions_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

double seconds(const std::function<void()>& turn) {
  const auto start = std::chrono::steady_clock::now();
  turn();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Row {
  std::string_view name;
  std::unique_ptr<Run> run;
  std::vector<double> plain_ratios, packed_ratios;  // time of the peer / time of the row
};

std::vector<Row> prepare_rows(const Gemm& p, cpu::CpuDevice& device) {
  std::vector<Row> rows;
  for (const auto table : {cpu::gemm_kernels(), cpu::onednn_kernels(), cpu::openblas_kernels()})
    for (const Kernel& kernel : table)
      if (kernel.supports(p, device.info()).answer == Support::yes)
        rows.push_back({kernel.name, kernel.prepare(device, p, {}), {}, {}});
  return rows;
}

void print(std::string_view of, const std::vector<double>& ratios) {
  fmt::print("  {:.3f} of {} (quartiles {:.3f} to {:.3f})", quantile(ratios, 0.5), of,
             quantile(ratios, 0.25), quantile(ratios, 0.75));
}

void compare(const Gemm& p, cpu::CpuDevice& device) {
  Peer plain(p, false), packed(p, true);
  std::vector<Row> rows = prepare_rows(p, device);
  cpu::pin_team();
  const int launches = std::max(1, static_cast<int>(flops_per_turn / work(p).flops));
  const auto turn = [&](Peer& peer) {
    return seconds([&] {
      for (int i = 0; i < launches; ++i) peer.launch();
    });
  };
  std::vector<double> plain_rates;
  for (int round = -1; round < rounds; ++round) {  // the first warms up
    std::vector<double> own;
    const double plain_seconds = turn(plain);
    for (Row& row : rows) own.push_back(device.time(*row.run, {.launches = launches}).host_seconds);
    const double packed_seconds = turn(packed);
    if (round < 0) continue;
    plain_rates.push_back(work(p).flops * launches / plain_seconds / 1e9);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].plain_ratios.push_back(plain_seconds / own[i]);
      rows[i].packed_ratios.push_back(packed_seconds / own[i]);
    }
  }
  fmt::print("{}: oneDNN alone, plain, {:.0f} GFLOP/s\n", id(p), quantile(plain_rates, 0.5));
  for (const Row& row : rows) {
    fmt::print("  {:<14}", row.name);
    print("plain", row.plain_ratios);
    print("packed", row.packed_ratios);
    fmt::print("  {}\n", row.run->detail());
  }
}

}  // namespace

int main() {
  cpu::CpuDevice device;
  constexpr struct {
    DType input, output;
  } types[] = {{DType::f32, DType::f32}, {DType::bf16, DType::bf16}, {DType::int8, DType::int32}};
  for (const auto& [input, output] : types)
    for (const std::int64_t size : {512, 2048})
      compare({.m = size, .n = size, .k = size, .a = input, .b = input, .c = output}, device);
}
