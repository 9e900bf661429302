// SPDX-License-Identifier: Apache-2.0
#include "backends/library.h"

#include "tests/catch.h"

using steelyard::Library;

TEST_CASE("A function of a library opened at run time is called by its declared type") {
  Library math{"libno-such-library.so.7", "libm.so.6"};
  auto* const cube_root = math.find<double(double)>("cbrt");
  REQUIRE(cube_root != nullptr);
  CHECK(cube_root(27) == Approx(3));
  CHECK(math.missing().empty());
}

TEST_CASE("A library that is not there is a reason, and has no functions") {
  Library absent{"libno-such-library.so.7"};
  CHECK_THAT(absent.missing(), ContainsSubstring("libno-such-library.so.7"));
  CHECK(absent.find<void()>("anything") == nullptr);
}

TEST_CASE("A function that is not there is a reason") {
  Library math{"libm.so.6"};
  CHECK(math.find<void()>("no_such_function") == nullptr);
  CHECK_THAT(math.missing(), ContainsSubstring("no_such_function"));
}
