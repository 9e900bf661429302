// SPDX-License-Identifier: Apache-2.0
#include "reports/noise_card.h"

#include <cmath>

#include "reports/json_place.h"
#include "reports/json_writer.h"
#include "reports/open_file.h"

namespace steelyard {
namespace {

constexpr std::string_view form = "steelyard noise 1";

}  // namespace

double NoiseCard::floor(const std::string& row) const {
  const auto found = rows.find(row);
  constexpr double runs = 5;
  return found == rows.end() ? 0 : 2 * found->second.deviation * std::sqrt(2 / runs);
}

std::string to_json(const NoiseCard& card) {
  std::string out;
  JsonWriter json(out);
  json.begin_object(JsonWriter::lines);
  json.member("form", form);
  json.name("rows");
  json.begin_array(JsonWriter::lines);
  for (const auto& [row, noise] : card.rows) {
    json.begin_object();
    json.member("row", row);
    json.member("runs", noise.runs);
    json.member("deviation", noise.deviation);
    json.member("autocorrelation", noise.autocorrelation);
    json.member("bimodality", noise.bimodality);
    json.member("false_alarm_share", noise.false_alarm_share);
    json.end();
  }
  json.end();
  json.end();
  return out + "\n";
}

NoiseCard read_noise_card(const std::filesystem::path& path) {
  NoiseCard card;
  const nlohmann::json document = parse_json(text_of_file(path), path);
  const JsonPlace root(document, path);
  if (!root.has("form") || root.at("form").json() != form)
    root.fail("is no noise card", "name a file that `steelyard noise -o` wrote");
  for (const JsonPlace& row : root.at("rows").elements()) {
    RowNoise& noise = card.rows[row.at("row").text()];
    noise.runs = static_cast<int>(row.at("runs").number());
    noise.deviation = row.at("deviation").number();
    noise.autocorrelation = row.at("autocorrelation").number();
    noise.bimodality = row.at("bimodality").number();
    noise.false_alarm_share = row.at("false_alarm_share").number();
    if (noise.deviation < 0) row.at("deviation").fail("is below 0", "measure the noise again");
  }
  return card;
}

}  // namespace steelyard
