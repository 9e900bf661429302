// SPDX-License-Identifier: Apache-2.0
// Claims as text, right and wrong.
#include <cmath>

#include "catch.h"
#include "reports/claims.h"

using namespace steelyard;

namespace {

const std::string good = R"([[claim]]
name = "n"
text = "t"
date = 2023-06-30
source = "s"
band = [0.73, 0.80]
sides = [{ gpu = "A*" }, { gpu = ["B", "C"], phase = "train" }]
)";

// `good` with one line in the place of another, or after it all.
std::string with(const std::string& line, const std::string& instead_of = "") {
  std::string text = good;
  if (instead_of.empty()) return text + line + "\n";
  const std::size_t at = text.find(instead_of);
  return text.replace(at, text.find('\n', at) - at, line);
}

std::string error_of(const std::string& text) {
  try {
    parse_claims(text, "c.toml");
  } catch (const FileError& error) {
    return error.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("a claim says what it is of") {
  const auto claims = parse_claims(
      with("rows = \"gemm/*\"\nquantity = \"share of peak\"\nunit = \"device\""), "c.toml");
  REQUIRE(claims.size() == 1);
  const Claim& claim = claims[0];
  CHECK(claim.name == "n");
  CHECK(claim.date == "2023-06-30");
  CHECK(claim.rows == Globs{"gemm/*"});
  CHECK(claim.band.lower == 0.73);
  CHECK(claim.band.upper == 0.80);
  CHECK(claim.quantity == Claim::Quantity::share_of_peak);
  CHECK_FALSE(claim.per_package);
  REQUIRE(claim.sides.size() == 2);
  CHECK(claim.sides[1].gpus == Globs{"B", "C"});
  CHECK(claim.sides[1].phases == Globs{"train"});
}

TEST_CASE("errors in claims name file, line, key and remedy") {
  CHECK(error_of("[[claim").starts_with("c.toml: line 1: "));
  CHECK(error_of("claim = 1") == "c.toml: line 1: `claim` must be tables; write [[claim]]");
  CHECK(error_of(with("", "text =")) == "c.toml: line 1: `text` is missing; write text = \"...\"");
  CHECK(
      error_of(with("colour = 1")) ==
      "c.toml: line 8: `colour` is not known; there are: name, text, date, source, decides, rows, "
      "tiers, scenarios, quantity, aggregate, fits, unit, band, sides");
  CHECK(error_of(with("date = \"June\"", "date =")) ==
        "c.toml: line 4: a claim without a date in `date`; write date = 2026-12-31, when it was "
        "made");
  CHECK(
      error_of(with("band = [0.8, 0.7]", "band =")).starts_with("c.toml: line 6: `band` must be"));
  CHECK(error_of(with("band = [1]", "band =")).starts_with("c.toml: line 6: `band` must be"));
  CHECK(error_of(with("band = [-1, nan]", "band =")).starts_with("c.toml: line 6: `band` must be"));
  CHECK(
      error_of(with("quantity = \"colour\"")) ==
      "c.toml: line 8: quantity = \"colour\" is not known; there are: speed, utilisation, share of "
      "peak, speed per price");
  CHECK(error_of(with("rows = [1]")) == "c.toml: line 8: `rows` must be texts; quote each");
  CHECK(error_of(with("fits = 1")).starts_with("c.toml: line 8: `fits` must be true or false"));
  CHECK(
      error_of(with("fits = true")).starts_with("c.toml: line 8: `fits` decides rows one by one"));
  CHECK(error_of(with("sides = [{ gpu = \"A\" }]", "sides ="))
            .starts_with("c.toml: line 7: `sides` must be two"));
  CHECK(error_of(with("sides = [{ gpus = \"A\" }]", "sides ="))
            .starts_with("c.toml: line 7: `gpus` is not known"));
  CHECK(error_of(with("aggregate = \"largest batch\""))
            .starts_with("c.toml: line 7: `sides` must be one"));
  CHECK(error_of(good + good) ==
        "c.toml: line 8: there are two claims of the name \"n\"; rename one");
}

TEST_CASE("what a claim would ignore is refused") {
  const auto error = [](const std::string& line) { return error_of(with(line)); };
  CHECK(error("aggregate = \"some\"\nquantity = \"speed per price\"\nfits = true") ==
        "c.toml: line 10: `fits` decides by speed alone; leave out `quantity` or `fits`");
  CHECK(error("aggregate = \"some\"\nquantity = \"share of peak\"\nfits = true")
            .starts_with("c.toml: line 10: `fits` decides by speed alone"));
  CHECK(error("aggregate = \"some\"\nquantity = \"speed\"\nfits = true") == "none");
  CHECK(error("quantity = \"utilisation\"\nunit = \"package\"") ==
        "c.toml: line 9: `unit` of batches and phases is the device they ran on; write unit = "
        "\"device\", or leave it out");
  CHECK(error("quantity = \"utilisation\"\nunit = \"device\"") == "none");
  CHECK(error("quantity = \"utilisation\"\nscenarios = \"*\"") ==
        "c.toml: line 9: `scenarios` are of published numbers, which tell speed alone; leave it "
        "out");
  CHECK(error("quantity = \"share of peak\"\nscenarios = \"*\"")
            .starts_with("c.toml: line 9: `scenarios` are of published"));
  CHECK(error("quantity = \"speed per price\"\nscenarios = \"*\"") == "none");
  CHECK(error_of(with("scenarios = \"*\"\nsides = [{ device = \"cuda:*\" }, { gpu = \"A\" }]",
                      "sides =")) ==
        "c.toml: line 7: `scenarios` are of published numbers, which have a `gpu` and no `device`; "
        "leave it out, or choose sides by gpu or vendor");
}

TEST_CASE("batches are compared on one device, by one quantity") {
  const auto error = [](const std::string& line) {
    return error_of(
        with(line + "\naggregate = \"largest batch\"\nsides = [{ gpu = \"A\" }]", "sides ="));
  };
  CHECK(error("tiers = \"library\"") == "none");
  CHECK(error("quantity = \"utilisation\"")
            .starts_with("c.toml: line 7: `quantity` of batches is model FLOP/s; leave it out"));
  CHECK(error("quantity = \"speed per price\"").starts_with("c.toml: line 7: `quantity` of"));
  CHECK(error("unit = \"package\"").starts_with("c.toml: line 7: `unit` of batches and phases"));
  CHECK(error("scenarios = \"*\"").starts_with("c.toml: line 7: `scenarios` are of published"));
  CHECK(error("fits = true").starts_with("c.toml: line 7: `fits` decides rows one by one"));
}

TEST_CASE("the claims that are shipped can be read, and each can be decided either way") {
  const auto claims = shipped_claims();
  CHECK(claims.size() >= 8);
  for (const Claim& claim : claims) {
    INFO(claim.name);
    CHECK_FALSE(claim.decides.empty());
    CHECK(claim.band.lower > 0);  // else nothing could contradict it
  }
}
