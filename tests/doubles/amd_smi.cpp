// SPDX-License-Identifier: Apache-2.0
// A double of AMD SMI: the functions that telemetry calls, answering what a test has written into
// the script. Structures are filled by the byte offsets of AMD's headers, all else with rubbish.
#include "tests/doubles/amd_smi.h"

#include <cstring>

namespace {

AmdSmiScript script;

using Processor = AmdGpu*;

constexpr int success = 0, invalid = 1, not_supported = 2, not_found = 31, insufficient_size = 41;

int status(const char* function) {
  const auto found = script.status.find(function);
  return found == script.status.end() ? success : found->second;
}

// A structure of `size` bytes, of which the fields put in are valid.
class Filled {
 public:
  Filled(void* out, std::size_t size) : bytes_(static_cast<char*>(out)) {
    std::memset(out, 0xA5, size);
  }
  template <class Number>
  Filled& put(std::size_t offset, Number number) {
    std::memcpy(bytes_ + offset, &number, sizeof number);
    return *this;
  }
  Filled& put(std::size_t offset, const char* text) {
    std::strcpy(bytes_ + offset, text);
    return *this;
  }
  operator int() const { return success; }

 private:
  char* bytes_;
};

int mode(const char* function, const std::string& text, char* out, std::uint32_t length) {
  if (const int failure = status(function)) return failure;
  if (text.empty()) return not_supported;
  if (text.size() + 1 > length) return insufficient_size;
  std::strcpy(out, text.c_str());
  return success;
}

}  // namespace

extern "C" {

AmdSmiScript* amd_smi_script() {
  return &script;
}

int amdsmi_get_lib_version(void* out) {
  if (const int failure = status("amdsmi_get_lib_version")) return failure;
  return Filled(out, 24).put(0, script.version);
}
int amdsmi_init(std::uint64_t flags) {
  script.init_flags = flags;
  const int result = status("amdsmi_init");
  if (result == success) ++script.sessions;
  return result;
}
int amdsmi_shut_down() {
  --script.sessions;
  return success;
}

int amdsmi_status_code_to_string(int result, const char** text) {
  switch (result) {
    case 2:
      *text = "AMDSMI_STATUS_NOT_SUPPORTED: Feature not supported";
      return success;
    case 10:
      *text = "AMDSMI_STATUS_NO_PERM: Permission Denied";
      return success;
    case 31:
      *text = "AMDSMI_STATUS_NOT_FOUND: Device Not found";
      return success;
    case 34:
      *text = "AMDSMI_STATUS_DRIVER_NOT_LOADED: Driver not loaded";
      return success;
    default:
      return invalid;
  }
}

int amdsmi_get_processor_handle_from_bdf(std::uint64_t address, Processor* processor) {
  if (const int failure = status("amdsmi_get_processor_handle_from_bdf")) return failure;
  const auto found = script.gpus.find(address);
  if (found == script.gpus.end()) return not_found;
  *processor = &found->second;
  return success;
}

int amdsmi_get_gpu_device_uuid(Processor, unsigned* length, char* uuid) {
  if (*length < 38) return invalid;
  std::strcpy(uuid, "d1ff740c-0000-1000-80a3-0123456789ab");
  return success;
}
int amdsmi_get_gpu_driver_info(Processor, void* out) {
  if (const int failure = status("amdsmi_get_gpu_driver_info")) return failure;
  return Filled(out, 768).put(0, "6.12.12").put(256, "20250101").put(512, "amdgpu");
}
int amdsmi_get_gpu_vbios_info(Processor, void* out) {
  if (const int failure = status("amdsmi_get_gpu_vbios_info")) return failure;
  return Filled(out, 1568).put(0, "MI250").put(512, "113-D65205-021").put(768, "022.1");
}
int amdsmi_get_gpu_board_info(Processor processor, void* out) {
  if (const int failure = status("amdsmi_get_gpu_board_info")) return failure;
  return Filled(out, 1792).put(0, "102-D65205").put(256, processor->board_serial.c_str());
}

int amdsmi_get_clock_info(Processor processor, int type, void* out) {
  if (const int failure = status("amdsmi_get_clock_info")) return failure;
  if (type != 0 && type != 4) return invalid;  // GFX and MEM
  return Filled(out, 32)
      .put(0, type == 0 ? processor->gfx_megahertz : processor->memory_megahertz)
      .put(4, std::uint32_t{500})
      .put(8, std::uint32_t{type == 0 ? 1700u : 1601u});
}
int amdsmi_get_gpu_perf_level(Processor processor, std::uint32_t* level) {
  *level = processor->performance_level;
  return status("amdsmi_get_gpu_perf_level");
}

int amdsmi_get_power_info(Processor processor, void* out) {
  if (const int failure = status("amdsmi_get_power_info")) return failure;
  return Filled(out, 192)
      .put(0, std::uint64_t{0xFFFFFFFF})
      .put(8, processor->current_watts)
      .put(12, processor->average_watts);
}
int amdsmi_get_power_cap_info(Processor processor, std::uint32_t sensor, void* out) {
  if (const int failure = status("amdsmi_get_power_cap_info")) return failure;
  if (sensor != 0) return invalid;
  return Filled(out, 64)
      .put(0, processor->cap_microwatts)
      .put(8, processor->default_cap_microwatts);
}
int amdsmi_get_energy_count(Processor processor, std::uint64_t* count, float* microjoules,
                            std::uint64_t* nanoseconds) {
  *count = processor->energy_count;
  *microjoules = 15.259f;
  *nanoseconds = 1;
  return status("amdsmi_get_energy_count");
}
int amdsmi_get_temp_metric(Processor processor, int sensor, int metric, std::int64_t* celsius) {
  if (sensor != 1 || metric != 0) return not_supported;  // the hottest spot, now
  *celsius = processor->hotspot_celsius;
  return status("amdsmi_get_temp_metric");
}

int amdsmi_get_gpu_ecc_enabled(Processor processor, std::uint64_t* blocks) {
  *blocks = processor->ecc_blocks;
  return status("amdsmi_get_gpu_ecc_enabled");
}
int amdsmi_get_gpu_total_ecc_count(Processor processor, void* out) {
  if (const int failure = status("amdsmi_get_gpu_total_ecc_count")) return failure;
  return Filled(out, 64).put(0, std::uint64_t{77}).put(8, processor->uncorrectable_errors);
}

int amdsmi_get_gpu_process_list(Processor processor, std::uint32_t* count, void* out) {
  if (const int failure = status("amdsmi_get_gpu_process_list")) return failure;
  *count = static_cast<std::uint32_t>(processor->processes.size());
  for (std::uint32_t i = 0; i < *count; ++i)
    Filled(static_cast<std::byte*>(out) + std::size_t{704} * i, 704)
        .put(256, processor->processes[i]);
  return 0;
}
int amdsmi_get_gpu_bad_page_info(Processor processor, std::uint32_t* count, void*) {
  if (const int failure = status("amdsmi_get_gpu_bad_page_info")) return failure;
  *count = processor->bad_pages;
  return 0;
}

int amdsmi_get_gpu_compute_partition(Processor processor, char* out, std::uint32_t length) {
  return mode("amdsmi_get_gpu_compute_partition", processor->compute_partition, out, length);
}
int amdsmi_get_gpu_memory_partition(Processor processor, char* out, std::uint32_t length) {
  return mode("amdsmi_get_gpu_memory_partition", processor->memory_partition, out, length);
}

int amdsmi_get_pcie_info(Processor processor, void* out) {
  if (const int failure = status("amdsmi_get_pcie_info")) return failure;
  return Filled(out, 512)
      .put(0, std::uint16_t{16})
      .put(4, std::uint32_t{16000})
      .put(16, std::uint32_t{4})
      .put(96, std::uint16_t{8})
      .put(100, processor->pcie_megatransfers);
}

int amdsmi_get_gpu_metrics_info(Processor processor, void* out) {
  if (const int failure = status("amdsmi_get_gpu_metrics_info")) return failure;
  return script.version == 26 ? Filled(out, 3456)
                                    .put(112, processor->throttle_status)
                                    .put(432, processor->residencies)
                              : Filled(out, 4736)
                                    .put(120, processor->throttle_status)
                                    .put(448, processor->residencies);
}
}
