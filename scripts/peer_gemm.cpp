// SPDX-License-Identifier: Apache-2.0
// What a GEMM row costs beside the library call it stands for, and how far the portable kernels are
// from oneDNN: the libraries called without the suite and the rows take turns on operands of the
// same values. Prints medians of ratios, with quartiles.
#include <omp.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <oneapi/dnnl/dnnl.hpp>

#include "backends/cpu/kernels.h"
#include "backends/cpu/region.h"
#include "backends/cpu/run.h"
#include "backends/cpu/threads.h"
#include "backends/library.h"
#include "scripts/interleave.h"

using namespace steelyard;

namespace {

constexpr int rounds = 15;
constexpr double flops_per_turn = 2e10;  // tens of milliseconds and more

// A, B and C in the same kind of memory as the rows' operands: huge pages alone are worth per
// cents.
struct Operands {
  cpu::Region a, b, c;

  explicit Operands(const Gemm& p)
      : a(bytes(p.a, p.m * p.k)), b(bytes(p.b, p.k * p.n)), c(bytes(p.c, p.m * p.n)) {
    const std::vector<HostTensor> inputs = make_inputs(p, Fill::normal, Inputs{}.seed);
    cpu::parallel_copy(a.data(), inputs[0].data.data(), a.bytes());
    cpu::parallel_copy(b.data(), inputs[1].data.data(), b.bytes());
  }
};

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

// oneDNN alone, with B as it lies or in the library's own format.
class OneDnn {
 public:
  OneDnn(const Gemm& p, bool packed) : operands_(p) {
    using Tag = dnnl::memory::format_tag;
    const Tag plain = p.layout == Layout::nt ? Tag::ba : Tag::ab;
    const dnnl::memory::desc a({p.m, p.k}, library_type(p.a), Tag::ab);
    const dnnl::memory::desc b({p.k, p.n}, library_type(p.b), plain);
    const dnnl::memory::desc any_b({p.k, p.n}, library_type(p.b), Tag::any);
    const dnnl::memory::desc c({p.m, p.n}, library_type(p.c), Tag::ab);
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc description(engine_, a, packed ? any_b : b, c);
#else
    const dnnl::matmul::primitive_desc description({a, packed ? any_b : b, c}, engine_);
#endif
    matmul_ = dnnl::matmul(description);
    dnnl::memory plain_b(b, engine_, operands_.b.data());
    dnnl::memory weights = plain_b;
    if (packed) {
      weights_ = cpu::Region(static_cast<std::int64_t>(description.weights_desc().get_size()));
      weights = dnnl::memory(description.weights_desc(), engine_, weights_.data());
      dnnl::reorder(plain_b, weights).execute(stream_, plain_b, weights);
      stream_.wait();
    }
    arguments_ = {{DNNL_ARG_SRC, dnnl::memory(a, engine_, operands_.a.data())},
                  {DNNL_ARG_WEIGHTS, weights},
                  {DNNL_ARG_DST, dnnl::memory(c, engine_, operands_.c.data())}};
  }

  void launch() {
    matmul_.execute(stream_, arguments_);
    stream_.wait();
  }

 private:
  Operands operands_;
  cpu::Region weights_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::matmul matmul_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

// cblas_sgemm alone; what its threads need, the row has seen to when it opened the library.
class OpenBlas {
 public:
  explicit OpenBlas(const Gemm& p) : operands_(p), p_(p) {}

  void launch() {
    const auto m = static_cast<int>(p_.m), n = static_cast<int>(p_.n), k = static_cast<int>(p_.k);
    const bool transposed = p_.layout == Layout::nt;
    const auto data = [](const cpu::Region& r) { return reinterpret_cast<float*>(r.data()); };
    sgemm_(101, 111, transposed ? 112 : 111, m, n, k, 1, data(operands_.a), k, data(operands_.b),
           transposed ? k : n, 0, data(operands_.c), n);
  }

 private:
  using Sgemm = void(int, int, int, int, int, int, float, const float*, int, const float*, int,
                     float, float*, int);
  Operands operands_;
  Gemm p_;
  Library library_{"libopenblas.so.0", "libopenblas.so"};
  Sgemm* sgemm_ = library_.find<Sgemm>("cblas_sgemm");
};

struct Row {
  std::string_view name, peer;  // peer: the contestant it stands for, or is measured by
  std::unique_ptr<Run> run;
};

std::string_view peer_of(std::string_view row) {
  if (row == "openblas") return "cblas_sgemm";
  return row == "onednn-packed" ? "oneDNN, packed" : "oneDNN";
}

std::vector<Row> prepare_rows(const Gemm& p, cpu::CpuDevice& device) {
  std::vector<Row> rows;
  for (const auto table : {cpu::gemm_kernels(), cpu::streamed_gemm_kernels(), cpu::onednn_kernels(),
                           cpu::openblas_kernels()})
    for (const Kernel& kernel : table)
      if (kernel.supports(p, device.info()).answer == Support::yes)
        rows.push_back({kernel.name, peer_of(kernel.name), kernel.prepare(device, p, {})});
  return rows;
}

template <class Library>
Turn on_team(Library& library, int launches) {
  return [&library, launches] {
    return seconds([&] {
      for (int i = 0; i < launches; ++i) library.launch();
    });
  };
}

// On threads of its own, with no team of ours beside them.
Turn by_itself(OpenBlas& library, int launches) {
  return [&library, launches] {
    omp_pause_resource_all(omp_pause_soft);
    const double taken = seconds([&] {
      for (int i = 0; i < launches; ++i) library.launch();
    });
    cpu::pin_team();
    return taken;
  };
}

void compare(const Gemm& p, cpu::CpuDevice& device) {
  const std::vector<Row> rows = prepare_rows(p, device);
  const bool blas = std::ranges::any_of(rows, [](const Row& r) { return r.name == "openblas"; });
  const int launches = std::max(1, static_cast<int>(flops_per_turn / work(p).flops));
  OneDnn plain(p, false), packed(p, true);
  OpenBlas openblas(p);
  std::vector<std::string_view> names = {"oneDNN", "oneDNN, packed"};
  std::vector<Turn> turns = {on_team(plain, launches), on_team(packed, launches)};
  if (blas) {
    names.push_back("cblas_sgemm");
    turns.push_back(by_itself(openblas, launches));
  }
  for (const Row& row : rows) {
    names.push_back(row.name);
    turns.push_back([&, launches] {
      if (row.name == "openblas") omp_pause_resource_all(omp_pause_soft);
      const double taken = device.time(*row.run, {.launches = launches}).host_seconds;
      cpu::pin_team();
      return taken;
    });
  }
  const std::vector<Times> times = interleave(rounds, turns);
  fmt::print("{}, {} launches in a turn\n", id(p), launches);
  const auto rate = [&](std::size_t i) {
    return work(p).flops * launches / quantile(times[i], 0.5) / 1e9;
  };
  const std::size_t peers = names.size() - rows.size();
  for (std::size_t i = 0; i < peers; ++i)
    fmt::print("  {:<16} {:6.0f} GFLOP/s\n", names[i], rate(i));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto peer =
        static_cast<std::size_t>(std::ranges::find(names, rows[i].peer) - names.begin());
    fmt::print("  {:<16} {:6.0f} GFLOP/s, {} of {}; {}\n", rows[i].name, rate(peers + i),
               speed_ratio(times[peers + i], times[peer]), rows[i].peer, rows[i].run->detail());
  }
}

}  // namespace

int main() {
  cpu::CpuDevice device;
  using enum DType;
  constexpr Gemm problems[] = {
      {.m = 1024, .n = 1024, .k = 1024, .a = f32, .b = f32, .c = f32},
      {.m = 2048, .n = 2048, .k = 2048, .a = f32, .b = f32, .c = f32},
      {.m = 2048, .n = 2048, .k = 2048},
      {.m = 2048, .n = 2048, .k = 2048, .a = int8, .b = int8, .c = int32},
      {.m = 8, .n = 4096, .k = 4096, .a = f32, .b = f32, .c = f32, .layout = Layout::nt},
      {.m = 8, .n = 4096, .k = 4096, .layout = Layout::nt},
  };
  for (const Gemm& problem : problems) {
    compare(problem, device);
    std::fflush(stdout);
  }
}
