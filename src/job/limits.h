#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace holdfast::job {

inline constexpr uint64_t file_bytes_max = 32 << 20;
inline constexpr int64_t files_of_owner_max = 1000;
inline constexpr int64_t bytes_of_owner_max = int64_t{1} << 30;  // Uploaded and made by batches.
inline constexpr size_t requests_max = 50'000;                   // Of a batch.
inline constexpr size_t custom_id_bytes_max = 512;
inline constexpr size_t answer_bytes_max = 16 << 20;  // Of one request.
inline constexpr int64_t unfinished_of_owner_max = 32, unfinished_max = 256;
inline constexpr std::chrono::hours window{24};  // After which a batch ends as it is.
inline constexpr size_t asked_at_once = 4, slice_requests = 64;
inline constexpr int64_t tries_max = 30;  // Of a request that the server has no room for, one a slice.

}  // namespace holdfast::job
