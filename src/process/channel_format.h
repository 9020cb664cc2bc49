#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::process {

// Shared by both ends of a channel; docs/formats/channel.md. A frame is the payload's length (u32, little
// endian, kind not counted), a kind (u8) that the two ends give meaning to, and the payload.
inline constexpr size_t frame_head_bytes = 5;
inline constexpr size_t frame_payload_bytes_max = 64 << 20;

}  // namespace holdfast::process
