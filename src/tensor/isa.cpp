#include "tensor/isa.h"

#include <array>
#include <cstdlib>
#include <vector>

namespace holdfast::tensor {
namespace {

std::vector<Isa> detect() {
  std::vector<Isa> found = {Isa::plain};
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    found.push_back(Isa::avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
      found.push_back(Isa::avx512);
  }
  return found;
}

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::plain:
      return "plain";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  std::abort();
}

std::optional<Isa> isa_from_name(std::string_view name) {
  for (Isa isa : {Isa::plain, Isa::avx2, Isa::avx512})
    if (isa_name(isa) == name) return isa;
  return std::nullopt;
}

std::span<const Isa> isas_of_this_machine() {
  static const std::vector<Isa> found = detect();
  return found;
}

Isa best_isa() { return isas_of_this_machine().back(); }

}  // namespace holdfast::tensor
