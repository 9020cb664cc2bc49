#include "tensor/isa.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

namespace holdfast::tensor {
namespace {

constexpr Isa all[] = {Isa::plain,       Isa::avx2,        Isa::avx2_vnni, Isa::avx512,
                       Isa::avx512_vnni, Isa::avx512_bf16, Isa::amx};

struct Registers {
  unsigned a = 0, b = 0, c = 0, d = 0;
};

Registers cpuid(unsigned leaf, unsigned part) {
  Registers out;
  if (__get_cpuid_count(leaf, part, &out.a, &out.b, &out.c, &out.d) == 0) return {};
  return out;
}

// The kernel gives a process the memory that tile registers are saved to only when asked: request 0x1023 of
// arch_prctl, feature 18. Threads made later inherit it.
bool tiles_permitted() { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }

std::vector<Isa> detect() {
  std::vector<Isa> found = {Isa::plain};
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c"))
    return found;
  const Registers seven = cpuid(7, 0), more = cpuid(7, 1);
  const auto bit = [](unsigned word, unsigned at) { return (word >> at & 1U) != 0; };
  found.push_back(Isa::avx2);
  if (bit(more.a, 4)) found.push_back(Isa::avx2_vnni);
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl"))
    return found;
  found.push_back(Isa::avx512);
  if (!__builtin_cpu_supports("avx512vnni")) return found;
  found.push_back(Isa::avx512_vnni);
  if (!bit(more.a, 5)) return found;
  found.push_back(Isa::avx512_bf16);
  // All such machines permute bytes too.
  if (bit(seven.c, 1) && bit(seven.d, 22) && bit(seven.d, 24) && bit(seven.d, 25) && tiles_permitted())
    found.push_back(Isa::amx);
  return found;
}

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::plain:
      return "plain";
    case Isa::avx2:
      return "avx2";
    case Isa::avx2_vnni:
      return "avx2_vnni";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_vnni:
      return "avx512_vnni";
    case Isa::avx512_bf16:
      return "avx512_bf16";
    case Isa::amx:
      return "amx";
  }
  std::abort();
}

std::optional<Isa> isa_from_name(std::string_view name) {
  for (Isa isa : all)
    if (isa_name(isa) == name) return isa;
  return std::nullopt;
}

std::span<const Isa> isas_of_this_machine() {
  static const std::vector<Isa> found = detect();
  return found;
}

Isa best_isa() { return isas_of_this_machine().back(); }

}  // namespace holdfast::tensor
