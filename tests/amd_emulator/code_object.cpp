// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/code_object.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/amd_emulator/elf_file.h"
#include "tests/amd_emulator/memory.h"

namespace amd_emulator {
namespace {

// Numbers of the ABI ("User Guide for AMDGPU Backend" of LLVM).
constexpr unsigned machine_mask = 0xff, machine_gfx90a = 0x3f, machine_gfx942 = 0x4c;
constexpr unsigned relocation_absolute64 = 3, relocation_relative64 = 13;
constexpr unsigned metadata_note = 32;

Target target_of(const ElfFile& file) {
  switch (file.header().e_flags & machine_mask) {
    case machine_gfx90a:
      return Target::gfx90a;
    case machine_gfx942:
      return Target::gfx942;
    default:
      throw Fault(
          fmt::format("a code object for machine {:#x}: only gfx90a and gfx942 are emulated",
                      file.header().e_flags & machine_mask));
  }
}

// What a kernel's 64-byte descriptor says.
void read_descriptor(Kernel& kernel, std::uint64_t offset, std::span<const std::byte> image) {
  if (offset > image.size() || image.size() - offset < 64)
    throw Fault("a kernel descriptor outside of the code object");
  const std::byte* descriptor = image.data() + offset;
  const auto field = [&](auto& to, std::size_t at) {
    std::memcpy(&to, descriptor + at, sizeof(to));
  };
  std::int64_t entry = 0;
  field(kernel.local_bytes, 0);
  field(kernel.private_bytes, 4);
  field(kernel.argument_bytes, 8);
  field(entry, 16);
  field(kernel.program_resources[2], 44);
  field(kernel.program_resources[0], 48);
  field(kernel.program_resources[1], 52);
  field(kernel.properties, 56);
  field(kernel.preload, 58);
  kernel.entry = offset + static_cast<std::uint64_t>(entry);
}

void read_arguments(Kernel& kernel, const nlohmann::json& metadata) {
  for (const nlohmann::json& argument : metadata.value(".args", nlohmann::json::array())) {
    const KernelArgument& read = kernel.arguments.emplace_back(
        KernelArgument{argument.at(".offset"), argument.at(".size"), argument.at(".value_kind")});
    if (read.offset > kernel.argument_bytes || read.bytes > kernel.argument_bytes - read.offset)
      throw Fault("a kernel argument outside of the argument segment");
  }
}

}  // namespace

std::string readable_name(const Kernel& kernel) {
  int status = 0;
  char* name = abi::__cxa_demangle(kernel.name.c_str(), nullptr, nullptr, &status);
  const std::string result = name == nullptr ? kernel.name : name;
  std::free(name);
  return result;
}

CodeObject::CodeObject(std::span<const std::byte> elf) {
  const ElfFile file(elf);
  target_ = target_of(file);
  try {
    load_segments(file);
    read_symbols(file);
    relocate(file);
    for (const Elf64_Phdr& segment : file.segments())
      if (segment.p_type == PT_NOTE) read_notes(file.part(segment.p_offset, segment.p_filesz));
  } catch (...) {
    (void)release(base_);
    throw;
  }
}

CodeObject::~CodeObject() {
  (void)release(base_);
}

const Kernel* CodeObject::find(const std::string& name) const {
  const auto found = kernels_.find(name);
  return found == kernels_.end() ? nullptr : &found->second;
}

void CodeObject::load_segments(const ElfFile& file) {
  constexpr std::uint64_t most = std::uint64_t{1} << 31;
  for (const Elf64_Phdr& segment : file.segments()) {
    if (segment.p_type != PT_LOAD) continue;
    if (segment.p_vaddr > most || segment.p_memsz > most || segment.p_filesz > segment.p_memsz)
      throw Fault("a segment of the code object is too large");
    bytes_ = std::max(bytes_, segment.p_vaddr + segment.p_memsz);
    if ((segment.p_flags & PF_X) == 0) continue;
    text_begin_ = segment.p_vaddr / 4 * 4;
    text_end_ = (segment.p_vaddr + segment.p_memsz) / 4 * 4;
  }
  base_ = allocate(bytes_);
  if (base_ == 0) throw Fault("a code object that cannot be loaded: it is empty or too large");
  image_ = host_view(base_, bytes_);
  std::memset(image_, 0, bytes_);
  for (const Elf64_Phdr& segment : file.segments()) {
    if (segment.p_type != PT_LOAD) continue;
    const std::span<const std::byte> content = file.part(segment.p_offset, segment.p_filesz);
    if (!content.empty()) std::memcpy(image_ + segment.p_vaddr, content.data(), content.size());
  }
}

void CodeObject::read_symbols(const ElfFile& file) {
  const std::vector<Elf64_Shdr> sections = file.sections();
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_SYMTAB && section.sh_type != SHT_DYNSYM) continue;
    if (section.sh_link >= sections.size()) throw Fault("an ELF file whose symbols have no names");
    for (const Elf64_Sym& symbol : file.records<Elf64_Sym>(section)) {
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS) continue;
      symbols_[std::string(file.text(sections[section.sh_link], symbol.st_name))] = symbol.st_value;
      if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
        functions_[symbol.st_value] = symbol.st_value + symbol.st_size;
    }
  }
  if (text_begin_ >= text_end_) throw Fault("a code object without a program");
  instructions_.reset(new Instruction[(text_end_ - text_begin_) / 4]);
}

void CodeObject::relocate(const ElfFile& file) {
  const std::vector<Elf64_Shdr> sections = file.sections();
  for (const Elf64_Shdr& section : sections) {
    if (section.sh_type != SHT_RELA) continue;
    std::vector<Elf64_Sym> symbols;
    if (section.sh_link < sections.size())
      symbols = file.records<Elf64_Sym>(sections[section.sh_link]);
    for (const Elf64_Rela& relocation : file.records<Elf64_Rela>(section)) {
      const auto type = ELF64_R_TYPE(relocation.r_info), symbol = ELF64_R_SYM(relocation.r_info);
      std::uint64_t value = base_ + static_cast<std::uint64_t>(relocation.r_addend);
      if (type == relocation_absolute64 && symbol < symbols.size())
        value += symbols[symbol].st_value;
      else if (type != relocation_relative64)
        throw Fault(fmt::format("relocation type {} is not emulated", type));
      if (relocation.r_offset > bytes_ || bytes_ - relocation.r_offset < sizeof(value))
        throw Fault("a relocation outside of the code object");
      std::memcpy(image_ + relocation.r_offset, &value, sizeof(value));
    }
  }
}

void CodeObject::read_notes(std::span<const std::byte> notes) {
  const auto padded = [](std::uint64_t size) { return (size + 3) / 4 * 4; };
  while (notes.size() >= sizeof(Elf64_Nhdr)) {
    Elf64_Nhdr header;
    std::memcpy(&header, notes.data(), sizeof(header));
    const std::uint64_t content = sizeof(header) + padded(header.n_namesz);
    const std::uint64_t end = content + padded(header.n_descsz);
    if (content + header.n_descsz > notes.size())
      throw Fault("a truncated note in the code object");
    if (header.n_type == metadata_note) read_kernels(notes.subspan(content, header.n_descsz));
    notes = notes.subspan(std::min<std::uint64_t>(end, notes.size()));
  }
}

void CodeObject::read_kernels(std::span<const std::byte> metadata) {
  try {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(metadata.data());
    const nlohmann::json all = nlohmann::json::from_msgpack(bytes, bytes + metadata.size());
    for (const nlohmann::json& described : all.at("amdhsa.kernels")) {
      Kernel kernel;
      kernel.name = described.at(".name");
      kernel.code = this;
      const auto symbol = symbols_.find(described.at(".symbol").get<std::string>());
      if (symbol == symbols_.end()) throw Fault("kernel " + kernel.name + " has no descriptor");
      read_descriptor(kernel, symbol->second, {image_, bytes_});
      kernel.vector_registers = described.value(".vgpr_count", 0u);
      kernel.accumulation_registers = described.value(".agpr_count", 0u);
      kernel.scalar_registers = described.value(".sgpr_count", 0u);
      kernel.largest_workgroup = described.value(".max_flat_workgroup_size", 1024u);
      read_arguments(kernel, described);
      kernels_[kernel.name] = std::move(kernel);
    }
  } catch (const nlohmann::json::exception& error) {
    throw Fault(fmt::format("the code object's metadata cannot be read: {}", error.what()));
  }
}

void CodeObject::prepare(std::uint64_t offset) {
  auto function = functions_.upper_bound(offset);
  if (function == functions_.begin()) return;
  const auto [begin, end] = *--function;
  const std::lock_guard lock(preparing_);
  if (begin % 4 != 0 || begin < text_begin_ || end > text_end_ || begin >= end) return;
  for (std::uint64_t at = begin; at < end; at += 4) {
    Instruction& place = instructions_[(at - text_begin_) / 4];
    if (place.execute != nullptr) continue;
    const auto* words = reinterpret_cast<const std::uint32_t*>(image_ + at);
    place = decode(target_, words, (text_end_ - at) / 4);
    place.address = at;
  }
}

namespace {

// Whether code with this id, such as "hipv4-amdgcn-amd-amdhsa--gfx942:sramecc+", runs on the target. The
// devices have error correction and no replay of page faults (sramecc+, xnack-).
bool runs_on(std::string_view id, Target target) {
  const std::string_view processor = id.substr(std::min(id.size(), id.rfind("--") + 2));
  return id.starts_with("hip") && processor.substr(0, processor.find(':')) == name(target) &&
         processor.find("xnack+") == processor.npos && processor.find("sramecc-") == processor.npos;
}

}  // namespace

std::span<const std::byte> find_code_object(const void* bundle, Target target) {
  const auto* begin = static_cast<const std::byte*>(bundle);
  constexpr std::string_view magic = "__CLANG_OFFLOAD_BUNDLE__";
  if (std::memcmp(begin, "CCOB", 4) == 0)
    throw Fault("the program's code objects are compressed; build it with --no-offload-compress");
  if (std::memcmp(begin, magic.data(), magic.size()) != 0)
    throw Fault("the program's code objects are no offload bundle");
  const auto number = [&](const std::byte* at) {
    std::uint64_t value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  };
  const std::byte* entry = begin + magic.size() + 8;
  for (std::uint64_t left = number(begin + magic.size()); left > 0; --left) {
    const std::uint64_t offset = number(entry), size = number(entry + 8),
                        length = number(entry + 16);
    if (runs_on({reinterpret_cast<const char*>(entry + 24), length}, target))
      return {begin + offset, size};
    entry += 24 + length;
  }
  return {};
}

}  // namespace amd_emulator
