#include "token/fast/instructions.h"

#include <algorithm>
#include <atomic>

namespace holdfast::token {
namespace {

std::atomic<Instructions> most = Instructions::avx512;

Instructions instructions_there() {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2"))
    return Instructions::any;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("popcnt");
  return wide ? Instructions::avx512 : Instructions::avx2;
}

}  // namespace

Instructions best_instructions() {
  static const Instructions found = instructions_there();
  return std::min(found, most.load(std::memory_order_relaxed));
}

void hold_instructions_to(Instructions held) { most = held; }

}  // namespace holdfast::token
