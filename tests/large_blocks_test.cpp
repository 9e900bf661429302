// SPDX-License-Identifier: Apache-2.0
#include "backends/large_blocks.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "backends/host_bytes.h"
#include "tests/catch.h"

using namespace steelyard;

namespace {

constexpr auto page = std::size_t{4096};

std::byte* take(std::size_t bytes) {
  return static_cast<std::byte*>(take_large_block(bytes));
}

// On machines with several NUMA nodes, and under the address sanitizer, nothing is.
bool are_kept() {
  give_back_large_block(take_large_block(huge_page));
  return kept_large_block_bytes() >= static_cast<std::int64_t>(huge_page);
}

// To the system, since a block larger than all of them takes their place.
void release_kept() {
  give_back_large_block(
      take_large_block(static_cast<std::size_t>(kept_large_block_bytes()) + huge_page));
}

}  // namespace

TEST_CASE("a block that was given back is taken again") {
  if (!are_kept()) return;
  release_kept();
  std::byte* const first = take(8 * huge_page);
  std::memset(first, 7, 8 * huge_page);
  const std::int64_t kept = kept_large_block_bytes();
  REQUIRE(give_back_large_block(first));
  CHECK(kept_large_block_bytes() == kept + static_cast<std::int64_t>(8 * huge_page));
  std::byte* const smaller = take(3 * huge_page);
  CHECK(smaller == first);
  CHECK(smaller[0] == std::byte{7});
  std::byte* const rest = take(5 * huge_page);
  CHECK(rest == first + 3 * huge_page);
  give_back_large_block(smaller);
  give_back_large_block(rest);
  CHECK(take(8 * huge_page) == first);  // neighbours are one again
  give_back_large_block(first);
}

TEST_CASE("no more is kept than was in use at once") {
  release_kept();
  std::vector<std::byte*> blocks;
  const std::int64_t before = kept_large_block_bytes();
  for (int i = 0; i < 8; ++i) blocks.push_back(take(2 * huge_page));
  for (int i = 0; i < 8; i += 2) give_back_large_block(blocks[i]);  // none beside another
  std::byte* const large = take(4 * huge_page);                     // fits in none of them
  CHECK(kept_large_block_bytes() - before <= static_cast<std::int64_t>(4 * huge_page));
  give_back_large_block(large);
  for (int i = 1; i < 8; i += 2) give_back_large_block(blocks[i]);
}

TEST_CASE("what is no block is left alone") {
  std::byte* const block = take(2 * huge_page);
  std::vector<std::byte> other(3 * page);
  const auto address = reinterpret_cast<std::uintptr_t>(other.data());
  CHECK_FALSE(give_back_large_block(other.data() + (page - address % page)));
  CHECK_FALSE(give_back_large_block(block + page));
  CHECK_FALSE(give_back_large_block(block + 1));
  CHECK_FALSE(give_back_large_block(nullptr));
  CHECK(give_back_large_block(block));
  CHECK_FALSE(give_back_large_block(block));
}

TEST_CASE("a size that no system has is refused") {
  CHECK(take_large_block(std::numeric_limits<std::size_t>::max()) == nullptr);
  CHECK(take_large_block(std::numeric_limits<std::size_t>::max() - 4 * huge_page) == nullptr);
}

TEST_CASE("blocks are aligned and never overlap") {
  std::mt19937 random(42);
  struct Block {
    std::byte* data;
    std::size_t bytes;
    std::byte mark;
  };
  std::vector<Block> blocks;
  const auto end = [&](std::size_t i) {
    const auto [data, bytes, mark] = blocks[i];
    CHECK(std::all_of(data, data + bytes, [mark = mark](std::byte b) { return b == mark; }));
    REQUIRE(give_back_large_block(data));
    blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(i));
  };
  for (int i = 0; i < 2000; ++i) {
    if (blocks.size() > 20 || (!blocks.empty() && random() % 3 == 0)) end(random() % blocks.size());
    const std::size_t bytes =
        random() % 2 == 0 ? random() % (8 * page) : random() % (2 * huge_page + page);
    blocks.push_back({take(bytes), bytes, static_cast<std::byte>(i)});
    REQUIRE(blocks.back().data != nullptr);
    const auto address = reinterpret_cast<std::uintptr_t>(blocks.back().data);
    CHECK(address % (bytes < huge_page ? page : huge_page) == 0);
    std::memset(blocks.back().data, i, bytes);
  }
  while (!blocks.empty()) end(blocks.size() - 1);
}

TEST_CASE("several threads take and give back") {
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 1; t <= 4; ++t)
    threads.emplace_back([t, &wrong] {
      for (int i = 0; i < 200; ++i) {
        const std::size_t bytes = page * static_cast<std::size_t>(1 + (t * i) % 700);
        std::byte* const block = take(bytes);
        std::memset(block, t, bytes);
        if (block[0] != std::byte(t) || block[bytes - 1] != std::byte(t)) ++wrong;
        if (!give_back_large_block(block)) ++wrong;
      }
    });
  threads.clear();
  CHECK(wrong == 0);
}

TEST_CASE("copies of bytes on the host share them until one is written to") {
  HostBytes bytes(16);
  std::ranges::fill(std::span(bytes.data(), 16), std::byte{1});
  HostBytes copy = bytes;
  const HostBytes &read = bytes, &also = copy;
  CHECK(read.data() == also.data());
  copy[3] = std::byte{2};
  CHECK(read.data() != also.data());
  CHECK(read.begin()[3] == std::byte{1});
  CHECK(also.begin()[3] == std::byte{2});
  CHECK_FALSE(bytes == copy);
  copy[3] = std::byte{1};
  CHECK(bytes == copy);
  CHECK(HostBytes().empty());
  const HostBytes taken = std::move(copy);
  CHECK(taken.size() == 16);
  CHECK(copy.empty());  // NOLINT: what is moved from has nothing

  std::byte elsewhere[4] = {};
  HostBytes borrowed = HostBytes::borrowed(elsewhere, 4);
  CHECK(std::as_const(borrowed).data() == elsewhere);
  borrowed[0] = std::byte{9};  // into a copy
  CHECK(elsewhere[0] == std::byte{0});
  CHECK(borrowed.begin()[0] == std::byte{9});
}
