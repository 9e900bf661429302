// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/start.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "tests/amd_emulator/memory.h"
#include "tests/amd_emulator/numbers.h"

namespace amd_emulator {
namespace {

// Which user registers a kernel asks for, in this order.
enum Property : u16 {
  private_segment_buffer = 1,
  dispatch_pointer = 2,
  queue_pointer = 4,
  argument_pointer = 8,
  dispatch_id = 16,
  flat_scratch = 32,
  private_segment_size = 64
};

// Rounding to nearest even everywhere, denormals everywhere.
constexpr u32 kept_float_mode = 0xf0;

// A buffer descriptor of private memory: swizzled in words of 4 bytes, an index for each of 64 lanes.
constexpr u32 swizzle = u32{1} << 31, unlimited = ~u32{0}, scratch_format = 0x00e00000;

bool has_scratch_descriptor(const Kernel& kernel) {  // gfx942 finds its private memory by itself
  return kernel.code->target() == Target::gfx90a;
}

}  // namespace

Start::Start(const Launch& launch, std::uint64_t arguments)
    : launch_(launch),
      arguments_(arguments),
      threads_(launch.block.x * launch.block.y * launch.block.z),
      waves_((threads_ + lanes - 1) / lanes) {
  const u32 float_mode = launch.kernel->program_resources[0] >> 12 & 0xff;
  if (float_mode != kept_float_mode)
    throw Fault(fmt::format("{} is started in the floating-point mode {:#x}, which is not emulated",
                            launch.kernel->name, float_mode));
  const u64 bytes = u64{launch.kernel->private_bytes} * lanes * waves_;
  if (bytes == 0) return;
  scratch_ = allocate(bytes);
  if (scratch_ == 0) throw Fault("no memory is left for private memory");
}

Start::~Start() {
  if (scratch_ != 0) (void)release(scratch_);
}

void Start::give_scratch(Workgroup& group) {
  group.scratch = scratch_;
  group.wave_scratch = u64{launch_.kernel->private_bytes} * lanes;
}

void Start::prepare(Wave& wave, Workgroup& group, unsigned index, std::uint32_t unwritten) const {
  const Kernel& kernel = *launch_.kernel;
  const unsigned vectors = std::min(kernel.vector_registers, 256u);
  std::fill_n(&wave.v[0][0], vectors * lanes, unwritten);
  std::fill_n(&wave.v[256][0], std::min(kernel.accumulation_registers, 256u) * lanes, unwritten);
  std::fill(std::begin(wave.s), std::end(wave.s), unwritten);
  const unsigned live = std::min<unsigned>(lanes, threads_ - index * lanes);
  wave.launched = live == lanes ? all_lanes : (u64{1} << live) - 1;
  wave.set_exec(wave.launched);
  wave.scc = 0;
  wave.pc = kernel.entry + (kernel.preload != 0 ? 256 : 0);
  wave.group = &group;
  wave.index = index;
  wave.stop = Stop::none;
  wave.indexing = false;
  const Size block = launch_.block;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    const unsigned thread = index * lanes + lane;
    wave.v[0][lane] =
        thread % block.x | (thread / block.x % block.y) << 10 | thread / (block.x * block.y) << 20;
  }
  set_scalar_registers(wave, group);
}

void Start::set_scalar_registers(Wave& wave, const Workgroup& group) const {
  const Kernel& kernel = *launch_.kernel;
  u32* next = wave.s;
  const auto put = [&](u32 value) { *next++ = value; };
  const auto put64 = [&](u64 value) {
    put(low(value));
    put(high(value));
  };
  if ((kernel.properties & private_segment_buffer) != 0) {
    put(low(group.scratch));
    put(high(group.scratch) | swizzle);
    put(unlimited);
    put(scratch_format);
  }
  for (const Property absent : {dispatch_pointer, queue_pointer})
    if ((kernel.properties & absent) != 0) put64(0);
  if ((kernel.properties & argument_pointer) != 0) put64(arguments_);
  if ((kernel.properties & dispatch_id) != 0) put64(0);
  if ((kernel.properties & flat_scratch) != 0) put64(group.scratch);
  if ((kernel.properties & private_segment_size) != 0) put(kernel.private_bytes);
  const unsigned preloaded = kernel.preload & 127, first = kernel.preload >> 7;
  if (preloaded > 0)
    std::memcpy(next, host_view(arguments_ + 4 * first, 4 * preloaded), 4 * preloaded);
  next += preloaded;
  const u32 resources = kernel.program_resources[1];
  if ((resources >> 7 & 1) != 0) put(group.id.x);
  if ((resources >> 8 & 1) != 0) put(group.id.y);
  if ((resources >> 9 & 1) != 0) put(group.id.z);
  if ((resources & 1) != 0 && has_scratch_descriptor(kernel))
    put(static_cast<u32>(wave.index * group.wave_scratch));
}

}  // namespace amd_emulator
