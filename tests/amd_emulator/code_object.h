// SPDX-License-Identifier: Apache-2.0
// The programs inside a HIP binary: clang's offload bundle, the ELF code object of a target in it, and
// the kernels that its metadata describes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "tests/amd_emulator/instruction.h"

namespace amd_emulator {

struct KernelArgument {
  unsigned offset, bytes;
  std::string kind;  // "by_value", "global_buffer", "hidden_block_count_x" …
};

class CodeObject;
class ElfFile;

// From the kernel descriptor and the metadata ("User Guide for AMDGPU Backend" of LLVM).
struct Kernel {
  std::string name;  // mangled
  CodeObject* code = nullptr;
  std::uint64_t entry = 0;  // in the code object
  unsigned local_bytes = 0, private_bytes = 0, argument_bytes = 0;
  unsigned vector_registers = 0, accumulation_registers = 0, scalar_registers = 0;
  unsigned largest_workgroup = 1024;
  std::uint32_t program_resources[3] = {};
  std::uint16_t properties = 0;  // which user registers are set up
  std::uint16_t preload = 0;  // kernel arguments in scalar registers: length and offset, in words
  std::vector<KernelArgument> arguments;
};

// As C++ spells it, with its parameters.
std::string readable_name(const Kernel& kernel);

// A loaded code object. Its bytes are device memory.
class CodeObject {
 public:
  // Throws Fault where the ELF is not one for a supported target.
  explicit CodeObject(std::span<const std::byte> elf);
  ~CodeObject();
  CodeObject(const CodeObject&) = delete;
  CodeObject& operator=(const CodeObject&) = delete;

  Target target() const { return target_; }
  const Kernel* find(const std::string& name) const;
  const std::map<std::string, Kernel>& kernels() const { return kernels_; }

  // Where the byte `offset` of the code object lies in device memory.
  std::uint64_t device_address(std::uint64_t offset) const { return base_ + offset; }
  // The executable segment.
  std::uint64_t text_begin() const { return text_begin_; }
  std::uint64_t text_end() const { return text_end_; }

  // The decoded instructions of the executable segment, one for each of its words. Those of a function
  // are there once prepare() was called for an offset in it: their `name` is set then.
  const Instruction* instructions() const { return instructions_.get(); }
  void prepare(std::uint64_t offset);

 private:
  void load_segments(const ElfFile& file);
  void read_symbols(const ElfFile& file);
  void relocate(const ElfFile& file);
  void read_notes(std::span<const std::byte> notes);
  void read_kernels(std::span<const std::byte> metadata);

  Target target_ = Target::gfx90a;
  std::uint64_t base_ = 0, bytes_ = 0, text_begin_ = 0, text_end_ = 0;
  std::byte* image_ = nullptr;  // where the host sees device_address(0)
  std::map<std::string, Kernel> kernels_;
  std::map<std::string, std::uint64_t> symbols_;
  std::map<std::uint64_t, std::uint64_t> functions_;  // begin and end
  std::unique_ptr<Instruction[]> instructions_;
  std::mutex preparing_;
};

// The ELF file for `target` in an offload bundle; empty where it has none. Throws Fault where the
// bundle is compressed or no bundle.
std::span<const std::byte> find_code_object(const void* bundle, Target target);

}  // namespace amd_emulator
