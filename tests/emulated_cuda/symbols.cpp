// SPDX-License-Identifier: Apache-2.0
#include "tests/emulated_cuda/symbols.h"

#include <cxxabi.h>
#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace emulated_cuda {
namespace {

constexpr std::string_view shared_tag = "B15emulated_shared";  // the ABI tag of __shared__, mangled

struct Variable {
  std::string name;
  std::span<std::byte> bytes;
};

struct Symbols {
  std::map<std::uintptr_t, std::string> functions;
  std::vector<Variable> shared;
  std::vector<std::span<std::byte>> shared_bytes;
};

std::uintptr_t load_address() {
  std::uintptr_t base = 0;
  const auto first = [](dl_phdr_info* info, std::size_t, void* found) {
    *static_cast<std::uintptr_t*>(found) = info->dlpi_addr;
    return 1;  // the program itself comes first
  };
  dl_iterate_phdr(first, &base);
  return base;
}

void add(Symbols& symbols, const Elf64_Sym& symbol, const char* name) {
  const std::uintptr_t address = load_address() + symbol.st_value;
  if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC) symbols.functions.emplace(address, name);
  if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT ||
      std::string_view(name).find(shared_tag) == std::string_view::npos)
    return;
  symbols.shared.push_back({name, {reinterpret_cast<std::byte*>(address), symbol.st_size}});
  symbols.shared_bytes.push_back(symbols.shared.back().bytes);
}

Symbols read_symbols() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  const std::vector<char> image((std::istreambuf_iterator<char>(file)), {});
  const auto* header = reinterpret_cast<const Elf64_Ehdr*>(image.data());
  const auto* sections = reinterpret_cast<const Elf64_Shdr*>(image.data() + header->e_shoff);
  Symbols symbols;
  for (int i = 0; i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const char* names = image.data() + sections[sections[i].sh_link].sh_offset;
    const auto* entries = reinterpret_cast<const Elf64_Sym*>(image.data() + sections[i].sh_offset);
    for (std::size_t j = 0; j < sections[i].sh_size / sizeof *entries; ++j)
      add(symbols, entries[j], names + entries[j].st_name);
  }
  if (symbols.functions.empty())
    throw std::runtime_error("this program has no symbol table: its shared memory cannot be found");
  return symbols;
}

const Symbols& all_symbols() {
  static const Symbols symbols = read_symbols();
  return symbols;
}

const std::string* mangled_name(const void* address) {
  const auto found = all_symbols().functions.find(reinterpret_cast<std::uintptr_t>(address));
  return found == all_symbols().functions.end() ? nullptr : &found->second;
}

std::string demangle(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status), std::free);
  return text ? text.get() : name;
}

}  // namespace

std::string function_name(const void* address) {
  const std::string* name = mangled_name(address);
  return name ? demangle(*name) : fmt::format("{}", address);
}

std::string variable_name(const std::byte* address) {
  for (const Variable& variable : all_symbols().shared)
    if (variable.bytes.data() == address) return demangle(variable.name);
  return fmt::format("{}", static_cast<const void*>(address));
}

std::span<const std::span<std::byte>> shared_variables() {
  return all_symbols().shared_bytes;
}

std::size_t shared_bytes_of(const void* function) {
  const std::string* name = mangled_name(function);
  if (!name || !name->starts_with("_Z")) return 0;
  const std::string prefix = "_ZZ" + name->substr(2) + "E";  // a local entity of that function
  std::size_t bytes = 0;
  for (const Variable& variable : all_symbols().shared)
    if (variable.name.starts_with(prefix)) bytes += variable.bytes.size();
  return bytes;
}

}  // namespace emulated_cuda
