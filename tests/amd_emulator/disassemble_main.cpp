// SPDX-License-Identifier: Apache-2.0
// Prints the instructions whose words are on the standard input: a line of up to three hexadecimal words
// each, answered by the number of bytes and the text. Usage: amd_emulator_disassemble gfx90a|gfx942
#include <cstdio>
#include <cstring>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/amd_emulator/instruction.h"

int main(int count, char** arguments) {
  using amd_emulator::Target;
  Target target = Target::gfx90a;
  if (count == 2 && std::strcmp(arguments[1], name(Target::gfx942)) == 0) {
    target = Target::gfx942;
  } else if (count != 2 || std::strcmp(arguments[1], name(target)) != 0) {
    std::fprintf(stderr, "usage: amd_emulator_disassemble gfx90a|gfx942\n");
    return 2;
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream stream(line);
    std::vector<std::uint32_t> words;
    for (std::uint32_t word; stream >> std::hex >> word;) words.push_back(word);
    const amd_emulator::Instruction it = decode(target, words.data(), words.size());
    std::printf("%d %s\n", it.words * 4, disassemble(target, it).c_str());
  }
  return 0;
}
