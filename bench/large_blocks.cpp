// SPDX-License-Identifier: Apache-2.0
// Large blocks of the program's own memory are kept and lie in huge pages: inputs and truths of hundreds of
// megabytes are made for every row, and taking them page by page costs more than computing them.
#include "backends/large_blocks.h"

#include <cstdlib>
#include <new>

void* operator new(std::size_t size) {
  void* block = size < steelyard::huge_page ? std::malloc(size == 0 ? 1 : size)
                                            : steelyard::take_large_block(size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void operator delete(void* block) noexcept {
  if (!steelyard::give_back_large_block(block)) std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
  operator delete(block);
}
