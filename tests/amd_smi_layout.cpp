// SPDX-License-Identifier: Apache-2.0
// Our declarations of AMD SMI against its own header, where there is one: checked by compiling this.
#include <amd_smi/amdsmi.h>

#include <cstddef>
#include <utility>

#include "backends/hip/amd_smi.h"

namespace ours = steelyard::hip::amd_smi;

// Every structure is at least as long as AMD's: the library fills all of its own.
static_assert(sizeof(ours::Version) >= sizeof(amdsmi_version_t));
static_assert(sizeof(ours::Clock) >= sizeof(amdsmi_clk_info_t));
static_assert(sizeof(ours::Power) >= sizeof(amdsmi_power_info_t));
static_assert(sizeof(ours::PowerCap) >= sizeof(amdsmi_power_cap_info_t));
static_assert(sizeof(ours::ErrorCount) >= sizeof(amdsmi_error_count_t));
static_assert(sizeof(ours::Pcie) >= sizeof(amdsmi_pcie_info_t));
static_assert(sizeof(ours::Vbios) >= sizeof(amdsmi_vbios_info_t));
static_assert(sizeof(ours::Board) >= sizeof(amdsmi_board_info_t));
static_assert(sizeof(ours::Driver) >= sizeof(amdsmi_driver_info_t));
static_assert(sizeof(ours::Process) == sizeof(amdsmi_proc_info_t));  // they come in arrays
static_assert(sizeof(ours::Metrics) >= sizeof(amdsmi_gpu_metrics_t));

// The same bytes hold the same thing.
#define SAME(Ours, our_field, Theirs, their_field)                                  \
  static_assert(offsetof(ours::Ours, our_field) == offsetof(Theirs, their_field) && \
                sizeof(ours::Ours::our_field) == sizeof(std::declval<Theirs>().their_field))

SAME(Version, major, amdsmi_version_t, major);
SAME(Clock, megahertz, amdsmi_clk_info_t, clk);
SAME(Clock, max_megahertz, amdsmi_clk_info_t, max_clk);
SAME(Power, current_watts, amdsmi_power_info_t, current_socket_power);
SAME(Power, average_watts, amdsmi_power_info_t, average_socket_power);
SAME(PowerCap, microwatts, amdsmi_power_cap_info_t, power_cap);
SAME(PowerCap, default_microwatts, amdsmi_power_cap_info_t, default_power_cap);
SAME(ErrorCount, uncorrectable, amdsmi_error_count_t, uncorrectable_count);
SAME(Pcie, max_width, amdsmi_pcie_info_t, pcie_static.max_pcie_width);
SAME(Pcie, max_generation, amdsmi_pcie_info_t, pcie_static.max_pcie_interface_version);
SAME(Pcie, width, amdsmi_pcie_info_t, pcie_metric.pcie_width);
SAME(Pcie, megatransfers_per_second, amdsmi_pcie_info_t, pcie_metric.pcie_speed);
SAME(Vbios, part_number, amdsmi_vbios_info_t, part_number);
SAME(Board, serial, amdsmi_board_info_t, product_serial);
SAME(Process, pid, amdsmi_proc_info_t, pid);
SAME(Driver, version, amdsmi_driver_info_t, driver_version);

constexpr ours::MetricsLayout metrics = ours::metrics_layout(AMDSMI_LIB_VERSION_MAJOR);
static_assert(metrics.throttle_status == offsetof(amdsmi_gpu_metrics_t, indep_throttle_status));
static_assert(metrics.residencies == offsetof(amdsmi_gpu_metrics_t, prochot_residency_acc));
static_assert(metrics.residencies + 8 == offsetof(amdsmi_gpu_metrics_t, ppt_residency_acc));
static_assert(metrics.residencies + 32 == offsetof(amdsmi_gpu_metrics_t, hbm_thm_residency_acc));

static_assert(ours::gpus == AMDSMI_INIT_AMD_GPUS);
static_assert(ours::gfx_clock == AMDSMI_CLK_TYPE_GFX);
static_assert(ours::memory_clock == AMDSMI_CLK_TYPE_MEM);
static_assert(ours::hottest_spot == AMDSMI_TEMPERATURE_TYPE_HOTSPOT);
static_assert(ours::current_value == AMDSMI_TEMP_CURRENT);
static_assert(ours::memory_controller_block == AMDSMI_GPU_BLOCK_UMC);
static_assert(ours::performance_levels.size() == AMDSMI_DEV_PERF_LEVEL_LAST + 1);

// The functions take what telemetry passes to them.
template <class... Parameters>
constexpr bool callable(amdsmi_status_t (*)(Parameters...), std::size_t parameters) {
  return sizeof...(Parameters) == parameters;
}
static_assert(callable(amdsmi_get_power_info, 2));
static_assert(callable(amdsmi_get_power_cap_info, 3));
static_assert(callable(amdsmi_get_clock_info, 3));
static_assert(callable(amdsmi_get_temp_metric, 4));
static_assert(callable(amdsmi_get_energy_count, 4));
static_assert(callable(amdsmi_get_gpu_compute_partition, 3));
static_assert(callable(amdsmi_get_gpu_memory_partition, 3));
static_assert(callable(amdsmi_get_gpu_device_uuid, 3));
