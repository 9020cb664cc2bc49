#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::api {

struct LfsLimits {
  uint64_t object_bytes_max = 1ULL << 40;
  size_t objects_max = 1000;                        // Of one batch.
  uint64_t part_bytes = 64 << 20;                   // Grows so that an object has at most `parts_max`.
  uint64_t parts_above_bytes = 80ULL * (64 << 20);  // Larger ones go in parts, where the client can.
  uint32_t parts_max = 1000;
};

}  // namespace holdfast::api
