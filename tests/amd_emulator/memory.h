// SPDX-License-Identifier: Apache-2.0
// The device's memory. Its addresses are no addresses of the host: a program that follows one ends as
// it would without unified memory. Every access of a kernel must lie in one allocation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace amd_emulator {

// What nobody has written holds these bytes: NaN in every floating-point type, -1 as an index.
inline constexpr std::byte poison{0xff};

// The unit of traffic between a compute unit and its caches, and of the L2 cache, on both targets.
inline constexpr std::uint64_t line_bytes = 128;

// Allocations begin at multiples of it, on the device as on the host.
inline constexpr std::uint64_t page_bytes = 4096;

enum class Access : std::uint8_t { read, write, atomic, float_atomic };

// Device memory of `bytes`, poisoned; 0 where the device or the host has no
// more.
std::uint64_t allocate(std::size_t bytes);
// The same, which the host may use too: at the address that is returned.
void* allocate_pinned(std::size_t bytes);
// Whether it was an allocation's beginning.
bool release(std::uint64_t address);

// What the devices have in all, and of it what is free, here and on the host.
void set_capacity(std::size_t bytes);
std::size_t free_bytes();

// Whether the address lies in the range that device memory is given from: no pointer of the host does.
bool is_device_address(std::uint64_t address);

// The host's view of [address, address + bytes); null unless it lies in one allocation.
std::byte* host_view(std::uint64_t address, std::size_t bytes);

// The same for a kernel, which moves elements of `element_bytes`: throws Fault, and notes what the launch
// asked to be noted. Elements of 4 bytes and more are aligned to 4, as the hardware wants it, smaller ones and those of
// atomic operations to their size.
std::byte* reach(std::uint64_t address, unsigned bytes, unsigned element_bytes, Access access);

}  // namespace amd_emulator
