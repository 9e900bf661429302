// SPDX-License-Identifier: Apache-2.0
// What devices cost, from a file of the user's: data/prices.toml is a dated example of its form.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace steelyard {

// One way to have a device for an hour.
struct Price {
  std::string gpu;  // a Spec's name
  std::string provider, instance, contract, currency, date, source;
  double per_device_hour = 0;  // rented: price over devices; owned: capital over hours, and power
};

// Throws FileError, naming place and key: of an unknown device, of a price without currency or date, of an
// amount that is not above 0.
std::vector<Price> read_prices(const std::filesystem::path& file);
std::vector<Price> parse_prices(std::string_view text, const std::filesystem::path& file);

}  // namespace steelyard
