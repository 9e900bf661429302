// SPDX-License-Identifier: Apache-2.0
// What the history of LDS finds: every fault is planted here once, beside what is none.
#include "tests/amd_emulator_local_waves.h"
#include "tests/catch.h"

using namespace amd_emulator_test;

namespace {

constexpr const char* no_barrier = ", and no barrier stands between the two";

}  // namespace

TEST_CASE("LDS that nobody has written is not read") {
  LocalWaves waves(2);
  CHECK(fault_of([&] { waves.touch(1, "ds_read_b32", 0x1a0); }) ==
        "wave 1 reads LDS byte 0x1a0 that nobody has written");
  CHECK(fault_of([&] { waves.touch(1, "ds_add_u32", 0x1a0); }) ==
        "wave 1 atomically modifies LDS byte 0x1a0 that nobody has written");
  waves.touch(0, "ds_write_b16", 0x1a0);
  waves.local.pass_barrier();
  CHECK(fault_of([&] { waves.touch(1, "ds_read_b32", 0x1a0); }) ==
        "wave 1 reads LDS byte 0x1a2 that nobody has written");
  waves.touch(0, "ds_write_b16", 0x1a2);
  waves.local.pass_barrier();
  waves.touch(1, "ds_read_b32", 0x1a0);
  waves.local.begin_workgroup();
  CHECK_THAT(fault_of([&] { waves.touch(1, "ds_read_b32", 0x1a0); }),
             ContainsSubstring("nobody has written"));
}

TEST_CASE("Waves race where no barrier stands between them") {
  LocalWaves waves(3);
  waves.touch(0, "ds_write_b128", 0x40);
  CHECK(fault_of([&] { waves.touch(2, "ds_read_b64", 0x48); }) ==
        std::string("wave 2 reads LDS byte 0x48 that wave 0 wrote") + no_barrier);
  CHECK(fault_of([&] { waves.touch(2, "ds_write_b8", 0x4f); }) ==
        std::string("wave 2 writes LDS byte 0x4f that wave 0 wrote") + no_barrier);
  CHECK(fault_of([&] { waves.touch(2, "ds_write_b8", 0x50); }).empty());

  waves.local.pass_barrier();
  waves.touch(1, "ds_read_b32", 0x44);
  CHECK(fault_of([&] { waves.touch(0, "ds_write_b64", 0x40); }) ==
        std::string("wave 0 writes LDS byte 0x44 that wave 1 read") + no_barrier);
  waves.touch(2, "ds_read_b32", 0x44);
  CHECK(fault_of([&] { waves.touch(2, "ds_write_b32", 0x44); }) ==
        std::string("wave 2 writes LDS byte 0x44 that several waves read") + no_barrier);
  waves.local.pass_barrier();
  CHECK(fault_of([&] { waves.touch(2, "ds_write_b32", 0x44); }).empty());
}

TEST_CASE("A wave is ordered with itself, and reads do not race") {
  LocalWaves waves(2);
  waves.touch(0, "ds_write_b32", 0);
  waves.touch(0, "ds_read_b32", 0);
  waves.touch(0, "ds_write_b32", 0);
  waves.touch(0, "ds_add_u32", 0);
  waves.touch(0, "ds_read_b32", 0);
  waves.local.pass_barrier();
  waves.touch(0, "ds_read_b32", 0);
  waves.touch(1, "ds_read_b32", 0);
  waves.touch(0, "ds_read_b32", 0);
}

TEST_CASE("Atomic operations are ordered among themselves, not with plain accesses") {
  LocalWaves waves(3);
  waves.touch(0, "ds_write_b32", 0);
  CHECK(fault_of([&] { waves.touch(1, "ds_add_u32", 0); }) ==
        std::string("wave 1 atomically modifies LDS byte 0x0 that wave 0 wrote") + no_barrier);
  waves.touch(0, "ds_add_u32", 0);
  CHECK_THAT(fault_of([&] { waves.touch(1, "ds_add_u32", 0); }),
             ContainsSubstring("that wave 0 wrote"));

  waves.local.pass_barrier();
  waves.touch(0, "ds_add_u32", 0);
  CHECK(fault_of([&] { waves.touch(1, "ds_read_b32", 0); }) ==
        std::string("wave 1 reads LDS byte 0x0 that wave 0 modified atomically") + no_barrier);
  waves.touch(1, "ds_add_u32", 0);
  waves.touch(2, "ds_max_rtn_i32", 0);
  CHECK(fault_of([&] { waves.touch(1, "ds_read_b32", 0); }) ==
        std::string("wave 1 reads LDS byte 0x0 that several waves modified atomically") +
            no_barrier);
  CHECK_THAT(fault_of([&] { waves.touch(2, "ds_write_b32", 0); }),
             ContainsSubstring("several waves modified atomically"));

  waves.local.pass_barrier();
  waves.touch(0, "ds_read_b32", 0);
  CHECK(fault_of([&] { waves.touch(1, "ds_add_u32", 0); }) ==
        std::string("wave 1 atomically modifies LDS byte 0x0 that wave 0 read") + no_barrier);
}

TEST_CASE("Accesses lie in LDS and are aligned") {
  LocalWaves waves;
  CHECK(fault_of([&] { waves.touch(0, "ds_write_b128", LocalWaves::bytes - 8); }) ==
        "wave 0 writes 16 bytes at LDS address 0x7ff8, and its workgroup has 0x8000 bytes");
  CHECK_THAT(fault_of([&] { waves.touch(0, "ds_read_b32", 0xfffffffc); }),
             ContainsSubstring("reads 4 bytes at LDS address 0xfffffffc"));
  CHECK(fault_of([&] { waves.touch(0, "ds_write_b64", 0x14); }) ==
        "wave 0 writes 8 bytes at LDS address 0x14, which is not a multiple of 8");
  CHECK_THAT(
      fault_of([&] { waves.touch(0, "ds_add_f64", 4); }),
      ContainsSubstring("modifies 8 bytes at LDS address 0x4, which is not a multiple of 8"));
  CHECK_THAT(fault_of([&] { waves.touch(0, "ds_write_b128", 8); }),
             ContainsSubstring("multiple of 16"));
  CHECK(fault_of([&] { waves.touch(0, "ds_write_b96", 4); }).empty());
  CHECK(fault_of([&] { waves.touch(0, "ds_write2_b64", 8); }).empty());
}

TEST_CASE("History goes on when its epochs run out") {
  LocalWaves waves(2);
  waves.touch(0, "ds_write_b32", 0);
  for (int barrier = 1; barrier < 5000; ++barrier) {
    waves.local.pass_barrier();
    waves.touch(1, "ds_read_b32", 0);
    const std::string race = fault_of([&] { waves.touch(0, "ds_write_b32", 0); });
    const std::string nothing = fault_of([&] { waves.touch(0, "ds_read_b32", 4); });
    if (race.empty() || nothing.empty()) FAIL("after barrier " << barrier);
    waves.local.pass_barrier();
    waves.touch(0, "ds_write_b32", 0);
    if (fault_of([&] { waves.touch(1, "ds_read_b32", 0); }).empty())
      FAIL("after barrier " << barrier);
  }
}
