// SPDX-License-Identifier: Apache-2.0
// What the emulator of AMD GPUs does around kernels: code objects, arguments, memory.
#include <elf.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <nlohmann/json.hpp>

#include "tests/amd_emulator/code_object.h"
#include "tests/amd_emulator/launch.h"
#include "tests/amd_emulator/memory.h"
#include "tests/amd_emulator/operands.h"
#include "tests/amd_emulator/targets.h"
#include "tests/catch.h"

using namespace amd_emulator;
using nlohmann::json;

namespace {

constexpr unsigned gfx942_flags = 0x4c, gfx90a_flags = 0x3f;
constexpr std::uint64_t descriptor_at = 0x800, text_at = 0x900, pointer_at = 0xa00,
                        strings_at = 0xb00, symbols_at = 0xc00, relocations_at = 0xd00,
                        note_at = 0xe00, end_at = 0x1200;

template <class T>
void put(std::vector<std::byte>& file, std::uint64_t offset, const T& value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
}

json argument(unsigned offset, unsigned bytes, const char* kind) {
  return {{".offset", offset}, {".size", bytes}, {".value_kind", kind}};
}

// A kernel "twice" of one s_endpgm that has a pointer, a number and some hidden arguments.
json metadata() {
  const json kernel = {
      {".name", "twice"},
      {".symbol", "twice.kd"},
      {".vgpr_count", 24u},
      {".agpr_count", 8u},
      {".sgpr_count", 16u},
      {".max_flat_workgroup_size", 256u},
      {".args",
       {argument(0, 8, "global_buffer"), argument(8, 4, "by_value"),
        argument(16, 4, "hidden_block_count_x"), argument(20, 2, "hidden_group_size_y"),
        argument(22, 2, "hidden_remainder_x"), argument(24, 2, "hidden_grid_dims"),
        argument(28, 4, "hidden_dynamic_lds_size"), argument(32, 4, "hidden_shared_base"),
        argument(36, 4, "hidden_private_base"), argument(40, 8, "hidden_hostcall_buffer")}}};
  return {{"amdhsa.kernels", json::array({kernel})}};
}

void put_header(std::vector<std::byte>& file, unsigned flags) {
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_OSABI] = 64;
  header.e_machine = 224;
  header.e_flags = flags;
  header.e_phoff = 0x100;
  header.e_phnum = 3;
  header.e_shoff = 0x300;
  header.e_shnum = 4;
  put(file, 0, header);
  const std::uint64_t note_bytes = end_at - note_at;
  const Elf64_Phdr segments[] = {{PT_LOAD, PF_R, 0, 0, 0, end_at, end_at + 64, 0x1000},
                                 {PT_LOAD, PF_R | PF_X, text_at, text_at, 0, 16, 16, 0x1000},
                                 {PT_NOTE, PF_R, note_at, note_at, 0, note_bytes, note_bytes, 4}};
  put(file, header.e_phoff, segments);
  const Elf64_Shdr sections[] = {{},
                                 {0, SHT_STRTAB, SHF_ALLOC, strings_at, strings_at, 32, 0, 0, 1, 0},
                                 {0, SHT_DYNSYM, SHF_ALLOC, symbols_at, symbols_at,
                                  3 * sizeof(Elf64_Sym), 1, 0, 8, sizeof(Elf64_Sym)},
                                 {0, SHT_RELA, SHF_ALLOC, relocations_at, relocations_at,
                                  2 * sizeof(Elf64_Rela), 2, 0, 8, sizeof(Elf64_Rela)}};
  put(file, header.e_shoff, sections);
}

std::vector<std::byte> code_object(unsigned flags = gfx942_flags) {
  std::vector<std::byte> file(end_at);
  put_header(file, flags);
  const std::uint32_t descriptor[16] = {1024, 32, 48, 0, text_at - descriptor_at};
  put(file, descriptor_at, descriptor);
  const std::uint32_t text[] = {0xbf800000, 0xbf810000, 0xbf800000, 0xbf800000};
  put(file, text_at, text);
  put(file, strings_at, "\0twice\0twice.kd");
  const Elf64_Sym symbols[] = {{},
                               {1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 2, text_at, 8},
                               {7, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, 1, descriptor_at, 64}};
  put(file, symbols_at, symbols);
  const Elf64_Rela relocations[] = {{pointer_at, ELF64_R_INFO(0, 13), 0x40},
                                    {pointer_at + 8, ELF64_R_INFO(1, 3), 4}};
  put(file, relocations_at, relocations);
  const std::vector<std::uint8_t> message = json::to_msgpack(metadata());
  put(file, note_at, Elf64_Nhdr{7, static_cast<unsigned>(message.size()), 32});
  put(file, note_at + sizeof(Elf64_Nhdr), "AMDGPU");
  REQUIRE(note_at + 20 + message.size() <= end_at);
  std::memcpy(file.data() + note_at + 20, message.data(), message.size());
  return file;
}

// Whether reading the file ends in one of the two ways that it may.
bool is_read_or_refused(std::span<const std::byte> file) {
  try {
    CodeObject loaded(file);
  } catch (const Fault&) {
  }
  return true;
}

std::string refusal(const auto& function) {
  try {
    function();
  } catch (const Fault& fault) {
    return fault.what();
  }
  return "";
}

// What became of a child that does this: 0 unless it was killed or reported.
int fate(const auto& function) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGSEGV, SIG_DFL);  // else the test's own handler reports it
    function();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

std::string reach_refusal(std::uint64_t address, unsigned bytes, Access access = Access::read) {
  return refusal([&] { (void)reach(address, bytes, bytes, access); });
}

}  // namespace

TEST_CASE("A code object's kernels are found, with what their descriptors say") {
  CodeObject code(code_object());
  CHECK(code.target() == Target::gfx942);
  CHECK(CodeObject(code_object(gfx90a_flags)).target() == Target::gfx90a);
  CHECK(code.find("thrice") == nullptr);
  const Kernel* kernel = code.find("twice");
  REQUIRE(kernel != nullptr);
  CHECK(kernel->code == &code);
  CHECK(kernel->entry == text_at);
  CHECK(kernel->local_bytes == 1024);
  CHECK(kernel->private_bytes == 32);
  CHECK(kernel->argument_bytes == 48);
  CHECK(kernel->vector_registers == 24);
  CHECK(kernel->accumulation_registers == 8);
  CHECK(kernel->largest_workgroup == 256);
  REQUIRE(kernel->arguments.size() == 10);
  CHECK(kernel->arguments[1].kind == "by_value");
}

TEST_CASE("A code object is relocated to where it lies in device memory") {
  CodeObject code(code_object());
  std::uint64_t pointers[2];
  std::memcpy(pointers, host_view(code.device_address(pointer_at), sizeof pointers),
              sizeof pointers);
  CHECK(pointers[0] == code.device_address(0x40));
  CHECK(pointers[1] == code.device_address(text_at + 4));
  CHECK(*host_view(code.device_address(end_at), 64) == std::byte{0});
  CHECK(host_view(code.device_address(end_at), 65) == nullptr);
}

TEST_CASE("A function is decoded once it is asked for, and no other") {
  CodeObject code(code_object());
  CHECK(code.text_begin() == text_at);
  CHECK(code.text_end() == text_at + 16);
  code.prepare(text_at + 4);
  CHECK(code.instructions()[0].name != nullptr);
  CHECK(code.instructions()[1].address == text_at + 4);
  CHECK(code.instructions()[2].name == nullptr);
}

TEST_CASE("A damaged code object is refused") {
  const std::vector<std::byte> whole = code_object();
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    CHECK_THROWS_AS(CodeObject(std::span(whole).first(bytes)), Fault);
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (const int change : {0x01, 0x80, 0xff}) {
      std::vector<std::byte> damaged = whole;
      damaged[at] ^= static_cast<std::byte>(change);
      CHECK(is_read_or_refused(damaged));
    }
  CHECK_THAT(refusal([] { CodeObject code(code_object(0x30)); }),
             ContainsSubstring("only gfx90a and gfx942"));
}

TEST_CASE("A bundle gives the code object of a target") {
  const std::string entries[] = {"host-x86_64-unknown-linux-gnu-",
                                 "hipv4-amdgcn-amd-amdhsa--gfx942:sramecc+:xnack+",
                                 "hipv4-amdgcn-amd-amdhsa--gfx942:sramecc+"};
  std::string bundle = "__CLANG_OFFLOAD_BUNDLE__";
  const auto append = [&](std::uint64_t number) {
    bundle.append(reinterpret_cast<const char*>(&number), sizeof number);
  };
  append(std::size(entries));
  for (std::uint64_t i = 0; i < std::size(entries); ++i) {
    append(300 + i);
    append(i);
    append(entries[i].size());
    bundle += entries[i];
  }
  bundle.resize(400);
  const auto found = find_code_object(bundle.data(), Target::gfx942);
  CHECK(found.data() == reinterpret_cast<const std::byte*>(bundle.data()) + 302);
  CHECK(found.size() == 2);
  CHECK(find_code_object(bundle.data(), Target::gfx90a).empty());
  CHECK_THAT(refusal([&] { find_code_object("CCOB", Target::gfx942); }),
             ContainsSubstring("--no-offload-compress"));
  CHECK_THROWS_AS(find_code_object("something else, of some length", Target::gfx942), Fault);
}

TEST_CASE("The argument segment holds what is passed and what is hidden") {
  CodeObject code(code_object());
  const void* pointer = &code;
  unsigned number = 77;
  void* values[] = {&pointer, &number};
  const std::vector<std::byte> segment =
      argument_segment(*code.find("twice"), {5, 2, 1}, {64, 4, 1}, 4096, values);
  REQUIRE(segment.size() == 48);
  const auto at = [&](unsigned offset, unsigned bytes) {
    std::uint64_t value = 0;
    std::memcpy(&value, &segment[offset], bytes);
    return value;
  };
  CHECK(at(0, 8) == reinterpret_cast<std::uint64_t>(&code));
  CHECK(at(8, 4) == 77);
  CHECK(at(16, 4) == 5);
  CHECK(at(20, 2) == 4);
  CHECK(at(22, 2) == 0);
  CHECK(at(24, 2) == 2);
  CHECK(at(28, 4) == 4096);
  CHECK(at(32, 4) == local_aperture >> 32);
  CHECK(at(36, 4) == private_aperture >> 32);
  CHECK(at(40, 8) == 0);
}

TEST_CASE("Device memory begins poisoned, apart from the rest, and is not used again soon") {
  const std::uint64_t first = allocate(1000), second = allocate(1000);
  CHECK(first % 256 == 0);
  CHECK(is_device_address(first));
  CHECK((second >= first + 1000 + 4096 || second + 1000 + 4096 <= first));
  const std::byte* view = host_view(first, 1000);
  REQUIRE(view != nullptr);
  CHECK(std::all_of(view, view + 1000, [](std::byte byte) { return byte == poison; }));
  CHECK(host_view(first, 1001) == nullptr);
  CHECK(host_view(first + 1000, 1) == nullptr);
  CHECK(host_view(first - 1, 1) == nullptr);
  CHECK(!release(first + 8));
  CHECK(release(first));
  CHECK(!release(first));
  CHECK(host_view(first, 1) == nullptr);
  const std::uint64_t third = allocate(1000);
  CHECK(third != first);
  release(second);
  release(third);
}

TEST_CASE("The host cannot follow a pointer to device memory, but one to pinned memory") {
  const std::uint64_t address = allocate(64);
  auto* device = reinterpret_cast<volatile int*>(address);
  auto* pinned = static_cast<int*>(allocate_pinned(64));
  CHECK(fate([&] { *device = 1; }) != 0);
  CHECK(fate([&] { *pinned = 1; }) == 0);
  *pinned = 3;
  CHECK(!is_device_address(reinterpret_cast<std::uint64_t>(pinned)));
  CHECK(host_view(reinterpret_cast<std::uint64_t>(pinned), 64) ==
        reinterpret_cast<std::byte*>(pinned));
  CHECK(release(address));
  CHECK(release(reinterpret_cast<std::uint64_t>(pinned)));
}

TEST_CASE("A kernel's access must lie in one allocation, aligned") {
  const std::uint64_t address = allocate(100);
  CHECK(reach(address + 84, 16, 16, Access::read) == host_view(address + 84, 16));
  CHECK_THAT(reach_refusal(address + 88, 16),
             ContainsSubstring("reads 16 bytes at 0x") &&
                 ContainsSubstring("88 bytes into an allocation of 100 bytes"));
  CHECK_THAT(reach_refusal(address + 100, 4, Access::write),
             ContainsSubstring("writes 4 bytes") &&
                 ContainsSubstring("100 bytes into an allocation of 100 bytes"));
  CHECK_THAT(reach_refusal(address + 2, 8), ContainsSubstring("is not aligned to 4 bytes"));
  CHECK_THAT(reach_refusal(address + 4, 8, Access::atomic),
             ContainsSubstring("is not aligned to 8 bytes"));
  CHECK(reach_refusal(address + 3, 1).empty());
  CHECK_THAT(reach_refusal(0, 4), ContainsSubstring("where no memory is allocated"));
  CHECK_THAT(reach_refusal(~std::uint64_t{3}, 16),
             ContainsSubstring("where no memory is allocated"));
  CHECK(reach_refusal(address, 4, Access::float_atomic).empty());
  release(address);
  CHECK_THAT(reach_refusal(address + 84, 16), ContainsSubstring("that was freed"));
}

TEST_CASE("Memory that the devices or the host do not have is refused") {
  CHECK(allocate(std::size_t{1} << 50) == 0);
  CHECK(allocate(~std::size_t{0}) == 0);
  CHECK(allocate_pinned(std::size_t{1} << 50) == nullptr);
  set_capacity(1 << 20);
  CHECK(free_bytes() == 1 << 20);
  CHECK(allocate((1 << 20) + 1) == 0);
  const std::uint64_t address = allocate(1 << 19);
  CHECK(free_bytes() == 1 << 19);
  CHECK(allocate((1 << 19) + 1) == 0);
  release(address);
  CHECK(free_bytes() == 1 << 20);
  set_capacity(~std::size_t{0});
}

TEST_CASE("Devices are chosen by the names of their targets") {
  CHECK(parse_devices("none").empty());
  const std::vector<DeviceModel> devices = parse_devices("gfx90a,gfx942");
  REQUIRE(devices.size() == 3);
  CHECK(devices[0].target == Target::gfx90a);
  CHECK(devices[1].target == Target::gfx90a);
  CHECK(std::string(devices[2].name) == "emulated AMD Instinct MI300X");
  CHECK_THROWS_WITH(parse_devices("gfx90a,gfx1100"),
                    ContainsSubstring("gfx1100") && ContainsSubstring("gfx942"));
}
