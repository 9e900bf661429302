// SPDX-License-Identifier: Apache-2.0
// Accesses outside of what the emulated devices have: what the address sanitizer ends a program for, and
// what is found without it.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "backends/gpu/vendor_ptx.h"
#include "tests/cuda_arrays.h"

namespace {

__global__ void write_dynamic_shared(std::size_t index) {
  steelyard::gpu::ptx::dynamic_shared_memory()[index] = std::byte{1};
}

#ifdef __SANITIZE_ADDRESS__
// `index` may lie outside.
__global__ void write_shared(float* to, int index) {
  __shared__ float row[32];
  float* element = row + index;
  *element = 1;
  *to = row[0];
}
__global__ void write_global(float* to, int index) {
  to[index] = 1;
}

// Whether a child process ends abnormally at what `body` does.
template <class Body>
bool is_fatal(Body body) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (!std::freopen("/dev/null", "w", stderr)) _exit(0);
    body();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

template <class... Parameters, class... Arguments>
bool kernel_is_fatal(void (*kernel)(Parameters...), const Shape& shape, Arguments... arguments) {
  return is_fatal([&] {
    (void)launch(kernel, shape, arguments...);
    (void)cudaDeviceSynchronize();
  });
}
#endif

}  // namespace

TEST_CASE("Dynamic shared memory can be written to its end") {
  const Fresh device;
  REQUIRE(launch(write_dynamic_shared, {.shared_bytes = 100}, std::size_t{99}) == cudaSuccess);
  CHECK(cudaDeviceSynchronize() == cudaSuccess);
}

#ifdef __SANITIZE_ADDRESS__

TEST_CASE("Not a byte behind dynamic shared memory may be written") {
  const Fresh device;
  CHECK_FALSE(kernel_is_fatal(write_dynamic_shared, {.shared_bytes = 104}, std::size_t{103}));
  CHECK(kernel_is_fatal(write_dynamic_shared, {.shared_bytes = 104}, std::size_t{104}));
}

TEST_CASE("Not an element outside a shared array may be written") {
  const Fresh device;
  const DeviceArray<float> to({0});
  CHECK_FALSE(kernel_is_fatal(write_shared, {}, to.data(), 31));
  CHECK(kernel_is_fatal(write_shared, {}, to.data(), 32));
}

TEST_CASE("Not an element outside an allocation may be written") {
  const Fresh device;
  const DeviceArray<float> to({0, 0, 0});
  CHECK_FALSE(kernel_is_fatal(write_global, {}, to.data(), 2));
  CHECK(kernel_is_fatal(write_global, {}, to.data(), 3));
  CHECK(kernel_is_fatal(write_global, {}, to.data(), -1));
}

TEST_CASE("The host may not touch memory of the device") {
  const Fresh device;
  const DeviceArray<float> to({0, 0, 0});
  CHECK(is_fatal([&] { *static_cast<volatile float*>(to.data()) = 1; }));
}

#else

TEST_CASE("What was written behind dynamic shared memory is found after the block") {
  const Fresh device;
  CHECK_THAT(fault_of(write_dynamic_shared, {.shared_bytes = 100}, std::size_t{100}),
             ContainsSubstring("behind its 100 bytes of dynamic shared memory"));
}

#endif
