// SPDX-License-Identifier: Apache-2.0
// What the adapters of the vendors' libraries share: whether a library can be asked at all, and its
// complaints.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <string_view>

#include "backends/backend.h"
#include "backends/gpu/gpu.h"
#include "backends/library.h"

namespace steelyard::gpu {

// Why a library cannot be used on a device; empty if it can. An emulated device's memory is the
// host's, which no vendor's library may touch: one that may exports this name.
inline std::string obstacle(const Library& library, const DeviceInfo& info) {
  if (!library.missing().empty()) return library.missing();
  if (info.emulated && library.find_optional<void>("steelyard_runs_on_emulated_devices") == nullptr)
    return "a vendor's library does not run on an emulated device";
  return {};
}

// A library's refusal.
struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws Refused with the library's own word for any status but 0, which is success everywhere.
// `which` is the number of the attribute or descriptor that it is about, if any.
template <class Api>
void check(const Api& api, int status, std::string_view what, int which = -1) {
  if (status == 0) return;
  const std::string subject = which < 0 ? std::string(what) : fmt::format("{} {}", what, which);
  throw Refused(fmt::format("{}: {} ({})", subject, api.name(status), status));
}

// The answer to a problem that a library has refused while it was asked.
template <class Ask>
Support ask(const Ask& ask_library) {
  try {
    return ask_library();
  } catch (const Refused& refusal) {
    return {Support::no, refusal.what()};
  }
}

}  // namespace steelyard::gpu
