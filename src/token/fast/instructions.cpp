#include "token/fast/instructions.h"

namespace holdfast::token {

Instructions best_instructions() {
  static const Instructions found = [] {
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2"))
      return Instructions::any;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("popcnt");
    return wide ? Instructions::avx512 : Instructions::avx2;
  }();
  return found;
}

}  // namespace holdfast::token
