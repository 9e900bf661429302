// SPDX-License-Identifier: Apache-2.0
// Where the lanes of a memory instruction find their data. An address space offers
//   Space(wave, it, bytes, access)    for instructions that move `bytes` a lane
//   together()       the quick way: places of all lanes that take part, if one allocation has them
//   whole(lane)      the host's view of all bytes; null where they must be taken word by word
//   word(lane, i)    of the i-th 32 bits, or of the bytes of a smaller element; null where nothing is:
//                    reads give zeros there, writes are lost
#pragma once

#include <algorithm>

#include "tests/amd_emulator/memory.h"
#include "tests/amd_emulator/numbers.h"
#include "tests/amd_emulator/operands.h"
#include "tests/amd_emulator/wave.h"

namespace amd_emulator {

// What lanes touch of global memory, in lines.
void count_lines(Wave& wave, const u64 (&addresses)[lanes], unsigned bytes);

// Private memory: the words of the lanes of a wave lie side by side, as the hardware swizzles them.
std::byte* private_word(Wave& wave, int lane, u64 offset, unsigned bytes);
// Local memory by a generic pointer.
std::byte* local_bytes(Wave& wave, u64 address, unsigned bytes, Access access);

// Data of lanes that one allocation holds.
class Together {
 public:
  Together() = default;
  Together(const u64* addresses, std::byte* host, u64 address)
      : addresses_(addresses), translation_(reinterpret_cast<u64>(host) - address) {}

  explicit operator bool() const { return addresses_ != nullptr; }
  std::byte* operator[](int lane) const {
    return reinterpret_cast<std::byte*>(addresses_[lane] + translation_);
  }

 private:
  const u64* addresses_ = nullptr;
  u64 translation_ = 0;  // from device addresses to where this process sees them
};

// Notes the accesses. None where the slow way, lane by lane, must find out what is wrong.
Together find_together(const Wave& wave, const Lanes64& addresses, unsigned bytes, Access access);

class GlobalSpace {
 public:
  GlobalSpace(Wave& wave, const Instruction& it, unsigned bytes, Access access)
      : wave_(wave), bytes_(bytes), access_(access) {
    const u32* low_half = wave.v[it.address_register];
    const auto offset = static_cast<u64>(static_cast<i64>(it.immediate));
    if (it.scalar_address == no_scalar_address) {
      const u32* high_half = wave.v[it.address_register + 1];
      for (int lane = 0; lane < lanes; ++lane)
        address_.value[lane] = pair(low_half[lane], high_half[lane]) + offset;
    } else {
      const u64 base = pair(wave.s[it.scalar_address], wave.s[it.scalar_address + 1]) + offset;
      for (int lane = 0; lane < lanes; ++lane) address_.value[lane] = base + low_half[lane];
    }
    if (counting()) [[unlikely]]
      count_lines(wave, address_.value, bytes);
  }

  Together together() const { return find_together(wave_, address_, bytes_, access_); }
  std::byte* whole(int lane) { return reach(address_.value[lane], bytes_, bytes_, access_); }
  std::byte* word(int lane, int i) {
    const unsigned bytes = std::min(bytes_, 4u);
    return reach(address_.value[lane] + 4u * static_cast<unsigned>(i), bytes, bytes, access_);
  }

 protected:
  Wave& wave_;
  unsigned bytes_;
  Access access_;
  Lanes64 address_;
};

// Generic pointers: into global, local or private memory.
class FlatSpace : public GlobalSpace {
 public:
  using GlobalSpace::GlobalSpace;

  std::byte* whole(int lane) {
    const u64 address = address_.value[lane], aperture = address >> 32 << 32;
    if (aperture == private_aperture) return nullptr;
    if (aperture == local_aperture) return local_bytes(wave_, low(address), bytes_, access_);
    return GlobalSpace::whole(lane);
  }
  std::byte* word(int lane, int i) {
    return private_word(wave_, lane, low(address_.value[lane]) + 4u * static_cast<unsigned>(i),
                        std::min(bytes_, 4u));
  }
};

class ScratchSpace {
 public:
  ScratchSpace(Wave& wave, const Instruction& it, unsigned bytes, Access)
      : wave_(wave), bytes_(bytes) {
    const u32 base = it.scalar_address == no_scalar_address ? 0 : wave.s[it.scalar_address];
    const auto offset = base + static_cast<u32>(it.immediate);
    for (int lane = 0; lane < lanes; ++lane)
      offset_.value[lane] =
          offset + (it.scratch_vector_address != 0 ? wave.v[it.address_register][lane] : 0);
  }

  Together together() const { return {}; }
  std::byte* whole(int) { return nullptr; }
  std::byte* word(int lane, int i) {
    return private_word(wave_, lane, offset_.value[lane] + 4u * static_cast<unsigned>(i),
                        std::min(bytes_, 4u));
  }

 private:
  Wave& wave_;
  unsigned bytes_;
  Lanes32 offset_;
};

// Untyped buffers by a descriptor in scalar registers: raw ones, whose end the hardware checks, and the
// swizzled one of private memory on gfx90a.
class BufferSpace {
 public:
  BufferSpace(Wave& wave, const Instruction& it, unsigned bytes, Access access);

  Together together() const {
    for (const u64 address : address_.value)
      if (address + bytes_ > end_) return {};
    return find_together(wave_, address_, bytes_, access_);
  }
  std::byte* whole(int lane) {
    const u64 address = address_.value[lane];
    return address + bytes_ > end_ ? nullptr : reach(address, bytes_, bytes_, access_);
  }
  std::byte* word(int lane, int i) {
    const unsigned bytes = std::min(bytes_, 4u);
    const u64 address = address_.value[lane] + 4u * static_cast<unsigned>(i);
    if (swizzled_) return private_word(wave_, lane, address, bytes);
    return address + bytes > end_ ? nullptr : reach(address, bytes, bytes, access_);
  }

 private:
  Wave& wave_;
  unsigned bytes_;
  Access access_;
  bool swizzled_;
  u64 end_;          // behind it nothing is; a swizzled buffer has none
  Lanes64 address_;  // of a swizzled buffer an offset in the lane's private memory
};

}  // namespace amd_emulator
