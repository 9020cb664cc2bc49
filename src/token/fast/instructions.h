#pragma once

#include <cstdint>

namespace holdfast::token {

// What of the processor's instructions a fast path may use: each has its plain twin.
enum class Instructions : uint8_t { any, avx2, avx512 };  // Each has those before it.
Instructions best_instructions();

// What the processor has of those and no more from now on, for measurements and tests: in all of the process.
void hold_instructions_to(Instructions held);

}  // namespace holdfast::token
