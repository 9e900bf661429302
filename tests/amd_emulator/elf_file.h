// SPDX-License-Identifier: Apache-2.0
// The parts of an ELF file in memory. Every part that is asked for is checked to lie in the file.
#pragma once

#include <elf.h>

#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "tests/amd_emulator/fault.h"

namespace amd_emulator {

class ElfFile {
 public:
  // Throws Fault where it is no 64-bit ELF file.
  explicit ElfFile(std::span<const std::byte> bytes) : bytes_(bytes) {
    header_ = at<Elf64_Ehdr>(0);
    if (std::memcmp(header_.e_ident, ELFMAG, SELFMAG) != 0 ||
        header_.e_ident[EI_CLASS] != ELFCLASS64)
      throw Fault("no ELF file");
  }

  const Elf64_Ehdr& header() const { return header_; }
  std::vector<Elf64_Phdr> segments() const {
    return array<Elf64_Phdr>(header_.e_phoff, header_.e_phnum);
  }
  std::vector<Elf64_Shdr> sections() const {
    return array<Elf64_Shdr>(header_.e_shoff, header_.e_shnum);
  }
  // The records that a section consists of.
  template <class T>
  std::vector<T> records(const Elf64_Shdr& section) const {
    return array<T>(section.sh_offset, section.sh_size / sizeof(T));
  }
  std::string_view text(const Elf64_Shdr& strings, std::size_t offset) const {
    const std::span<const std::byte> all = part(strings.sh_offset, strings.sh_size);
    if (offset >= all.size()) throw Fault("an ELF file with a name outside of its strings");
    const char* begin = reinterpret_cast<const char*>(all.data()) + offset;
    return {begin, strnlen(begin, all.size() - offset)};
  }

  std::span<const std::byte> part(std::size_t offset, std::size_t size) const {
    if (offset > bytes_.size() || size > bytes_.size() - offset)
      throw Fault("a truncated ELF file");
    return bytes_.subspan(offset, size);
  }
  template <class T>
  T at(std::size_t offset) const {
    T value;
    std::memcpy(&value, part(offset, sizeof(T)).data(), sizeof(T));
    return value;
  }

 private:
  template <class T>
  std::vector<T> array(std::size_t offset, std::size_t count) const {
    if (count > bytes_.size() / sizeof(T)) throw Fault("a truncated ELF file");
    std::vector<T> values(count);
    const std::span<const std::byte> source = part(offset, count * sizeof(T));
    if (count > 0) std::memcpy(values.data(), source.data(), source.size());
    return values;
  }

  std::span<const std::byte> bytes_;
  Elf64_Ehdr header_;
};

}  // namespace amd_emulator
