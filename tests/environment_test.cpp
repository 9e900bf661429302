// SPDX-License-Identifier: Apache-2.0
// How the facts of a device reach the result file and what decides whether two rows are comparable.
#include "bench/environment.h"

#include <algorithm>

#include "tests/catch.h"

using namespace steelyard;

namespace {

class FactualDevice final : public Device {
 public:
  const DeviceInfo& info() const override { return info_; }
  std::int64_t free_bytes() const override { return 0; }
  Elapsed time(Run&, const Window&) override { return {}; }
  HostTensor read(const Tensor&) override { return {}; }

 private:
  DeviceInfo info_ = {
      .backend = "hip",
      .facts = {{.name = "ecc", .value = "on"},
                {.name = "compute_partition", .reason = "not supported"},
                {.name = "pcie_width", .value = "16", .use = DeviceFact::note},
                {.name = "package", .value = "PCB0123", .use = DeviceFact::identity}}};
};

const Scalar* find(const Fields& fields, const std::string& name) {
  const auto found = std::ranges::find(fields, name, &Fields::value_type::first);
  return found == fields.end() ? nullptr : &found->second;
}

Fields recorded(const Options& options) {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<FactualDevice>());
  std::string program = "steelyard-gemm";
  char* argv[] = {program.data()};
  return capture_environment("gemm", options, devices, {}, 1, argv).devices.at(0);
}

}  // namespace

TEST_CASE("All facts of a device are recorded, absent ones with the reason") {
  const Fields device = recorded({});
  CHECK(*find(device, "ecc") == Scalar("on"));
  CHECK(*find(device, "compute_partition") == Scalar());
  CHECK(*find(device, "compute_partition_reason") == Scalar("not supported"));
  CHECK(*find(device, "pcie_width") == Scalar("16"));
  CHECK(*find(device, "package") == Scalar("PCB0123"));
  CHECK(find(device, "ecc_reason") == nullptr);
}

TEST_CASE("--anonymise hides what tells one specimen from another, and equal ones stay equal") {
  const Options options = {.anonymise = true};
  const Scalar package = *find(recorded(options), "package");
  CHECK(std::get<std::string>(package).size() == 12);
  CHECK(package == *find(recorded(options), "package"));
  CHECK(*find(recorded(options), "ecc") == Scalar("on"));
}

TEST_CASE("Only conditions decide whether rows are comparable") {
  FactualDevice device;
  Device* const devices[] = {&device};
  const Fields conditions = conditions_of(devices, {}, "", 1);
  CHECK(*find(conditions, "ecc") == Scalar("on"));
  CHECK(*find(conditions, "compute_partition") == Scalar());
  CHECK(find(conditions, "compute_partition_reason") == nullptr);
  CHECK(find(conditions, "pcie_width") == nullptr);
  CHECK(find(conditions, "package") == nullptr);
}
