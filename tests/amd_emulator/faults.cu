// SPDX-License-Identifier: Apache-2.0
// Kernels with planted faults, one for each that the emulator of AMD GPUs must find:
//   amd_faults NAME      runs one; prints what the runtime says of it
//   amd_faults --list
#include <fmt/format.h>

#include <cstdint>
#include <map>
#include <string>

#include <hip/hip_runtime.h>

namespace {

constexpr int wave_size = 64;

// Device memory that ends with the program, and its number of values.
int* device_array(int count) {
  int* data = nullptr;
  if (hipMalloc(reinterpret_cast<void**>(&data), static_cast<std::size_t>(count) * 4) != hipSuccess)
    return nullptr;
  return data;
}

__global__ void nothing() {}

__global__ void read_at(const int* from, int index, int* to) {
  *to = from[index];
}
__global__ void write_at(int* to, int index) {
  to[index] = 1;
}
__global__ void write_misaligned(char* to) {
  // The compiler must not know that it is misaligned.
  *reinterpret_cast<volatile int*>(to + 2) = 1;
}

__global__ void local_at(int index, int* to) {
  extern __shared__ int dynamic_local[];
  dynamic_local[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncthreads();
  *to = reinterpret_cast<volatile int*>(dynamic_local)[index];
}
__global__ void local_misaligned(int offset, int* to) {
  extern __shared__ int dynamic_local[];
  dynamic_local[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncthreads();
  *to = *reinterpret_cast<volatile int*>(reinterpret_cast<char*>(dynamic_local) + offset);
}
__global__ void local_unwritten(int* to) {
  __shared__ volatile int local[2 * wave_size];
  local[threadIdx.x] = 1;
  __syncthreads();
  to[threadIdx.x] = local[threadIdx.x + wave_size];
}

// Each wave reads what the other one writes.
__global__ void race_read_behind_write(int* to) {
  __shared__ volatile int local[2 * wave_size];
  local[threadIdx.x] = 1;
  __syncthreads();
  local[threadIdx.x] = 2;
  to[threadIdx.x] = local[threadIdx.x ^ wave_size];
}
__global__ void race_write_behind_read(int* to) {
  __shared__ volatile int local[2 * wave_size];
  local[threadIdx.x] = 1;
  __syncthreads();
  to[threadIdx.x] = local[threadIdx.x ^ wave_size];
  local[threadIdx.x] = 2;
}
__global__ void race_of_writes(int* to) {
  __shared__ volatile int local[wave_size];
  local[threadIdx.x % wave_size] = static_cast<int>(threadIdx.x);
  __syncthreads();
  to[threadIdx.x] = local[threadIdx.x % wave_size];
}

__global__ void barrier_of_one_wave(int* to) {
  if (threadIdx.x < wave_size) return;
  __syncthreads();
  to[threadIdx.x] = 1;
}

__global__ void last_workgroup(int* to) {
  if (threadIdx.x == 0) *to = static_cast<int>(blockIdx.x);
}
__global__ void last_wave(int* to) {
  if (threadIdx.x % wave_size == 0) *to = static_cast<int>(threadIdx.x);
}
__global__ void unwritten_register(int* to) {
  int value;
  asm volatile("" : "=v"(value));
  to[threadIdx.x] = value;
}
__global__ void sum_of_all(float* to) {
  unsafeAtomicAdd(to, 0.1f * static_cast<float>(blockIdx.x * blockDim.x + threadIdx.x));
}

__global__ void wait_for_ever(const volatile int* flag, int* to) {
  while (*flag == 0) {
  }
  *to = 1;
}
// The second wave sets what the first one waits for: no fault.
__global__ void wait_for_other_wave(int* to) {
  __shared__ int flag;
  if (threadIdx.x == 0) flag = 0;
  __syncthreads();
  if (threadIdx.x == 0) {
    while (atomicCAS(&flag, 1, 2) != 1) {
    }
  } else if (threadIdx.x == wave_size) {
    atomicExch(&flag, 1);
  }
  to[threadIdx.x] = 1;
}

__global__ void unknown_instruction(int* to) {
  asm volatile("s_sendmsg sendmsg(MSG_INTERRUPT)");
  *to = 1;
}

// What the fault does to the calls behind it.
void report(hipError_t launched) {
  const hipError_t waited = hipDeviceSynchronize();
  int* more = nullptr;
  const hipError_t later = hipMalloc(reinterpret_cast<void**>(&more), 4);
  fmt::print("launch {}, synchronise {}, later {}\n", hipGetErrorName(launched),
             hipGetErrorName(waited), hipGetErrorName(later));
}
template <class... Parameters, class... Arguments>
void run(void (*kernel)(Parameters...), int blocks, int threads, int shared,
         Arguments... arguments) {
  kernel<<<static_cast<unsigned>(blocks), static_cast<unsigned>(threads),
           static_cast<std::size_t>(shared)>>>(arguments...);
  report(hipGetLastError());
}

void use_after_free() {
  int *data = device_array(64), *to = device_array(1);
  (void)hipFree(data);
  run(read_at, 1, 1, 0, data, 0, to);
}
void host_access() {
  fmt::print("{}\n", *device_array(1));  // ends the program
}
// A copy that nobody waited for has not happened.
void missing_synchronisation() {
  int* data = device_array(1);
  int value = 5;
  (void)hipMemcpy(data, &value, 4, hipMemcpyHostToDevice);
  hipStream_t stream;
  (void)hipStreamCreateWithFlags(&stream, hipStreamNonBlocking);
  value = 7;
  (void)hipMemcpyAsync(&value, data, 4, hipMemcpyDeviceToHost, stream);
  fmt::print("before {}", value);
  (void)hipStreamSynchronize(stream);
  fmt::print(", behind {}\n", value);
}
void unwritten_memory() {
  unsigned value = 0;
  (void)hipMemcpy(&value, device_array(1), 4, hipMemcpyDeviceToHost);
  fmt::print("{:#x}\n", value);
}
void unknown_function() {
  hipModule_t module;
  fmt::print("{}\n", hipGetErrorName(hipModuleLoad(&module, "none")));
}

const std::map<std::string, void (*)()> faults = {
    {"none", [] { run(nothing, 1, 1, 0); }},
    {"global_read_beyond", [] { run(read_at, 1, 1, 0, device_array(64), 64, device_array(1)); }},
    {"global_write_before", [] { run(write_at, 1, 1, 0, device_array(64), -1); }},
    {"global_misaligned",
     [] { run(write_misaligned, 1, 1, 0, reinterpret_cast<char*>(device_array(64))); }},
    {"use_after_free", use_after_free},
    {"host_access", host_access},
    {"missing_synchronisation", missing_synchronisation},
    {"unwritten_memory", unwritten_memory},
    {"local_beyond",
     [] { run(local_at, 1, wave_size, 4 * wave_size, wave_size, device_array(1)); }},
    {"local_misaligned",
     [] { run(local_misaligned, 1, wave_size, 4 * wave_size, 2, device_array(1)); }},
    {"local_unwritten", [] { run(local_unwritten, 1, wave_size, 0, device_array(wave_size)); }},
    {"race_read_behind_write",
     [] { run(race_read_behind_write, 1, 2 * wave_size, 0, device_array(2 * wave_size)); }},
    {"race_write_behind_read",
     [] { run(race_write_behind_read, 1, 2 * wave_size, 0, device_array(2 * wave_size)); }},
    {"race_of_writes",
     [] { run(race_of_writes, 1, 2 * wave_size, 0, device_array(2 * wave_size)); }},
    {"barrier_of_one_wave",
     [] { run(barrier_of_one_wave, 1, 2 * wave_size, 0, device_array(2 * wave_size)); }},
    {"last_workgroup", [] { run(last_workgroup, 8, wave_size, 0, device_array(1)); }},
    {"last_wave", [] { run(last_wave, 1, 4 * wave_size, 0, device_array(1)); }},
    {"unwritten_register",
     [] { run(unwritten_register, 1, wave_size, 0, device_array(wave_size)); }},
    {"sum_of_all",
     [] { run(sum_of_all, 8, wave_size, 0, reinterpret_cast<float*>(device_array(1))); }},
    {"wait_for_ever",
     [] {
       int* flag = device_array(1);
       (void)hipMemset(flag, 0, 4);
       run(wait_for_ever, 1, 1, 0, flag, device_array(1));
     }},
    {"wait_for_other_wave",
     [] { run(wait_for_other_wave, 1, 2 * wave_size, 0, device_array(2 * wave_size)); }},
    {"unknown_instruction", [] { run(unknown_instruction, 1, 1, 0, device_array(1)); }},
    {"unknown_function", unknown_function},
};

}  // namespace

int main(int count, char** arguments) {
  const std::string name = count == 2 ? arguments[1] : "";
  if (name == "--list") {
    for (const auto& [fault, function] : faults) fmt::print("{}\n", fault);
    return 0;
  }
  const auto found = faults.find(name);
  if (found == faults.end()) {
    fmt::print(stderr, "usage: amd_faults --list | NAME\n");
    return 2;
  }
  found->second();
  return 0;
}
