// SPDX-License-Identifier: Apache-2.0
// Large blocks of the host's memory lie in huge pages: inputs and truths of hundreds of megabytes are
// made for every row, and taking them page by page costs more than computing them, on virtual machines
// many times as much.
#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;

}  // namespace

void* operator new(std::size_t size) {
  void* block = nullptr;
  if (size < 2 * huge_page) {
    block = std::malloc(size == 0 ? 1 : size);
  } else if (size <= static_cast<std::size_t>(-1) - huge_page) {
    const std::size_t whole = (size + huge_page - 1) / huge_page * huge_page;
    block = std::aligned_alloc(huge_page, whole);
    if (block != nullptr) (void)madvise(block, whole, MADV_HUGEPAGE);  // a hint
  }
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

void operator delete(void* block) noexcept {
  std::free(block);
}

void operator delete(void* block, std::size_t) noexcept {
  std::free(block);
}
