// SPDX-License-Identifier: Apache-2.0
// How much the rows of a machine differ between runs of the same program: what `steelyard noise`
// found, and compare and gate take as floors.
#pragma once

#include <filesystem>
#include <map>
#include <string>

namespace steelyard {

struct RowNoise {
  int runs = 0;
  double deviation = 0;          // between runs, relative
  double autocorrelation = 0;    // of successive runs
  double bimodality = 0;         // Ashman's D of the runs
  double false_alarm_share = 0;  // of random divisions of the runs that would be a regression
};

struct NoiseCard {
  std::map<std::string, RowNoise> rows;

  // Twice the standard deviation of a difference between five runs and five: what noise alone rarely
  // exceeds. 0 for rows that the card does not have.
  double floor(const std::string& row) const;
};

std::string to_json(const NoiseCard& card);
NoiseCard read_noise_card(const std::filesystem::path& path);  // throws FileError

}  // namespace steelyard
