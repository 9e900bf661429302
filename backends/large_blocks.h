// SPDX-License-Identifier: Apache-2.0
// Large blocks of the host's memory, in huge pages where the system has them.
//
// A system clears every page before it gives it out, and a virtual machine may have to find it first: that
// takes longer than most of what is computed in it. What is given back is therefore kept for the next
// block: blocks in use and kept ones together never take more than those in use at once have taken, but for
// parts of huge pages. Nothing is kept on machines with several NUMA nodes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace steelyard {

inline constexpr std::size_t huge_page = std::size_t{2} << 20;

// A block aligned to a huge page, a smaller one to a page; it may hold what it held before. Null where the
// system has no room. Any thread may take and give back.
void* take_large_block(std::size_t bytes) noexcept;
// False, with nothing done, for what is no such block.
bool give_back_large_block(void* block) noexcept;

// Bytes that are kept: free, but not to the rest of the system.
std::int64_t kept_large_block_bytes() noexcept;

}  // namespace steelyard
