// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/notes.h"

#include <fmt/format.h>

#include <array>
#include <bitset>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace amd_emulator {

bool noting = false;

namespace {

constexpr std::uint64_t page_bytes = 4096, lines_of_page = page_bytes / line_bytes, word_bytes = 4;
using Content = std::array<std::byte, page_bytes>;

struct Page {
  std::byte* host = nullptr;
  std::bitset<lines_of_page> read, written;
  std::unique_ptr<Content> before, after;       // of the journal
  std::bitset<page_bytes / word_bytes> summed;  // by floating-point atomics
};

// By the number of the page. Few threads note anything at a time, and each keeps to its pages: one lock
// for all of them.
std::mutex mutex;
std::unordered_map<std::uint64_t, Page> pages;
bool lines_counted = false, journal_kept = false;

void set_noting() {
  noting = lines_counted || journal_kept;
}
void forget_pages() {
  if (!noting) pages.clear();
}

std::unique_ptr<Content> copy_of(const std::byte* host) {
  auto content = std::make_unique<Content>();
  std::memcpy(content->data(), host, page_bytes);
  return content;
}

// A part of an access that lies in one page, at `offset`.
void note(Page& page, std::byte* host_page, std::uint64_t offset, std::uint64_t bytes,
          Access access) {
  page.host = host_page;
  const bool writes = access != Access::read, reads = access != Access::write;
  for (std::uint64_t line = offset / line_bytes; line <= (offset + bytes - 1) / line_bytes;
       ++line) {
    if (reads) page.read.set(line);
    if (writes) page.written.set(line);
  }
  if (journal_kept && writes && page.before == nullptr) page.before = copy_of(host_page);
  if (access == Access::float_atomic)
    for (std::uint64_t word = offset / word_bytes; word <= (offset + bytes - 1) / word_bytes;
         ++word)
      page.summed.set(word);
}

std::string difference(std::uint64_t number, const Page& page, const Content& expected,
                       std::uint64_t word) {
  std::uint32_t first, second;
  std::memcpy(&first, expected.data() + word * word_bytes, word_bytes);
  std::memcpy(&second, page.host + word * word_bytes, word_bytes);
  return fmt::format(
      "the word at {:#x} becomes {:#010x} in one order of the waves and workgroups and "
      "{:#010x} in the other",
      number * page_bytes + word * word_bytes, first, second);
}

}  // namespace

// Allocations begin at pages, on the device as on the host: a page of one is a page of the other.
void note_access(std::uint64_t address, std::byte* host, unsigned bytes, Access access) {
  const std::lock_guard lock(mutex);
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t at = address + done, offset = at % page_bytes;
    const std::uint64_t part = std::min<std::uint64_t>(bytes - done, page_bytes - offset);
    note(pages[at / page_bytes], host + done - offset, offset, part, access);
    done += part;
  }
}

void begin_counting_lines() {
  lines_counted = true;
  set_noting();
}
TouchedBytes end_counting_lines() {
  TouchedBytes touched = {};
  for (const auto& [number, page] : pages) {
    touched.read += page.read.count() * line_bytes;
    touched.written += page.written.count() * line_bytes;
  }
  lines_counted = false;
  set_noting();
  forget_pages();
  return touched;
}

void begin_journal() {
  journal_kept = true;
  set_noting();
}
void rewind_journal() {
  for (auto& [number, page] : pages) {
    if (page.before == nullptr) continue;
    page.after = copy_of(page.host);
    std::memcpy(page.host, page.before->data(), page_bytes);
  }
}
std::string compare_with_journal() {
  std::string result;
  for (const auto& [number, page] : pages) {
    if (page.before == nullptr || !result.empty()) continue;
    // Of a page that the first run left alone it is what was there.
    const Content& expected = page.after != nullptr ? *page.after : *page.before;
    for (std::uint64_t word = 0; word < page_bytes / word_bytes && result.empty(); ++word)
      if (!page.summed.test(word) && std::memcmp(expected.data() + word * word_bytes,
                                                 page.host + word * word_bytes, word_bytes) != 0)
        result = difference(number, page, expected, word);
  }
  journal_kept = false;
  set_noting();
  forget_pages();
  return result;
}

}  // namespace amd_emulator
