// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/counts.h"

#include <fmt/format.h>
#include <fmt/os.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/amd_emulator/launch.h"

namespace amd_emulator {
namespace {

const char* counts_file() {
  static const char* const name = std::getenv("STEELYARD_EMULATE_COUNTS");
  return name;
}

constexpr const char* kind_names[kinds] = {"scalar", "vector",  "matrix", "scalar_load",
                                           "load",   "store",   "atomic", "lds",
                                           "branch", "barrier", "wait",   "other"};

std::string text_of(const Kernel& kernel, const Instruction& instruction) {
  return fmt::format("{:#x} {}", instruction.address,
                     disassemble(kernel.code->target(), instruction));
}

// Those that no earlier launch of this process had.
std::vector<std::string_view> take_new(const std::set<std::string_view>& mnemonics) {
  static std::set<std::string_view> known;
  std::vector<std::string_view> fresh;
  for (const std::string_view mnemonic : mnemonics)
    if (known.insert(mnemonic).second) fresh.push_back(mnemonic);
  return fresh;
}

}  // namespace

bool counting() {
  static const bool asked = counts_file() != nullptr;
  return asked;
}

void Counts::add(const Counts& other) {
  for (int kind = 0; kind < kinds; ++kind) instructions[kind] += other.instructions[kind];
  matrix_passes += other.matrix_passes;
  lane_slots += other.lane_slots;
  active_lanes += other.active_lanes;
  local_cycles += other.local_cycles;
  local_conflicts += other.local_conflicts;
  loop_conflicts += other.loop_conflicts;
  lines += other.lines;
  ideal_lines += other.ideal_lines;
  bytes_read += other.bytes_read;
  bytes_written += other.bytes_written;
  scratch_accesses += other.scratch_accesses;
  for (const auto& [instruction, cycles] : other.conflicts_at) conflicts_at[instruction] += cycles;
  mnemonics.insert(other.mnemonics.begin(), other.mnemonics.end());
}

void write_counts(const Launch& launch, const Counts& counts) {
  nlohmann::ordered_json line = {{"target", name(launch.kernel->code->target())},
                                 {"kernel", readable_name(*launch.kernel)},
                                 {"grid", {launch.grid.x, launch.grid.y, launch.grid.z}},
                                 {"block", {launch.block.x, launch.block.y, launch.block.z}}};
  for (int kind = 0; kind < kinds; ++kind)
    line["instructions"][kind_names[kind]] = counts.instructions[kind];
  line["matrix_passes"] = counts.matrix_passes;
  line["lane_slots"] = counts.lane_slots;
  line["active_lanes"] = counts.active_lanes;
  line["lds_cycles"] = counts.local_cycles;
  line["lds_conflict_cycles"] = counts.local_conflicts;
  line["lds_loop_conflict_cycles"] = counts.loop_conflicts;
  for (const auto& [instruction, cycles] : counts.conflicts_at)
    line["lds_conflicts_at"][text_of(*launch.kernel, *instruction)] = cycles;
  line["lines"] = counts.lines;
  line["ideal_lines"] = counts.ideal_lines;
  line["bytes_read"] = counts.bytes_read;
  line["bytes_written"] = counts.bytes_written;
  line["scratch_accesses"] = counts.scratch_accesses;
  line["new_mnemonics"] = take_new(counts.mnemonics);
  // Opened anew for each line, appended in one write: several programs may share the file.
  auto file =
      fmt::output_file(counts_file(), fmt::file::WRONLY | fmt::file::CREATE | fmt::file::APPEND);
  file.print("{}\n", line.dump());
}

}  // namespace amd_emulator
