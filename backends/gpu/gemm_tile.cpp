// SPDX-License-Identifier: Apache-2.0
// Chooses among the tile kernels for GEMM.
#include <fmt/format.h>

#include <algorithm>

#include "backends/gpu/device.h"
#include "backends/gpu/gemm_tile.h"
#include "backends/gpu/kernels.h"

namespace steelyard::gpu {
namespace {

std::span<const TileVariant> variants_for(const Gemm& p) {
  const Layout layout = p.layout;
  if (p.scaling == Scaling::w4a16)
    return p.a == DType::bf16  ? int4_tile_variants<bf16>(layout)
           : p.a == DType::f16 ? int4_tile_variants<f16>(layout)
                               : std::span<const TileVariant>();
  if (p.a != p.b) return {};
  switch (p.a) {
    case DType::bf16:
      return tile_variants<bf16>(layout);
    case DType::f16:
      return tile_variants<f16>(layout);
    case DType::tf32:
      return tile_variants<tf32>(layout);
    case DType::f64:
      return tile_variants<double>(layout);
    case DType::int8:
      return tile_variants<std::int8_t>(layout);
    case DType::fp8_e4m3:
      return tile_variants<fp8_e4m3>(layout);
    case DType::fp8_e5m2:
      return tile_variants<fp8_e5m2>(layout);
    default:
      return {};
  }
}

// As TileVariant says, for the lines of every group.
bool has_whole_chunks(const Gemm& p) {
  const std::int64_t chunk = 128 / bits(p.a), b_chunk = 128 / bits(p.b);
  if (p.layout == Layout::tn && p.groups > 1) return false;  // groups begin within lines
  if (p.scaling == Scaling::w4a16 && p.layout != Layout::nt) return false;
  const std::int64_t a_line = p.layout == Layout::tn ? p.m : p.k;
  const std::int64_t b_line = p.layout == Layout::nt ? p.k : p.n;
  return a_line % chunk == 0 && b_line % b_chunk == 0 && p.n % 4 == 0;
}

std::int64_t tiles(const TileSchedule& s, const TileShape& shape) {
  return tile_rows(s, shape.rows) * ((s.n + shape.columns - 1) / shape.columns);
}

// The largest tiles that leave no multiprocessor without one and are not for the most part empty;
// the smallest where there are none.
const TileVariant& choose(const Gemm& p, const TileSchedule& s, int compute_units) {
  const std::span<const TileVariant> all = variants_for(p);
  if (!has_whole_chunks(p)) return all.back();
  const std::span<const TileVariant> whole = all.first(all.size() - 1);
  const auto suits = [&](const TileVariant& v) {
    return tiles(s, v.shape) >= compute_units && v.shape.rows < 2 * p.m &&
           v.shape.columns < 2 * p.n;
  };
  const auto found = std::ranges::find_if(whole, suits);
  return found == whole.end() ? whole.back() : *found;
}

// Blocks that divide the depth of a tile, where there are fewer tiles than multiprocessors.
int choose_splits(const Gemm& p, std::int64_t tile_count, const TileShape& shape,
                  int compute_units) {
  constexpr std::int64_t least_slabs = 4, most_splits = 32;  // of one split; of a tile
  const std::int64_t slab = shape.depth_bytes * 8 / bits(p.a), slabs = (p.k + slab - 1) / slab;
  const std::int64_t wanted = tile_count < compute_units ? 2 * compute_units / tile_count : 1;
  return static_cast<int>(
      std::clamp<std::int64_t>(std::min(wanted, slabs / least_slabs), 1, most_splits));
}

// MI300 deals blocks out to accelerator dies of 38 compute units each.
int dies(const DeviceInfo& info) {
  return info.architecture == "gfx942" ? std::max(1, info.compute_units / 38) : 1;
}

std::string describe(const TileVariant& variant, const DType type, int splits,
                     const DeviceInfo& info) {
  const TileShape& s = variant.shape;
  std::string text = fmt::format("{} {}x{}x{}, {} stages", matrix_instruction, s.rows, s.columns,
                                 s.depth_bytes * 8 / bits(type), s.stages);
  if (splits > 1) text += fmt::format(", depth split {} ways", splits);
  if (!variant.whole_chunks) text += ", element by element";
  if (info.architecture == "sm_90") text += ", no wgmma";
  return text;
}

Support no(std::string reason) {
  return {Support::no, std::move(reason)};
}

Support supports(const Gemm& p, const DeviceInfo& info) {
  if (variants_for(p).empty() || !is_output_type(p.a, p.c))
    return no(
        fmt::format("tiles do not multiply {} by {} into {}", name(p.a), name(p.b), name(p.c)));
  if (p.a == DType::int8 && p.c == DType::int32 &&
      (p.alpha != 1 || p.beta != 0 || p.scaling != Scaling::none))
    return no("sums of int8 that stay int32 are not scaled");
  if (!has_matrix_instruction(p.a, info.architecture))
    return no(fmt::format("{} has no matrix instruction for {}", info.architecture, name(p.a)));
  constexpr std::int64_t longest = 16 << 20;  // bytes: 256 lines have 32-bit offsets
  if (bytes(p.a, std::max({p.m, p.n, p.k})) >= longest) return no("rows are longer than 16 MiB");
  return {};
}

std::unique_ptr<Run> prepare(GpuDevice& device, const Gemm& p, const Inputs& inputs) {
  const DeviceInfo& info = device.info();
  TileGemm gemm = {.k = static_cast<int>(p.k),
                   .schedule = {.m = static_cast<int>(p.m),
                                .n = static_cast<int>(p.n),
                                .groups = static_cast<int>(p.groups),
                                .dies = dies(info)},
                   .epilogue = {.type = p.c, .n = p.n, .alpha = p.alpha, .beta = p.beta}};
  const TileVariant& variant = choose(p, gemm.schedule, info.compute_units);
  gemm.splits =
      choose_splits(p, tiles(gemm.schedule, variant.shape), variant.shape, info.compute_units);
  const std::size_t partial_sums =
      gemm.splits == 1 ? 0 : static_cast<std::size_t>(gemm.splits * p.m * p.n);
  (void)device.stream();  // selects the device that the memory belongs to
  const auto partial =
      std::make_shared<Buffer<std::byte>>(partial_sums * (p.a == DType::f64 ? 8 : 4));
  gemm.partial = partial->data();
  const auto body = [=, &device, &variant](const Arguments& arguments) {
    TileGemm call = gemm;
    call.a = arguments.data("a");
    call.b = arguments.data("b");
    call.epilogue.c = arguments.data("c");
    if (p.groups > 1) call.schedule.offsets = arguments.get<std::int32_t>("offsets");
    if (p.scaling == Scaling::w4a16) call.group_scale = arguments.get<float>("b_scale");
    if (p.scaling == Scaling::w8a8) {
      call.epilogue.row_scale = arguments.get<float>("a_scale");
      call.epilogue.column_scale = arguments.get<float>("b_scale");
    }
    (void)partial;  // lives as long as the Run
    variant.enqueue(call, device.stream());
  };
  return make_run(device, p, inputs, body, {.detail = describe(variant, p.a, gemm.splits, info)});
}

}  // namespace

std::span<const Kernel> gemm_tile_kernels() {
  static constexpr Kernel table[] = {kernel<supports, prepare>("tile", Tier::portable)};
  return table;
}

}  // namespace steelyard::gpu
