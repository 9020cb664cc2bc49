#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace holdfast::git {

// git's framing (gitprotocol-common(5)): four hexadecimal digits of length, themselves counted, and the
// payload; or one of three marks.
inline constexpr size_t pkt_payload_bytes_max = 65516;

enum class PktKind : uint8_t { data, flush, delimiter, response_end };  // 0000, 0001, 0002
struct Pkt {
  PktKind kind = PktKind::data;
  std::string payload{};

  std::string_view text() const;  // Without one newline at the end.
};

// The next packet at the start of `bytes`, which is moved past it. nullopt when more bytes are needed;
// corrupt for a length that is none.
Result<std::optional<Pkt>> take_pkt(ByteView& bytes);

// A data packet; the payload is at most pkt_payload_bytes_max (CHECKed: it is ours).
std::string format_pkt(std::string_view payload);
inline constexpr std::string_view flush_pkt = "0000";

}  // namespace holdfast::git
