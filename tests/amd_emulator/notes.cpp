// SPDX-License-Identifier: Apache-2.0
#include "tests/amd_emulator/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace amd_emulator {

bool noting = false;

namespace {

constexpr std::uint64_t lines_of_page = page_bytes / line_bytes, word_bytes = 4;
using Content = std::array<std::byte, page_bytes>;

// What one thread has touched of a page.
struct Touched {
  std::bitset<lines_of_page> read, written;
  std::bitset<page_bytes / word_bytes> summed;  // by floating-point atomics

  void add(const Touched& other) {
    read |= other.read;
    written |= other.written;
    summed |= other.summed;
  }
};
// A page as the journal keeps it.
struct Kept {
  std::byte* host;
  std::unique_ptr<Content> before, after;
};

// By the number of the page on the device.
struct Notes {
  std::mutex mutex;
  std::unordered_map<std::uint64_t, Touched> touched;
  std::unordered_map<std::uint64_t, Kept> journal;
  bool lines_counted = false, journal_kept = false;

  void set_noting() {
    noting = lines_counted || journal_kept;
    if (!noting) touched.clear();
  }
};
Notes notes;

// Of this thread, until it hands them in. Accesses come to the same page again and again.
thread_local std::unordered_map<std::uint64_t, Touched> own;
thread_local std::uint64_t last_number = 0;
thread_local Touched* last = nullptr;

Touched& own_page(std::uint64_t number) {
  if (last == nullptr || number != last_number) {
    last = &own[number];
    last_number = number;
  }
  return *last;
}

std::unique_ptr<Content> copy_of(const std::byte* host) {
  auto content = std::make_unique<Content>();
  std::memcpy(content->data(), host, page_bytes);
  return content;
}

// Before this thread writes to a page for the first time. Another one may have done so, and has then kept
// the page.
void keep(std::uint64_t number, std::byte* host) {
  const std::lock_guard lock(notes.mutex);
  Kept& kept = notes.journal[number];
  if (kept.before == nullptr) kept = {host, copy_of(host), nullptr};
}

// A part of an access that lies in one page, at `offset`.
void note(std::uint64_t number, std::byte* host_page, std::uint64_t offset, std::uint64_t bytes,
          Access access) {
  Touched& page = own_page(number);
  const bool writes = access != Access::read, reads = access != Access::write;
  if (writes && notes.journal_kept && page.written.none()) keep(number, host_page);
  for (std::uint64_t line = offset / line_bytes; line <= (offset + bytes - 1) / line_bytes;
       ++line) {
    if (reads) page.read.set(line);
    if (writes) page.written.set(line);
  }
  if (access == Access::float_atomic)
    for (std::uint64_t word = offset / word_bytes; word <= (offset + bytes - 1) / word_bytes;
         ++word)
      page.summed.set(word);
}

bool is_summed(std::uint64_t number, std::uint64_t word) {
  const auto found = notes.touched.find(number);
  return found != notes.touched.end() && found->second.summed.test(word);
}

// Empty where there is none. Of a page that the first run left alone, `after` is what was there before.
std::string difference(std::uint64_t number, const Kept& page) {
  const Content& expected = page.after != nullptr ? *page.after : *page.before;
  if (std::memcmp(expected.data(), page.host, page_bytes) == 0) return "";
  for (std::uint64_t word = 0; word < page_bytes / word_bytes; ++word) {
    std::uint32_t first, second;
    std::memcpy(&first, expected.data() + word * word_bytes, word_bytes);
    std::memcpy(&second, page.host + word * word_bytes, word_bytes);
    if (first != second && !is_summed(number, word))
      return fmt::format(
          "the word at {:#x} becomes {:#010x} in one order of the waves and workgroups "
          "and {:#010x} in the other",
          number * page_bytes + word * word_bytes, first, second);
  }
  return "";
}

}  // namespace

// A page of the device is a page of the host.
void note_access(std::uint64_t address, std::byte* host, unsigned bytes, Access access) {
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t at = address + done, offset = at % page_bytes;
    const std::uint64_t part = std::min<std::uint64_t>(bytes - done, page_bytes - offset);
    note(at / page_bytes, host + done - offset, offset, part, access);
    done += part;
  }
}

void hand_in_notes() {
  const std::lock_guard lock(notes.mutex);
  for (const auto& [number, touched] : own) notes.touched[number].add(touched);
  own.clear();
  last = nullptr;
}

void begin_counting_lines() {
  notes.lines_counted = true;
  notes.set_noting();
}
void disregard(std::uint64_t address) {
  notes.touched.erase(address / page_bytes);
}
TouchedBytes end_counting_lines() {
  TouchedBytes bytes = {};
  for (const auto& [number, touched] : notes.touched) {
    bytes.read += touched.read.count() * line_bytes;
    bytes.written += touched.written.count() * line_bytes;
  }
  notes.lines_counted = false;
  notes.set_noting();
  return bytes;
}

void begin_journal() {
  notes.journal_kept = true;
  notes.set_noting();
}
void rewind_journal() {
  for (auto& [number, page] : notes.journal) {
    page.after = copy_of(page.host);
    std::memcpy(page.host, page.before->data(), page_bytes);
  }
}
std::string compare_with_journal() {
  std::string result;
  for (const auto& [number, page] : notes.journal)
    if (result.empty()) result = difference(number, page);
  notes.journal.clear();
  notes.journal_kept = false;
  notes.set_noting();
  return result;
}

}  // namespace amd_emulator
