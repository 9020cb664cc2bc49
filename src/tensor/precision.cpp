#include "tensor/precision.h"

#include <cstdlib>

namespace holdfast::tensor {

std::string_view precision_name(Precision precision) {
  switch (precision) {
    case Precision::f32:
      return "f32";
    case Precision::bf16:
      return "bf16";
    case Precision::int8:
      return "int8";
  }
  std::abort();
}

std::optional<Precision> precision_from_name(std::string_view name) {
  for (Precision precision : {Precision::f32, Precision::bf16, Precision::int8})
    if (precision_name(precision) == name) return precision;
  return std::nullopt;
}

}  // namespace holdfast::tensor
