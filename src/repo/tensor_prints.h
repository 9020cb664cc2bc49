#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace holdfast::scan {
class Source;
}

namespace holdfast::repo {

// What one tensor's bytes are known by, whatever it is called and whichever file holds it: the first half of
// their SHA-256.
struct TensorPrint {
  std::array<std::byte, 16> digest{};
  uint64_t bytes = 0;
  friend bool operator==(const TensorPrint&, const TensorPrint&) = default;
};

// The tensors of a safetensors file, and of torch's zip, whose members are tensors' bytes; none for other
// files. Left out is what unrelated models share: short ones, integers, and those with few different
// values (masks, zeros, ones). Each once, at most tensors_max.
inline constexpr size_t tensors_max = 20'000;
Result<std::vector<TensorPrint>> tensor_prints(scan::Source& file, std::string_view path);

}  // namespace holdfast::repo
