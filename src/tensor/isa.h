#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace holdfast::tensor {

// Instruction sets that kernels exist for, from the slowest. One is chosen once per model, by machine and
// never by shape: see decision 8 in the design.
enum class Isa : uint8_t {
  plain,
  avx2,         // AVX2 and FMA
  avx2_vnni,    // ... and AVX-VNNI
  avx512,       // AVX-512 F, BW, DQ, VL
  avx512_vnni,  // ... and VNNI
  avx512_bf16,  // ... and BF16
  amx,          // ... and AMX tiles of bytes and bfloat16
};

std::string_view isa_name(Isa isa);
std::optional<Isa> isa_from_name(std::string_view name);
std::span<const Isa> isas_of_this_machine();  // Those it can run, slowest first; plain is always there.
Isa best_isa();

}  // namespace holdfast::tensor
