#include "token/fast/instructions.h"

namespace holdfast::token {

Instructions best_instructions() {
  static const bool has_it =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  return has_it ? Instructions::avx2 : Instructions::any;
}

}  // namespace holdfast::token
