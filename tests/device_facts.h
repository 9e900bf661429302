// SPDX-License-Identifier: Apache-2.0
// What a device is said to be, for tests of sensors.
#pragma once

#include <algorithm>
#include <string>

#include "backends/backend.h"
#include "tests/catch.h"

namespace steelyard {

// The fact of that name; the test fails where there is none.
inline const DeviceFact& find_fact(const DeviceInfo& info, const std::string& name) {
  const auto found = std::ranges::find(info.facts, name, &DeviceFact::name);
  INFO(name);
  REQUIRE(found != info.facts.end());
  return *found;
}

}  // namespace steelyard
